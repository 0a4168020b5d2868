//! The step between the supervisor and a server: makes the kernel end the server with us.
//!
//! Our own program is started once more with a hidden subcommand, asks for a signal on its
//! parent's death and then becomes the server. The kernel sends that signal when the *thread* that
//! forked ends, so only threads that outlive their children may start them.

use std::env;
use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use rustix::process::{Signal, getppid, set_parent_process_death_signal};

/// The hidden subcommand that the program of a sandbox must answer by calling [`guard_main`].
pub const GUARD_COMMAND: &str = "sandbox-guard";

/// Which program answers to [`GUARD_COMMAND`].
#[derive(Debug, Clone)]
pub(crate) struct Guard {
    program: PathBuf,
}

impl Guard {
    pub(crate) fn new(program: Option<PathBuf>) -> Self {
        let own = || env::current_exe().unwrap_or_else(|_| PathBuf::from("/proc/self/exe"));
        Self {
            program: program.unwrap_or_else(own),
        }
    }

    /// A command that runs `program` and dies with the thread that starts it.
    pub(crate) fn command(&self, program: PathBuf, arguments: Vec<OsString>) -> Command {
        let mut command = Command::new(&self.program);
        command
            .arg(GUARD_COMMAND)
            .arg(std::process::id().to_string())
            .arg(program)
            .args(arguments);
        // A group of its own: Ctrl-C on the terminal is for us, who then stop the servers in order.
        command.process_group(0);
        command
    }
}

/// What the hidden subcommand does, given the arguments after it. Returns only on failure.
pub fn guard_main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let mut arguments = arguments.into_iter();
    let parent = arguments
        .next()
        .and_then(|text| text.to_str()?.parse::<i32>().ok());
    let (Some(parent), Some(program)) = (parent, arguments.next()) else {
        return ExitCode::FAILURE;
    };
    if set_parent_process_death_signal(Some(Signal::KILL)).is_err() {
        return ExitCode::FAILURE;
    }
    // A parent that died before the line above sends no signal any more.
    if getppid().map(|pid| pid.as_raw_nonzero().get()) != Some(parent) {
        return ExitCode::FAILURE;
    }
    let error = Command::new(&program)
        .args(arguments)
        // Tells mysqld that its parent will start it again, which RESTART and CLONE ask for.
        .env("MYSQLD_PARENT_PID", parent.to_string())
        .exec();
    use_stderr(&format!("cannot run {}: {error}\n", program.display()));
    ExitCode::FAILURE
}

/// Standard error is the server's log here.
fn use_stderr(text: &str) {
    use std::io::Write;
    // Nowhere is left to report a failure to report.
    let _ = std::io::stderr().write_all(text.as_bytes());
}
