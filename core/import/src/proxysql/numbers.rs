//! Numbers of hostgroups: the writer's is 0 here and the readers' 1, whatever they were.

use std::collections::{BTreeMap, BTreeSet};

use super::rows;
use super::servers::Server;
use crate::libconfig::Group;
use crate::report::Report;

/// The hostgroup of the writer.
pub(super) const WRITER: u32 = 0;
/// The hostgroup of the readers.
pub(super) const READERS: u32 = 1;

/// Which number became which.
#[derive(Debug, Default)]
pub(super) struct Numbers {
    map: BTreeMap<u32, u32>,
    /// The pair of the file, where it has one.
    pub(super) pair: Option<(u32, u32)>,
    /// Hostgroups of other clusters.
    pub(super) foreign: BTreeSet<u32>,
}

impl Numbers {
    pub(super) fn of(file: &Group, report: &mut Report) -> Self {
        let mut numbers = Self::default();
        for row in rows(file, "mysql_replication_hostgroups", report) {
            let writer = row.hostgroup("writer_hostgroup");
            let pair = writer.zip(row.hostgroup("reader_hostgroup"));
            let Some(pair) = pair else {
                let sentence = "has no writer_hostgroup and reader_hostgroup";
                report.left_out(row.line, row.table, sentence);
                continue;
            };
            if numbers.pair.is_some() {
                let sentence = format!(
                    "hostgroups {} and {} are a cluster of their own: give it a proxy of its own",
                    pair.0, pair.1
                );
                report.left_out(row.line, row.table, sentence);
                numbers.foreign.extend([pair.0, pair.1]);
                continue;
            }
            numbers.pair = Some(pair);
            if pair == (WRITER, READERS) {
                let sentence = "hostgroup 0 is the writer, hostgroup 1 the readers: read_only \
                                decides, and never two servers at a time are the writer";
                report.taken(row.line, row.table, sentence);
            } else {
                let sentence = format!(
                    "hostgroup {} is 0 now, the writer, and {} is 1, the readers; never two \
                     servers at a time are the writer",
                    pair.0, pair.1
                );
                report.changed(row.line, row.table, sentence);
            }
        }
        numbers.number(file, report);
        numbers
    }

    /// Gives every hostgroup that has servers its number.
    fn number(&mut self, file: &Group, report: &mut Report) {
        let servers = rows(file, "mysql_servers", &mut Report::default());
        let used: BTreeMap<u32, usize> = servers
            .iter()
            .rev()
            .map(|row| (hostgroup(row), row.line))
            .collect();
        if self.pair.is_none() && !used.is_empty() {
            let line = used.values().min().copied().unwrap_or(1);
            let writer = *used.keys().next().unwrap_or(&WRITER);
            let sentence = format!(
                "there are no mysql_replication_hostgroups: of the servers of hostgroup {writer} \
                 the one with read_only=0 is the writer, hostgroup 0"
            );
            report.changed(line, "mysql_servers", sentence);
            self.map.insert(writer, WRITER);
        }
        if let Some((writer, readers)) = self.pair {
            self.map.insert(writer, WRITER);
            self.map.insert(readers, READERS);
        }
        let mut free = (READERS + 1..).filter(|number| !used.contains_key(number));
        for (old, line) in &used {
            if self.map.contains_key(old) || self.foreign.contains(old) {
                continue;
            }
            let new = if *old > READERS {
                Some(*old)
            } else {
                free.next()
            };
            let Some(new) = new else { continue };
            if new != *old {
                let what = format!("hostgroup {old}");
                report.changed(*line, &what, format!("is {new} now: 0 and 1 are taken"));
            }
            self.map.insert(*old, new);
        }
    }

    /// What a number is now; `None` for hostgroups without servers, or of another cluster.
    pub(super) fn get(&self, old: u32) -> Option<u32> {
        self.map.get(&old).copied()
    }

    /// The numbers that rules and users may name, after what became of the servers.
    pub(super) fn known(self, servers: &[Server]) -> Self {
        let has = |new: u32| {
            let built_in = new == WRITER || new == READERS;
            built_in || servers.iter().any(|one| one.hostgroups.contains(&new))
        };
        let map = self.map.into_iter().filter(|(_, new)| has(*new)).collect();
        Self { map, ..self }
    }
}

/// The hostgroup of a row of `mysql_servers`.
pub(super) fn hostgroup(row: &super::Row<'_>) -> u32 {
    let number = row.hostgroup("hostgroup");
    number
        .or_else(|| row.hostgroup("hostgroup_id"))
        .unwrap_or_default()
}
