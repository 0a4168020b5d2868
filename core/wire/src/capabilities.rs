//! Capability bits of client and server; which of them a connection uses is their intersection.
//!
//! Sources: `Protocol::CapabilitiesFlags` (MySQL internals), "Connecting: capabilities" (MariaDB).

use std::ops::{BitAnd, BitOr, Not};

/// A set of capability bits: the low 32 are MySQL's, the high 32 `MariaDB`'s extended ones.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Capabilities(pub u64);

impl Capabilities {
    /// No bit.
    pub const NONE: Self = Self(0);
    /// Improved password hashing. A `MariaDB` server leaves it clear (there it is `CLIENT_MYSQL`)
    /// to say that extended capabilities follow.
    pub const LONG_PASSWORD: Self = Self(1);
    /// `affected_rows` counts found rows instead of changed ones.
    pub const FOUND_ROWS: Self = Self(1 << 1);
    /// Column flags are two bytes long.
    pub const LONG_FLAG: Self = Self(1 << 2);
    /// The handshake response may name a schema.
    pub const CONNECT_WITH_DB: Self = Self(1 << 3);
    /// `database.table.column` is not allowed.
    pub const NO_SCHEMA: Self = Self(1 << 4);
    /// The zlib-compressed protocol.
    pub const COMPRESS: Self = Self(1 << 5);
    /// The ODBC dialect: no effect on the protocol.
    pub const ODBC: Self = Self(1 << 6);
    /// `LOAD DATA LOCAL INFILE`.
    pub const LOCAL_FILES: Self = Self(1 << 7);
    /// The parser ignores spaces before `(`.
    pub const IGNORE_SPACE: Self = Self(1 << 8);
    /// The 4.1 protocol; the only one spoken here.
    pub const PROTOCOL_41: Self = Self(1 << 9);
    /// `wait_timeout` is taken from `interactive_timeout`.
    pub const INTERACTIVE: Self = Self(1 << 10);
    /// TLS after a short request packet.
    pub const SSL: Self = Self(1 << 11);
    /// The client ignores SIGPIPE: no effect on the protocol.
    pub const IGNORE_SIGPIPE: Self = Self(1 << 12);
    /// Status flags are sent.
    pub const TRANSACTIONS: Self = Self(1 << 13);
    /// The 4.1 authentication.
    pub const SECURE_CONNECTION: Self = Self(1 << 15);
    /// Several statements in one `COM_QUERY`.
    pub const MULTI_STATEMENTS: Self = Self(1 << 16);
    /// Several result sets for `COM_QUERY`.
    pub const MULTI_RESULTS: Self = Self(1 << 17);
    /// Several result sets for `COM_STMT_EXECUTE`.
    pub const PS_MULTI_RESULTS: Self = Self(1 << 18);
    /// Pluggable authentication.
    pub const PLUGIN_AUTH: Self = Self(1 << 19);
    /// Connection attributes.
    pub const CONNECT_ATTRS: Self = Self(1 << 20);
    /// The authentication response may be longer than 255 bytes.
    pub const PLUGIN_AUTH_LENENC_CLIENT_DATA: Self = Self(1 << 21);
    /// Connections with an expired password are possible.
    pub const CAN_HANDLE_EXPIRED_PASSWORDS: Self = Self(1 << 22);
    /// OK packets carry changes of the session's state.
    pub const SESSION_TRACK: Self = Self(1 << 23);
    /// No EOF packets: result sets end with an OK packet whose header is `0xFE`.
    pub const DEPRECATE_EOF: Self = Self(1 << 24);
    /// Column definitions may be left out (`resultset_metadata`).
    pub const OPTIONAL_RESULTSET_METADATA: Self = Self(1 << 25);
    /// The zstd-compressed protocol.
    pub const ZSTD_COMPRESSION: Self = Self(1 << 26);
    /// Query attributes in `COM_QUERY` and `COM_STMT_EXECUTE`.
    pub const QUERY_ATTRIBUTES: Self = Self(1 << 27);
    /// Multi-factor authentication.
    pub const MULTI_FACTOR_AUTHENTICATION: Self = Self(1 << 28);
    /// The client checks the server's certificate: no effect on the protocol.
    pub const SSL_VERIFY_SERVER_CERT: Self = Self(1 << 30);
    /// Options survive a failed connect: no effect on the protocol.
    pub const REMEMBER_OPTIONS: Self = Self(1 << 31);

    /// `MariaDB`: progress reports inside ERR packets of code 65535.
    pub const MARIADB_PROGRESS: Self = Self(1 << 32);
    /// `MariaDB`: `COM_MULTI`, withdrawn.
    pub const MARIADB_COM_MULTI: Self = Self(1 << 33);
    /// `MariaDB`: `COM_STMT_BULK_EXECUTE`.
    pub const MARIADB_STMT_BULK_OPERATIONS: Self = Self(1 << 34);
    /// `MariaDB`: column definitions carry extended types.
    pub const MARIADB_EXTENDED_METADATA: Self = Self(1 << 35);
    /// `MariaDB`: a prepared statement's column definitions may be left out.
    pub const MARIADB_CACHE_METADATA: Self = Self(1 << 36);
    /// `MariaDB`: one result per row of a bulk execution.
    pub const MARIADB_BULK_UNIT_RESULTS: Self = Self(1 << 37);

    /// The bits of both.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The bits of `self` that `other` has not.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether all bits of `other` are here.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// MySQL's 32 bits.
    pub const fn base(self) -> u32 {
        self.0 as u32
    }

    /// `MariaDB`'s 32 extended bits.
    pub const fn extended(self) -> u32 {
        (self.0 >> 32) as u32
    }

    /// A set from its two halves.
    pub const fn from_parts(base: u32, extended: u32) -> Self {
        Self(base as u64 | (extended as u64) << 32)
    }
}

impl BitOr for Capabilities {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitAnd for Capabilities {
    type Output = Self;
    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

impl Not for Capabilities {
    type Output = Self;
    fn not(self) -> Self {
        Self(!self.0)
    }
}

impl std::fmt::Debug for Capabilities {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Capabilities({:#010x}", self.base())?;
        if self.extended() != 0 {
            write!(f, " + {:#x}", self.extended())?;
        }
        f.write_str(")")
    }
}
