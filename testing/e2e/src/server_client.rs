//! The command line client that comes with the servers.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::Command;

use crate::Login;
use crate::family::Family;
use crate::program::{Finished, run};

/// Runs `mariadb` or `mysql` in batch mode, with more arguments and statements to run.
pub fn server_client(family: Family, login: &Login, arguments: &[&str], sql: &str) -> Finished {
    let folder = tempfile::tempdir().expect("a temporary directory can be made");
    let options = folder.path().join("client.cnf");
    write_options(&options, login);
    let mut command = Command::new(family.client_program());
    let mut defaults = std::ffi::OsString::from("--defaults-file=");
    defaults.push(&options);
    command
        .arg(defaults)
        .args(["--batch", "--skip-column-names"])
        .args(arguments)
        .args(["-e", sql]);
    if let Some(database) = &login.database {
        command.arg(database);
    }
    run(&mut command)
}

fn write_options(path: &Path, login: &Login) {
    let Login {
        host,
        port,
        user,
        password,
        ..
    } = login;
    let text = format!(
        "[client]\nprotocol=tcp\nhost={host}\nport={port}\nuser={user}\npassword={password}\n"
    );
    let mut file = OpenOptions::new()
        .create_new(true)
        .write(true)
        .mode(0o600)
        .open(path)
        .expect("a file can be made");
    file.write_all(text.as_bytes())
        .expect("a file can be written");
}
