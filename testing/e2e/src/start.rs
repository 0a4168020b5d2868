//! The command line that starts a sandbox of a test.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Family;
use crate::program::mainstay_binary;

/// `mainstay sandbox` with ports of its own, in a temporary directory if none is given.
pub fn start_command(family: Family, dir: Option<&Path>) -> Command {
    let mut command = Command::new(mainstay_binary());
    command.args(["sandbox", "--flavor", family.flavor()]);
    if let Some(dir) = dir {
        command.arg("--dir").arg(dir);
    }
    command
        .args([
            "--proxy-port=0",
            "--admin-port=0",
            "--api-port=0",
            "--base-port=0",
        ])
        .envs(environment(family));
    command
}

/// The server that the tests found is the one that the sandbox takes.
pub(crate) fn environment(family: Family) -> Option<(&'static str, PathBuf)> {
    let program = family.server_program();
    (family == Family::MySql).then_some(("MAINSTAY_MYSQLD", program))
}
