//! Settings files that tests write for `mainstay serve`.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use crate::Sandbox;

/// Writes a new file that only its owner may read: it holds passwords.
pub fn write_private(path: &Path, text: &str) {
    let mut options = OpenOptions::new();
    let file = options.create_new(true).write(true).mode(0o600).open(path);
    let written = file.and_then(|mut file| file.write_all(text.as_bytes()));
    written.expect("a file can be written");
}

/// All sections but the servers, for those of a sandbox: `manager` is that account's user and
/// password, `ports` are the proxy's and the API's.
pub fn managed(sandbox: &Sandbox, manager: &(String, String), ports: (u16, u16)) -> String {
    let (proxy, api) = ports;
    let [replication, app] = ["replication", "app"].map(|which| sandbox.account(which));
    format!(
        "[manager]\nuser = \"{}\"\npassword = \"{}\"\n\
         replication_user = \"{}\"\nreplication_password = \"{}\"\n\
         [proxy]\nlisten = \"127.0.0.1:{proxy}\"\n\
         [[user]]\nname = \"{}\"\npassword = \"{}\"\n\
         [api]\nlisten = \"127.0.0.1:{api}\"\npassword = \"0123456789abcdef\"\n",
        manager.0, manager.1, replication.0, replication.1, app.0, app.1,
    )
}
