//! `[api]`.

use std::net::SocketAddr;
use std::path::Path;

use super::account::{self, Keys};
use crate::reader::Section;
use crate::settings::ApiSettings;

const KEYS: Keys = Keys {
    user: "user",
    password: "password",
    password_file: "password_file",
};

pub(super) fn read(mut section: Section<'_, '_, '_>, folder: &Path) -> Option<ApiSettings> {
    let listen = listen(&mut section, 6080);
    let account = account::read(&mut section, &KEYS, Some("admin"), folder);
    section.end();
    Some(ApiSettings {
        listen,
        account: account?,
    })
}

/// Where something listens; on loopback unless the file says otherwise.
pub(super) fn listen(section: &mut Section<'_, '_, '_>, default_port: u16) -> SocketAddr {
    let expected = format!("an IP address and a port, such as \"127.0.0.1:{default_port}\"");
    section
        .value("listen", &expected, |value| value.as_str()?.parse().ok())
        .unwrap_or(SocketAddr::from(([127, 0, 0, 1], default_port)))
}
