//! The settings of the manager and the proxy.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use super::{SERVERS, address, name};

/// The manager's account on the servers.
pub(super) const MANAGER: (&str, &str) = ("manager", "password-of-the-manager");
/// A person, who may do as much.
pub(super) const PERSON: (&str, &str) = ("person", "password-of-a-person");
/// With which replicas log in to their source.
pub(super) const REPLICATION: (&str, &str) = ("replication", "password-of-replication");
/// The application's account.
pub(super) const APP: (&str, &str) = ("app", "password-of-the-app");

/// The path of the settings.
pub(super) fn file(home: &Path) -> PathBuf {
    home.join("mainstay.toml")
}

pub(super) fn write(home: &Path) {
    let mut text = format!(
        "[cluster]\nname = \"lab\"\ndurability = \"lossless\"\nauto_reseed = true\n\
         [manager]\nuser = \"{}\"\npassword = \"{}\"\n\
         replication_user = \"{}\"\nreplication_password = \"{}\"\n\
         [proxy]\nlisten = \"10.125.0.9:6033\"\nworkers = 1\n\
         [[user]]\nname = \"{}\"\npassword = \"{}\"\n\
         [api]\nlisten = \"10.125.0.9:6080\"\npassword = \"0123456789abcdef\"\n",
        MANAGER.0, MANAGER.1, REPLICATION.0, REPLICATION.1, APP.0, APP.1,
    );
    for number in SERVERS {
        let (name, address) = (name(number), address(number));
        text += &format!("[[server]]\nname = \"{name}\"\naddress = \"{address}:3306\"\n");
    }
    let mut options = fs::OpenOptions::new();
    let private = options.create_new(true).write(true).mode(0o600);
    let written = private
        .open(file(home))
        .and_then(|mut file| file.write_all(text.as_bytes()));
    written.expect("a file can be written");
}
