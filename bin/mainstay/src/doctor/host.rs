//! Files that others can read, programs that are not there, ports that are taken.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use mainstay_settings::Settings;

use super::finding::{Finding, Grade};

/// The file itself, the manager's state, and programs of the scheduler.
pub(super) fn files(config: &Path, settings: &Settings) -> Vec<Finding> {
    let state = settings.control.manager().map(|manager| &*manager.state);
    let mut found: Vec<_> = [Some(config), state]
        .into_iter()
        .flatten()
        .filter_map(open_to_others)
        .collect();
    let programs = settings.scheduler.iter();
    found.extend(programs.filter_map(|one| program(one.id, &one.filename)));
    found
}

fn open_to_others(path: &Path) -> Option<Finding> {
    let mode = fs::metadata(path).ok()?.permissions().mode();
    (mode & 0o077 != 0).then(|| {
        let path = path.display();
        Finding::new(
            Grade::Warning,
            path.to_string(),
            format!(
                "holds secrets, and others may read it (mode {:o})",
                mode & 0o777
            ),
            format!("chmod 600 {path}"),
        )
    })
}

fn program(id: u32, path: &Path) -> Option<Finding> {
    let place = format!("scheduler {id}");
    let shown = path.display();
    let Ok(metadata) = fs::metadata(path) else {
        let what = format!("{shown} is not there");
        return Some(Finding::new(
            Grade::Error,
            place,
            what,
            "name a program that is",
        ));
    };
    let mode = metadata.permissions().mode();
    if !metadata.is_file() || mode & 0o111 == 0 {
        let what = format!("{shown} cannot be run");
        let remedy = format!("chmod +x {shown}");
        return Some(Finding::new(Grade::Error, place, what, remedy));
    }
    (mode & 0o002 != 0).then(|| {
        let what = format!("{shown} can be changed by anybody, and this process runs it");
        let remedy = format!("chmod o-w {shown}");
        Finding::new(Grade::Error, place, what, remedy)
    })
}

/// The ports, when nothing runs yet.
pub(super) fn ports(settings: &Settings) -> Vec<Finding> {
    let proxy = settings
        .proxy
        .as_ref()
        .map(|proxy| ("[proxy]", proxy.listen));
    let admin = settings
        .admin
        .as_ref()
        .map(|admin| ("[admin]", admin.listen));
    let all = [proxy, admin, Some(("[api]", settings.api.listen))];
    all.into_iter()
        .flatten()
        .filter_map(|(place, listen)| taken(place, listen))
        .collect()
}

fn taken(place: &str, listen: SocketAddr) -> Option<Finding> {
    let error = TcpListener::bind(listen).err()?;
    Some(Finding::new(
        Grade::Error,
        place,
        format!("cannot listen on {listen}: {error}"),
        "end who listens there, or name another port",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_others_can_read_is_found() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("mainstay.toml");
        fs::write(&path, "").expect("a file");
        let mode = |mode| fs::set_permissions(&path, fs::Permissions::from_mode(mode));
        mode(0o644).expect("it is ours");
        assert!(
            open_to_others(&path)
                .expect("a finding")
                .remedy
                .starts_with("chmod 600")
        );
        mode(0o600).expect("it is ours");
        assert_eq!(open_to_others(&path), None);
    }

    #[test]
    fn a_program_that_is_not_there_is_found() {
        assert!(program(1, Path::new("/nonexistent")).is_some());
        assert!(program(1, Path::new("/bin/sh")).is_none());
    }

    #[test]
    fn a_port_that_is_taken_is_found() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        assert!(taken("[api]", address).is_some());
        // Nobody has this port at that address.
        let elsewhere = SocketAddr::from(([127, 0, 0, 2], address.port()));
        assert_eq!(taken("[api]", elsewhere), None);
    }
}
