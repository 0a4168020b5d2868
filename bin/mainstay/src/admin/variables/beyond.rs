//! Variables whose keys stand in `[monitor]` or `[logs]`; those of `[proxy]` are in the parent.

use std::path::PathBuf;

use mainstay_settings::{LogSettings, MonitorSettings, Settings};

use super::{Known, MS, WHOLE, count, filled, known, millis, ms};

const TEXT: &str = "a text";

const OF_MONITOR: [Known<MonitorSettings>; 13] = [
    known(
        "mysql-monitor_username",
        "monitor.user",
        |m| m.account.user.clone(),
        filled,
        TEXT,
    ),
    known(
        "mysql-monitor_password",
        "monitor.password",
        |m| m.account.password.reveal().to_owned(),
        filled,
        TEXT,
    ),
    known(
        "mysql-monitor_connect_interval",
        "monitor.connect_interval",
        |m| ms(m.connect_interval),
        millis,
        MS,
    ),
    known(
        "mysql-monitor_connect_timeout",
        "monitor.connect_limit",
        |m| ms(m.connect_limit),
        millis,
        MS,
    ),
    known(
        "mysql-monitor_ping_interval",
        "monitor.ping_interval",
        |m| ms(m.ping_interval),
        millis,
        MS,
    ),
    known(
        "mysql-monitor_ping_timeout",
        "monitor.ping_limit",
        |m| ms(m.ping_limit),
        millis,
        MS,
    ),
    known(
        "mysql-monitor_ping_max_failures",
        "monitor.ping_failures_max",
        |m| m.policy.ping_failures_max.to_string(),
        count,
        WHOLE,
    ),
    known(
        "mysql-monitor_read_only_interval",
        "monitor.read_only_interval",
        |m| ms(m.read_only_interval),
        millis,
        MS,
    ),
    known(
        "mysql-monitor_read_only_timeout",
        "monitor.read_only_limit",
        |m| ms(m.read_only_limit),
        millis,
        MS,
    ),
    known(
        "mysql-monitor_read_only_max_timeout_count",
        "monitor.read_only_failures_max",
        |m| m.policy.read_only_failures_max.to_string(),
        count,
        WHOLE,
    ),
    known(
        "mysql-monitor_replication_lag_interval",
        "monitor.lag_interval",
        |m| ms(m.lag_interval),
        millis,
        MS,
    ),
    known(
        "mysql-monitor_replication_lag_timeout",
        "monitor.lag_limit",
        |m| ms(m.lag_limit),
        millis,
        MS,
    ),
    known(
        "mysql-monitor_history",
        "monitor.history",
        |m| ms(m.history),
        millis,
        MS,
    ),
];

const OF_LOGS: [Known<LogSettings>; 4] = [
    known(
        "mysql-long_query_time",
        "logs.slow_after",
        |l| ms(l.slow_after),
        millis,
        MS,
    ),
    known(
        "mysql-eventslog_filename",
        "logs.queries",
        |l| path(l.queries.as_ref()),
        filled,
        TEXT,
    ),
    known(
        "mysql-auditlog_filename",
        "logs.audit",
        |l| path(l.audit.as_ref()),
        filled,
        TEXT,
    ),
    known(
        "mysql-eventslog_filesize",
        "logs.file_bytes_max",
        |l| l.file_bytes_max.to_string(),
        super::bytes,
        WHOLE,
    ),
];

/// The variables and their values in force.
pub(super) fn shown(settings: &Settings) -> impl Iterator<Item = (&'static str, String)> {
    let monitor = settings.control.monitor();
    let monitor = monitor.into_iter().flat_map(|monitor| {
        let row = move |one: &Known<_>| (one.name, (one.show)(monitor));
        OF_MONITOR.iter().map(row)
    });
    let logs = OF_LOGS
        .iter()
        .map(|one| (one.name, (one.show)(&settings.logs)));
    monitor.chain(logs)
}

/// The key of a variable, how its value is read, and what is expected; `monitored`: there is a
/// monitor.
pub(super) fn find(name: &str, monitored: bool) -> Option<super::Target> {
    let logs = OF_LOGS.iter().find(|one| one.name == name);
    let logs = logs.map(|one| (one.key, one.value, one.expected));
    let monitor = OF_MONITOR.iter().filter(|_| monitored);
    let monitor = monitor.map(|one| (one.name, (one.key, one.value, one.expected)));
    logs.or_else(|| {
        monitor
            .into_iter()
            .find(|(known, _)| *known == name)
            .map(|(_, one)| one)
    })
}

/// The variable that a key is set by.
pub(super) fn of_key(key: &str) -> Option<&'static str> {
    let monitor = OF_MONITOR.iter().map(|one| (one.key, one.name));
    let logs = OF_LOGS.iter().map(|one| (one.key, one.name));
    let mut all = monitor.chain(logs);
    all.find(|(known, _)| *known == key).map(|(_, name)| name)
}

#[cfg(test)]
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    let monitor = OF_MONITOR.iter().map(|one| one.name);
    monitor.chain(OF_LOGS.iter().map(|one| one.name))
}

fn path(path: Option<&PathBuf>) -> String {
    path.map_or_else(String::new, |path| path.display().to_string())
}
