//! Ctrl-C, a polite request to end, and the request to read the settings again.

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

/// SIGHUP.
pub(crate) struct Hangups(Signal);

impl Hangups {
    /// From now on it does not end the process.
    pub(crate) fn listen() -> Result<Self> {
        let signal = signal(SignalKind::hangup()).context("cannot listen for signals")?;
        Ok(Self(signal))
    }

    /// Resolves when one arrives.
    pub(crate) async fn recv(&mut self) {
        let _ = self.0.recv().await;
    }
}
