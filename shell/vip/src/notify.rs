//! Tells others of changes: programs, run one after the other in the order of the changes, and a
//! FIFO. On a thread of its own, so that none of them can keep a router from its clock.

#[cfg(test)]
mod tests;

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use mainstay_vrrp::State;

use crate::dialect;

/// Changes that wait for programs to end; more are told to the FIFO and the log only.
const WAITING_MAX: usize = 256;

/// A program that runs longer is ended.
const LIMIT: Duration = Duration::from_secs(30);

/// How often it is looked whether a program has ended.
const LOOK_INTERVAL: Duration = Duration::from_millis(10);

/// One change.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    pub(crate) name: String,
    pub(crate) state: State,
    pub(crate) priority: u8,
    /// The program, and its arguments.
    pub(crate) program: Vec<String>,
    pub(crate) fifo: Option<PathBuf>,
}

/// Takes changes.
#[derive(Debug)]
pub(crate) struct Notifier(SyncSender<Change>);

impl Notifier {
    pub(crate) fn start() -> std::io::Result<Self> {
        let (sender, receiver) = sync_channel(WAITING_MAX);
        std::thread::Builder::new()
            .name("vip-notify".to_owned())
            .spawn(move || tell_all(&receiver))?;
        Ok(Self(sender))
    }

    pub(crate) fn tell(&self, change: Change) {
        if change.program.is_empty() && change.fifo.is_none() {
            return;
        }
        if let Err(error) = self.0.try_send(change) {
            tracing::error!(%error, "a change is not told to its program: too many wait");
        }
    }
}

fn tell_all(changes: &Receiver<Change>) {
    for change in changes {
        if let Some(fifo) = &change.fifo {
            let line = dialect::line(&change.name, change.state, change.priority);
            if let Err(error) = write(fifo, &line) {
                let fifo = fifo.display();
                tracing::error!(%error, "a change cannot be written to {fifo}");
            }
        }
        if let Some((program, arguments)) = change.program.split_first()
            && let Err(error) = run(program, arguments, &change)
        {
            tracing::error!(%error, program, "a change is not told");
        }
    }
}

/// Opened for reading too, as keepalived does: what nobody reads yet waits in the FIFO.
fn write(path: &Path, line: &str) -> std::io::Result<()> {
    if !path.exists() {
        let mode = rustix::fs::Mode::from_raw_mode(0o600);
        rustix::fs::mkfifoat(rustix::fs::CWD, path, mode)?;
    }
    let mut options = std::fs::OpenOptions::new();
    let mut fifo = options
        .read(true)
        .write(true)
        .custom_flags(libc::O_NONBLOCK)
        .open(path)?;
    fifo.write_all(line.as_bytes())
}

fn run(program: &str, arguments: &[String], change: &Change) -> std::io::Result<()> {
    let mut child = Command::new(program)
        .args(arguments)
        .args(dialect::arguments(
            &change.name,
            change.state,
            change.priority,
        ))
        .stdin(Stdio::null())
        .spawn()?;
    let began = Instant::now();
    while child.try_wait()?.is_none() {
        if began.elapsed() > LIMIT {
            tracing::error!(
                program,
                "a program that was told of a change does not end: killed"
            );
            child.kill()?;
            child.wait()?;
            break;
        }
        std::thread::sleep(LOOK_INTERVAL);
    }
    Ok(())
}
