//! Starts the thread, and speaks with it.

use std::os::fd::{AsFd, OwnedFd};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use mainstay_vrrp::{State, Verdict};
use rustix::event::{EventfdFlags, eventfd};

use crate::config::Config;
use crate::error::VipError;
use crate::keeper::Keeper;
use crate::status::VipStatus;

/// Commands that wait for the thread.
const COMMANDS_MAX: usize = 1_024;

/// What the thread is asked.
#[derive(Debug)]
pub(crate) enum Command {
    /// A verdict on something that a router depends on. Answered when what follows is done.
    Track(String, String, Verdict, SyncSender<()>),
    /// Take the addresses at once.
    Claim(String, SyncSender<State>),
    /// Other settings.
    Reload(Box<Config>),
    /// Let everything go, and end.
    Stop,
    /// End, and leave everything as it is for another process.
    Leave,
}

/// What both sides have.
#[derive(Debug)]
pub(crate) struct Shared {
    /// Becomes readable when a command waits.
    pub(crate) wake: OwnedFd,
    /// As of the last turn.
    pub(crate) status: Mutex<Vec<VipStatus>>,
}

impl Shared {
    pub(crate) fn publish(&self, status: Vec<VipStatus>) {
        *self.status.lock().unwrap_or_else(PoisonError::into_inner) = status;
    }
}

/// The floating addresses of this host. Its clones speak with the same thread.
#[derive(Debug, Clone)]
pub struct VipHandle {
    shared: Arc<Shared>,
    commands: SyncSender<Command>,
    thread: Arc<Mutex<Option<JoinHandle<()>>>>,
}

/// Removes what an earlier run has left, and starts the routers.
pub fn start(config: Config) -> Result<VipHandle, VipError> {
    let wake = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK);
    let shared = Arc::new(Shared {
        wake: wake.map_err(|error| VipError::Thread(error.into()))?,
        status: Mutex::default(),
    });
    let (commands, receiver): (_, Receiver<Command>) = sync_channel(COMMANDS_MAX);
    let keeper = Keeper::new(config, Arc::clone(&shared))?;
    let thread = std::thread::Builder::new()
        .name("vip".to_owned())
        .spawn(move || keeper.run(&receiver))
        .map_err(VipError::Thread)?;
    Ok(VipHandle {
        shared,
        commands,
        thread: Arc::new(Mutex::new(Some(thread))),
    })
}

impl VipHandle {
    /// What is as of now.
    pub fn status(&self) -> Vec<VipStatus> {
        let status = self.shared.status.lock();
        status.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Says how something is that an address depends on: `track` is its name in the policy. Waits
    /// until what follows is done: after a verdict that is a fault, the addresses are gone.
    pub fn set_track(&self, vip: &str, track: &str, verdict: Verdict) -> Result<(), VipError> {
        self.known(vip)?;
        let (done, answer) = sync_channel(1);
        let command = Command::Track(vip.to_owned(), track.to_owned(), verdict, done);
        self.send(command)?;
        answer.recv().map_err(|_| VipError::Stopped)
    }

    /// Takes the addresses now, without waiting for silence, where nothing is missing. Gives the
    /// state that follows.
    pub fn claim(&self, vip: &str) -> Result<State, VipError> {
        self.known(vip)?;
        let (done, answer) = sync_channel(1);
        self.send(Command::Claim(vip.to_owned(), done))?;
        answer.recv().map_err(|_| VipError::Stopped)
    }

    /// Puts other settings in force; addresses that are in both stay where they are.
    pub fn reload(&self, config: Config) -> Result<(), VipError> {
        self.send(Command::Reload(Box::new(config)))
    }

    /// Lets everything go, tells the others, and ends the thread.
    pub fn stop(&self) {
        self.end(Command::Stop);
    }

    /// Ends the thread and leaves the addresses where they are: the process that comes next goes on
    /// with them.
    pub fn leave(&self) {
        self.end(Command::Leave);
    }

    fn end(&self, how: Command) {
        // If it has ended already, there is nothing to tell.
        let _ = self.send(how);
        let thread = self
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(Err(_)) = thread.map(JoinHandle::join) {
            tracing::error!("the thread of the floating addresses has failed");
        }
    }

    fn known(&self, name: &str) -> Result<(), VipError> {
        let status = self.status();
        if status.iter().any(|vip| vip.name == name) {
            return Ok(());
        }
        let known: Vec<_> = status.into_iter().map(|vip| vip.name).collect();
        Err(VipError::Unknown {
            name: name.to_owned(),
            known: known.join(", "),
        })
    }

    fn send(&self, command: Command) -> Result<(), VipError> {
        self.commands.send(command).map_err(|_| VipError::Stopped)?;
        // A counter that is full wakes the thread as well.
        let _ = rustix::io::write(self.shared.wake.as_fd(), &1_u64.to_ne_bytes());
        Ok(())
    }
}
