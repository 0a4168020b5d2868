//! How a server is asked about itself, and what its answers mean, for each family.
//!
//! No statement here waits behind commits that wait for an acknowledgement: `SHOW MASTER STATUS`
//! and `SHOW BINARY LOGS` would where `AFTER_SYNC` holds them; the first is asked only of servers
//! without GTIDs, which do not say otherwise how far their log goes. Who sends the statements and
//! reads the rows is not known here.

use thiserror::Error;

use crate::facts::{Dialect, Facts, Family, Version};

mod answer;
mod mariadb;
mod mysql;
mod mysql_old;
mod place;
mod replicas;
pub mod rights;
mod semi_sync;

#[cfg(test)]
mod recorded;
#[cfg(test)]
mod tests;

/// One row of an answer: column name and value, `None` for NULL.
pub type Row = Vec<(String, Option<String>)>;

/// Why an answer cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DialectError {
    /// An answer, a row or a column is not there.
    #[error("the server's answer to {statement:?} lacks {column}; is its version supported?")]
    Missing {
        /// The statement.
        statement: &'static str,
        /// The column, or `a row`.
        column: &'static str,
    },
    /// A value is not what it should be.
    #[error("the server says {column} = {value:?}, expected {expected}")]
    Value {
        /// The column.
        column: &'static str,
        /// Its value.
        value: String,
        /// What was expected.
        expected: &'static str,
    },
}

/// The statements that an observer sends first, in order; each gives one result set.
pub fn observe_statements(version: &Version) -> &'static [&'static str] {
    match version.dialect() {
        Dialect::Mysql56 => &mysql_old::STATEMENTS_56,
        Dialect::Mysql57 | Dialect::Mysql80 => &mysql_old::STATEMENTS_57,
        Dialect::Mysql8026 | Dialect::Mysql => &mysql::STATEMENTS,
        Dialect::Mariadb => &mariadb::STATEMENTS,
    }
}

/// What is asked besides, after the answers to those: where the own log of a server ends that does
/// not use GTIDs.
pub fn more_statements(version: &Version, answers: &[Vec<Row>]) -> &'static [&'static str] {
    let own = answers.first().and_then(|rows| rows.first());
    let mode = own.and_then(|row| row.iter().find(|(name, _)| name == "gtid_mode"));
    let Some((_, Some(mode))) = mode else {
        return &[];
    };
    match version.dialect() {
        _ if mode == "ON" => &[],
        Dialect::Mysql56 | Dialect::Mysql57 | Dialect::Mysql80 | Dialect::Mysql8026 => {
            &[mysql_old::OWN_LOG]
        }
        Dialect::Mysql => &[mysql::OWN_LOG],
        Dialect::Mariadb => &[],
    }
}

/// The facts from the rows of each answer, in the order of [`observe_statements`] and
/// [`more_statements`].
pub fn facts(version: &Version, answers: &[Vec<Row>]) -> Result<Facts, DialectError> {
    facts_on(version, answers, "")
}

/// The facts of a server whose link of this cluster is the channel of this name.
pub fn facts_on(
    version: &Version,
    answers: &[Vec<Row>],
    channel: &str,
) -> Result<Facts, DialectError> {
    match version.dialect() {
        Dialect::Mysql56 | Dialect::Mysql57 | Dialect::Mysql80 => {
            mysql_old::facts(version, answers, channel)
        }
        Dialect::Mysql8026 | Dialect::Mysql => mysql::facts(version, answers, channel),
        Dialect::Mariadb => mariadb::facts(version, answers, channel),
    }
}

/// Reads the version that a server sends in its greeting, as in `9.7.4-2`,
/// `5.5.5-10.11.19-MariaDB-log` (the prefix is for old clients) or `11.8.6-MariaDB`.
pub fn version(greeting: &str) -> Option<Version> {
    let (family, numbers) = if greeting.contains("MariaDB") {
        let text = greeting.strip_prefix("5.5.5-").unwrap_or(greeting);
        (Family::Mariadb, text)
    } else {
        (Family::Mysql, greeting)
    };
    let numbers = numbers
        .split(|c: char| c != '.' && !c.is_ascii_digit())
        .next()?;
    let mut parts = numbers.split('.').map(str::parse::<u16>);
    let mut next = || parts.next().and_then(Result::ok);
    Some(Version {
        family,
        major: next()?,
        minor: next()?,
        patch: next()?,
    })
}
