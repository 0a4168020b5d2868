//! A server connection opened for one statement of the proxy's own: `KILL` of what another
//! connection to the same server runs; or for none, to see whether the server lives. It counts
//! against no cap: it is needed most when the pool is at its own.

use mainstay_wire::{Command, ErrPacket, ErrorCode};

use crate::answer;
use crate::core::Core;
use crate::note::{Asker, KillOutcome};
use crate::op::{Chunk, ConnId, Op, Ops};
use crate::server::ServerPhase;
use crate::session::Key;

/// Whom it finds gone: the statement had ended before.
const NO_SUCH_THREAD: u16 = 1094;

/// What a connection was opened for.
#[derive(Debug)]
pub(crate) struct Errand {
    sql: String,
    /// Who waits for the outcome.
    asker: Option<Asker>,
    /// The login is all: it shows that the server lives.
    looks: bool,
}

impl Core {
    /// Has the server of this connection kill its statement, or the whole connection.
    pub(crate) fn run_errand(
        &mut self,
        server: u32,
        query: bool,
        asker: Option<Asker>,
        out: &mut Ops,
    ) {
        let Some(target) = self.servers.get_mut(server) else {
            return;
        };
        target.spent = true;
        let thread = target.thread;
        let (upstream, key) = (target.upstream, target.key.clone());
        let what = if query { "KILL QUERY" } else { "KILL" };
        let sql = format!("{what} {thread}");
        let id = self.open(upstream, key, out);
        if let Some(opened) = self.servers.get_mut(id) {
            opened.errand = Some(Errand {
                sql,
                asker,
                looks: false,
            });
        }
    }

    /// Asks a server for a sign of life.
    pub(crate) fn ask_for_life(&mut self, upstream: usize, key: Key, out: &mut Ops) {
        let id = self.open(upstream, key, out);
        if let Some(opened) = self.servers.get_mut(id) {
            opened.errand = Some(Errand {
                sql: String::new(),
                asker: None,
                looks: true,
            });
        }
    }

    /// The connection has logged in: true when it was opened for an errand, which begins now.
    pub(crate) fn errand_begins(&mut self, id: u32, out: &mut Ops) -> bool {
        let deadline = self.now + self.policy.timeouts.connect;
        let Some(server) = self.servers.get_mut(id) else {
            return false;
        };
        let Some(errand) = &server.errand else {
            return false;
        };
        if errand.looks {
            let index = server.upstream;
            self.close_server(id, out);
            self.lives(index, out);
            return true;
        }
        let bytes = answer::query(errand.sql.as_bytes(), server.key.capabilities);
        server.phase = ServerPhase::Errand { deadline };
        server.tracker.begin(Command::Query.reply());
        out.push(Op::Send {
            to: ConnId::Server(id),
            chunk: Chunk::Owned(bytes),
        });
        self.timers.arm(ConnId::Server(id), deadline);
        true
    }

    /// What the server says to it.
    pub(crate) fn errand_input(&mut self, id: u32, bytes: &[u8], out: &mut Ops) {
        let Some(server) = self.servers.get_mut(id) else {
            return;
        };
        let outcome = match server.tracker.feed(bytes) {
            Ok(_) if !server.tracker.is_done() => return,
            Ok(_) => match server.tracker.summary().error.clone() {
                Some(error) if error.code != NO_SUCH_THREAD => KillOutcome::Failed(error),
                Some(_) | None => KillOutcome::Done,
            },
            Err(_) => {
                out.push(Op::Close(ConnId::Server(id)));
                return self.errand_failed(id, None, out);
            }
        };
        out.push(Op::Close(ConnId::Server(id)));
        self.errand_ended(id, outcome, out);
    }

    /// It could not be run. True when the connection was opened for one; the caller has closed it.
    pub(crate) fn errand_failed(&mut self, id: u32, error: Option<&ErrPacket>, out: &mut Ops) {
        let server = self.servers.get(id);
        let looks = server.filter(|one| one.errand.as_ref().is_some_and(|errand| errand.looks));
        if let Some((index, key)) = looks.map(|one| (one.upstream, one.key.clone())) {
            self.forget_server(id);
            return match error {
                Some(_) => self.lives(index, out),
                None => self.hangs(index, key, out),
            };
        }
        let error = error.cloned().unwrap_or_else(|| {
            let text = "the server that runs the statement could not be reached to interrupt it";
            ErrorCode::NetReadInterrupted.with(text)
        });
        self.errand_ended(id, KillOutcome::Failed(error), out);
    }

    fn errand_ended(&mut self, id: u32, outcome: KillOutcome, out: &mut Ops) {
        let errand = self
            .servers
            .get_mut(id)
            .and_then(|server| server.errand.take());
        self.forget_server(id);
        if let Some(asker) = errand.and_then(|errand| errand.asker) {
            self.errand_told(asker, outcome, out);
        }
    }
}
