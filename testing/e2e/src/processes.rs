//! Processes of the machine, found by what their command lines name.

use std::fs;
use std::path::Path;

use rustix::process::{Pid, Signal, kill_process};

/// A process that runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// Its number.
    pub pid: u32,
    /// Its arguments, with a space between two of them.
    pub command_line: String,
}

/// Processes that have this directory, or something in it, on their command line.
pub fn naming(dir: &Path) -> Vec<Process> {
    let dir = dir.to_str().expect("the tests' own paths are text");
    let mut found = all();
    found.retain(|process| process.command_line.contains(dir) && process.pid != std::process::id());
    found
}

/// Every process that runs and whose command line may be read.
pub fn all() -> Vec<Process> {
    let entries = fs::read_dir("/proc").expect("this is Linux");
    let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    pids.filter_map(|pid| {
        let command_line = command_line(pid)?;
        Some(Process { pid, command_line })
    })
    .collect()
}

/// Whether the process runs. One that is ending does, until its last thread has let go of its
/// ports; one that has ended and was not waited for does not.
pub fn runs(pid: u32) -> bool {
    let folder = Path::new("/proc").join(pid.to_string());
    let Ok(stat) = fs::read_to_string(folder.join("stat")) else {
        return false;
    };
    // proc_pid_stat(5): the state follows the name, which is in parentheses and may hold any text.
    let state = stat.rsplit(") ").next().unwrap_or_default();
    let threads = fs::read_dir(folder.join("task")).map_or(0, Iterator::count);
    !state.starts_with(['Z', 'X']) || threads > 1
}

/// Sends a signal.
#[track_caller]
pub fn signal(pid: u32, signal: Signal) {
    let target = Pid::from_raw(pid.cast_signed()).expect("a process number is not 0");
    kill_process(target, signal)
        .unwrap_or_else(|error| panic!("cannot send {signal:?} to process {pid}: {error}"));
}

/// `None` if it has ended: the command line of a dead process that nobody waited for is empty.
fn command_line(pid: u32) -> Option<String> {
    let bytes = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    let text = String::from_utf8_lossy(&bytes).replace('\0', " ");
    let text = text.trim_end().to_owned();
    (!text.is_empty()).then_some(text)
}
