//! What servers are asked, and what their answers mean, for each family and check.

use std::time::Duration;

use mainstay_topology::dialect::Row;
use mainstay_topology::{Address, Family, Receiver, Version};

use crate::policy::Check;
use crate::probed::Following;

/// Asks whether a server is read-only: one row with one column or two.
pub const fn read_only_statement(check: Check) -> &'static str {
    match check {
        Check::ReadOnly => "SELECT @@GLOBAL.read_only",
        Check::InnodbReadOnly => "SELECT @@GLOBAL.innodb_read_only",
        Check::SuperReadOnly => "SELECT @@GLOBAL.super_read_only",
        Check::Either | Check::Both => "SELECT @@GLOBAL.read_only, @@GLOBAL.innodb_read_only",
    }
}

/// The answer; `None` when it is none. Whatever is not off is on: MariaDB 12 knows more words.
pub fn read_only(check: Check, rows: &[Row]) -> Option<bool> {
    let is_on = |(_, value): &(String, Option<String>)| {
        let value = value.as_deref()?;
        Some(!matches!(value.to_ascii_uppercase().as_str(), "0" | "OFF"))
    };
    let values: Option<Vec<bool>> = rows.first()?.iter().map(is_on).collect();
    let values = values.filter(|values| !values.is_empty())?;
    Some(match check {
        Check::ReadOnly | Check::InnodbReadOnly | Check::SuperReadOnly | Check::Either => {
            values.contains(&true)
        }
        Check::Both => !values.contains(&false),
    })
}

/// Asks a server for its `server_id`.
pub const SERVER_ID: &str = "SELECT @@GLOBAL.server_id";

/// Asks a server where it replicates from.
pub fn replication_statement(version: &Version) -> &'static str {
    let numbers = (version.major, version.minor, version.patch);
    match version.family {
        Family::Mariadb => "SHOW ALL SLAVES STATUS",
        Family::Mysql if numbers >= (8, 0, 22) => "SHOW REPLICA STATUS",
        Family::Mysql => "SHOW SLAVE STATUS",
    }
}

/// The answer: its source, if it has one. Of several, the one that is furthest behind.
pub fn following(rows: &[Row]) -> Option<Following> {
    let links = rows.iter().filter_map(link);
    // A link whose lag is not known is behind all others.
    links.max_by_key(|link| (link.is_on(), link.lag.unwrap_or(Duration::MAX)))
}

fn link(row: &Row) -> Option<Following> {
    let get = |names: [&str; 2]| {
        let mut found = row.iter();
        let found = found.find(|(name, _)| names.iter().any(|known| known == name));
        found.and_then(|(_, value)| value.as_deref())
    };
    let host = get(["Source_Host", "Master_Host"]).filter(|host| !host.is_empty())?;
    let port = get(["Source_Port", "Master_Port"]).and_then(|port| port.parse().ok());
    let receiver = match get(["Replica_IO_Running", "Slave_IO_Running"]) {
        Some("Yes") => Receiver::Running,
        Some("No") | None => Receiver::Stopped,
        Some(_) => Receiver::Connecting,
    };
    let lag = get(["Seconds_Behind_Source", "Seconds_Behind_Master"]);
    let id = get(["Source_Server_Id", "Master_Server_Id"]).and_then(|id| id.parse().ok());
    Some(Following {
        source: Address {
            host: host.to_owned(),
            port: port.unwrap_or(3306),
        },
        source_id: id.unwrap_or_default(),
        receiver,
        lag: lag
            .and_then(|lag| lag.parse().ok())
            .map(Duration::from_secs),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(values: &[(&str, Option<&str>)]) -> Row {
        let values = values.iter();
        values
            .map(|(name, value)| ((*name).to_owned(), value.map(str::to_owned)))
            .collect()
    }

    #[test]
    fn each_check_reads_its_variables() {
        let two = |one, other| [row(&[("a", Some(one)), ("b", Some(other))])];
        let one = |value| [row(&[("a", Some(value))])];
        assert_eq!(read_only(Check::ReadOnly, &one("0")), Some(false));
        assert_eq!(read_only(Check::ReadOnly, &one("OFF")), Some(false));
        assert_eq!(read_only(Check::ReadOnly, &one("NO_LOCK")), Some(true));
        assert_eq!(read_only(Check::Either, &two("0", "1")), Some(true));
        assert_eq!(read_only(Check::Both, &two("0", "1")), Some(false));
        assert_eq!(read_only(Check::Both, &two("1", "1")), Some(true));
        assert_eq!(read_only(Check::ReadOnly, &[]), None);
        assert_eq!(read_only(Check::ReadOnly, &[row(&[("a", None)])]), None);
    }

    #[test]
    fn links_of_all_versions_are_read() {
        let old = row(&[
            ("Master_Host", Some("10.0.0.1")),
            ("Master_Port", Some("3307")),
            ("Slave_IO_Running", Some("Yes")),
            ("Seconds_Behind_Master", Some("4")),
        ]);
        let found = following(&[old]).expect("a link");
        assert_eq!(found.source.to_string(), "10.0.0.1:3307");
        assert_eq!(
            (found.receiver, found.lag),
            (Receiver::Running, Some(Duration::from_secs(4)))
        );
        let new = row(&[
            ("Source_Host", Some("a")),
            ("Source_Port", Some("3306")),
            ("Replica_IO_Running", Some("Connecting")),
            ("Seconds_Behind_Source", None),
        ]);
        let found = following(&[new]).expect("a link");
        assert_eq!((found.receiver, found.lag), (Receiver::Connecting, None));
        assert_eq!(following(&[]), None);
    }
}
