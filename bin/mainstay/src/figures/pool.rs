//! `stats_mysql_connection_pool` and `stats_mysql_gtid_executed`.
//!
//! Here connections belong to a server, not to a hostgroup: the figures of connections stand in the
//! row of the server's role (0 or 1), those of statements in the row of the hostgroup that ran
//! them, so that sums over all rows are right.

use std::collections::{BTreeMap, BTreeSet};

use mainstay_admin::{Cell, Row};
use mainstay_routing::hostgroups::READERS;
use mainstay_session::{GroupStats, ServerStats, Stats};
use mainstay_topology::{Address, ServerName, Topology};

use super::micros;

/// Counters when they were reset last.
#[derive(Debug, Default)]
pub(crate) struct Before {
    groups: BTreeMap<(u32, ServerName), GroupStats>,
    servers: BTreeMap<ServerName, ServerStats>,
}

impl Before {
    pub(super) fn of(stats: &Stats) -> Self {
        Self {
            groups: stats.tally.groups.clone(),
            servers: stats.servers.clone(),
        }
    }
}

/// One server in one hostgroup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PoolRow {
    /// The hostgroup.
    pub(crate) hostgroup: u32,
    /// The server.
    pub(crate) server: ServerName,
    /// Where it is.
    pub(crate) address: Address,
    /// As ProxySQL calls it.
    pub(crate) status: Status,
    /// What statements of the hostgroup asked of it.
    pub(crate) group: GroupStats,
    /// Its connections; nothing in all rows but one.
    pub(crate) connections: ServerStats,
    /// The smoothed time of its answers.
    pub(crate) latency_us: u64,
}

/// ProxySQL's states of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    /// Statements are sent to it.
    Online,
    /// It is left alone: it could not be reached, or may not serve reads now.
    Shunned,
    /// It is not in the hostgroup any more.
    OfflineHard,
}

impl Status {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Online => "ONLINE",
            Self::Shunned => "SHUNNED",
            Self::OfflineHard => "OFFLINE_HARD",
        }
    }

    /// The number that ProxySQL's metrics give it.
    pub(crate) fn number(self) -> u64 {
        match self {
            Self::Online => 1,
            Self::Shunned => 2,
            Self::OfflineHard => 4,
        }
    }
}

/// A server that is configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Known {
    pub(crate) name: ServerName,
    pub(crate) address: Address,
    /// The status that the operator wants, where that is not to use it.
    pub(crate) intended: Option<&'static str>,
}

/// The place of the status in a row.
const STATUS: usize = 3;

/// Every server in every hostgroup in which it is or was.
pub(crate) fn pools(stats: &Stats) -> Vec<PoolRow> {
    let mut told = BTreeSet::new();
    let mut rows: Vec<PoolRow> = Vec::new();
    // A row of what it is in comes before one of what it was in.
    let mut all: Vec<_> = stats.tally.groups.iter().collect();
    all.sort_by_key(|(_, group)| !group.member);
    for ((hostgroup, name), group) in all {
        let server = stats.servers.get(name).copied().unwrap_or_default();
        let first = told.insert(name.clone());
        let shown = match (group.member, server.left_alone) {
            (true, false) => Status::Online,
            (true, true) => Status::Shunned,
            (false, _) => Status::OfflineHard,
        };
        rows.push(PoolRow {
            hostgroup: *hostgroup,
            server: name.clone(),
            address: address(stats, name),
            status: shown,
            group: *group,
            connections: if first {
                server
            } else {
                ServerStats::default()
            },
            latency_us: micros(server.latency),
        });
    }
    rows.sort_by(|one, other| (one.hostgroup, &one.server).cmp(&(other.hostgroup, &other.server)));
    rows
}

fn address(stats: &Stats, name: &ServerName) -> Address {
    let known = stats.tally.addresses.get(name).cloned();
    known.unwrap_or_else(|| Address {
        host: name.as_str().to_owned(),
        port: 0,
    })
}

/// hostgroup, `srv_host`, `srv_port`, status, `ConnUsed`, `ConnFree`, `ConnOK`, `ConnERR`,
/// `MaxConnUsed`, Queries, `Queries_GTID_sync`, `Bytes_data_sent`, `Bytes_data_recv`, `Latency_us`.
pub(super) fn rows(stats: &Stats, before: &Before, known: &[Known]) -> Vec<Row> {
    let pools = pools(stats);
    let mut rows: Vec<Row> = Vec::new();
    for one in &pools {
        let mut row = row(one, before);
        let told = known.iter().find(|known| known.name == one.server);
        if let Some(status) = told.and_then(|known| known.intended) {
            row[STATUS] = status.into();
        }
        rows.push(row);
    }
    // A replica that may not serve reads now is in no route; it is configured all the same.
    for server in known {
        if !pools.iter().any(|one| one.server == server.name) {
            let shown = server.intended.unwrap_or(Status::Shunned.name());
            let mut row: Row = vec![
                u64::from(READERS).into(),
                server.address.host.clone().into(),
                u64::from(server.address.port).into(),
                shown.into(),
            ];
            row.resize(14, Cell::Integer(0));
            rows.push(row);
        }
    }
    rows
}

fn row(one: &PoolRow, before: &Before) -> Row {
    let key = (one.hostgroup, one.server.clone());
    let old = before.groups.get(&key).copied().unwrap_or_default();
    let (group, server) = (&one.group, &one.connections);
    let told = before.servers.get(&one.server).copied().unwrap_or_default();
    // A worker that began anew counts from zero.
    let since = |now: u64, old: u64| Cell::from(now.saturating_sub(old));
    vec![
        u64::from(one.hostgroup).into(),
        one.address.host.clone().into(),
        u64::from(one.address.port).into(),
        one.status.name().into(),
        (group.used as u64).into(),
        (server.idle as u64).into(),
        since(server.opened, told.opened),
        since(server.failed, told.failed),
        (server.used_max as u64).into(),
        since(group.statements, old.statements),
        since(group.causal, old.causal),
        since(group.sent, old.sent),
        since(group.received, old.received),
        one.latency_us.into(),
    ]
}

/// hostname, port, `gtid_executed`, events. Events are not read one by one here: always 0.
pub(super) fn gtids(topology: &Topology) -> Vec<Row> {
    let rows = topology.servers.values().filter_map(|server| {
        let (_, facts) = server.facts.as_ref()?;
        Some(vec![
            server.member.address.host.clone().into(),
            u64::from(server.member.address.port).into(),
            facts.executed.to_string().into(),
            0_u64.into(),
        ])
    });
    rows.collect()
}
