//! `[monitor]`: a proxy without a manager.

use std::path::Path;
use std::time::Duration;

use mainstay_alone::{Check, Policy};

use super::account::{self, Keys};
use crate::control::MonitorSettings;
use crate::reader::Section;

const KEYS: Keys = Keys {
    user: "user",
    password: "password",
    password_file: "password_file",
};

const CHECKS: [(&str, Check); 5] = [
    ("read_only", Check::ReadOnly),
    ("innodb_read_only", Check::InnodbReadOnly),
    ("super_read_only", Check::SuperReadOnly),
    ("read_only|innodb_read_only", Check::Either),
    ("read_only&innodb_read_only", Check::Both),
];

/// Faster probes would be a load of their own.
const LEAST: Duration = Duration::from_millis(20);

pub(super) fn read(mut section: Section<'_, '_, '_>, folder: &Path) -> Option<MonitorSettings> {
    let account = account::read(&mut section, &KEYS, None, folder);
    let default = Policy::default();
    let ms = Duration::from_millis;
    let mut failures = |key, default: u32| {
        let count = section.count(key, default as usize, 1);
        u32::try_from(count).unwrap_or(u32::MAX)
    };
    let policy = Policy {
        ping_failures_max: failures("ping_failures_max", default.ping_failures_max),
        read_only_failures_max: failures("read_only_failures_max", default.read_only_failures_max),
    };
    let mut duration = |key, default| section.duration(key, default, LEAST);
    let connect_interval = duration("connect_interval", ms(60_000));
    let connect_limit = duration("connect_limit", ms(600));
    let ping_interval = duration("ping_interval", ms(2_000));
    let ping_limit = duration("ping_limit", ms(1_000));
    let read_only_interval = duration("read_only_interval", ms(1_000));
    let read_only_limit = duration("read_only_limit", ms(800));
    let lag_interval = duration("lag_interval", ms(1_000));
    let lag_limit = duration("lag_limit", ms(1_000));
    let history = duration("history", ms(600_000));
    let check = section.choice("check", &CHECKS);
    section.end();
    Some(MonitorSettings {
        account: account?,
        check: check.unwrap_or_default(),
        policy,
        connect_interval,
        connect_limit,
        ping_interval,
        ping_limit,
        read_only_interval,
        read_only_limit,
        lag_interval,
        lag_limit,
        history,
    })
}
