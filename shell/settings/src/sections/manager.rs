//! `[manager]`.

use std::path::Path;
use std::time::Duration;

use mainstay_failover::Policy;

use super::account::{self, Keys};
use crate::control::ManagerSettings;
use crate::reader::Section;

const KEYS: Keys = Keys {
    user: "user",
    password: "password",
    password_file: "password_file",
};

const REPLICATION_KEYS: Keys = Keys {
    user: "replication_user",
    password: "replication_password",
    password_file: "replication_password_file",
};

/// Faster looks would be a load of their own.
const LEAST: Duration = Duration::from_millis(20);

pub(super) fn read(mut section: Section<'_, '_, '_>, folder: &Path) -> Option<ManagerSettings> {
    let account = account::read(&mut section, &KEYS, None, folder);
    let replication = account::read(&mut section, &REPLICATION_KEYS, None, folder);
    let state = section
        .text("state", "the path of a file")
        .unwrap_or_else(|| "mainstay.db".to_owned());
    let interval = Policy::default().probe_interval;
    let limit = Duration::from_millis(700);
    let write_interval = Duration::from_millis(500);
    let probe_interval = section.duration("probe_interval", interval, LEAST);
    let probe_limit = section.duration("probe_limit", limit, LEAST);
    let connect_limit = section.duration("connect_limit", limit, LEAST);
    let write_interval = section.duration("write_interval", write_interval, LEAST);
    section.end();
    Some(ManagerSettings {
        account: account?,
        replication: replication?,
        state: folder.join(state),
        probe_interval,
        probe_limit,
        connect_limit,
        write_interval,
    })
}
