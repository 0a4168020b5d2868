//! What is offered to clients: exactly what is carried out, and what every server can do.
//!
//! A pooled connection has the capabilities of the client it serves, as far as they shape what is
//! sent. Not offered: `MARIADB_CLIENT_CACHE_METADATA`, because a server that leaves definitions
//! out counts on a client that has seen the earlier ones on the same connection, and multi-factor
//! logins, because no user here has a second factor.

use mainstay_wire::Capabilities;

use crate::core::Core;
use crate::policy::{ClientTls, Policy};

/// What every connection must have; without it the client is too old.
const REQUIRED: Capabilities = Capabilities::PROTOCOL_41.union(Capabilities::SECURE_CONNECTION);

/// What shapes the replies of a server, or the commands it takes, and so must be the same on both
/// sides.
pub(crate) const SHAPE: Capabilities = Capabilities::FOUND_ROWS
    .union(Capabilities::LONG_FLAG)
    .union(Capabilities::NO_SCHEMA)
    .union(Capabilities::LOCAL_FILES)
    .union(Capabilities::IGNORE_SPACE)
    .union(Capabilities::INTERACTIVE)
    .union(Capabilities::MULTI_STATEMENTS)
    .union(Capabilities::MULTI_RESULTS)
    .union(Capabilities::PS_MULTI_RESULTS)
    .union(Capabilities::SESSION_TRACK)
    .union(Capabilities::DEPRECATE_EOF)
    .union(Capabilities::OPTIONAL_RESULTSET_METADATA)
    .union(Capabilities::QUERY_ATTRIBUTES)
    .union(Capabilities::MARIADB_PROGRESS)
    .union(Capabilities::MARIADB_STMT_BULK_OPERATIONS)
    .union(Capabilities::MARIADB_EXTENDED_METADATA)
    .union(Capabilities::MARIADB_BULK_UNIT_RESULTS);

/// What changes the form of packets: a server without it cannot serve a client that has it.
pub(crate) const SHAPING: Capabilities = Capabilities::SESSION_TRACK
    .union(Capabilities::DEPRECATE_EOF)
    .union(Capabilities::OPTIONAL_RESULTSET_METADATA)
    .union(Capabilities::QUERY_ATTRIBUTES)
    .union(Capabilities::MARIADB_STMT_BULK_OPERATIONS)
    .union(Capabilities::MARIADB_EXTENDED_METADATA);

/// What the proxy itself does, whatever the servers can do.
const OWN: Capabilities = REQUIRED
    .union(Capabilities::CONNECT_WITH_DB)
    .union(Capabilities::TRANSACTIONS)
    .union(Capabilities::PLUGIN_AUTH)
    .union(Capabilities::PLUGIN_AUTH_LENENC_CLIENT_DATA)
    .union(Capabilities::CONNECT_ATTRS);

impl Core {
    /// What is offered now: a server that was met and can do less takes it from all.
    pub(crate) fn offered(&self) -> Capabilities {
        let listed = self.upstreams.iter().filter(|one| one.listed);
        let shared = listed.fold(offered(&self.policy), |offered, upstream| {
            let can = upstream.capabilities.unwrap_or(offered);
            offered & (can | OWN | Capabilities::LONG_PASSWORD)
        });
        shared | filters(&self.policy)
    }
}

/// TLS and compression: each side has its own.
fn filters(policy: &Policy) -> Capabilities {
    let with = |on: bool, bit: Capabilities| if on { bit } else { Capabilities::NONE };
    let compression = policy.client_compression;
    with(policy.client_tls != ClientTls::Off, Capabilities::SSL)
        | with(compression.zlib, Capabilities::COMPRESS)
        | with(compression.zstd, Capabilities::ZSTD_COMPRESSION)
}

fn offered(policy: &Policy) -> Capabilities {
    let servers = policy
        .capabilities
        .unwrap_or_else(|| usual(&policy.server_version));
    let mut shape = SHAPE & servers;
    if !policy.local_infile {
        shape = shape.without(Capabilities::LOCAL_FILES);
    }
    // A server that leaves this bit clear says so that extended ones follow.
    let mysql = if shape.extended() == 0 {
        Capabilities::LONG_PASSWORD
    } else {
        Capabilities::NONE
    };
    shape | OWN | mysql
}

/// What a server of this version can do, as far as it matters here.
fn usual(version: &str) -> Capabilities {
    let numbers = version.trim_start_matches("5.5.5-");
    let mut numbers = numbers
        .split(|digit: char| !digit.is_ascii_digit())
        .map_while(|number| number.parse::<u32>().ok());
    let mut next = || numbers.next().unwrap_or_default();
    let version_number = (next(), next(), next());
    let tracks = Capabilities::SESSION_TRACK | Capabilities::DEPRECATE_EOF;
    let named = Capabilities::OPTIONAL_RESULTSET_METADATA | Capabilities::QUERY_ATTRIBUTES;
    let base = SHAPE.without(tracks | named) & Capabilities::from_parts(u32::MAX, 0);
    if version.contains("MariaDB") {
        let extended = Capabilities::MARIADB_PROGRESS
            | Capabilities::MARIADB_STMT_BULK_OPERATIONS
            | Capabilities::MARIADB_EXTENDED_METADATA;
        return match version_number {
            (11.., 5.., 1..) | (11.., 6.., _) | (12.., _, _) => {
                base | tracks | extended | Capabilities::MARIADB_BULK_UNIT_RESULTS
            }
            (11.., _, _) | (10, 6.., _) | (10, 5, 2..) => base | tracks | extended,
            (10, 2.., _) => {
                base | tracks | extended.without(Capabilities::MARIADB_EXTENDED_METADATA)
            }
            _ => base,
        };
    }
    match version_number {
        (9.., _, _) | (8, 1.., _) | (8, 0, 25..) => base | tracks | named,
        (8, 0, 3..) => base | tracks | Capabilities::OPTIONAL_RESULTSET_METADATA,
        (8, _, _) | (5, 7.., _) => base | tracks,
        _ => base,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offers(version: &str, bit: Capabilities) -> bool {
        let policy = Policy {
            server_version: version.to_owned(),
            ..Policy::default()
        };
        offered(&policy).contains(bit)
    }

    #[test]
    fn each_version_offers_what_its_servers_can_do() {
        let (eof, named) = (Capabilities::DEPRECATE_EOF, Capabilities::QUERY_ATTRIBUTES);
        let bulk = Capabilities::MARIADB_STMT_BULK_OPERATIONS;
        for (version, expected) in [
            ("5.6.24-log", [false, false, false]),
            ("5.7.44", [true, false, false]),
            ("8.0.20", [true, false, false]),
            ("8.0.36", [true, true, false]),
            ("9.7.4-2", [true, true, false]),
            ("5.5.5-10.11.19-MariaDB-log", [true, false, true]),
            ("11.8.2-MariaDB", [true, false, true]),
            ("5.5.68-MariaDB", [false, false, false]),
        ] {
            let found = [eof, named, bulk].map(|bit| offers(version, bit));
            assert_eq!(found, expected, "{version}");
        }
        let unit = Capabilities::MARIADB_BULK_UNIT_RESULTS;
        assert!(offers("11.8.2-MariaDB", unit) && !offers("11.4.5-MariaDB", unit));
    }

    #[test]
    fn extended_capabilities_are_announced_by_a_bit_left_clear() {
        let long = Capabilities::LONG_PASSWORD;
        assert!(offers("9.7.4", long) && !offers("10.11.6-MariaDB", long));
    }

    #[test]
    fn files_are_offered_only_where_they_are_allowed() {
        let mut policy = Policy::default();
        assert!(!offered(&policy).contains(Capabilities::LOCAL_FILES));
        policy.local_infile = true;
        assert!(offered(&policy).contains(Capabilities::LOCAL_FILES));
    }
}
