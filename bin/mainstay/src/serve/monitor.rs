//! What the monitor of a proxy without a manager is started with.

use mainstay_monitor::{Config, Every};
use mainstay_settings::{MonitorSettings, Settings};

/// How to probe the servers of these settings.
pub(super) fn config(settings: &Settings, monitor: &MonitorSettings) -> Config {
    let every = |interval, limit| Every { interval, limit };
    Config {
        user: monitor.account.user.clone(),
        password: monitor.account.password.reveal().to_owned(),
        check: monitor.check,
        policy: monitor.policy,
        connect: every(monitor.connect_interval, monitor.connect_limit),
        ping: every(monitor.ping_interval, monitor.ping_limit),
        read_only: every(monitor.read_only_interval, monitor.read_only_limit),
        lag: every(monitor.lag_interval, monitor.lag_limit),
        history: monitor.history,
        servers: settings.terms(),
    }
}
