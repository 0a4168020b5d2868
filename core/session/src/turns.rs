//! Statements that wait for their turn: for the rate of a limit, for the delay of a rule, or for a
//! place among those that a hostgroup or a rule lets use server connections at the same time.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use mainstay_clock::Timestamp;
use mainstay_routing::hostgroups::{READERS, WRITERS};
use mainstay_routing::{Context, Route, route};
use mainstay_sql::{Kind, Statement};
use mainstay_wire::ErrPacket;

use crate::core::Core;
use crate::op::{ConnId, Ops};
use crate::rulebook::{Holder, Under};
use crate::ruling::Arrived;
use crate::session::{Session, Stage};

/// How soon is looked again for a place that a statement of another worker has left.
const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// The sessions of one worker that wait for a place, in order.
#[derive(Debug, Default)]
pub(crate) struct Crowd {
    queue: VecDeque<u32>,
    /// The number of places left by anybody when it was looked for one last.
    left: u64,
    /// When it is looked again.
    pub(crate) look_at: Option<Timestamp>,
}

impl Core {
    /// A statement that would have to wait too long for its turn is refused.
    pub(crate) fn over_limit(&mut self, client: u32, arrived: &Arrived<'_>, out: &mut Ops) -> bool {
        let Some(session) = self.clients.get(client).filter(|_| self.book.limits) else {
            return false;
        };
        let user = Arc::clone(&session.key.user);
        self.ruled.counted_for = self.counted_for(session, arrived.statement);
        let holder = Under {
            user: &user,
            hostgroup: self.ruled.counted_for,
            rule: self.ruled.limited_by,
        };
        let wait = self.book.wait(&self.policy, holder, self.now);
        let ends = matches!(arrived.statement.kind, Kind::Commit | Kind::Rollback);
        if wait.time > self.policy.limit_wait && !ends {
            self.book.gate.limited += 1;
            self.count_unsent(client, arrived);
            let (name, rate) = wait.limit;
            self.answer_error(client, &exceeded(&user, name, rate), out);
            return true;
        }
        let bytes = arrived.sql.len() as u64;
        self.book.spend(&self.policy, holder, (1, bytes), self.now);
        if !wait.time.is_zero() && !ends {
            self.book.gate.delayed += 1;
            let until = self.now + wait.time;
            self.ruled.until = Some(self.ruled.until.map_or(until, |other| other.max(until)));
        }
        false
    }

    /// Has the command wait, if it must.
    pub(crate) fn pause_command(&mut self, client: u32) -> bool {
        let now = self.now;
        let Some(running) = self.clients.get_mut(client).and_then(Session::running_mut) else {
            return false;
        };
        let Some(until) = running.ruled.until.filter(|&until| until > now) else {
            return false;
        };
        running.stage = Stage::Paused(until);
        self.timers.arm(ConnId::Client(client), until);
        true
    }

    /// Its pause is over.
    pub(crate) fn unpause(&mut self, client: u32, out: &mut Ops) {
        let Some(running) = self.clients.get_mut(client).and_then(Session::running_mut) else {
            return;
        };
        if running.crowded {
            return self.refuse_crowded(client, out);
        }
        running.stage = Stage::Setup;
        if self.waits_for_place(client) {
            return;
        }
        self.dispatch(client, out);
    }

    /// The hostgroup whose limits a statement is under: where the built-in split will send it, if
    /// nothing else says where.
    fn counted_for(&self, session: &Session, statement: Statement) -> Option<u32> {
        let split = self.book.limits_split.then(|| {
            let context = Context {
                in_transaction: session.in_transaction(),
                autocommit: session.autocommit,
                tied: false,
                has_readers: self.policy.split_reads,
                policy: mainstay_routing::Policy::default(),
            };
            match route(&context, &statement).route {
                Route::Reader => READERS,
                Route::Writer | Route::Tied => WRITERS,
            }
        });
        self.ruled.hostgroup.or(split)
    }

    /// Has the command wait until there is a place for it, where that is limited.
    pub(crate) fn waits_for_place(&mut self, client: u32) -> bool {
        if !self.book.places {
            return false;
        }
        let Some(wanted) = self.places_of(client) else {
            return false;
        };
        let places = Arc::clone(&self.policy.places);
        let until = self.now + self.policy.limit_wait;
        let Some(running) = self.clients.get_mut(client).and_then(Session::running_mut) else {
            return false;
        };
        if let Ok(taken) = places.enter(&wanted) {
            running.places = taken;
            return false;
        }
        running.crowded = true;
        running.stage = Stage::Paused(until);
        self.timers.arm(ConnId::Client(client), until);
        self.book.gate.delayed += 1;
        self.crowd.queue.push_back(client);
        self.crowd.look_at = Some(self.now + LOOK_AGAIN);
        true
    }

    /// The places that the running command needs and does not have, with how many there are.
    fn places_of(&self, client: u32) -> Option<Vec<(Holder, usize)>> {
        let running = self.clients.get(client).and_then(Session::running)?;
        let ends = running.job.is(Kind::Commit) || running.job.is(Kind::Rollback);
        if ends || !running.places.is_empty() {
            return None;
        }
        let wanted = crate::rulebook::places(&self.policy, &running.ruled);
        (!wanted.is_empty()).then_some(wanted)
    }

    /// Gives places that were left to those that wait for them, in order.
    pub(crate) fn thin_crowd(&mut self, out: &mut Ops) {
        if self.crowd.queue.is_empty() {
            self.crowd.look_at = None;
            return;
        }
        let places = Arc::clone(&self.policy.places);
        let due = self.crowd.look_at.is_some_and(|at| at <= self.now);
        if !due && self.crowd.left == places.left() {
            return;
        }
        self.crowd.left = places.left();
        let mut full: Vec<Holder> = Vec::new();
        for client in std::mem::take(&mut self.crowd.queue) {
            let running = self.clients.get(client).and_then(Session::running);
            let waits = |one: &crate::session::Running| {
                one.crowded && matches!(one.stage, Stage::Paused(_))
            };
            if !running.is_some_and(waits) {
                continue;
            }
            let wanted = self.places_of(client).unwrap_or_default();
            let behind = wanted.iter().any(|(holder, _)| full.contains(holder));
            match places.enter(&wanted) {
                _ if behind => self.crowd.queue.push_back(client),
                Err(holder) => {
                    full.push(holder);
                    self.crowd.queue.push_back(client);
                }
                Ok(taken) => {
                    let running = self.clients.get_mut(client).and_then(Session::running_mut);
                    if let Some(running) = running {
                        running.crowded = false;
                        running.places = taken;
                        running.stage = Stage::Setup;
                    }
                    self.dispatch(client, out);
                }
            }
        }
        let more = !self.crowd.queue.is_empty();
        self.crowd.look_at = more.then_some(self.now + LOOK_AGAIN);
    }

    /// It found no place in time.
    fn refuse_crowded(&mut self, client: u32, out: &mut Ops) {
        self.crowd.queue.retain(|&other| other != client);
        self.book.gate.limited += 1;
        let wanted = self.places_of(client).unwrap_or_default();
        let most = wanted.iter().map(|(_, most)| *most).min().unwrap_or(0);
        let Some(session) = self.clients.get(client) else {
            return;
        };
        let error = exceeded(&session.key.user, "max_connections", most as u64);
        self.answer_error(client, &error, out);
    }
}

fn exceeded(user: &str, what: &str, most: u64) -> ErrPacket {
    let text = format!("User '{user}' has exceeded the '{what}' resource (current value: {most})");
    ErrPacket::new(1226, *b"42000", text)
}
