//! Counters and times of each command, under the names of ProxySQL.

use std::collections::BTreeMap;
use std::time::Duration;

/// The upper ends of the classes of times, in microseconds; the last class has none.
pub const BOUNDS: [u64; 11] = [
    100, 500, 1_000, 5_000, 10_000, 50_000, 100_000, 500_000, 1_000_000, 5_000_000, 10_000_000,
];

/// What is known of one command.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CommandRow {
    /// How often it ran.
    pub count: u64,
    /// How long, summed up.
    pub time_sum: Duration,
    /// How often it took at most as long as the [`BOUNDS`] say, and at last longer.
    pub classes: [u64; BOUNDS.len() + 1],
}

impl CommandRow {
    fn count(&mut self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let class = BOUNDS.partition_point(|&bound| bound < micros);
        self.count += 1;
        self.time_sum += took;
        self.classes[class] += 1;
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.count += other.count;
        self.time_sum += other.time_sum;
        for (mine, theirs) in self.classes.iter_mut().zip(other.classes) {
            *mine += theirs;
        }
    }
}

/// The first words of a statement, and the name of its command; longer ones first.
const NAMES: &[(&str, &str)] = &[
    ("ALTER TABLE", "ALTER_TABLE"),
    ("ALTER VIEW", "ALTER_VIEW"),
    ("ANALYZE", "ANALYZE_TABLE"),
    ("BEGIN", "BEGIN"),
    ("CALL", "CALL_PROCEDURE"),
    ("CHANGE", "CHANGE_REPLICATION"),
    ("COMMIT", "COMMIT"),
    ("CREATE DATABASE", "CREATE_DATABASE"),
    ("CREATE SCHEMA", "CREATE_DATABASE"),
    ("CREATE INDEX", "CREATE_INDEX"),
    ("CREATE TABLE", "CREATE_TABLE"),
    ("CREATE TEMPORARY", "CREATE_TEMPORARY"),
    ("CREATE TRIGGER", "CREATE_TRIGGER"),
    ("CREATE USER", "CREATE_USER"),
    ("CREATE VIEW", "CREATE_VIEW"),
    ("DEALLOCATE", "DEALLOCATE"),
    ("DELETE", "DELETE"),
    ("DESC", "DESCRIBE"),
    ("DESCRIBE", "DESCRIBE"),
    ("DROP DATABASE", "DROP_DATABASE"),
    ("DROP SCHEMA", "DROP_DATABASE"),
    ("DROP INDEX", "DROP_INDEX"),
    ("DROP TABLE", "DROP_TABLE"),
    ("DROP TRIGGER", "DROP_TRIGGER"),
    ("DROP USER", "DROP_USER"),
    ("DROP VIEW", "DROP_VIEW"),
    ("GRANT", "GRANT"),
    ("EXECUTE", "EXECUTE"),
    ("EXPLAIN", "EXPLAIN"),
    ("FLUSH", "FLUSH"),
    ("INSERT", "INSERT"),
    ("KILL", "KILL"),
    ("LOAD", "LOAD"),
    ("LOCK TABLE", "LOCK_TABLE"),
    ("LOCK TABLES", "LOCK_TABLE"),
    ("OPTIMIZE", "OPTIMIZE"),
    ("PREPARE", "PREPARE"),
    ("PURGE", "PURGE"),
    ("RELEASE SAVEPOINT", "RELEASE_SAVEPOINT"),
    ("RENAME TABLE", "RENAME_TABLE"),
    ("REPLACE", "REPLACE"),
    ("REVOKE", "REVOKE"),
    ("ROLLBACK TO", "ROLLBACK_SAVEPOINT"),
    ("ROLLBACK", "ROLLBACK"),
    ("SAVEPOINT", "SAVEPOINT"),
    ("SELECT", "SELECT"),
    ("SET", "SET"),
    ("SHOW TABLE STATUS", "SHOW_TABLE_STATUS"),
    ("SHOW", "SHOW"),
    ("START", "START_TRANSACTION"),
    ("TRUNCATE", "TRUNCATE_TABLE"),
    ("UNLOCK", "UNLOCK_TABLES"),
    ("UPDATE", "UPDATE"),
    ("USE", "USE"),
];

/// The names of all commands that are counted.
pub fn command_names() -> impl Iterator<Item = &'static str> {
    let names: std::collections::BTreeSet<_> = NAMES.iter().map(|(_, name)| *name).collect();
    names.into_iter().chain(["SELECT_FOR_UPDATE", "UNKNOWN"])
}

/// What is none of them.
const UNKNOWN: u8 = NAMES.len() as u8;

/// The number of the command that a digest text begins with. `SELECT … FOR UPDATE` is one of its
/// own.
pub(super) fn command(text: &[u8]) -> u8 {
    let text = text.trim_ascii_start();
    let begins = |words: &str| {
        let Some((head, rest)) = text.split_at_checked(words.len()) else {
            return false;
        };
        let ends = rest
            .first()
            .is_none_or(|next| !next.is_ascii_alphanumeric() && *next != b'_');
        ends && head.eq_ignore_ascii_case(words.as_bytes())
    };
    let found = NAMES.iter().position(|(words, _)| begins(words));
    match found.and_then(|index| u8::try_from(index).ok()) {
        Some(_) if begins("SELECT") && locks(text) => UNKNOWN + 1,
        Some(index) => index,
        None => UNKNOWN,
    }
}

fn locks(text: &[u8]) -> bool {
    const ENDING: &[u8] = b" FOR UPDATE";
    let start = text.len().saturating_sub(ENDING.len());
    text[start..].eq_ignore_ascii_case(ENDING)
}

fn name(command: u8) -> &'static str {
    let known = NAMES.get(usize::from(command)).map(|(_, name)| *name);
    known.unwrap_or(if command == UNKNOWN {
        "UNKNOWN"
    } else {
        "SELECT_FOR_UPDATE"
    })
}

/// The commands of one worker.
#[derive(Debug)]
pub(super) struct Commands(Vec<CommandRow>);

impl Default for Commands {
    fn default() -> Self {
        Self(vec![CommandRow::default(); NAMES.len() + 2])
    }
}

impl Commands {
    pub(super) fn count(&mut self, command: u8, took: Duration) {
        self.0[usize::from(command)].count(took);
    }

    pub(super) fn rows(&self) -> BTreeMap<&'static str, CommandRow> {
        let mut rows = BTreeMap::new();
        for (command, row) in (0..).zip(&self.0) {
            if row.count > 0 {
                let total: &mut CommandRow = rows.entry(name(command)).or_default();
                total.add(row);
            }
        }
        rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_known_by_its_first_words() {
        let cases = [
            ("select ?", "SELECT"),
            ("SELECT a FROM t for update", "SELECT_FOR_UPDATE"),
            ("SELECTED", "UNKNOWN"),
            ("ROLLBACK TO a", "ROLLBACK_SAVEPOINT"),
            ("ROLLBACK", "ROLLBACK"),
            ("SHOW TABLE STATUS", "SHOW_TABLE_STATUS"),
            ("SHOW TABLES", "SHOW"),
            ("DESC t", "DESCRIBE"),
            ("", "UNKNOWN"),
        ];
        for (text, expected) in cases {
            assert_eq!(name(command(text.as_bytes())), expected, "{text}");
        }
    }

    #[test]
    fn times_are_counted_in_classes() {
        let mut commands = Commands::default();
        let select = command(b"SELECT ?");
        for micros in [1, 100, 101, 60_000_000] {
            commands.count(select, Duration::from_micros(micros));
        }
        let row = commands.rows()["SELECT"];
        assert_eq!((row.count, row.classes[0], row.classes[1]), (4, 2, 1));
        assert_eq!(row.classes[BOUNDS.len()], 1);
    }
}
