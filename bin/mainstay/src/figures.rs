//! The figures behind the tables of `stats`: what the proxy has counted and what its sessions are
//! doing, as rows with the columns of ProxySQL. What the columns are called, and how rows become
//! tables, is left to `shell/admin`.
//!
//! Everything is asked of the workers when a table is read; nothing is kept here but what counters
//! were when somebody reset them.

mod clients;
mod dialect;
mod memory;
mod monitored;
mod pool;
mod queries;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use mainstay_admin::{Figures, Row};
use mainstay_proxy::{Proxy, ProxyStats};
use mainstay_session::Reset;

use crate::control::Control;
use crate::metrics::Numbers;
use crate::sessions::ROWS_MAX;
pub(crate) use memory::{Memory, digests as digest_bytes};
pub(crate) use monitored::states;
use pool::Before;
pub(crate) use pool::{Known, PoolRow, pools};

/// Tables of things that do not exist here: they are there, and empty.
const EMPTY: [&str; 6] = [
    "stats_proxysql_message_metrics",
    "stats_proxysql_servers_checksums",
    "stats_proxysql_servers_clients_status",
    "stats_proxysql_servers_metrics",
    "stats_proxysql_servers_status",
    "stats_mysql_query_events",
];

/// The figures of one process.
pub(crate) struct Counted {
    proxy: Arc<Proxy>,
    control: Control,
    begun: Instant,
    /// What the counters of the pools were when they were reset last.
    before: Mutex<Before>,
}

impl Counted {
    /// Those of this proxy and of who says where statements may go.
    pub(crate) fn new(proxy: Arc<Proxy>, control: Control) -> Self {
        Self {
            proxy,
            control,
            begun: Instant::now(),
            before: Mutex::default(),
        }
    }

    /// What metrics are made from.
    pub(crate) fn numbers(&self) -> Numbers {
        Numbers {
            proxy: self.stats(),
            asked: self.proxy.queries(Reset::Nothing),
            uptime: self.uptime(),
            logs: self
                .proxy
                .recorder()
                .map_or_else(Vec::new, |recorder| recorder.report()),
        }
    }

    /// How long the process has counted.
    fn uptime(&self) -> Duration {
        self.begun.elapsed()
    }

    fn table(&self, table: &str, reset: bool) -> Option<Vec<Row>> {
        let only = |part: Reset| if reset { part } else { Reset::Nothing };
        let proxy = &self.proxy;
        let rows = match table {
            "stats_mysql_query_digest" => queries::digests(&proxy.queries(only(Reset::Digests))),
            "stats_mysql_errors" => {
                let asked = proxy.queries(only(Reset::Errors));
                queries::errors(&asked, &self.stats().sessions.tally.addresses)
            }
            "stats_mysql_commands_counters" => queries::commands(&proxy.queries(Reset::Nothing)),
            "stats_mysql_query_rules" => queries::rules(&proxy.queries(Reset::Nothing)),
            "stats_mysql_connection_pool" => self.pools(reset),
            "stats_mysql_global" => dialect::globals(&self.stats(), self.uptime())
                .into_iter()
                .chain(monitored::counts(&self.control))
                .map(|(name, value)| vec![name.into(), value.to_string().into()])
                .collect(),
            "stats_mysql_users" => clients::users(&self.stats(), &proxy.policy()),
            "stats_mysql_processlist" => clients::processes(&proxy.sessions(ROWS_MAX)),
            "stats_mysql_free_connections" => clients::free(&proxy.sessions(ROWS_MAX)),
            "stats_mysql_prepared_statements_info" => clients::prepared(&proxy.inventory()),
            "stats_mysql_client_host_cache" => clients::hosts(&proxy.hosts(reset)),
            "stats_mysql_gtid_executed" => pool::gtids(&self.control.topology()),
            "process_cpu" => vec![memory::cpu()],
            "stats_memory_metrics" => memory::rows(&proxy.queries(Reset::Nothing)),
            empty if EMPTY.contains(&empty) => Vec::new(),
            other => return monitored::rows(&self.control, other),
        };
        Some(rows)
    }

    fn stats(&self) -> ProxyStats {
        self.proxy.stats()
    }

    fn pools(&self, reset: bool) -> Vec<Row> {
        let stats = self.stats().sessions;
        let known = monitored::members(&self.control);
        let mut before = self.before.lock().unwrap_or_else(PoisonError::into_inner);
        let rows = pool::rows(&stats, &before, &known);
        if reset {
            *before = Before::of(&stats);
        }
        rows
    }
}

impl Figures for Counted {
    fn rows(&self, table: &str) -> Option<Vec<Row>> {
        self.table(table, false)
    }

    fn take(&self, table: &str) -> Option<Vec<Row>> {
        self.table(table, true)
    }
}

/// Seconds since 1970, so long ago.
fn seconds_at(ago: Duration) -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.unwrap_or_default().saturating_sub(ago).as_secs()
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
