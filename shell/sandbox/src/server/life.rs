//! One life of a server's process: what it is asked to do, and how it ended.

use std::io;
use std::process::ExitStatus;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::process::Child;
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::Result;

/// What the supervisor's thread is asked to do with a server.
pub(crate) enum Order {
    /// Send a signal; a SIGKILL is answered when the process is gone.
    Signal(Signal, oneshot::Sender<Result<()>>),
    /// Leave it down when it ends.
    Hold(oneshot::Sender<()>),
    /// Start it again, at once if it is down.
    Release(oneshot::Sender<()>),
    /// End it for good: politely, and by force after the limit.
    Stop(Duration, oneshot::Sender<()>),
}

/// A process, and what has been asked of it.
pub(super) struct Life {
    pub(super) child: Child,
    pub(super) held: bool,
    /// An order to stop was given; its reply, and the end of the patience.
    pub(super) stop: Option<oneshot::Sender<()>>,
    pub(super) kill_at: Option<Instant>,
    /// Those who wait for the process to be gone.
    killers: Vec<oneshot::Sender<Result<()>>>,
    /// Nobody is left to give orders.
    pub(super) orphaned: bool,
}

/// How one life of the process ended.
pub(super) struct Ended {
    pub(super) pid: Option<u32>,
    pub(super) status: io::Result<ExitStatus>,
    pub(super) was_ready: bool,
    pub(super) held: bool,
    pub(super) stop: Option<oneshot::Sender<()>>,
    pub(super) orphaned: bool,
}

impl Life {
    pub(super) fn new(child: Child, held: bool) -> Self {
        Self {
            child,
            held,
            stop: None,
            kill_at: None,
            killers: Vec::new(),
            orphaned: false,
        }
    }

    pub(super) fn obey(&mut self, order: Option<Order>) {
        match order {
            Some(Order::Signal(Signal::KILL, reply)) => {
                self.signal(Signal::KILL);
                self.killers.push(reply);
            }
            Some(Order::Signal(other, reply)) => {
                self.signal(other);
                let _nobody_waits = reply.send(Ok(()));
            }
            Some(Order::Hold(reply)) => self.held = answer(reply, true),
            Some(Order::Release(reply)) => self.held = answer(reply, false),
            Some(Order::Stop(limit, reply)) => {
                self.stop = Some(reply);
                self.kill_at = Some(Instant::now() + limit);
                // A stopped process takes no SIGTERM before it is continued.
                self.signal(Signal::TERM);
                self.signal(Signal::CONT);
            }
            None => {
                self.orphaned = true;
                self.signal(Signal::KILL);
            }
        }
    }

    /// The patience of an order to stop is over.
    pub(super) fn kill(&mut self) {
        self.kill_at = None;
        self.signal(Signal::KILL);
    }

    /// A child that was not reaped keeps its process id, so this reaches the child or nobody.
    fn signal(&self, signal: Signal) {
        let pid = self
            .child
            .id()
            .and_then(|pid| Pid::from_raw(pid.cast_signed()));
        if let Some(pid) = pid {
            // The only failure left is that it has ended, which `wait` tells.
            let _already_ended = kill_process(pid, signal);
        }
    }

    pub(super) fn end(
        self,
        status: io::Result<ExitStatus>,
        pid: Option<u32>,
        was_ready: bool,
    ) -> Ended {
        for reply in self.killers {
            let _nobody_waits = reply.send(Ok(()));
        }
        let Self {
            held,
            stop,
            orphaned,
            ..
        } = self;
        Ended {
            pid,
            status,
            was_ready,
            held,
            stop,
            orphaned,
        }
    }
}

impl Ended {
    pub(super) fn unborn(error: io::Error, held: bool) -> Self {
        let status = Err(error);
        Self {
            pid: None,
            status,
            was_ready: false,
            held,
            stop: None,
            orphaned: false,
        }
    }

    /// In words.
    pub(super) fn how(&self) -> String {
        match &self.status {
            Ok(status) => status.to_string(),
            Err(error) => error.to_string(),
        }
    }
}

pub(super) fn answer(reply: oneshot::Sender<()>, held: bool) -> bool {
    let _nobody_waits = reply.send(());
    held
}
