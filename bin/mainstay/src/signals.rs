//! Ctrl-C, a polite request to end, and the requests to read the settings again and to hand over to
//! a new process.

use anyhow::{Context, Result};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// SIGINT and SIGTERM.
pub(crate) struct Interruptions {
    int: Signal,
    term: Signal,
}

impl Interruptions {
    /// From now on neither ends the process by itself.
    pub(crate) fn listen() -> Result<Self> {
        let take = |kind| signal(kind).context("cannot listen for signals");
        Ok(Self {
            int: take(SignalKind::interrupt())?,
            term: take(SignalKind::terminate())?,
        })
    }

    /// Resolves when one arrives.
    pub(crate) async fn recv(&mut self) {
        tokio::select! {
            _ = self.int.recv() => {}
            _ = self.term.recv() => {}
        }
    }
}

/// What a signal asks for.
pub(crate) enum Request {
    /// SIGINT or SIGTERM: to end.
    End,
    /// SIGHUP: to read the settings again.
    Reload,
    /// SIGUSR2: to hand over to a new process.
    Upgrade,
}

/// The signals to a `mainstay serve`.
pub(crate) struct Signals {
    interruptions: Interruptions,
    hangup: Signal,
    upgrade: Signal,
}

impl Signals {
    /// From now on none of them ends the process by itself.
    pub(crate) fn listen() -> Result<Self> {
        let take = |kind| signal(kind).context("cannot listen for signals");
        Ok(Self {
            interruptions: Interruptions::listen()?,
            hangup: take(SignalKind::hangup())?,
            upgrade: take(SignalKind::user_defined2())?,
        })
    }

    /// The next request.
    pub(crate) async fn next(&mut self) -> Request {
        tokio::select! {
            () = self.interruptions.recv() => Request::End,
            _ = self.hangup.recv() => Request::Reload,
            _ = self.upgrade.recv() => Request::Upgrade,
        }
    }

    /// Resolves when the process is asked to end, whatever else is asked.
    pub(crate) async fn ended(&mut self) {
        self.interruptions.recv().await;
    }
}
