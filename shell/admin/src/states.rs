//! What probes have found out about servers, laid over `runtime_mysql_servers`: who is the writer,
//! who is left alone, and why.

use crate::figures::{Cell, Figures, Row};
use crate::runtime::Table;

/// The table of figures that tells it: hostname, port, hostgroup (0 the writer, 1 the readers),
/// status, comment.
pub const SERVER_STATES: &str = "server_states";

/// The places of columns in `mysql_servers`.
const HOSTGROUP: usize = 0;
const HOSTNAME: usize = 1;
const PORT: usize = 2;
const STATUS: usize = 4;

/// The hostgroups between which servers move by themselves.
const BY_ROLE: [Cell; 2] = [Cell::Integer(0), Cell::Integer(1)];

/// What writer and readers are called by the pair that is in force.
pub(crate) fn pair(tables: &[Table]) -> Option<[Cell; 2]> {
    let name = "mysql_replication_hostgroups";
    let table = tables.iter().find(|table| table.name == name)?;
    let [writer, reader, ..] = table.rows.first()?.as_slice() else {
        return None;
    };
    Some([writer.clone(), reader.clone()])
}

/// Lays the states over the rows. A server stands in the hostgroup of its role once. `pair` is what
/// writer and readers are called in `mysql_replication_hostgroups`.
pub(crate) fn overlay(rows: &mut Vec<Row>, pair: Option<&[Cell; 2]>, figures: &dyn Figures) {
    let Some(states) = figures.rows(SERVER_STATES) else {
        return;
    };
    for row in rows.iter_mut() {
        let found = states
            .iter()
            .find(|state| state.len() == 5 && state[0] == row[HOSTNAME] && state[1] == row[PORT]);
        let Some(state) = found else { continue };
        let named = pair.unwrap_or(&BY_ROLE);
        if BY_ROLE.contains(&row[HOSTGROUP]) || named.contains(&row[HOSTGROUP]) {
            let is_writer = state[2] == BY_ROLE[0];
            row[HOSTGROUP] = named[usize::from(!is_writer)].clone();
        }
        row[STATUS] = state[3].clone();
        let reason = state[4].shown();
        if let Some(comment) = row.last_mut().filter(|_| !reason.is_empty()) {
            let own = comment.shown();
            *comment = if own.is_empty() {
                reason.into()
            } else {
                format!("{own}; {reason}").into()
            };
        }
    }
    let mut kept: Vec<Row> = Vec::new();
    for row in rows.drain(..) {
        if !kept
            .iter()
            .any(|one| one[..STATUS - 1] == row[..STATUS - 1])
        {
            kept.push(row);
        }
    }
    *rows = kept;
}

#[cfg(test)]
mod tests {
    use super::*;

    struct States;

    impl Figures for States {
        fn rows(&self, table: &str) -> Option<Vec<Row>> {
            let row = |host: &str, group: i64, status: &str, why: &str| {
                let port = Cell::Integer(3306);
                vec![
                    host.into(),
                    port,
                    Cell::Integer(group),
                    status.into(),
                    why.into(),
                ]
            };
            (table == SERVER_STATES).then(|| {
                vec![
                    row("a", 0, "ONLINE", ""),
                    row("b", 1, "SHUNNED", "it is behind"),
                ]
            })
        }

        fn take(&self, _table: &str) -> Option<Vec<Row>> {
            None
        }
    }

    fn row(group: i64, host: &str, comment: &str) -> Row {
        let number = Cell::Integer;
        let mut row = vec![
            number(group),
            host.into(),
            number(3306),
            number(0),
            "ONLINE".into(),
        ];
        row.extend([1, 0, 1000, 0, 0, 0].map(number));
        row.push(comment.into());
        row
    }

    #[test]
    fn the_writer_stands_in_its_hostgroup_once_and_reasons_in_comments() {
        let mut rows = vec![
            row(0, "a", ""),
            row(1, "a", ""),
            row(1, "b", "mine"),
            row(7, "b", ""),
        ];
        overlay(&mut rows, None, &States);
        let shown: Vec<_> = rows
            .iter()
            .map(|row| [0, 1, 4, 11].map(|at| row[at].shown()).join(" "))
            .collect();
        let wanted = [
            "0 a ONLINE ",
            "1 b SHUNNED mine; it is behind",
            "7 b SHUNNED it is behind",
        ];
        assert_eq!(shown, wanted);
    }
}
