//! A purpose in three columns: what kind, about whom, towards whom.

use mainstay_failover::{Change, Purpose};
use mainstay_topology::ServerName;
use rusqlite::Row;
use rusqlite::types::Type;

pub(crate) fn kind(purpose: &Purpose) -> &'static str {
    match purpose {
        Purpose::Failover { .. } => "failover",
        Purpose::Switchover { .. } => "switchover",
        Purpose::Establish { .. } => "establish",
        Purpose::Rejoin { .. } => "rejoin",
        Purpose::Rewind { .. } => "rewind",
        Purpose::Reseed { .. } => "reseed",
        Purpose::Change { change, .. } => change,
    }
}

pub(crate) fn subject(purpose: &Purpose) -> &str {
    match purpose {
        Purpose::Failover { from } | Purpose::Switchover { from, .. } => from.as_str(),
        Purpose::Establish { primary } => primary.as_str(),
        Purpose::Rejoin { server }
        | Purpose::Rewind { server }
        | Purpose::Reseed { server }
        | Purpose::Change { server, .. } => server.as_str(),
    }
}

pub(crate) fn object(purpose: &Purpose) -> Option<&str> {
    match purpose {
        Purpose::Switchover { to, .. } => Some(to.as_str()),
        Purpose::Change { under, .. } => under.as_ref().map(ServerName::as_str),
        Purpose::Failover { .. }
        | Purpose::Establish { .. }
        | Purpose::Rejoin { .. }
        | Purpose::Rewind { .. }
        | Purpose::Reseed { .. } => None,
    }
}

/// Reads the three columns that begin at `first`.
pub(crate) fn read(row: &Row<'_>, first: usize) -> rusqlite::Result<Purpose> {
    let kind: String = row.get(first)?;
    let subject: String = row.get(first + 1)?;
    let object: Option<String> = row.get(first + 2)?;
    let server = ServerName::new(&subject);
    match (kind.as_str(), object) {
        ("failover", _) => Ok(Purpose::Failover { from: server }),
        ("switchover", Some(to)) => Ok(Purpose::Switchover {
            from: server,
            to: ServerName::new(&to),
        }),
        ("establish", _) => Ok(Purpose::Establish { primary: server }),
        ("rejoin", _) => Ok(Purpose::Rejoin { server }),
        ("rewind", _) => Ok(Purpose::Rewind { server }),
        ("reseed", _) => Ok(Purpose::Reseed { server }),
        (kind, under) if changes(kind).is_some() => Ok(Purpose::Change {
            server,
            change: changes(kind).unwrap_or_default(),
            under: under.map(|under| ServerName::new(&under)),
        }),
        _ => Err(rusqlite::Error::FromSqlConversionFailure(
            first,
            Type::Text,
            format!("`{kind}` is no kind of operation").into(),
        )),
    }
}

/// The change by this name.
fn changes(kind: &str) -> Option<&'static str> {
    Change::NAMES.into_iter().find(|name| *name == kind)
}
