//! One client connection: what the machine remembers of it between statements, and the command
//! it is carrying out.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use mainstay_clock::Timestamp;
use mainstay_routing::Flag;
use mainstay_sql::{Flags, Kind, Statement};
use mainstay_wire::compression::Compression;
use mainstay_wire::handshake::Salt;
use mainstay_wire::{Capabilities, Command, ErrorCode};

use crate::cached::Wrote;
use crate::causal::Written;
use crate::held::Held;
use crate::places::Place;
use crate::policy::Hold;
use crate::replay::Log;
use crate::ruling::Ruled;
use crate::secure::Transport;
use crate::state::State;
use crate::statements::ClientStatements;
use crate::stream::Stream;
use crate::tie::{TieReason, Ties};

/// What makes server connections interchangeable: with the same key, replies have the same bytes.
#[derive(Debug, Clone, Eq)]
pub(crate) struct Key {
    pub(crate) user: Arc<str>,
    pub(crate) capabilities: Capabilities,
    pub(crate) collation: u8,
    /// The client's, where servers are told it: they may grant by it.
    pub(crate) address: Option<IpAddr>,
}

impl PartialEq for Key {
    /// Asked with every statement, mostly of keys with the same user.
    fn eq(&self, other: &Self) -> bool {
        let Self {
            user,
            capabilities,
            collation,
            address,
        } = self;
        *capabilities == other.capabilities
            && *collation == other.collation
            && *address == other.address
            && (Arc::ptr_eq(user, &other.user) || *user == other.user)
    }
}

/// One client.
// Each flag is one independent fact; together they are not a state machine.
#[allow(clippy::struct_excessive_bools)]
#[derive(Debug)]
pub(crate) struct Session {
    /// Never used again, unlike the connection's number.
    pub(crate) serial: u64,
    /// What the greeting called this connection.
    pub(crate) number: u32,
    pub(crate) phase: Phase,
    pub(crate) host: String,
    pub(crate) transport: Transport,
    /// Begins when the login has succeeded.
    pub(crate) compression: Option<Compression>,
    pub(crate) compressed: bool,
    /// What the client told of itself, as it came.
    pub(crate) attributes: Box<[u8]>,
    pub(crate) key: Key,
    /// Input not handled yet: part of a packet, or commands sent ahead of their turn.
    pub(crate) inbox: Vec<u8>,
    pub(crate) began: Timestamp,
    pub(crate) last_active: Timestamp,
    pub(crate) state: State,
    pub(crate) autocommit: bool,
    /// The last statement failed, and errors carry no status: the server may have ended the
    /// transaction by itself.
    pub(crate) doubtful: bool,
    /// MariaDB's client library, which takes an error of a client's number for a broken packet.
    pub(crate) libmariadb: bool,
    pub(crate) statements: ClientStatements,
    pub(crate) last_insert_id: u64,
    /// The connection that ran its last command, while nobody else has used that.
    pub(crate) last_on: Option<u32>,
    /// What `ROW_COUNT()` says now, if that is known.
    pub(crate) row_count: Option<i64>,
    /// It has asked about the statement before: it may do so again.
    pub(crate) asks: bool,
    /// No statement of it was sent yet.
    pub(crate) fresh: bool,
    /// It has got rows.
    pub(crate) found: bool,
    /// It sent `COM_PING`, or what changes as little, after its last statement.
    pub(crate) pinged: bool,
    /// The server connection in use, or tied to between statements.
    pub(crate) server: Option<u32>,
    pub(crate) ties: Ties,
    /// When the transaction began that was open last.
    pub(crate) transaction_since: Timestamp,
    /// What ties it by name.
    pub(crate) held: Option<Box<Held>>,
    /// The flag that the query rules begin with for its next statement.
    pub(crate) flag: Flag,
    /// It is joined to a server with its first command.
    pub(crate) fast_forward: bool,
    /// Something tied was lost while no statement was in flight: the next one is told.
    pub(crate) lost: Option<TieReason>,
    /// Its open transaction, where it may have to be replayed.
    pub(crate) log: Option<Box<Log>>,
    /// What its reads must see, if that was asked for.
    pub(crate) written: Option<Box<Written>>,
    /// What its open transaction has written; empty when nothing is kept of results.
    pub(crate) wrote: Option<Wrote>,
    /// The driver has more for this client than it takes.
    pub(crate) blocked: bool,
    /// Since when.
    pub(crate) blocked_since: Option<Timestamp>,
    /// The random bytes of its greeting, of a client that knows no plugins: it proves its password
    /// with them again when it changes its user.
    pub(crate) old_salt: Option<Salt>,
    /// Reading from this client is stopped.
    pub(crate) paused: bool,
}

/// What a client is doing.
// A command begins and ends without an allocation.
#[allow(clippy::large_enum_variant)]
#[derive(Debug)]
pub(crate) enum Phase {
    /// Proving who it is.
    Login(crate::client_login::Login),
    /// Between commands.
    Ready,
    /// Waiting for the reply to a command.
    Busy(Running),
}

/// A command that is being carried out.
// As in a session: independent facts.
#[allow(clippy::struct_excessive_bools)]
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) job: Job,
    pub(crate) command: Command,
    pub(crate) stage: Stage,
    /// The whole first packet with its header, kept to be sent, and sent again when that is safe.
    pub(crate) packet: Vec<u8>,
    /// Where the text begins in it: behind the attributes of a query.
    pub(crate) text_at: usize,
    /// What is left of a command longer than one packet; it is passed on as it comes.
    pub(crate) stream: Option<Stream>,
    /// Of the answer.
    pub(crate) sequence: u8,
    /// When it was held or began to wait.
    pub(crate) since: Timestamp,
    /// When it began to wait for a connection.
    pub(crate) queued_at: Timestamp,
    /// When it was sent.
    pub(crate) sent_at: Timestamp,
    /// It was counted as held already.
    pub(crate) was_held: bool,
    /// A replica refused it, or its set-up: it is for the writer.
    pub(crate) to_writer: bool,
    /// It asks about the statement before, whose connection is gone: of others it learns nothing.
    pub(crate) blank: bool,
    /// Times it was sent and sent again.
    pub(crate) attempts: u8,
    /// How long its result is to be kept, where something says so.
    pub(crate) cache_ttl: Option<Duration>,
    /// `KILL QUERY` came before it was sent, or it was interrupted for taking too long.
    pub(crate) killed: bool,
    /// It waits for a place under a limit.
    pub(crate) crowded: bool,
    /// The places that it has.
    pub(crate) places: Vec<Place>,
    pub(crate) ruled: Ruled,
}

/// What a command is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Job {
    /// The end of a login: the schema exists.
    Login,
    /// `COM_INIT_DB`.
    InitDb {
        /// The schema to go back to when the server refuses.
        before: Option<Vec<u8>>,
    },
    /// `COM_QUERY`.
    Query(Statement),
    /// `COM_STMT_PREPARE`.
    Prepare(Statement),
    /// `COM_STMT_EXECUTE`, by the client's id.
    Execute {
        id: u32,
        statement: Statement,
        cursor: bool,
    },
    /// `COM_STMT_SEND_LONG_DATA`, by the client's id.
    LongData { id: u32, statement: Statement },
    /// `COM_STMT_FETCH`, `COM_STMT_RESET`, by the client's id.
    OnCursor { id: u32, reset: bool },
    /// A command passed on as it is.
    Other,
}

/// How far a command has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// No writer: waiting for routes.
    Held,
    /// Waiting for a connection to the server of this index.
    Waiting(usize),
    /// The connection is being brought to the session's state; nothing of the command was sent.
    Setup,
    /// Sent.
    Sent,
    /// A `KILL` of the proxy's connection of this number; its worker will answer.
    Killing(u32),
    /// Joined to its server byte by byte.
    Spliced,
    /// A rule or a limit has it wait until then.
    Paused(Timestamp),
}

impl Running {
    /// One that has just come, without its packet.
    pub(crate) fn new(job: Job, command: Command, now: Timestamp) -> Self {
        Self {
            job,
            command,
            stage: Stage::Setup,
            packet: Vec::new(),
            text_at: 0,
            stream: None,
            sequence: 1,
            since: now,
            queued_at: now,
            sent_at: now,
            was_held: false,
            to_writer: false,
            blank: false,
            attempts: 0,
            cache_ttl: None,
            killed: false,
            crowded: false,
            places: Vec::new(),
            ruled: Ruled::default(),
        }
    }

    /// It goes out now.
    pub(crate) fn sent(&mut self, now: Timestamp) {
        self.stage = Stage::Sent;
        self.sent_at = now;
        self.attempts = self.attempts.saturating_add(1);
    }

    /// The text of the statement.
    pub(crate) fn sql<'a>(&'a self, statements: &'a ClientStatements) -> &'a [u8] {
        let text = match self.job {
            Job::Execute { id, .. } => statements.get(id).map(|one| &one.text.sql[..]),
            Job::Login
            | Job::InitDb { .. }
            | Job::Query(_)
            | Job::Prepare(_)
            | Job::LongData { .. }
            | Job::OnCursor { .. }
            | Job::Other => self.packet.get(self.text_at..),
        };
        text.unwrap_or_default()
    }
}

impl Job {
    /// The statement behind the command, if there is one.
    pub(crate) fn statement(&self) -> Option<&Statement> {
        match self {
            Self::Query(statement)
            | Self::Prepare(statement)
            | Self::Execute { statement, .. }
            | Self::LongData { statement, .. } => Some(statement),
            Self::Login | Self::InitDb { .. } | Self::OnCursor { .. } | Self::Other => None,
        }
    }

    /// True when running it twice, or on another server, changes nothing.
    pub(crate) fn is_read(&self) -> bool {
        match self {
            Self::Login | Self::InitDb { .. } | Self::Prepare(_) => true,
            Self::Query(statement) => is_read(*statement),
            Self::Execute {
                statement, cursor, ..
            } => is_read(*statement) && !cursor,
            Self::LongData { .. } | Self::OnCursor { .. } | Self::Other => false,
        }
    }

    /// True when it asks for a cursor.
    pub(crate) fn opens_cursor(&self) -> bool {
        matches!(self, Self::Execute { cursor: true, .. })
    }

    pub(crate) fn is(&self, kind: Kind) -> bool {
        match self {
            Self::Query(statement) | Self::Execute { statement, .. } => statement.kind == kind,
            Self::Login
            | Self::InitDb { .. }
            | Self::Prepare(_)
            | Self::LongData { .. }
            | Self::OnCursor { .. }
            | Self::Other => false,
        }
    }

    /// True when it can end a transaction with a commit.
    pub(crate) fn may_commit(&self) -> bool {
        let Some(statement) = self.statement() else {
            return false;
        };
        statement
            .flags
            .intersects(Flags::IMPLICIT_COMMIT | Flags::AUTOCOMMIT_ON)
            || match statement.kind {
                Kind::Read
                | Kind::Write
                | Kind::Savepoint
                | Kind::Show
                | Kind::Rollback
                | Kind::Use
                | Kind::Handler
                | Kind::Prepare
                | Kind::Deallocate
                | Kind::Empty => false,
                Kind::Ddl
                | Kind::Begin
                | Kind::Commit
                | Kind::Set
                | Kind::Execute
                | Kind::LockTables
                | Kind::UnlockTables
                | Kind::Call
                | Kind::LoadData
                | Kind::Kill
                | Kind::Xa
                | Kind::Admin
                | Kind::Unknown
                | Kind::Multi => true,
            }
    }

    pub(crate) fn has(&self, flags: Flags) -> bool {
        self.statement()
            .is_some_and(|statement| statement.flags.intersects(flags))
    }
}

fn is_read(statement: Statement) -> bool {
    statement.access == mainstay_sql::Access::Read
}

impl Session {
    /// A session of which nothing is known yet.
    pub(crate) fn new(number: u32, host: String, key: Key, phase: Phase) -> Self {
        Self {
            serial: 0,
            number,
            phase,
            host,
            transport: Transport::default(),
            compression: None,
            compressed: false,
            attributes: Box::default(),
            key,
            inbox: Vec::new(),
            began: Timestamp::ZERO,
            last_active: Timestamp::ZERO,
            state: State::default(),
            autocommit: true,
            doubtful: false,
            libmariadb: false,
            statements: ClientStatements::default(),
            last_insert_id: 0,
            last_on: None,
            row_count: Some(0),
            asks: false,
            fresh: true,
            found: false,
            pinged: false,
            server: None,
            ties: Ties::default(),
            transaction_since: Timestamp::ZERO,
            held: None,
            log: None,
            written: None,
            flag: 0,
            fast_forward: false,
            lost: None,
            wrote: None,
            blocked: false,
            blocked_since: None,
            old_salt: None,
            paused: false,
        }
    }

    /// True when its bytes travel in TLS, or compressed.
    pub(crate) fn is_filtered(&self) -> bool {
        self.compressed || self.transport.is_secure()
    }

    /// True while a transaction is open, as the server said last.
    pub(crate) fn in_transaction(&self) -> bool {
        self.ties.contains(TieReason::Transaction)
    }

    /// The error for a connection that was lost with a statement or with state.
    pub(crate) fn lost_code(&self) -> ErrorCode {
        if self.libmariadb {
            ErrorCode::NetReadError
        } else {
            ErrorCode::ServerLost
        }
    }

    pub(crate) fn running(&self) -> Option<&Running> {
        match &self.phase {
            Phase::Busy(running) => Some(running),
            Phase::Login(_) | Phase::Ready => None,
        }
    }

    pub(crate) fn running_mut(&mut self) -> Option<&mut Running> {
        match &mut self.phase {
            Phase::Busy(running) => Some(running),
            Phase::Login(_) | Phase::Ready => None,
        }
    }

    pub(crate) fn stage(&self) -> Option<Stage> {
        self.running().map(|running| running.stage)
    }

    /// Bytes of the command that a hold would keep.
    pub(crate) fn held_bytes(&self) -> usize {
        self.running().map_or(0, |running| running.packet.len())
    }
}

impl Hold {
    /// True when one more session of `bytes` may be held.
    pub(crate) fn has_room(&self, sessions: usize, held_bytes: usize, bytes: usize) -> bool {
        sessions < self.sessions_max && held_bytes + bytes <= self.bytes_max
    }
}
