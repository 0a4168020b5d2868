//! A server connection opened for one statement of the proxy's own: `KILL` of what another
//! connection to the same server runs; or for its login alone: to see whether the server lives, or
//! whether it lets a user in. It counts against no cap: it is needed most when the pool is at its
//! own.

use mainstay_wire::{Command, ErrPacket, ErrorCode};

use crate::answer;
use crate::core::Core;
use crate::note::{Asker, KillOutcome};
use crate::op::{Chunk, ConnId, Op, Ops};
use crate::policy::Secret;
use crate::server::ServerPhase;
use crate::session::Key;

/// Whom it finds gone: the statement had ended before.
const NO_SUCH_THREAD: u16 = 1094;

/// What a connection was opened for.
#[derive(Debug)]
pub(crate) enum Errand {
    Statement {
        sql: String,
        /// Who waits for the outcome.
        asker: Option<Asker>,
    },
    /// The login is all: it shows that the server lives.
    Look,
    /// The login is all: it shows that the server lets the user in by this password.
    Guest { asker: Asker, password: Secret },
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
            opened.errand = Some(Errand::Statement { sql, asker });
        }
    }

    /// Asks a server for a sign of life.
    pub(crate) fn ask_for_life(&mut self, upstream: usize, key: Key, out: &mut Ops) {
        let id = self.open(upstream, key, out);
        if let Some(opened) = self.servers.get_mut(id) {
            opened.errand = Some(Errand::Look);
        }
    }

    /// Asks a server whether it lets this user in.
    pub(crate) fn open_for_guest(
        &mut self,
        upstream: usize,
        key: Key,
        (asker, password): (Asker, Secret),
        out: &mut Ops,
    ) {
        let id = self.open(upstream, key, out);
        if let Some(opened) = self.servers.get_mut(id) {
            opened.errand = Some(Errand::Guest { asker, password });
        }
    }

    /// The connection has logged in: true when it was opened for an errand, which begins now.
    pub(crate) fn errand_begins(&mut self, id: u32, out: &mut Ops) -> bool {
        let deadline = self.now + self.policy.timeouts.connect;
        let Some(server) = self.servers.get_mut(id) else {
            return false;
        };
        let bytes = match &server.errand {
            None => return false,
            Some(Errand::Look) => {
                let index = server.upstream;
                self.close_server(id, out);
                self.lives(index, out);
                return true;
            }
            Some(Errand::Guest { asker, .. }) => {
                let of = (*asker, self.upstreams[server.upstream].target.name.clone());
                self.close_server(id, out);
                self.guest_judged(of, Ok(()), out);
                return true;
            }
            Some(Errand::Statement { sql, .. }) => {
                answer::query(sql.as_bytes(), server.key.capabilities)
            }
        };
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
        let Some(server) = self.servers.get(id) else {
            return;
        };
        let index = server.upstream;
        match &server.errand {
            Some(Errand::Look) => {
                let key = server.key.clone();
                self.forget_server(id);
                return match error {
                    Some(_) => self.lives(index, out),
                    None => self.hangs(index, key, out),
                };
            }
            Some(Errand::Guest { asker, .. }) => {
                let of = (*asker, self.upstreams[index].target.name.clone());
                self.forget_server(id);
                return self.guest_judged(of, Err(error.cloned()), out);
            }
            Some(Errand::Statement { .. }) | None => {}
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
        if let Some(Errand::Statement {
            asker: Some(asker), ..
        }) = errand
        {
            self.errand_told(asker, outcome, out);
        }
    }
}
