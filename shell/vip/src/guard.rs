//! The guard: a process that takes addresses off when the process that holds them has ended,
//! however it ended. It is this program once more, with a hidden subcommand and a pipe as its
//! standard input.
//!
//! What is held comes as lines, all of it each time, with an empty line at the end of a list. The
//! end of the pipe is the end of the other process.

use std::collections::BTreeSet;
use std::io::{BufRead, Write};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitCode, Stdio};

use crate::held::{Holding, release};
use crate::kernel::Kernel;
use crate::sys;

/// The hidden subcommand that the program must answer by calling [`guard_main`].
pub const GUARD_COMMAND: &str = "vip-guard";

/// The running guard, as the process that holds addresses sees it.
#[derive(Debug)]
pub(crate) struct Guard {
    program: PathBuf,
    child: Option<Child>,
}

impl Guard {
    pub(crate) fn new(program: PathBuf) -> Self {
        let child = None;
        Self { program, child }
    }

    /// Tells it all that is held; starts it (again) when it does not run.
    pub(crate) fn tell(&mut self, present: &BTreeSet<Holding>) {
        let mut text = String::new();
        for holding in present {
            text.push_str(&format!("{holding}\n"));
        }
        text.push('\n');
        if self.write(&text) {
            return;
        }
        self.end();
        self.child = match self.start() {
            Ok(child) => Some(child),
            Err(error) => {
                let program = self.program.display();
                tracing::error!(%error, "no guard: {program} cannot be started");
                None
            }
        };
        self.write(&text);
    }

    /// False when there is none, or it has ended.
    fn write(&mut self, text: &str) -> bool {
        let pipe = self.child.as_mut().and_then(|child| child.stdin.as_mut());
        pipe.is_some_and(|pipe| pipe.write_all(text.as_bytes()).is_ok())
    }

    fn start(&self) -> std::io::Result<Child> {
        let mut command = Command::new(&self.program);
        command
            .arg(GUARD_COMMAND)
            .stdin(Stdio::piped())
            .stdout(Stdio::null());
        // Ctrl-C on the terminal is not for it.
        command.process_group(0);
        command.spawn()
    }

    fn end(&mut self) {
        if let Some(mut child) = self.child.take() {
            drop(child.stdin.take());
            let _ = child.wait();
        }
    }
}

impl Drop for Guard {
    /// The end of the pipe ends it, after it has taken off what it was told last.
    fn drop(&mut self) {
        self.end();
    }
}

/// What the hidden subcommand does.
pub fn guard_main() -> ExitCode {
    // It must outlive its parent, whoever is asked to end.
    sys::ignore_requests_to_end();
    let (mut held, mut list) = (BTreeSet::new(), BTreeSet::new());
    for line in std::io::stdin().lock().lines() {
        let Ok(line) = line else { break };
        if line.is_empty() {
            held = std::mem::take(&mut list);
        } else if let Ok(holding) = line.parse() {
            list.insert(holding);
        }
    }
    // A list that was cut short counts as well: better to take off too much.
    held.append(&mut list);
    if held.is_empty() {
        return ExitCode::SUCCESS;
    }
    let failures = match Kernel::open() {
        Ok(mut kernel) => release(&mut kernel, &held),
        Err(error) => vec![format!("no netlink: {error}")],
    };
    let mut log = std::io::stderr();
    let many = held.len();
    // Nowhere is left to report a failure to report.
    let _ = writeln!(
        log,
        "mainstay has ended without letting go; its guard removed {many} things"
    );
    for failure in &failures {
        let _ = writeln!(log, "mainstay: {failure}");
    }
    if failures.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
