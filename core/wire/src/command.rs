//! Commands: the first byte of a client's packet, and which kind of reply each one gets.
//!
//! Source: "Command Phase" (MySQL internals), `COM_STMT_BULK_EXECUTE` (MariaDB).

mod change_user;

pub use change_user::ChangeUser;

/// What a client asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// `COM_SLEEP`: internal to servers.
    Sleep,
    /// `COM_QUIT`: close the connection.
    Quit,
    /// `COM_INIT_DB`: change the default schema.
    InitDb,
    /// `COM_QUERY`: statements as text.
    Query,
    /// `COM_FIELD_LIST`: a table's columns.
    FieldList,
    /// `COM_CREATE_DB`: withdrawn.
    CreateDb,
    /// `COM_DROP_DB`: withdrawn.
    DropDb,
    /// `COM_REFRESH`: `FLUSH` by bits.
    Refresh,
    /// `COM_SHUTDOWN`: stop the server.
    Shutdown,
    /// `COM_STATISTICS`: a line of figures.
    Statistics,
    /// `COM_PROCESS_INFO`: `SHOW PROCESSLIST`.
    ProcessInfo,
    /// `COM_CONNECT`: internal to servers.
    Connect,
    /// `COM_PROCESS_KILL`: `KILL`.
    ProcessKill,
    /// `COM_DEBUG`: dump to the server's log.
    Debug,
    /// `COM_PING`: is the server there?
    Ping,
    /// `COM_TIME`: internal to servers.
    Time,
    /// `COM_DELAYED_INSERT`: internal to servers.
    DelayedInsert,
    /// `COM_CHANGE_USER`: log in again on the same connection.
    ChangeUser,
    /// `COM_BINLOG_DUMP`: stream the binlog from a position.
    BinlogDump,
    /// `COM_TABLE_DUMP`: withdrawn.
    TableDump,
    /// `COM_CONNECT_OUT`: internal to servers.
    ConnectOut,
    /// `COM_REGISTER_SLAVE`: a replica presents itself.
    RegisterReplica,
    /// `COM_STMT_PREPARE`: prepare a statement.
    StmtPrepare,
    /// `COM_STMT_EXECUTE`: run a prepared statement.
    StmtExecute,
    /// `COM_STMT_SEND_LONG_DATA`: one parameter in pieces; gets no reply.
    StmtSendLongData,
    /// `COM_STMT_CLOSE`: forget a prepared statement; gets no reply.
    StmtClose,
    /// `COM_STMT_RESET`: forget long data and the cursor.
    StmtReset,
    /// `COM_SET_OPTION`: multi-statements on or off.
    SetOption,
    /// `COM_STMT_FETCH`: rows of a cursor.
    StmtFetch,
    /// `COM_DAEMON`: internal to servers.
    Daemon,
    /// `COM_BINLOG_DUMP_GTID`: stream the binlog after a GTID set.
    BinlogDumpGtid,
    /// `COM_RESET_CONNECTION`: a fresh session without a new login (5.7 and later).
    ResetConnection,
    /// `COM_CLONE`: the clone plugin.
    Clone,
    /// `COM_STMT_BULK_EXECUTE` of `MariaDB`: run a prepared statement for many rows.
    StmtBulkExecute,
    /// Anything else.
    Unknown(u8),
}

/// The shape of a command's reply: what a follower of the reply has to expect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplyKind {
    /// Nothing comes back.
    None,
    /// One OK, ERR or EOF packet.
    Single,
    /// OK, ERR, a request for a file, or result sets, text or binary.
    ResultSets,
    /// A statement id with counts, then definitions of parameters and columns.
    Prepare,
    /// Column definitions up to an EOF.
    FieldList,
    /// One packet of text.
    Statistics,
    /// Rows without definitions.
    Fetch,
    /// An authentication exchange.
    Login,
    /// A stream without end, or one that only its plugin understands.
    Endless,
}

impl Command {
    /// The command of a packet whose payload starts with `byte`.
    pub const fn from_byte(byte: u8) -> Self {
        match byte {
            0x00 => Self::Sleep,
            0x01 => Self::Quit,
            0x02 => Self::InitDb,
            0x03 => Self::Query,
            0x04 => Self::FieldList,
            0x05 => Self::CreateDb,
            0x06 => Self::DropDb,
            0x07 => Self::Refresh,
            0x08 => Self::Shutdown,
            0x09 => Self::Statistics,
            0x0a => Self::ProcessInfo,
            0x0b => Self::Connect,
            0x0c => Self::ProcessKill,
            0x0d => Self::Debug,
            0x0e => Self::Ping,
            0x0f => Self::Time,
            0x10 => Self::DelayedInsert,
            0x11 => Self::ChangeUser,
            0x12 => Self::BinlogDump,
            0x13 => Self::TableDump,
            0x14 => Self::ConnectOut,
            0x15 => Self::RegisterReplica,
            0x16 => Self::StmtPrepare,
            0x17 => Self::StmtExecute,
            0x18 => Self::StmtSendLongData,
            0x19 => Self::StmtClose,
            0x1a => Self::StmtReset,
            0x1b => Self::SetOption,
            0x1c => Self::StmtFetch,
            0x1d => Self::Daemon,
            0x1e => Self::BinlogDumpGtid,
            0x1f => Self::ResetConnection,
            0x20 => Self::Clone,
            0xfa => Self::StmtBulkExecute,
            other => Self::Unknown(other),
        }
    }

    /// The first byte of this command's payload.
    pub const fn byte(self) -> u8 {
        match self {
            Self::Sleep => 0x00,
            Self::Quit => 0x01,
            Self::InitDb => 0x02,
            Self::Query => 0x03,
            Self::FieldList => 0x04,
            Self::CreateDb => 0x05,
            Self::DropDb => 0x06,
            Self::Refresh => 0x07,
            Self::Shutdown => 0x08,
            Self::Statistics => 0x09,
            Self::ProcessInfo => 0x0a,
            Self::Connect => 0x0b,
            Self::ProcessKill => 0x0c,
            Self::Debug => 0x0d,
            Self::Ping => 0x0e,
            Self::Time => 0x0f,
            Self::DelayedInsert => 0x10,
            Self::ChangeUser => 0x11,
            Self::BinlogDump => 0x12,
            Self::TableDump => 0x13,
            Self::ConnectOut => 0x14,
            Self::RegisterReplica => 0x15,
            Self::StmtPrepare => 0x16,
            Self::StmtExecute => 0x17,
            Self::StmtSendLongData => 0x18,
            Self::StmtClose => 0x19,
            Self::StmtReset => 0x1a,
            Self::SetOption => 0x1b,
            Self::StmtFetch => 0x1c,
            Self::Daemon => 0x1d,
            Self::BinlogDumpGtid => 0x1e,
            Self::ResetConnection => 0x1f,
            Self::Clone => 0x20,
            Self::StmtBulkExecute => 0xfa,
            Self::Unknown(byte) => byte,
        }
    }

    /// What its reply looks like.
    pub const fn reply(self) -> ReplyKind {
        match self {
            Self::Quit | Self::StmtSendLongData | Self::StmtClose => ReplyKind::None,
            Self::Query | Self::ProcessInfo | Self::StmtExecute | Self::StmtBulkExecute => {
                ReplyKind::ResultSets
            }
            Self::StmtPrepare => ReplyKind::Prepare,
            Self::FieldList => ReplyKind::FieldList,
            Self::Statistics => ReplyKind::Statistics,
            Self::StmtFetch => ReplyKind::Fetch,
            Self::ChangeUser => ReplyKind::Login,
            Self::BinlogDump | Self::BinlogDumpGtid | Self::TableDump | Self::Clone => {
                ReplyKind::Endless
            }
            Self::Sleep
            | Self::InitDb
            | Self::CreateDb
            | Self::DropDb
            | Self::Refresh
            | Self::Shutdown
            | Self::Connect
            | Self::ProcessKill
            | Self::Debug
            | Self::Ping
            | Self::Time
            | Self::DelayedInsert
            | Self::ConnectOut
            | Self::RegisterReplica
            | Self::StmtReset
            | Self::SetOption
            | Self::Daemon
            | Self::ResetConnection
            | Self::Unknown(_) => ReplyKind::Single,
        }
    }
}
