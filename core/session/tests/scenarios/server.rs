//! The servers' side of the fake: a handful of statements over the real protocol, with enough
//! state of a session to see what leaks and what is replayed.

use std::collections::{BTreeMap, BTreeSet};

use mainstay_wire::auth::Plugin;
use mainstay_wire::bound::query_text;
use mainstay_wire::codec::{put_lenenc_bytes, put_u16, put_u32};
use mainstay_wire::packet::{PacketReader, build_packet};
use mainstay_wire::response::put_result_end;
use mainstay_wire::{
    Capabilities, ClientHello, ErrPacket, ErrorCode, Greeting, OkPacket, SessionChange, StatusFlags,
};

use crate::fake::PASSWORD;

mod odd;
mod stateful;

/// One server.
// Faults are independent of each other, and several may be on.
#[allow(clippy::struct_excessive_bools)]
pub(crate) struct Server {
    pub(crate) alive: bool,
    pub(crate) hung: bool,
    /// It runs what it gets, but its replies do not arrive.
    pub(crate) mute: bool,
    pub(crate) read_only: bool,
    /// It was told to stop, and gives up every statement.
    pub(crate) ending: bool,
    pub(crate) offers_tls: bool,
    /// Statements run, with the schema they ran in.
    pub(crate) log: Vec<String>,
    pub(crate) inserted: u64,
    /// Writes that were not refused.
    pub(crate) written: Vec<String>,
    /// A schema whose creation it has not applied yet.
    pub(crate) lacks: Option<String>,
    /// Named locks: who has each, and how often.
    pub(crate) locks: BTreeMap<String, (u32, u32)>,
    /// The last transaction that it has, of those of the writer.
    pub(crate) applied: u64,
    /// A defect, for tests that must notice it: a reset leaves everything as it is.
    pub(crate) keeps_all: bool,
    /// The next login is refused with this.
    pub(crate) refuse_login: Option<ErrorCode>,
    /// The password of an account that the proxy has in no settings, and how often it was used.
    pub(crate) guest: &'static str,
    pub(crate) guest_logins: usize,
    /// Connections whose statement was killed.
    pub(crate) kills: Vec<u32>,
    /// What its greeting says.
    pub(crate) version: &'static str,
    /// It asks for a file after any statement.
    pub(crate) rogue: bool,
    /// Files that it got.
    pub(crate) files: Vec<Vec<u8>>,
    /// Bytes of the commands with parameters in pieces.
    pub(crate) long_data: usize,
}

impl Server {
    pub(crate) fn new(read_only: bool) -> Self {
        Self {
            alive: true,
            hung: false,
            mute: false,
            read_only,
            ending: false,
            offers_tls: true,
            log: Vec::new(),
            inserted: 0,
            written: Vec::new(),
            lacks: None,
            locks: BTreeMap::new(),
            applied: u64::MAX,
            keeps_all: false,
            refuse_login: None,
            guest: PASSWORD,
            guest_logins: 0,
            kills: Vec::new(),
            version: "8.4.0",
            rogue: false,
            files: Vec::new(),
            long_data: 0,
        }
    }
}

/// One connection to a server.
// Each flag is one independent fact.
#[allow(clippy::struct_excessive_bools)]
pub(crate) struct Connection {
    pub(crate) server: String,
    pub(crate) inbox: Vec<u8>,
    /// Replies on their way.
    pub(crate) unsent: Vec<u8>,
    id: u32,
    phase: Phase,
    /// TLS was asked for.
    pub(crate) secure: bool,
    capabilities: Capabilities,
    pub(crate) schema: String,
    /// A reset left the schema, but not its character set.
    pub(crate) schema_is_stale: bool,
    variables: BTreeMap<String, String>,
    temporary: BTreeSet<String>,
    texts: BTreeMap<String, String>,
    /// Everything is asked for with `session_track_…`.
    tracks: bool,
    /// The transactions of writes are asked for.
    tells_gtids: bool,
    /// What the next OK tells.
    changes: Vec<SessionChange>,
    in_transaction: bool,
    /// The statement before, and how many rows it changed.
    last: (String, i64),
    /// What `FOUND_ROWS()` says; a reset leaves it.
    found: u8,
    statements: BTreeMap<u32, String>,
    last_statement: u32,
    /// It runs a statement that ends only when it is killed.
    sleeping: bool,
    /// A file that is coming.
    file: Option<Vec<u8>>,
    /// It sends the binlog.
    dumps: bool,
    cursors: BTreeMap<u32, u32>,
    /// The next packet belongs to a parameter sent in pieces.
    long_data: bool,
}

#[derive(PartialEq, Eq)]
enum Phase {
    New,
    Greeted,
    Commands,
}

const SALT: [u8; 20] = [9; 20];

impl Connection {
    pub(crate) fn new(server: &str, id: u32) -> Self {
        Self {
            server: server.to_owned(),
            inbox: Vec::new(),
            unsent: Vec::new(),
            id,
            phase: Phase::New,
            secure: false,
            capabilities: Capabilities::NONE,
            schema: String::new(),
            schema_is_stale: false,
            variables: BTreeMap::new(),
            temporary: BTreeSet::new(),
            texts: BTreeMap::new(),
            tracks: false,
            tells_gtids: false,
            changes: Vec::new(),
            in_transaction: false,
            last: (String::new(), 0),
            found: 0,
            statements: BTreeMap::new(),
            last_statement: 0,
            sleeping: false,
            file: None,
            dumps: false,
            cursors: BTreeMap::new(),
            long_data: false,
        }
    }

    /// A connection that a client has made itself, without a proxy.
    pub(crate) fn direct(id: u32, capabilities: Capabilities) -> Self {
        Self {
            phase: Phase::Commands,
            capabilities,
            ..Self::new("direct", id)
        }
    }

    /// Answers all whole packets of the inbox.
    pub(crate) fn answer(&mut self, server: &mut Server) -> Vec<u8> {
        let mut out = Vec::new();
        if self.phase == Phase::New {
            self.phase = Phase::Greeted;
            build_packet(&mut out, 0, |payload| {
                self.greeting(server).encode(payload);
            });
        }
        let inbox = std::mem::take(&mut self.inbox);
        let mut packets = PacketReader::new(&inbox);
        for packet in packets.by_ref() {
            if self.phase == Phase::Greeted {
                self.log_in(server, packet.payload, &mut out);
            } else if self.dumps {
                out.extend_from_slice(b"more");
            } else if !self.takes_file(server, (packet.payload, packet.header.sequence), &mut out) {
                self.command(server, packet.payload, &mut out);
            }
        }
        self.inbox = packets.rest().to_vec();
        out
    }

    /// What its statement says when it is killed.
    pub(crate) fn killed(&mut self) -> Vec<u8> {
        let mut out = Vec::new();
        if std::mem::take(&mut self.sleeping) {
            Self::error(&ErrorCode::QueryInterrupted.packet(), 1, &mut out);
        }
        out
    }

    fn greeting(&self, server: &Server) -> Greeting {
        let version = server.version;
        let old = version.starts_with("5.6");
        let all = Capabilities(if old { 0x807f_f7ff } else { 0xdfff_ffff });
        let capabilities = if server.offers_tls {
            all
        } else {
            all.without(Capabilities::SSL)
        };
        Greeting {
            server_version: version.to_owned(),
            connection_id: self.id,
            salt: SALT,
            capabilities,
            charset: 45,
            status: StatusFlags::AUTOCOMMIT,
            auth_plugin: "mysql_native_password".to_owned(),
        }
    }

    fn log_in(&mut self, server: &mut Server, payload: &[u8], out: &mut Vec<u8>) {
        let hello = match ClientHello::parse(payload) {
            Ok(ClientHello::Response(hello)) => hello,
            Ok(ClientHello::Ssl(_)) => {
                self.secure = true;
                return;
            }
            Err(why) => panic!("the proxy sends a handshake response: {why}"),
        };
        if hello.user.starts_with("guest") {
            let proof = Plugin::Native.scramble(server.guest.as_bytes(), &SALT);
            server.guest_logins += 1;
            if hello.auth_response != proof {
                return Self::error(&ErrorCode::AccessDenied.with("by the server"), 2, out);
            }
            self.capabilities = hello.capabilities;
            self.phase = Phase::Commands;
            return self.ok(2, 0, out);
        }
        assert!(matches!(hello.user.as_str(), "app" | "hashed"));
        let proof = Plugin::Native.scramble(PASSWORD.as_bytes(), &SALT);
        assert_eq!(hello.auth_response, proof, "the proxy knows the password");
        self.capabilities = hello.capabilities;
        self.phase = Phase::Commands;
        match server.refuse_login.take() {
            Some(code) => Self::error(&code.packet(), 2, out),
            None => self.ok(2, 0, out),
        }
    }

    fn error(error: &ErrPacket, sequence: u8, out: &mut Vec<u8>) {
        build_packet(out, sequence, |payload| error.encode(payload));
    }

    fn status(&self) -> StatusFlags {
        let autocommit = self
            .variables
            .get("autocommit")
            .is_none_or(|value| value != "0");
        let mut status = StatusFlags::default();
        if autocommit {
            status = status.union(StatusFlags::AUTOCOMMIT);
        }
        if self.in_transaction {
            status = status.union(StatusFlags::IN_TRANS);
        }
        status
    }

    fn ok(&mut self, sequence: u8, last_insert_id: u64, out: &mut Vec<u8>) {
        let changes = std::mem::take(&mut self.changes);
        let ok = OkPacket {
            changes: changes
                .into_iter()
                .filter(|one| self.tracks || matches!(one, SessionChange::Gtids(_)))
                .collect(),
            affected_rows: u64::try_from(self.last.1).unwrap_or_default(),
            status: self.status(),
            last_insert_id,
            ..OkPacket::default()
        };
        build_packet(out, sequence, |payload| {
            ok.encode(payload, self.capabilities);
        });
    }

    fn command(&mut self, server: &mut Server, payload: &[u8], out: &mut Vec<u8>) {
        if self.odd_command(server, payload, out) {
            return;
        }
        let argument = &payload[1..];
        let text = String::from_utf8_lossy(argument).into_owned();
        match payload[0] {
            0x02 if text == "missing" || server.lacks.as_ref() == Some(&text) => {
                Self::error(&ErrorCode::UnknownDatabase.packet(), 1, out);
            }
            0x02 => {
                self.schema = text;
                self.schema_is_stale = false;
                self.ok(1, 0, out);
            }
            0x03 => {
                let at = query_text(payload, self.capabilities).expect("a query");
                let text = String::from_utf8_lossy(&payload[at..]).into_owned();
                self.query(server, &text, out);
            }
            0x16 => self.prepare(&text, out),
            0x17 | 0xfa => {
                let id = u32::from_le_bytes(*argument.first_chunk().expect("an id"));
                let text = self
                    .statements
                    .get(&id)
                    .expect("a statement prepared here")
                    .clone();
                self.query(server, &text, out);
            }
            0x19 => {
                let id = u32::from_le_bytes(*argument.first_chunk().expect("an id"));
                self.statements
                    .remove(&id)
                    .expect("a statement prepared here");
            }
            0x1f => {
                if !server.keeps_all {
                    self.reset(server);
                }
                self.ok(1, 0, out);
            }
            _ => Self::error(&ErrorCode::UnknownCommand.packet(), 1, out),
        }
    }

    fn prepare(&mut self, text: &str, out: &mut Vec<u8>) {
        // Numbers differ from connection to connection.
        self.last_statement += 100 + self.id;
        self.statements.insert(self.last_statement, text.to_owned());
        build_packet(out, 1, |payload| {
            payload.push(0);
            put_u32(payload, self.last_statement);
            put_u16(payload, 0);
            put_u16(payload, 0);
            payload.push(0);
            put_u16(payload, 0);
        });
    }

    fn query(&mut self, server: &mut Server, sql: &str, out: &mut Vec<u8>) {
        server.log.push(sql.to_owned());
        if server.ending {
            return Self::error(&ErrorCode::ShutdownInProgress.packet(), 1, out);
        }
        let changed = if sql.starts_with("INSERT") {
            sql.matches('(').map(|_| 1).sum()
        } else {
            -i64::from(sql.starts_with("SELECT"))
        };
        let last = std::mem::replace(&mut self.last, (sql.to_owned(), changed));
        let word = sql
            .split([' ', ';'])
            .next()
            .unwrap_or_default()
            .to_ascii_uppercase();
        if self.stateful(server, (&word, sql), &last, out) {
            return;
        }
        if server.rogue || sql.starts_with("LOAD DATA LOCAL") {
            return self.ask_for_file(out);
        }
        match word.as_str() {
            "SELECT" if sql.starts_with("SELECT SLEEP") => self.sleeping = true,
            "KILL" => {
                let thread = sql.rsplit(' ').next().expect("a number");
                server.kills.push(thread.parse().expect("a number"));
                self.ok(1, 0, out);
            }
            "SELECT" if !(server.read_only && sql.contains("hidden")) => {
                self.select(server, sql, &last, out);
                self.found = u8::from(!sql.contains("LIMIT 0"));
            }
            "SHOW" => self.select(server, sql, &last, out),
            "DO" if sql == "DO 0" => self.ok(1, 0, out),
            "BEGIN" => {
                self.in_transaction = true;
                self.ok(1, 0, out);
            }
            "COMMIT" | "ROLLBACK" => {
                self.in_transaction = false;
                self.ok(1, 0, out);
            }
            "USE" => {
                sql[4..].clone_into(&mut self.schema);
                self.ok(1, 0, out);
            }
            "UPDATE" => {
                // What a deadlock does: it ends the transaction, and says so in no status.
                self.in_transaction = false;
                Self::error(&ErrorCode::Deadlock.packet(), 1, out);
            }
            "DO" if sql.contains("DROP") => {
                self.schema.clear();
                self.ok(1, 0, out);
            }
            _ if server.read_only => {
                Self::error(&ErrorCode::OptionPreventsStatement.packet(), 1, out);
            }
            _ => {
                if sql.starts_with("DROP DATABASE") {
                    self.schema.clear();
                }
                server.inserted += 1;
                server.written.push(sql.to_owned());
                if self.tells_gtids {
                    let gtid = format!("uuid:{}", server.inserted);
                    self.changes.push(SessionChange::Gtids(gtid));
                }
                self.ok(1, server.inserted, out);
            }
        }
    }

    /// One row with one column: what the session or the server looks like.
    fn select(&self, server: &Server, sql: &str, last: &(String, i64), out: &mut Vec<u8>) {
        let value = match sql {
            "SELECT ROW_COUNT()" | "SELECT ROW_COUNT() + 0" => last.1.to_string(),
            "SHOW WARNINGS" => last.0.clone(),
            "SELECT FOUND_ROWS()" => self.found.to_string(),
            "SELECT DATABASE()" => self.schema.clone(),
            "SHOW PROCESSLIST" => self.id.to_string(),
            "SELECT LAST_INSERT_ID()" => self
                .variables
                .get("last_insert_id")
                .map_or_else(|| server.inserted.to_string(), Clone::clone),
            _ if sql.starts_with("SELECT @@session.session_track_") => {
                let usual = "time_zone,autocommit";
                return self.fields(&[usual, "0", "OFF"], out);
            }
            _ if sql.contains("WHERE nothing") => return self.fields(&[], out),
            _ => sql.strip_prefix("SELECT @@").map_or_else(
                || self.server.clone(),
                |name| self.variables.get(name).cloned().unwrap_or_default(),
            ),
        };
        self.row(&value, out);
    }

    fn row(&self, value: &str, out: &mut Vec<u8>) {
        self.fields(&[value], out);
    }

    /// One row with these values; without any, one column and no row.
    fn fields(&self, values: &[&str], out: &mut Vec<u8>) {
        let count = u8::try_from(values.len()).expect("a few").max(1);
        let mut next = build_packet(out, 1, |payload| payload.push(count));
        for _ in 0..count {
            next = build_packet(out, next, |payload| {
                payload.extend_from_slice(b"\x03def\0\0\0\x01c");
            });
        }
        if !self.capabilities.contains(Capabilities::DEPRECATE_EOF) {
            next = build_packet(out, next, |payload| {
                payload.extend_from_slice(&[0xfe, 0, 0, 2, 0]);
            });
        }
        if !values.is_empty() {
            next = build_packet(out, next, |payload| {
                for value in values {
                    put_lenenc_bytes(payload, value.as_bytes());
                }
            });
        }
        let end = OkPacket {
            status: self.status(),
            ..OkPacket::default()
        };
        build_packet(out, next, |payload| {
            put_result_end(payload, &end, self.capabilities);
        });
    }
}
