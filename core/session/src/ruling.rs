//! What is decided about a statement before it looks for a server: by the query rules, then by its
//! comment, then by the firewall, then by the limits.

use std::sync::Arc;
use std::time::Duration;

use mainstay_clock::Timestamp;
use mainstay_routing::Flag;
use mainstay_routing::firewall::Verdict;
use mainstay_routing::rules::{Actions, Multiplex, Query};
use mainstay_sql::{
    Annotations, Digest, Kind, Statement, classify_and_digest, classify_trusting, digest,
    use_schema,
};
use mainstay_wire::packet::{Packet, PacketHeader, build_packet};
use mainstay_wire::{Command, ErrPacket, OkPacket};

use crate::core::Core;
use crate::mirror::Mirror;
use crate::op::{Chunk, ConnId, Op, Ops};
use crate::session::Job;

/// The longest text that a rule may rewrite, or make: it stays in one packet.
pub(crate) const REWRITTEN_MAX: usize = 16_000_000;

/// What was decided about a command.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ruled {
    /// The hash of its text without its values; 0 when it is no statement.
    pub(crate) digest: Digest,
    /// Its text without its values, where that cannot be made again: it was rewritten.
    pub(crate) digest_text: Option<Box<[u8]>>,
    /// Where it is to go.
    pub(crate) hostgroup: Option<u32>,
    /// How long it may run; zero for as long as it likes.
    pub(crate) timeout: Option<Duration>,
    /// Times it may run again.
    pub(crate) retries: Option<u32>,
    /// How long its result is to be kept.
    pub(crate) cache_ttl: Option<Duration>,
    /// It waits until then.
    pub(crate) until: Option<Timestamp>,
    pub(crate) multiplex: Option<Multiplex>,
    /// Whether its result is kept when that is empty.
    pub(crate) cache_empty: Option<bool>,
    /// It goes back to the server that the session used last.
    pub(crate) sticky: bool,
    /// It must see the writes of its session.
    pub(crate) causal: bool,
    /// The transactions that its server must have, as its comment names them.
    pub(crate) min_gtid: Option<Box<str>>,
    /// Who gets a copy.
    pub(crate) mirror: Option<Mirror>,
    /// The rule that matched last.
    pub(crate) rule: Option<u32>,
    /// What a rule says of the query log.
    pub(crate) log: Option<bool>,
    /// The hostgroup whose limits it is under.
    pub(crate) counted_for: Option<u32>,
    /// The rule whose limits it is under.
    pub(crate) limited_by: Option<u32>,
    /// Bytes of its reply so far.
    pub(crate) reply_bytes: u64,
}

impl Ruled {
    /// How long it may run, when the settings say `default`.
    pub(crate) fn limit(&self, default: Option<Duration>) -> Option<Duration> {
        self.timeout.or(default).filter(|limit| !limit.is_zero())
    }

    /// Times it may be sent in all, when it is safe to send it again.
    pub(crate) fn attempts_max(&self, default: u8) -> u8 {
        let retries = self.retries.map(|retries| retries.saturating_add(1));
        retries.map_or(default, |most| u8::try_from(most).unwrap_or(u8::MAX))
    }
}

/// What becomes of a statement.
enum Decision {
    /// It runs.
    Run,
    /// It was answered.
    Answered,
    /// This runs instead.
    Rewritten(Vec<u8>),
}

/// A statement that is decided about.
#[derive(Clone, Copy)]
pub(crate) struct Arrived<'a> {
    pub(crate) command: Command,
    pub(crate) sql: &'a [u8],
    pub(crate) statement: Statement,
}

impl Core {
    /// Says what a statement is, and remembers its digest for the command that starts next.
    fn read_statement(&mut self, sql: &[u8]) -> Statement {
        self.ruled = Ruled::default();
        let wanted = self.policy.queries.digests_max > 0
            || self.policy.firewall.is_some()
            || self.policy.rules.needs_digest();
        if !wanted {
            return classify_trusting(sql, &self.policy.trusted);
        }
        let (statement, digest) =
            classify_and_digest(sql, &self.policy.trusted, &mut self.digest_text);
        self.ruled.digest = digest;
        statement
    }

    /// `COM_QUERY`, whose text begins at `at` of its payload, and `COM_STMT_PREPARE`.
    pub(crate) fn statement_command(
        &mut self,
        client: u32,
        command: Command,
        (packet, at): (&Packet<'_>, usize),
        out: &mut Ops,
    ) {
        let sql = packet.payload.get(at..).unwrap_or_default();
        let statement = self.read_statement(sql);
        self.counts.statement(command, statement, sql);
        if self.clients.get(client).is_some_and(|one| one.fast_forward) {
            return self.go_on(client, (command, statement), (packet, at), out);
        }
        let arrived = Arrived {
            command,
            sql,
            statement,
        };
        match self.decide(client, &arrived, out) {
            Decision::Answered => {}
            Decision::Rewritten(text) if !packet.header.continues() => {
                let payload = [&packet.payload[..at], &text].concat();
                let statement = classify_trusting(&text, &self.policy.trusted);
                let header = PacketHeader {
                    len: payload.len(),
                    sequence: 0,
                };
                let rewritten = Packet {
                    header,
                    payload: &payload,
                    range: 0..0,
                };
                self.ruled.digest_text = Some(self.digest_text.as_slice().into());
                // What the client sent is not what goes to the server.
                self.origin = None;
                self.go_on(client, (command, statement), (&rewritten, at), out);
            }
            Decision::Run | Decision::Rewritten(_) => {
                self.go_on(client, (command, statement), (packet, at), out);
            }
        }
    }

    fn go_on(
        &mut self,
        client: u32,
        (command, statement): (Command, Statement),
        (packet, at): (&Packet<'_>, usize),
        out: &mut Ops,
    ) {
        if command == Command::StmtPrepare {
            return self.start(client, (command, Job::Prepare(statement)), packet, out);
        }
        if !self.answers(client, statement, (packet, at), out) {
            if let Some(mirror) = self.ruled.mirror {
                self.mirror(client, mirror, (statement, packet, at), out);
            }
            self.start(client, (command, Job::Query(statement)), packet, out);
        }
    }

    /// The execution of a prepared statement is decided about as well. False when it was answered.
    pub(crate) fn decide_execution(&mut self, client: u32, id: u32, out: &mut Ops) -> bool {
        let prepared = self
            .clients
            .get(client)
            .and_then(|session| session.statements.get(id));
        let Some(prepared) = prepared else {
            return true;
        };
        let text = Arc::clone(&prepared.text);
        let statement = prepared.statement;
        self.ruled.digest = prepared.digest;
        if self.policy.rules.needs_digest() {
            digest(&text.sql, &mut self.digest_text);
        }
        let arrived = Arrived {
            command: Command::StmtExecute,
            sql: &text.sql,
            statement,
        };
        !matches!(self.decide(client, &arrived, out), Decision::Answered)
    }

    /// Asks everybody who has a say.
    fn decide(&mut self, client: u32, arrived: &Arrived<'_>, out: &mut Ops) -> Decision {
        let Some(session) = self.clients.get_mut(client) else {
            return Decision::Answered;
        };
        let executes = arrived.command == Command::StmtExecute;
        let flag = std::mem::take(&mut session.flag);
        let (mut actions, mut end_flag, mut rewritten) = (Actions::default(), flag, None);
        let rules = &self.policy.rules;
        if !rules.is_empty() {
            let query = Query {
                user: &session.key.user,
                schema: session.state.schema.as_deref().unwrap_or_default(),
                client: &session.host,
                proxy: self.policy.listen,
                sql: arrived.sql,
                digest: self.ruled.digest,
                digest_text: &self.digest_text,
                flag,
                executes,
            };
            let ruling = rules.ask(&query, &mut self.book.workspace);
            self.ruled.rule = ruling.rule;
            self.ruled.limited_by = ruling.limited_by;
            (actions, end_flag, rewritten) = (ruling.actions, ruling.flag, ruling.rewritten);
            session.flag = actions.next_query_flag_in.unwrap_or(0);
        }
        let wishes = Annotations::of(arrived.sql);
        self.ruled.min_gtid = wishes.min_gtid.map(Box::from);
        self.take_annotations(&mut actions, &wishes);
        if self.book.asks_users && !self.ask_user(client, arrived, &mut actions, out) {
            return Decision::Answered;
        }
        self.note_actions(&actions);
        if self.stopped_by_firewall(client, end_flag, arrived, out)
            || self.answered_by_rule(client, &actions, arrived, out)
            || self.over_limit(client, arrived, out)
        {
            return Decision::Answered;
        }
        match rewritten.filter(|text| text.len() < REWRITTEN_MAX) {
            Some(text) => Decision::Rewritten(text),
            None => Decision::Run,
        }
    }

    /// A comment has the last word.
    pub(crate) fn take_annotations(&mut self, actions: &mut Actions, wishes: &Annotations<'_>) {
        let hostgroups = &self.policy.hostgroups;
        let hostgroup = wishes.hostgroup.and_then(|wish| hostgroups.named(wish));
        let small = |number: Option<u64>| number.and_then(|number| u32::try_from(number).ok());
        actions.destination_hostgroup = hostgroup.or(actions.destination_hostgroup);
        actions.cache_ttl_ms = wishes.cache_ttl_ms.or(actions.cache_ttl_ms);
        actions.timeout_ms = wishes.timeout_ms.or(actions.timeout_ms);
        actions.retries = small(wishes.retries).or(actions.retries);
        actions.delay_ms = wishes.delay_ms.or(actions.delay_ms);
        actions.mirror_hostgroup = small(wishes.mirror).or(actions.mirror_hostgroup);
    }

    /// What the settings of the user add. False when they forbid it.
    fn ask_user(
        &mut self,
        client: u32,
        arrived: &Arrived<'_>,
        actions: &mut Actions,
        out: &mut Ops,
    ) -> bool {
        let Some(session) = self.clients.get(client) else {
            return false;
        };
        let Some(user) = self.policy.users.get(&*session.key.user) else {
            return true;
        };
        actions.destination_hostgroup = actions.destination_hostgroup.or(user.default_hostgroup);
        let leaves = user.schema_locked && arrived.statement.kind == Kind::Use;
        let asked = use_schema(arrived.sql).filter(|_| leaves);
        let asked = asked.map(|name| name.trim_ascii().to_vec());
        match asked {
            Some(name) => self.may_use(client, &name, out),
            None => true,
        }
    }

    /// Whether the session may change to this schema; if not, it is told so.
    pub(crate) fn may_use(&mut self, client: u32, name: &[u8], out: &mut Ops) -> bool {
        let Some(session) = self.clients.get(client) else {
            return false;
        };
        let name = name.strip_prefix(b"`").unwrap_or(name);
        let name = name.strip_suffix(b"`").unwrap_or(name);
        let user = self.policy.users.get(&*session.key.user);
        let locked = user.is_some_and(|user| user.schema_locked);
        if !locked
            || session
                .state
                .schema
                .as_deref()
                .is_none_or(|own| own == name)
        {
            return true;
        }
        let error = kept_in_schema(&session.key.user, &String::from_utf8_lossy(name));
        self.answer_error(client, &error, out);
        false
    }

    pub(crate) fn note_actions(&mut self, actions: &Actions) {
        let ruled = &mut self.ruled;
        ruled.hostgroup = actions.destination_hostgroup;
        ruled.timeout = actions.timeout_ms.map(Duration::from_millis);
        ruled.retries = actions.retries;
        ruled.cache_ttl = actions.cache_ttl_ms.map(Duration::from_millis);
        ruled.multiplex = actions.multiplex;
        ruled.cache_empty = actions.cache_empty_result;
        ruled.sticky = actions.sticky_conn == Some(true);
        ruled.causal = actions.gtid_from_hostgroup.is_some();
        ruled.mirror = Mirror::of(actions);
        ruled.log = actions.log;
        let delay = actions.delay_ms.filter(|&delay| delay > 0);
        ruled.until = delay.map(|delay| self.now + Duration::from_millis(delay));
    }

    fn stopped_by_firewall(
        &mut self,
        client: u32,
        flag: Flag,
        arrived: &Arrived<'_>,
        out: &mut Ops,
    ) -> bool {
        let (Some(firewall), Some(session)) = (&self.policy.firewall, self.clients.get(client))
        else {
            return false;
        };
        let who = (&*session.key.user, session.host.as_str());
        let schema = session.state.schema.as_deref().unwrap_or_default();
        match firewall.judge(who, schema, flag, self.ruled.digest) {
            Verdict::Allowed => false,
            Verdict::Detected => {
                self.book.gate.detected += 1;
                false
            }
            Verdict::Refused => {
                self.book.gate.blocked += 1;
                self.count_unsent(client, arrived);
                let error = ErrPacket::new(1148, *b"42000", "Firewall blocked this query");
                self.answer_error(client, &error, out);
                true
            }
        }
    }

    /// A rule has an answer ready. A prepared statement is answered when it is executed.
    fn answered_by_rule(
        &mut self,
        client: u32,
        actions: &Actions,
        arrived: &Arrived<'_>,
        out: &mut Ops,
    ) -> bool {
        let prepares = arrived.command == Command::StmtPrepare;
        if let Some(text) = &actions.error_msg {
            self.book.gate.answered += 1;
            self.count_unsent(client, arrived);
            let error = ErrPacket::new(1148, *b"42000", text.to_string());
            self.answer_error(client, &error, out);
            return true;
        }
        let Some(text) = actions.ok_msg.as_ref().filter(|_| !prepares) else {
            return false;
        };
        self.book.gate.answered += 1;
        self.count_unsent(client, arrived);
        if let Some(session) = self.clients.get(client) {
            let ok = OkPacket {
                status: session.status(),
                info: text.as_bytes().to_vec(),
                ..OkPacket::default()
            };
            let mut bytes = Vec::new();
            build_packet(&mut bytes, 1, |payload| {
                ok.encode(payload, session.key.capabilities);
            });
            out.push(Op::Send {
                to: ConnId::Client(client),
                chunk: Chunk::Owned(bytes),
            });
        }
        self.command_done(client);
        true
    }
}

/// What a user gets that is kept in its schema and asks for another.
pub(crate) fn kept_in_schema(user: &str, schema: &str) -> ErrPacket {
    let text = format!(
        "Access denied for user '{user}' to database '{schema}': the user is kept in its schema \
         (schema_locked)"
    );
    ErrPacket::new(1044, *b"42000", text)
}
