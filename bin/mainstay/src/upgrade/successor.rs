//! The process that is to go on, as the one before it sees it.

use std::os::fd::AsFd;
use std::process::{Child, Command};
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use mainstay_proxy::{Leaving, Proxy};

use super::channel::{Channel, Word};
use super::{Itself, VARIABLE};

/// A new process that has not said a word after this time is given up.
const START_LIMIT: Duration = Duration::from_mins(1);

/// A process that can go on.
pub(crate) struct Successor {
    child: Child,
    channel: Channel,
}

impl Successor {
    /// Starts it and waits until it has read its settings.
    pub(crate) fn start(itself: &Itself) -> Result<Self> {
        let (ours, theirs) = Channel::pair()?;
        let mut command = Command::new(&itself.program);
        command.args(&itself.arguments);
        command
            .env(VARIABLE, "stdin")
            .stdin(theirs.into_inherited());
        let program = itself.program.display();
        let child = command
            .spawn()
            .with_context(|| format!("cannot start {program}"))?;
        // Its own end must be the only one, or the end of the process would not be seen.
        drop(command);
        ours.limit(START_LIMIT)?;
        let successor = Self {
            child,
            channel: ours,
        };
        if let Err(error) = successor.expect(Word::Ready) {
            successor.give_up();
            return Err(error);
        }
        Ok(successor)
    }

    /// Its process number.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Gives it the port, and waits until it serves.
    pub(crate) fn take_over(&self, proxy: Option<&Proxy>) -> Result<()> {
        let listeners = proxy.map(Proxy::listeners).unwrap_or_default();
        let listeners: Vec<_> = listeners.iter().map(AsFd::as_fd).collect();
        self.channel.send(Word::Take, &[], &listeners)?;
        self.expect(Word::Serving)
    }

    /// Sends it the clients of the proxy, each as it comes to rest, until all are gone or nobody
    /// lets them go any more.
    pub(crate) fn move_clients(self, proxy: &Proxy) -> Result<JoinHandle<()>> {
        let (sender, receiver) = mpsc::channel();
        proxy.leave(&Leaving::Moving(sender));
        let send = move || {
            for moved in receiver {
                let worker = u32::try_from(moved.worker).unwrap_or_default();
                let bytes = [&worker.to_le_bytes()[..], &moved.session].concat();
                let socket = moved.socket.as_fd();
                if let Err(error) = self.channel.send(Word::Session, &bytes, &[socket]) {
                    tracing::error!("a client was lost on its way to the new process: {error:#}");
                }
            }
        };
        let thread = std::thread::Builder::new().name("departures".to_owned());
        Ok(thread.spawn(send)?)
    }

    /// Ends a process that did not get as far as to serve.
    pub(crate) fn give_up(mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    fn expect(&self, expected: Word) -> Result<()> {
        match self.channel.receive()? {
            Some((word, _, _)) if word == expected => Ok(()),
            Some((word, _, _)) => bail!("the new process said {word:?} instead of {expected:?}"),
            None => bail!("the new process has ended; its log says why"),
        }
    }
}
