//! The tables of `monitor`, and the state of each server as `mysql_servers` has it: what probes of
//! the monitor saw, or the newest look of the manager.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use mainstay_admin::{Cell, Row, SERVER_STATES};
use mainstay_manager::Snapshot;
use mainstay_monitor::{Kind, Monitor, Row as Probe};
use mainstay_routing::hostgroups::{READERS, WRITERS};
use mainstay_topology::{Address, Facts, Intent, Outcome, Routes, ServerName};

use super::dialect::Global;
use super::{Known, micros};
use crate::control::Control;

/// In the order of [`Kind::ALL`].
const CHECKS: [[&str; 2]; 4] = [
    [
        "MySQL_Monitor_connect_check_OK",
        "MySQL_Monitor_connect_check_ERR",
    ],
    [
        "MySQL_Monitor_ping_check_OK",
        "MySQL_Monitor_ping_check_ERR",
    ],
    [
        "MySQL_Monitor_read_only_check_OK",
        "MySQL_Monitor_read_only_check_ERR",
    ],
    [
        "MySQL_Monitor_replication_lag_check_OK",
        "MySQL_Monitor_replication_lag_check_ERR",
    ],
];

/// One server as `runtime_mysql_servers` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StateRow {
    pub(crate) name: ServerName,
    pub(crate) address: Address,
    /// That of the writer or of the readers.
    pub(crate) hostgroup: u32,
    /// As ProxySQL calls it.
    pub(crate) status: &'static str,
    /// Why that is so.
    pub(crate) comment: String,
}

/// The rows of a table of `monitor`; `None` for other tables.
pub(super) fn rows(control: &Control, table: &str) -> Option<Vec<Row>> {
    let kind = match table {
        "mysql_server_connect_log" => Kind::Connect,
        "mysql_server_ping_log" => Kind::Ping,
        "mysql_server_read_only_log" => Kind::ReadOnly,
        "mysql_server_replication_lag_log" => Kind::Lag,
        SERVER_STATES => return Some(states(control).into_iter().map(state_row).collect()),
        // Clusters of other kinds are not watched.
        other => return other.starts_with("mysql_server_").then(Vec::new),
    };
    Some(match control {
        Control::Monitor(monitor) => of_monitor(monitor, kind),
        Control::Manager(manager, _) => of_manager(&manager.snapshot(), kind),
    })
}

/// How many probes had an answer and how many had none, by ProxySQL's names. A manager's looks are
/// not counted by kind.
pub(super) fn counts(control: &Control) -> Vec<Global> {
    let Control::Monitor(monitor) = control else {
        return Vec::new();
    };
    let names = Kind::ALL.into_iter().zip(CHECKS);
    let counted = names.flat_map(|(kind, [ok, failed])| {
        let [answered, silent] = monitor.counts(kind);
        [(ok, answered), (failed, silent)]
    });
    counted.collect()
}

fn state_row(state: StateRow) -> Row {
    vec![
        state.address.host.into(),
        u64::from(state.address.port).into(),
        u64::from(state.hostgroup).into(),
        state.status.into(),
        state.comment.into(),
    ]
}

fn of_monitor(monitor: &Monitor, kind: Kind) -> Vec<Row> {
    let probes = monitor.history(kind);
    probes.iter().map(|probe| row(kind, probe)).collect()
}

/// hostname, port, `time_start_us`, the time it took; of `read_only` and of the lag the value; the
/// error.
fn row(kind: Kind, probe: &Probe) -> Row {
    let mut row: Row = vec![
        probe.address.host.clone().into(),
        u64::from(probe.address.port).into(),
        probe.began_us.into(),
        probe.took_us.into(),
    ];
    let value = probe.value.map_or(Cell::Null, Cell::from);
    match kind {
        Kind::Connect | Kind::Ping => {}
        Kind::ReadOnly | Kind::Lag => row.push(value),
    }
    let error = probe.error.clone();
    row.push(error.map_or(Cell::Null, Cell::from));
    row
}

/// The manager asks everything in one look: the newest of each server stands in every table.
fn of_manager(snapshot: &Snapshot, kind: Kind) -> Vec<Row> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now_us = micros(now.unwrap_or_default());
    let servers = snapshot.topology.servers.values();
    let probes = servers.filter_map(|server| {
        let (begun, outcome) = server.last.as_ref()?;
        let (facts, error) = match outcome {
            Outcome::Answered(facts) => (Some(&**facts), None),
            failed => (None, Some(sentence(failed))),
        };
        let took = facts.map_or(Duration::ZERO, |_| server.facts_ended.since(*begun));
        Some(Probe {
            address: server.member.address.clone(),
            began_us: now_us.saturating_sub(micros(snapshot.at.since(*begun))),
            took_us: micros(took),
            value: facts.and_then(|facts| value(facts, kind)),
            error,
        })
    });
    probes.map(|probe| row(kind, &probe)).collect()
}

fn value(facts: &Facts, kind: Kind) -> Option<u64> {
    match kind {
        Kind::Connect | Kind::Ping => None,
        Kind::ReadOnly => Some(u64::from(facts.read_only)),
        Kind::Lag => Some(facts.link.as_ref()?.lag?.as_secs()),
    }
}

fn sentence(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Answered(_) => String::new(),
        Outcome::Refused => "nothing listens there".to_owned(),
        Outcome::Lost => "the connection was closed".to_owned(),
        Outcome::Silent => "it does not answer in time".to_owned(),
        Outcome::NoConnection => "TCP does not connect in time".to_owned(),
        Outcome::TooManyConnections => "it has no connection to spare (1040)".to_owned(),
        Outcome::AccessDenied { code } => format!("it does not let the manager in ({code})"),
        Outcome::Failed { code, message } => format!("{message} ({code})"),
    }
}

/// Every configured server as it is now.
pub(crate) fn states(control: &Control) -> Vec<StateRow> {
    match control {
        Control::Monitor(monitor) => {
            let states = monitor.states();
            let states = states.iter();
            states
                .map(|state| StateRow {
                    name: state.name.clone(),
                    address: state.address.clone(),
                    hostgroup: match state.part {
                        mainstay_alone::Part::Writer => WRITERS,
                        mainstay_alone::Part::Reader | mainstay_alone::Part::Unknown => READERS,
                    },
                    status: state.status().as_str(),
                    comment: state.comment.clone(),
                })
                .collect()
        }
        Control::Manager(manager, hand) => {
            let snapshot = manager.snapshot();
            let none = Routes::default();
            let routes = snapshot.routes.as_ref().unwrap_or(&none);
            let names = snapshot.topology.servers.keys();
            names
                .map(|name| managed(&snapshot, routes, name, hand.intent(name)))
                .collect()
        }
    }
}

fn managed(snapshot: &Snapshot, routes: &Routes, name: &ServerName, intent: Intent) -> StateRow {
    let server = &snapshot.topology.servers[name];
    let epoch = routes.epoch;
    let writer = routes.writer.as_ref().is_some_and(|one| one.name == *name);
    let reader = routes.readers.iter().any(|one| one.name == *name);
    let found = snapshot.findings.iter().map(ToString::to_string);
    let about = |sentence: &String| sentence.starts_with(&format!("{name}:"));
    let finding = found.into_iter().find(about);
    let comment = match finding {
        Some(finding) => finding,
        None if writer => format!("elected in epoch {epoch}"),
        None if !reader => format!("in no route of epoch {epoch}: the manager decides"),
        None => String::new(),
    };
    StateRow {
        name: name.clone(),
        address: server.member.address.clone(),
        hostgroup: if writer { WRITERS } else { READERS },
        status: intended(intent).unwrap_or(if writer || reader {
            "ONLINE"
        } else {
            "SHUNNED"
        }),
        comment,
    }
}

/// The servers that are configured, for the tables of pools.
pub(super) fn members(control: &Control) -> Vec<Known> {
    match control {
        Control::Monitor(monitor) => {
            let states = monitor.states().into_iter();
            states
                .map(|state| Known {
                    name: state.name,
                    address: state.address,
                    intended: intended(state.intent),
                })
                .collect()
        }
        Control::Manager(manager, hand) => {
            let snapshot = manager.snapshot();
            let servers = snapshot.topology.servers.values();
            servers
                .map(|server| Known {
                    name: server.member.name.clone(),
                    address: server.member.address.clone(),
                    intended: intended(hand.intent(&server.member.name)),
                })
                .collect()
        }
    }
}

/// The status that the operator wants, where that is not to use it.
fn intended(intent: Intent) -> Option<&'static str> {
    match intent {
        Intent::InService => None,
        Intent::Draining => Some("OFFLINE_SOFT"),
        Intent::Out => Some("OFFLINE_HARD"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_has_the_columns_of_its_table() {
        let probe = Probe {
            address: Address {
                host: "db1".to_owned(),
                port: 3306,
            },
            began_us: 7,
            took_us: 5,
            value: Some(1),
            error: None,
        };
        for (kind, table) in [
            (Kind::Connect, "mysql_server_connect_log"),
            (Kind::Ping, "mysql_server_ping_log"),
            (Kind::ReadOnly, "mysql_server_read_only_log"),
            (Kind::Lag, "mysql_server_replication_lag_log"),
        ] {
            let columns = mainstay_admin::columns(table);
            assert_eq!(row(kind, &probe).len(), columns.len(), "{table}");
        }
    }
}
