//! Where failed logins come from: a bounded table, of which a host goes when a login from it
//! succeeds. The columns are those of ProxySQL's `stats_mysql_client_host_cache`.

use std::collections::BTreeMap;

use mainstay_clock::Timestamp;

use crate::core::Core;

/// Hosts kept by one worker.
const HOSTS_MAX: usize = 1_000;

/// What is known of one host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HostRow {
    /// Logins that failed since the last one that did not.
    pub errors: u64,
    /// When the last one failed.
    pub last_seen: Timestamp,
}

/// Hosts by their address.
pub type Hosts = BTreeMap<String, HostRow>;

impl Core {
    /// A login from there failed.
    pub(crate) fn note_failed_login(&mut self, host: &str) {
        let now = self.now;
        if let Some(row) = self.hosts.get_mut(host) {
            row.errors += 1;
            row.last_seen = now;
            return;
        }
        if self.hosts.len() >= HOSTS_MAX {
            let oldest = self.hosts.iter().min_by_key(|(_, row)| row.last_seen);
            if let Some(oldest) = oldest.map(|(host, _)| host.clone()) {
                self.hosts.remove(&oldest);
            }
        }
        let row = HostRow {
            errors: 1,
            last_seen: now,
        };
        self.hosts.insert(host.to_owned(), row);
    }

    /// A client from there has logged in.
    pub(crate) fn forgive_host(&mut self, client: u32) {
        if self.hosts.is_empty() {
            return;
        }
        if let Some(session) = self.clients.get(client) {
            self.hosts.remove(&session.host);
        }
    }

    /// The hosts and the time now; with `reset` they are forgotten.
    pub fn hosts(&mut self, reset: bool) -> (Timestamp, Hosts) {
        let hosts = if reset {
            std::mem::take(&mut self.hosts)
        } else {
            self.hosts.clone()
        };
        (self.now, hosts)
    }
}
