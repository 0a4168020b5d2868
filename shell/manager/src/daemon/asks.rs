//! What people ask is decided on fresh looks: the replicas first, then the primary. Only what a
//! primary was seen to hold after a replica was looked at can say whether the replica has more.

use std::time::Duration;

use mainstay_clock::Timestamp;
use mainstay_failover::why::Answer;
use mainstay_failover::{Event as Seen, Plan, Request};
use mainstay_store::Operation;
use mainstay_topology::{Server, ServerName};

use super::{Daemon, Reply};
use crate::error::RequestError;
use crate::event::Question;

/// A server that hangs is not waited for longer than this.
const LOOK_LIMIT: Duration = Duration::from_secs(1);

/// One question.
pub(super) enum Ask {
    Operation(Request, Reply<Operation>),
    Plan(Question, Reply<Plan>),
    Why(Option<ServerName>, Reply<Vec<Answer>>),
}

/// Questions that wait for the same looks.
pub(super) struct Asks {
    waiting: Vec<Ask>,
    /// Looks that were begun before do not count.
    since: Timestamp,
    /// When they are answered with what is known.
    pub(super) until: Timestamp,
}

impl Daemon {
    /// Begins to look at the servers for a question.
    pub(super) fn ask(&mut self, ask: Ask) -> Option<Seen> {
        let now = self.clock.now();
        let asks = self.asks.get_or_insert_with(|| Asks {
            waiting: Vec::new(),
            since: now,
            until: now + LOOK_LIMIT,
        });
        asks.waiting.push(ask);
        for server in self.wakes.keys() {
            self.wake(server);
        }
        None
    }

    /// Answers what waits, when all looks are there, or asks for the one that is missing.
    pub(super) fn answer_asks(&mut self) {
        let Some(asks) = &self.asks else {
            return;
        };
        if self.clock.now() < asks.until
            && let Err(missing) = self.looked(asks.since)
        {
            if let Some(primary) = missing {
                self.wake(&primary);
            }
            return;
        }
        for ask in self.asks.take().into_iter().flat_map(|asks| asks.waiting) {
            self.answer(ask);
        }
    }

    /// Whether all looks are there; otherwise whom to look at once more.
    fn looked(&self, since: Timestamp) -> Result<(), Option<ServerName>> {
        let topology = self.machine.topology();
        let primary = topology.record.primary.as_ref();
        let begun = |server: &Server| server.looked_at().unwrap_or_default();
        let mut after = since;
        for server in topology.servers.values() {
            if Some(server.name()) != primary {
                if begun(server) < since {
                    return Err(None);
                }
                after = after.max(server.facts_ended);
            }
        }
        let present = primary.and_then(|name| topology.servers.get(name));
        match present {
            Some(server) if begun(server) < after => Err(Some(server.name().clone())),
            Some(_) | None => Ok(()),
        }
    }

    fn answer(&mut self, ask: Ask) {
        match ask {
            Ask::Plan(question, reply) => {
                let plan = match question {
                    Question::Failover => self.machine.plan_failover(),
                    Question::Switchover { to } => self.machine.plan_switchover(to.as_ref()),
                };
                // Who asked may have gone.
                let _ = reply.send(plan.map_err(RequestError::Refused));
            }
            Ask::Why(about, reply) => {
                let _ = reply.send(Ok(self.machine.why(about.as_ref())));
            }
            Ask::Operation(_, reply) if self.asked.is_some() => {
                let sentence = "another request has just been made; ask again when it has ended";
                let _ = reply.send(Err(RequestError::Refused(sentence.to_owned())));
            }
            Ask::Operation(request, reply) => {
                self.asked = Some(reply);
                self.own.push_back(Seen::Requested(request));
            }
        }
    }
}
