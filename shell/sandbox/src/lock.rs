//! The lock that keeps two sandboxes out of one directory, and the end of one that runs elsewhere.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{FlockOperation, flock};
use rustix::io::retry_on_intr;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use crate::{Result, SandboxError};

const FILE: &str = "sandbox.lock";

/// Held for as long as a sandbox runs; the kernel lets go of it when the process ends, however.
#[derive(Debug)]
pub(crate) struct Lock {
    file: File,
}

impl Lock {
    /// Takes the lock and leaves this process's id in it.
    pub(crate) fn take(dir: &Path) -> Result<Self> {
        let path = dir.join(FILE);
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .mode(0o600)
            .open(&path)
            .map_err(SandboxError::io("open", &path))?;
        if flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
            let pid = recorded(dir).map_or_else(|| "unknown".to_owned(), |pid| pid.to_string());
            return Err(SandboxError::AlreadyRunning {
                dir: dir.to_owned(),
                pid,
            });
        }
        file.set_len(0)
            .and_then(|()| write!(file, "{}", std::process::id()))
            .map_err(SandboxError::io("write", &path))?;
        Ok(Self { file })
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing the file would not do: a process that is just being started still shares it.
        let _closing_unlocks_too = flock(&self.file, FlockOperation::Unlock);
    }
}

fn recorded(dir: &Path) -> Option<u32> {
    fs::read_to_string(dir.join(FILE)).ok()?.trim().parse().ok()
}

/// The process that runs the sandbox in this directory, if one does.
pub fn running_pid(dir: &Path) -> Option<u32> {
    let file = File::open(dir.join(FILE)).ok()?;
    // A shared lock, so that two who ask at once do not take each other for a sandbox.
    flock(&file, FlockOperation::NonBlockingLockShared)
        .is_err()
        .then(|| recorded(dir))?
}

/// How a sandbox came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stopped {
    /// By itself, when asked.
    Gracefully,
    /// By SIGKILL, after the limit; its servers died with it.
    Killed,
}

/// Ends the sandbox that runs in this directory, and waits until it is gone.
pub fn stop_running(dir: &Path, limit: Duration) -> Result<Stopped> {
    let none = || SandboxError::NotRunning {
        dir: PathBuf::from(dir),
    };
    let pid = running_pid(dir).ok_or_else(none)?;
    let process = i32::try_from(pid)
        .ok()
        .and_then(Pid::from_raw)
        .ok_or_else(none)?;
    let handle = pidfd_open(process, PidfdFlags::empty()).map_err(|_| none())?;
    // The id may have gone to another process between the two: look again now that it is held.
    if running_pid(dir) != Some(pid) {
        return Err(none());
    }
    let path = dir.join(FILE);
    let failed = |error: rustix::io::Errno| SandboxError::io("end", &path)(error.into());
    pidfd_send_signal(&handle, Signal::TERM).map_err(failed)?;
    let ended = |limit: Duration| {
        let limit = Timespec {
            tv_sec: limit.as_secs().cast_signed(),
            tv_nsec: 0,
        };
        let mut watched = [PollFd::new(&handle, PollFlags::IN)];
        retry_on_intr(|| poll(&mut watched, Some(&limit))).map(|ready| ready > 0)
    };
    if ended(limit).map_err(failed)? {
        return Ok(Stopped::Gracefully);
    }
    pidfd_send_signal(&handle, Signal::KILL).map_err(failed)?;
    ended(Duration::from_secs(10)).map_err(failed)?;
    Ok(Stopped::Killed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_sandbox_in_one_directory_is_refused_with_the_first_ones_pid() {
        let dir = tempfile::tempdir().expect("a directory");
        let first = Lock::take(dir.path()).expect("free");
        let error = Lock::take(dir.path()).expect_err("taken").to_string();
        let pid = std::process::id();
        assert!(
            error.contains(&format!("already running as pid {pid}")),
            "{error}"
        );
        assert!(error.contains("mainstay sandbox stop --dir"), "{error}");
        assert_eq!(running_pid(dir.path()), Some(pid));
        drop(first);
        assert_eq!(running_pid(dir.path()), None);
        Lock::take(dir.path()).expect("free again");
    }

    #[test]
    fn stopping_where_nothing_runs_says_so() {
        let dir = tempfile::tempdir().expect("a directory");
        let error = stop_running(dir.path(), Duration::ZERO).expect_err("nothing runs");
        assert!(
            error.to_string().contains("no sandbox is running in"),
            "{error}"
        );
    }
}
