//! Which transactions copied data hold: the copy itself names only the newest of each domain.
//!
//! Servers are compared strictly, for every domain and server, so a reseeded server must know of
//! all that its donor knew. The file with that statement lies among the copied data and appears
//! with them; the server runs it before it takes connections, and it goes when that is proved.

use std::path::{Path, PathBuf};

use mainstay_gtid::mariadb::MariadbSet;

use super::donor;
use crate::credentials::Credentials;
use crate::dialect::mariadb::{position_of_copy, take_history};
use crate::layout::write_private;
use crate::sandbox::SandboxServer;
use crate::{Result, SandboxError};

const NAME: &str = "history.sql";

/// Present until the server has run it.
pub(crate) fn file(server: &Path) -> PathBuf {
    server.join("data").join(NAME)
}

/// Gives a finished copy its history. `before` and `after` are what the donor held before and
/// after the copy was made.
pub(super) fn write(copy: &Path, before: &MariadbSet, after: &MariadbSet) -> Result<()> {
    let bad = |reason: String| {
        let error = std::io::Error::other(reason);
        SandboxError::io("read the GTID position in", copy)(error)
    };
    let text = position_of_copy(copy).map_err(|error| bad(error.to_string()))?;
    let position: MariadbSet = text
        .parse()
        .map_err(|error: mainstay_gtid::GtidError| bad(error.to_string()))?;
    let state = at(&position, before, after);
    if state.is_empty() {
        return Ok(());
    }
    write_private(&copy.join(NAME), &take_history(&position, &state))
}

/// What was held at a position between two moments: within a domain numbers only grow, so the
/// later state tells for all writers whose newest number is not beyond the position.
fn at(position: &MariadbSet, before: &MariadbSet, after: &MariadbSet) -> MariadbSet {
    let reached = position.position();
    let mut held = before.union(position);
    held.extend(
        after
            .iter()
            .filter(|gtid| gtid.sequence <= reached.sequence(gtid.domain)),
    );
    held.of_one_history()
}

/// Makes sure that a running server has taken its history over, and only then forgets the file.
pub(crate) async fn prove(
    server: &SandboxServer,
    directory: &Path,
    credentials: &Credentials,
) -> Result<()> {
    let file = file(directory);
    if !file.exists() {
        return Ok(());
    }
    // The state is the last that the statement sets.
    if donor::held(server, credentials).await?.is_empty() {
        return Err(SandboxError::History {
            server: server.name.to_string(),
            log: directory.join("mysqld.log"),
        });
    }
    std::fs::remove_file(&file).map_err(SandboxError::io("delete", &file))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(text: &str) -> MariadbSet {
        text.parse().expect("a set")
    }

    #[test]
    fn the_state_is_the_donors_as_it_was_when_the_copy_was_made() {
        for (position, before, after, held) in [
            ("0-1-7", "0-1-5,0-2-3", "0-1-9,0-2-3", "0-1-7,0-2-3"),
            // Another became the primary meanwhile; the position does not name the one before.
            ("0-3-9", "0-1-5", "0-1-8,0-3-12", "0-1-8,0-3-9"),
            // A domain that was begun after the copy is not in it.
            ("0-1-5", "0-1-5", "0-1-5,4-1-1", "0-1-5"),
            ("", "", "", ""),
        ] {
            let state = at(&set(position), &set(before), &set(after));
            assert_eq!(state, set(held), "{position}");
        }
    }

    #[test]
    fn the_statement_names_the_newest_of_a_domain_last() {
        let sql = take_history(&set("0-1-9,4-2-1"), &set("0-1-9,0-2-7,4-2-1"));
        assert_eq!(
            sql,
            "BEGIN NOT ATOMIC IF @@GLOBAL.gtid_binlog_state = '' THEN \
             SET GLOBAL gtid_slave_pos = '0-1-9,4-2-1'; \
             SET GLOBAL gtid_binlog_state = '0-2-7,0-1-9,4-2-1'; END IF; END;\n"
        );
    }

    #[test]
    fn a_copy_with_transactions_brings_its_history_and_one_without_needs_none() {
        let copy = tempfile::tempdir().expect("a directory");
        let info = copy.path().join("xtrabackup_binlog_info");
        std::fs::write(&info, "binlog.000001\t330\n").expect("a file");
        write(copy.path(), &set(""), &set("")).expect("no history");
        assert!(!copy.path().join(NAME).exists());
        std::fs::write(&info, "binlog.000001\t934\t0-1-4\n").expect("a file");
        write(copy.path(), &set("0-1-3"), &set("0-1-4")).expect("a history");
        let text = std::fs::read_to_string(copy.path().join(NAME)).expect("a file");
        assert!(text.contains("gtid_slave_pos = '0-1-4'"), "{text}");
        std::fs::remove_file(&info).expect("removed");
        write(copy.path(), &set(""), &set("")).expect_err("nobody knows what it holds");
    }
}
