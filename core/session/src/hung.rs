//! Readers that hang, or that only the proxy cannot reach: the manager may see them well. A reader
//! that owes the answer to a read for too long is asked for a sign of life, a login on a new
//! connection, which a slow query does not delay. If there is none, its reads run again elsewhere,
//! and it gets no more until it has given one.

use std::time::Duration;

use mainstay_clock::Timestamp;

use crate::core::Core;
use crate::op::Ops;
use crate::server::{Server, ServerPhase};
use crate::session::{Key, Session};

/// A reader that hangs is asked again so soon; one whose query is only slow, so late.
const ASK_HUNG: Duration = Duration::from_secs(1);
const ASK_SLOW: Duration = Duration::from_secs(30);

/// What is known of the life of one server.
#[derive(Debug, Default)]
pub(crate) struct Life {
    /// It gave no sign of life; who asks it again.
    pub(crate) hung: Option<Key>,
    /// It is being asked.
    asked: bool,
    /// When it gave a sign of life last, or was asked for one in vain.
    answered: Timestamp,
}

impl Core {
    /// Asks the readers that owe an answer for too long.
    pub(crate) fn look_at_readers(&mut self, out: &mut Ops) {
        if self.readers_due().is_none_or(|due| due > self.now) {
            return;
        }
        self.readers_seen = self.now;
        for index in 0..self.upstreams.len() {
            if !self.is_watched(index) || self.upstreams[index].life.asked {
                continue;
            }
            let key = match &self.upstreams[index].life {
                Life {
                    hung: Some(key),
                    answered,
                    ..
                } => Some(key.clone()).filter(|_| *answered + ASK_HUNG <= self.now),
                Life { hung: None, .. } => self.owed(index),
            };
            if let Some(key) = key {
                self.upstreams[index].life.asked = true;
                self.ask_for_life(index, key, out);
            }
        }
    }

    /// When that is to happen next.
    pub(crate) fn readers_due(&self) -> Option<Timestamp> {
        let limit = self.policy.timeouts.reader?;
        let busy = |index: usize| {
            let one = &self.upstreams[index];
            self.is_watched(index) && (one.open > one.idle.len() || one.life.hung.is_some())
        };
        let busy = (0..self.upstreams.len()).any(busy);
        busy.then(|| self.readers_seen + limit / 2)
    }

    fn is_watched(&self, index: usize) -> bool {
        self.upstreams[index].listed && self.writer != Some(index)
    }

    /// Who waits for an answer of the reader for longer than the limit.
    fn owed(&self, index: usize) -> Option<Key> {
        let limit = self.policy.timeouts.reader?;
        let answered = self.upstreams[index].life.answered;
        let owes = |server: &Server| {
            let since = self.owes_since(index, server)?;
            // Only slow, as far as is known.
            let wait = if since < answered { ASK_SLOW } else { limit };
            (since.max(answered) + wait <= self.now).then(|| server.key.clone())
        };
        self.servers.iter().find_map(|(_, server)| owes(server))
    }

    /// Since when a connection owes the first byte of an answer.
    fn owes_since(&self, index: usize, server: &Server) -> Option<Timestamp> {
        if server.upstream != index {
            return None;
        }
        let (ServerPhase::Reply {
            session,
            forwarded: false,
        }
        | ServerPhase::Setup { session, .. }) = server.phase
        else {
            return None;
        };
        let running = self.clients.get(session).and_then(Session::running)?;
        Some(match server.phase {
            ServerPhase::Reply { .. } => running.sent_at,
            _ => running.since,
        })
    }

    /// The server has logged us in, or has said why not.
    pub(crate) fn lives(&mut self, index: usize, out: &mut Ops) {
        let life = &mut self.upstreams[index].life;
        life.asked = false;
        life.answered = self.now;
        if life.hung.take().is_some() {
            self.release_held(out);
        }
    }

    /// A reader did not answer a new connection in time.
    pub(crate) fn opening_hangs(&mut self, index: usize, key: Key, out: &mut Ops) {
        if self.policy.timeouts.reader.is_some() && self.is_watched(index) {
            self.hangs(index, key, out);
        }
    }

    /// It gave no sign of life.
    pub(crate) fn hangs(&mut self, index: usize, key: Key, out: &mut Ops) {
        let now = self.now;
        let listed = self.is_watched(index);
        let life = &mut self.upstreams[index].life;
        life.asked = false;
        life.answered = now;
        if !listed {
            return;
        }
        if life.hung.replace(key).is_none() {
            self.stats.readers_hung += 1;
        }
        for id in self.servers.ids() {
            let Some(server) = self.servers.get(id) else {
                continue;
            };
            let idle = matches!(server.phase, ServerPhase::Idle { .. });
            let useless = server.upstream == index && idle;
            if useless || self.owes_since(index, server).is_some() {
                self.lost_by_us(id, out);
            }
        }
        self.redispatch(index, out);
    }
}
