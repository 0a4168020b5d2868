//! Somebody else's place is taken: a process stands still meanwhile.

use rustix::process::Signal;

use crate::processes::signal;

/// A process that stands still.
#[derive(Debug)]
pub struct Paused(u32);

impl Paused {
    /// Stops it (SIGSTOP); it goes on when this is dropped.
    pub fn new(pid: u32) -> Self {
        signal(pid, Signal::STOP);
        Self(pid)
    }
}

impl Drop for Paused {
    fn drop(&mut self) {
        signal(self.0, Signal::CONT);
    }
}
