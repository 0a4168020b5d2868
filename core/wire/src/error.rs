//! Errors that we send in a server's name: number, SQLSTATE and default text in one table.
//!
//! Source: "Server Error Message Reference" and "Client Error Message Reference" (MySQL manual).

use crate::response::ErrPacket;

macro_rules! error_codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $sqlstate:literal, $text:literal;)*) => {
        /// An error we may answer with.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum ErrorCode {
            $($(#[$doc])* $name,)*
        }

        impl ErrorCode {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The error's number.
            pub const fn code(self) -> u16 {
                match self { $(Self::$name => $code,)* }
            }

            /// Its SQLSTATE.
            pub const fn sqlstate(self) -> [u8; 5] {
                match self { $(Self::$name => *$sqlstate,)* }
            }

            /// The text it has unless a better one is known.
            pub const fn text(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

error_codes! {
    /// No connection can be given.
    TooManyConnections = 1040, b"08004", "Too many connections";
    /// The handshake response cannot be read.
    BadHandshake = 1043, b"08S01", "Bad handshake";
    /// The user may not use this schema.
    DatabaseAccessDenied = 1044, b"42000", "Access denied to the schema";
    /// Wrong user or password.
    AccessDenied = 1045, b"28000", "Access denied";
    /// A statement needs a default schema.
    NoDatabase = 1046, b"3D000", "No database selected";
    /// The command's byte has no meaning.
    UnknownCommand = 1047, b"08S01", "Unknown command";
    /// The schema does not exist.
    UnknownDatabase = 1049, b"42000", "Unknown database";
    /// The server is stopping.
    ShutdownInProgress = 1053, b"08S01", "Server shutdown in progress";
    /// The statement cannot be parsed.
    ParseError = 1064, b"42000", "You have an error in your SQL syntax";
    /// Something not foreseen.
    UnknownError = 1105, b"HY000", "Unknown error";
    /// `KILL` names a connection that does not exist.
    NoSuchThread = 1094, b"HY000", "Unknown thread id";
    /// `KILL` names a connection of another user.
    KillDenied = 1095, b"HY000", "You are not the owner of this thread";
    /// The address had too many failed logins.
    HostBlocked = 1129, b"HY000", "Host is blocked because of many connection errors";
    /// The address may not connect.
    HostNotPrivileged = 1130, b"HY000", "Host is not allowed to connect to this server";
    /// A packet is longer than `max_allowed_packet`.
    PacketTooLarge = 1153, b"08S01", "Got a packet bigger than 'max_allowed_packet' bytes";
    /// Reading from the network failed.
    NetReadError = 1158, b"08S01", "Got an error reading communication packets";
    /// Reading from the network took too long.
    NetReadInterrupted = 1159, b"08S01", "Got timeout reading communication packets";
    /// Writing to the network failed.
    NetErrorOnWrite = 1160, b"08S01", "Got an error writing communication packets";
    /// Writing to the network took too long.
    NetWriteInterrupted = 1161, b"08S01", "Got timeout writing communication packets";
    /// A lock was not given in time.
    LockWaitTimeout = 1205, b"HY000", "Lock wait timeout exceeded; try restarting transaction";
    /// The transaction was rolled back and can be tried again: drivers do so by themselves.
    Deadlock = 1213, b"40001", "Deadlock found when trying to get lock; try restarting transaction";
    /// The user has as many connections, or has run as many statements, as it may.
    UserLimit = 1226, b"42000", "User has exceeded a resource";
    /// A privilege is missing.
    SpecificAccessDenied = 1227, b"42000", "Access denied; a privilege is missing";
    /// The statement is not supported here.
    NotSupported = 1235, b"42000", "This is not supported";
    /// No prepared statement has this number.
    UnknownStatement = 1243, b"HY000", "Unknown prepared statement handler";
    /// `COM_STMT_FETCH` without a cursor.
    NoOpenCursor = 1421, b"HY000", "The statement has no open cursor";
    /// The client speaks a plugin that is not spoken here.
    UnsupportedAuthMode = 1251, b"08004",
        "Client does not support authentication protocol requested by server; consider upgrading \
         MySQL client";
    /// The server is read-only.
    OptionPreventsStatement = 1290, b"HY000",
        "The server is running with the --read-only option so it cannot execute this statement";
    /// The statement was ended by `KILL QUERY` or a time limit.
    QueryInterrupted = 1317, b"70100", "Query execution was interrupted";
    /// A malformed packet.
    MalformedPacket = 1835, b"HY000", "Malformed communication packet";
    /// The transaction or session is read-only.
    ReadOnlyTransaction = 1792, b"25006", "Cannot execute statement in a READ ONLY transaction";
    /// The connection was ended by `KILL` (`MariaDB`).
    ConnectionKilled = 1927, b"70100", "Connection was killed";
    /// No server can be reached.
    ConnectionError = 2003, b"HY000", "Cannot connect to a server";
    /// The server went away before the statement was sent.
    ServerGone = 2006, b"HY000", "Server has gone away";
    /// The server was lost and the fate of the statement is not known.
    ServerLost = 2013, b"08S01", "Lost connection to server during query";
    /// TLS could not be established.
    TlsError = 2026, b"HY000", "TLS connection error";
    /// The server is in offline mode.
    OfflineMode = 3032, b"HY000", "The server is currently in offline mode";
    /// The client sent nothing for too long (MySQL 8.0.24 and later).
    ClientInteractionTimeout = 4031, b"HY000",
        "The client was disconnected by the server because of inactivity. See wait_timeout and \
         interactive_timeout for configuring this behavior.";
    /// TLS is required.
    SecureTransportRequired = 3159, b"HY000",
        "Connections using insecure transport are prohibited while --require_secure_transport=ON";
}

impl ErrorCode {
    /// The packet with the default text.
    pub fn packet(self) -> ErrPacket {
        self.with(self.text())
    }

    /// The packet with another text.
    pub fn with(self, message: impl Into<String>) -> ErrPacket {
        ErrPacket::new(self.code(), self.sqlstate(), message)
    }
}
