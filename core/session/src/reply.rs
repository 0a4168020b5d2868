//! Replies of servers: forwarded as they come, without looking into rows; only the first packet
//! is looked at before it goes out, and the last one when the reply is whole.

use mainstay_sql::Kind;
use mainstay_wire::packet::HEADER_LEN;
use mainstay_wire::tracker::{Progress, Summary};
use mainstay_wire::{Command, ErrPacket, ErrorCode};

use crate::core::Core;
use crate::counts::Count;
use crate::op::{Chunk, ConnId, Op, Ops};
use crate::server::{Gathered, ServerPhase};
use crate::session::{Job, Session, Stage};
use crate::statements::{Prepared, Text};
use crate::tie::TieReason;

/// Where the id of a new statement ends: behind the header and the OK byte.
const ID_END: usize = HEADER_LEN + 1 + 4;

impl Core {
    /// Bytes of a server.
    pub(crate) fn server_input(&mut self, id: u32, bytes: &[u8], out: &mut Ops) {
        let Some(server) = self.servers.get_mut(id) else {
            return;
        };
        server.traffic.received += bytes.len() as u64;
        match server.phase {
            ServerPhase::Login { .. } => self.login_input(id, bytes, out),
            ServerPhase::Setup { .. } => self.setup_input(id, bytes, out),
            ServerPhase::Reply { session, .. } => self.reply_input(session, id, bytes, out),
            ServerPhase::Cleaning { .. } => self.cleaning_input(id, bytes, out),
            ServerPhase::Errand { .. } => self.errand_input(id, bytes, out),
            ServerPhase::Spliced { session } => {
                self.counts.more(Count::BytesToClients, bytes.len() as u64);
                out.push(Op::Send {
                    to: ConnId::Client(session),
                    chunk: Chunk::Input(0..bytes.len()),
                });
            }
            // Nothing was asked. Servers say so why they close an idle connection.
            ServerPhase::Connecting { .. }
            | ServerPhase::Idle { .. }
            | ServerPhase::Tied { .. } => self.lost_by_us(id, out),
        }
    }

    fn reply_input(&mut self, client: u32, id: u32, bytes: &[u8], out: &mut Ops) {
        let Some(server) = self.servers.get_mut(id) else {
            return;
        };
        let ServerPhase::Reply { forwarded, .. } = &mut server.phase else {
            return;
        };
        let Ok(fed) = server.tracker.feed(bytes) else {
            return self.lost_by_us(id, out);
        };
        let (file, seen) = (fed.progress == Progress::LocalInfile, *forwarded);
        if file && !self.may_send_file(client) {
            return self.lost_by_us(id, out);
        }
        let Some(server) = self.servers.get_mut(id) else {
            return;
        };
        let done = fed.progress == Progress::Done;
        server.add_to_sum(&bytes[..fed.consumed]);
        let mut gathered = Gathered::new(&mut server.inbox, &bytes[..fed.consumed]);
        if !seen {
            let summary = server.tracker.summary();
            if summary.packets == 0 {
                server.inbox = gathered.bytes().to_vec();
                return;
            }
            if done && let Some(error) = &summary.error {
                let error = error.clone();
                if self.refused(client, id, &error, out) {
                    return;
                }
            }
        }
        let lists = self.servers.get_mut(id).filter(|one| one.lists);
        if let Some(server) = lists.filter(|_| !done) {
            let Some(longer) = server.keeps_list(gathered) else {
                return;
            };
            gathered = longer;
        }
        if let Some(server) = self.servers.get_mut(id).filter(|one| one.filters()) {
            let usual = self.upstreams[server.upstream].usual.as_ref();
            gathered = match server.filter(gathered, fed.consumed, usual) {
                Ok(gathered) => gathered,
                Err(_) => return self.lost_by_us(id, out),
            };
        }
        if self.servers.get(id).is_some_and(|one| one.lists)
            && let Some(list) = self.renumbered(id, gathered.bytes())
        {
            gathered = Gathered::made(list);
        }
        if !gathered.bytes().is_empty() {
            self.keep(id, gathered.bytes());
            let length = gathered.bytes().len();
            self.counts.more(Count::BytesToClients, length as u64);
            self.count_bytes(client, length);
            self.forward(client, id, &gathered, out);
        }
        if file {
            self.begin_file(client);
        }
        if done {
            self.finish(client, id, out);
            if fed.consumed < bytes.len() {
                self.lost_by_us(id, out);
            }
        }
    }

    /// Passes bytes of a reply on; the id of a new statement is replaced by ours.
    fn forward(&mut self, client: u32, id: u32, gathered: &Gathered<'_>, out: &mut Ops) {
        let Some(server) = self.servers.get_mut(id) else {
            return;
        };
        let Some(session) = self.clients.get_mut(client) else {
            return;
        };
        let ServerPhase::Reply { forwarded, .. } = &mut server.phase else {
            return;
        };
        let first = !std::mem::replace(forwarded, true);
        let end = gathered.bytes().len();
        let to = ConnId::Client(client);
        let prepared = server.tracker.summary().prepared.filter(|_| first);
        let Some(on_server) = prepared else {
            out.push(Op::Send {
                to,
                chunk: gathered.chunk(0..end),
            });
            return;
        };
        let Some(ours) = session.prepared(on_server.params, on_server.columns) else {
            return;
        };
        if let Some(prepared) = session.statements.get(ours) {
            let text = std::sync::Arc::clone(&prepared.text);
            for old in server.statements.insert(text, on_server.statement_id) {
                let bytes = crate::answer::command(Command::StmtClose, &old.to_le_bytes());
                self.counts.one(Count::ServerClose);
                out.push(Op::Send {
                    to: ConnId::Server(id),
                    chunk: Chunk::Owned(bytes),
                });
            }
        }
        let mut head = gathered.bytes()[..ID_END].to_vec();
        head[HEADER_LEN + 1..].copy_from_slice(&ours.to_le_bytes());
        out.push(Op::Send {
            to,
            chunk: Chunk::Owned(head),
        });
        out.push(Op::Send {
            to,
            chunk: gathered.chunk(ID_END..end),
        });
    }

    /// An error instead of a reply. True when it was dealt with and the client need not see it:
    /// a server that has just become read-only did not run the statement, so that it can wait for
    /// the new primary.
    fn refused(&mut self, client: u32, id: u32, error: &ErrPacket, out: &mut Ops) -> bool {
        // 3100: a member of a group that is no primary any more gave up the transaction.
        let read_only = matches!(error.code, 1290 | 1836) && error.message.contains("read-only")
            || error.code == 3100 && error.message.contains("before_commit");
        let Some(session) = self.clients.get_mut(client) else {
            return true;
        };
        let Some(running) = session.running() else {
            return true;
        };
        if error.code == ErrorCode::ShutdownInProgress.code() {
            return self.given_up(client, id, out);
        }
        if !read_only || running.stream.is_some() {
            return false;
        }
        if session.in_transaction() {
            // Its COMMIT cannot succeed any more. Closing the connection rolls it back.
            let only = session.lose() == Some(TieReason::Transaction);
            if let Some(running) = session.running_mut() {
                // It waits for a writer that takes it, as long as anything is held.
                running.attempts = 0;
            }
            let (now, writer) = (self.now, self.writer);
            let upstream = self.servers.get(id).map(|server| server.upstream);
            if let Some(upstream) = upstream.filter(|&one| writer == Some(one)) {
                self.upstreams[upstream].writing.failed(now);
            }
            self.close_server(id, out);
            if only && self.replay(client, out) {
                return true;
            }
            let error = ErrorCode::Deadlock.with(
                "the transaction was rolled back: its server became read-only in a switchover; \
                 run it again from its beginning",
            );
            self.answer_error(client, &error, out);
            return true;
        }
        let alone = match running.job {
            Job::Query(statement) | Job::Execute { statement, .. } => {
                // Of several statements, the first ones may have run.
                !matches!(statement.kind, Kind::Multi | Kind::Call | Kind::Unknown)
            }
            Job::Login
            | Job::InitDb { .. }
            | Job::Prepare(_)
            | Job::LongData { .. }
            | Job::OnCursor { .. }
            | Job::Other => false,
        };
        if !alone || !session.ties.is_empty() || self.policy.hold.sessions_max == 0 {
            return false;
        }
        if let Some(running) = session.running_mut() {
            running.stage = Stage::Setup;
            running.to_writer = true;
        }
        let now = self.now;
        let upstream = self.servers.get(id).map(|server| server.upstream);
        if let Some(upstream) = upstream.filter(|&one| self.writer == Some(one)) {
            self.upstreams[upstream].writing.failed(now);
        }
        self.stats.refusals_retried += 1;
        self.untie(client, out);
        self.dispatch(client, out);
        true
    }

    /// The reply is whole: takes its effects on the session, and frees the connection.
    fn finish(&mut self, client: u32, id: u32, out: &mut Ops) {
        let Some(server) = self.servers.get_mut(id) else {
            return;
        };
        let summary: Summary = server.tracker.take_summary();
        let upstream = server.upstream;
        if self.writer == Some(upstream) && summary.error.is_none() {
            let wrote = self
                .clients
                .get(client)
                .and_then(Session::running)
                .is_some_and(|running| !running.job.is_read());
            if wrote {
                self.upstreams[upstream].writing = crate::upstream::Pause::default();
            }
        }
        self.count_query(client, id, &summary);
        self.count_traffic(client, id);
        self.record_finished(client, id, &summary);
        let running = self.clients.get(client).and_then(Session::running);
        if let Some(sent_at) = running.map(|running| running.sent_at) {
            self.upstreams[upstream].took(self.now.since(sent_at));
        }
        self.take_gtid(client, id, &summary);
        let session = self.clients.get(client);
        let was_open = session.is_some_and(Session::in_transaction);
        self.take_effects(client, id, &summary);
        self.log(client, id, &summary, was_open);
        self.mark_written(client);
        self.store(id, &summary);
        self.take_idle_limit(client);
        if summary.error.is_none() {
            self.take_command(client, id);
        }
        let cut = self
            .clients
            .get(client)
            .and_then(Session::running)
            .is_some_and(|running| running.stream.is_some());
        if cut {
            // The server answered before the command was whole: both sides are out of step.
            return self.close_client(client, out);
        }
        self.free_or_keep(client, out);
        self.command_done(client);
    }
}

impl Session {
    /// Registers the statement that the running command prepares; gives its id.
    fn prepared(&mut self, parameters: u16, columns: u16) -> Option<u32> {
        let running = self.running()?;
        let Job::Prepare(statement) = running.job else {
            return None;
        };
        let sql = running.packet.get(running.text_at..)?.to_vec();
        let schema = self.state.schema.clone();
        let copy = self.statements.copies(&sql, schema.as_deref());
        let text = std::sync::Arc::new(Text::new(sql, schema, copy));
        let digest = running.ruled.digest;
        let id = self.statements.insert(Prepared {
            digest,
            text,
            statement,
            parameters,
            columns,
            types: Vec::new(),
            cursor: false,
            long_data: false,
        });
        self.statements.prepared_last = Some(id);
        Some(id)
    }
}
