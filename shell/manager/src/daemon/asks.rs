//! What people ask is decided on fresh looks: the replicas first, then the primary. Only what a
//! primary was seen to hold after a replica was looked at can say whether the replica has more.

use std::sync::Arc;
use std::time::Duration;

use mainstay_clock::Timestamp;
use mainstay_failover::preflight::{Terms, preflight, refusal};
use mainstay_failover::why::Answer;
use mainstay_failover::{Event as Seen, Plan, Purpose, Request};
use mainstay_store::Operation;
use mainstay_topology::{Server, ServerName};

use super::{Daemon, Reply};
use crate::error::RequestError;
use crate::event::Event;
use crate::handle::Planned;
use crate::preflight::{end_transactions, survey};

/// A server that hangs is not waited for longer than this.
const LOOK_LIMIT: Duration = Duration::from_secs(1);

/// One question.
pub(super) enum Ask {
    Operation(Request, Terms, Reply<Operation>),
    Apply(String, Reply<Operation>),
    /// Nothing stands in its way.
    Cleared(Request, Reply<Operation>),
    Plan(Request, Terms, Reply<Planned>),
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
            Ask::Plan(request, terms, reply) => match self.machine.plan(&request) {
                Ok(plan) => self.show_plan(request, plan, terms, reply),
                // Who asked may have gone.
                Err(reason) => drop(reply.send(Err(RequestError::Refused(reason)))),
            },
            Ask::Why(about, reply) => {
                let _ = reply.send(Ok(self.machine.why(about.as_ref())));
            }
            Ask::Operation(request, terms, reply) => match self.survey(&request) {
                Some(Ok(pair)) => self.clear(request, terms, reply, pair),
                Some(Err(reason)) => drop(reply.send(Err(RequestError::Refused(reason)))),
                None => self.begin_asked(request, reply),
            },
            Ask::Cleared(request, reply) => self.begin_asked(request, reply),
            Ask::Apply(id, reply) => match self.shown.again(&id, &self.machine) {
                Ok((request, terms)) => self.answer(Ask::Operation(request, terms, reply)),
                Err(reason) => drop(reply.send(Err(RequestError::Refused(reason)))),
            },
        }
    }

    fn begin_asked(&mut self, request: Request, reply: Reply<Operation>) {
        if self.asked.is_some() {
            let sentence = "another request has just been made; ask again when it has ended";
            let _ = reply.send(Err(RequestError::Refused(sentence.to_owned())));
            return;
        }
        self.asked = Some(reply);
        self.own.push_back(Seen::Requested(request));
    }

    /// From whom to whom the primary would move; `None` for other requests, which need no survey.
    fn survey(&self, request: &Request) -> Option<Result<(ServerName, ServerName), String>> {
        match request {
            Request::Switchover { .. } => Some(
                self.machine
                    .plan(request)
                    .map(|plan| moved(&plan).expect("a switchover moves the primary")),
            ),
            Request::Failover | Request::Change { .. } => None,
        }
    }

    /// Asks the servers of a switchover, and goes on with it if nothing is in its way.
    fn clear(
        &mut self,
        request: Request,
        terms: Terms,
        reply: Reply<Operation>,
        pair: (ServerName, ServerName),
    ) {
        let executor = Arc::clone(&self.executor);
        let topology = self.machine.topology().clone();
        let events = self.sender.clone();
        self.tasks.spawn(async move {
            let survey = survey(&executor, &topology, (&pair.0, &pair.1)).await;
            if let Some(reason) = refusal(&preflight(&survey, &topology, &terms)) {
                let _ = reply.send(Err(RequestError::Refused(reason)));
                return;
            }
            if terms.end_transactions
                && let Err(reason) = end_transactions(&executor, &survey, &terms).await
            {
                let _ = reply.send(Err(RequestError::Refused(reason)));
                return;
            }
            // When nobody listens any more, the manager has stopped, and so the asker is told.
            let _ = events.send(Event::Cleared { request, reply }).await;
        });
    }

    fn show_plan(&mut self, request: Request, plan: Plan, terms: Terms, reply: Reply<Planned>) {
        let id = self.shown.keep(request, terms, self.machine.basis(&plan));
        let Some(pair) = moved(&plan) else {
            let checks = Vec::new();
            drop(reply.send(Ok(Planned { id, plan, checks })));
            return;
        };
        let executor = Arc::clone(&self.executor);
        let topology = self.machine.topology().clone();
        self.tasks.spawn(async move {
            let survey = survey(&executor, &topology, (&pair.0, &pair.1)).await;
            let checks = preflight(&survey, &topology, &terms);
            let _ = reply.send(Ok(Planned { id, plan, checks }));
        });
    }
}

/// From whom to whom a plan moves the primary on purpose.
fn moved(plan: &Plan) -> Option<(ServerName, ServerName)> {
    match &plan.purpose {
        Purpose::Switchover { from, to } => Some((from.clone(), to.clone())),
        Purpose::Failover { .. }
        | Purpose::Establish { .. }
        | Purpose::Rejoin { .. }
        | Purpose::Rewind { .. }
        | Purpose::Reseed { .. }
        | Purpose::Change { .. } => None,
    }
}
