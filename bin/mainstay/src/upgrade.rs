//! A new process takes the place of a running `mainstay serve`: SIGUSR2 starts it, from the same
//! path and with the same arguments, and no client notices.
//!
//! ```text
//! old process                         new process
//! starts the new one ───────────────▶ reads its settings
//!                    ◀──────── Ready ─
//! stops its manager
//! ─ Take, with the listening sockets ▶ starts its proxy and its manager
//!                    ◀────── Serving ─
//! ─ Session, with its socket ────────▶ goes on with it          (as each comes to rest)
//! ends
//! ```
//! Whatever fails before `Serving`, the old process goes on as if nothing had happened.

mod channel;
mod successor;

use std::ffi::OsString;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use mainstay_proxy::{Moved, Proxy};

use channel::{Channel, Word};
pub(crate) use successor::Successor;

/// Set for a process whose standard input leads to the process that it is to succeed.
const VARIABLE: &str = "MAINSTAY_UPGRADE";

/// What starts this program once more.
#[derive(Debug, Clone)]
pub(crate) struct Itself {
    program: PathBuf,
    arguments: Vec<OsString>,
}

impl Itself {
    /// To be called at the start: once another file has replaced it, the program's own path cannot
    /// be told any more.
    pub(crate) fn find() -> Result<Self> {
        Ok(Self {
            program: std::env::current_exe().context("the path of this program is unknown")?,
            arguments: std::env::args_os().skip(1).collect(),
        })
    }
}

/// The process before this one, as this one sees it.
pub(crate) struct Predecessor(Channel);

impl Predecessor {
    /// The process that started this one to be succeeded, if there is one.
    pub(crate) fn find() -> Result<Option<Self>> {
        match std::env::var_os(VARIABLE) {
            Some(_) => Ok(Some(Self(Channel::inherited()?))),
            None => Ok(None),
        }
    }

    /// Says that this process can go on, and waits until it may: gives the listening sockets.
    pub(crate) fn take_over(&self) -> Result<Vec<OwnedFd>> {
        self.0.send(Word::Ready, &[], &[])?;
        match self.0.receive()? {
            Some((Word::Take, _, sockets)) => Ok(sockets),
            Some(_) | None => bail!("the process before this one goes on itself"),
        }
    }

    /// Says that this process serves, and takes clients over from now on, on a thread of its own.
    pub(crate) fn serving(self, proxy: Option<Arc<Proxy>>) -> Result<()> {
        self.0.send(Word::Serving, &[], &[])?;
        let Some(proxy) = proxy else { return Ok(()) };
        let arrive = move || {
            let mut moved = 0_u64;
            while let Ok(Some((Word::Session, bytes, sockets))) = self.0.receive() {
                let Some((worker, session)) = bytes.split_first_chunk::<4>() else {
                    break;
                };
                let Some(socket) = sockets.into_iter().next() else {
                    break;
                };
                moved += 1;
                proxy.arrive(Moved {
                    socket,
                    session: session.to_vec(),
                    worker: u32::from_le_bytes(*worker) as usize,
                });
            }
            tracing::info!(moved, "the process before this one has ended its part");
        };
        std::thread::Builder::new()
            .name("arrivals".to_owned())
            .spawn(arrive)?;
        Ok(())
    }
}
