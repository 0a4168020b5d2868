//! The warm minimum: connections that are kept open to each server although nobody needs them now,
//! so that a burst of clients, or a new primary, finds them logged in.
//!
//! Connections serve only clients of their kind (user and protocol options), so they are kept for
//! the kinds that logged in last, in equal parts. A minimum never borrows from other workers.

use std::time::Duration;

use mainstay_clock::Timestamp;

use crate::core::Core;
use crate::op::Ops;
use crate::session::Key;

/// Kinds of clients for which a worker keeps connections.
const KINDS_MAX: usize = 4;
/// How soon a connection that was lost is opened again.
const AGAIN: Duration = Duration::from_secs(1);

/// Whom connections are kept for.
#[derive(Debug, Default)]
pub(crate) struct Warm {
    /// The kind that logged in last at the end.
    kinds: Vec<Key>,
    /// When the connections are counted next.
    pub(crate) due: Option<Timestamp>,
}

impl Warm {
    /// Something has changed: they are counted at `at`, or before.
    pub(crate) fn look_at(&mut self, at: Timestamp) {
        if !self.kinds.is_empty() {
            self.due = Some(self.due.map_or(at, |due| due.min(at)));
        }
    }

    /// A server does not take this kind.
    pub(crate) fn forget(&mut self, key: &Key) {
        self.kinds.retain(|kind| kind != key);
    }

    /// How many of `min` are for this kind.
    fn share(&self, key: &Key, min: usize) -> usize {
        let kinds = self.kinds.len();
        let place = self.kinds.iter().rev().position(|kind| kind == key);
        place.map_or(0, |place| min / kinds + usize::from(place < min % kinds))
    }
}

impl Core {
    /// A client has logged in.
    pub(crate) fn warm_for(&mut self, client: u32) {
        let Some(session) = self.clients.get(client) else {
            return;
        };
        let min = self.policy.pool.server_connections_min;
        if min == 0 || session.fast_forward || session.key.address.is_some() {
            return;
        }
        let kinds = &mut self.warm.kinds;
        if kinds.last() == Some(&session.key) {
            return;
        }
        let known = kinds.iter().position(|kind| *kind == session.key);
        match known {
            Some(place) => kinds[place..].rotate_left(1),
            None => kinds.push(session.key.clone()),
        }
        if kinds.len() > KINDS_MAX {
            kinds.remove(0);
        }
        if known.is_none() {
            self.warm.look_at(self.now);
        }
    }

    /// A server connection is gone.
    pub(crate) fn cooled(&mut self) {
        self.warm.look_at(self.now + AGAIN);
    }

    /// Opens what is missing.
    pub(crate) fn warm_up(&mut self, out: &mut Ops) {
        if self.warm.due.is_none_or(|due| due > self.now) {
            return;
        }
        self.warm.due = None;
        let min = self.policy.pool.server_connections_min;
        if min == 0 {
            return;
        }
        for index in 0..self.upstreams.len() {
            if !self.upstreams[index].listed {
                continue;
            }
            if !self.upstreams[index].is_usable() {
                self.cooled();
                continue;
            }
            for place in (0..self.warm.kinds.len()).rev() {
                let key = self.warm.kinds[place].clone();
                let missing = self.warm.share(&key, min);
                let missing = missing.saturating_sub(self.open_for(index, &key));
                for _ in 0..missing.min(self.room_of_its_own(index)) {
                    self.open(index, key.clone(), out);
                }
            }
        }
    }

    /// True when an idle connection is one of the minimum.
    pub(crate) fn is_warm(&self, id: u32) -> bool {
        let min = self.policy.pool.server_connections_min;
        let Some(server) = self.servers.get(id).filter(|_| min > 0) else {
            return false;
        };
        let index = server.upstream;
        self.upstreams[index].listed
            && self.open_for(index, &server.key) <= self.warm.share(&server.key, min)
    }

    fn open_for(&self, index: usize, key: &Key) -> usize {
        let servers = self.servers.iter().map(|(_, server)| server);
        servers
            .filter(|one| one.upstream == index && one.errand.is_none() && one.key == *key)
            .count()
    }

    /// Connections that may be opened without taking any from other workers.
    fn room_of_its_own(&self, index: usize) -> usize {
        let pool = &self.policy.pool;
        let budget = pool.budget.as_ref();
        let one = &self.upstreams[index];
        let cap = budget.map_or(pool.server_connections_max, |budget| {
            budget.share(&one.target.name)
        });
        cap.saturating_sub(one.open)
    }
}
