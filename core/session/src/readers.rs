//! Which reader takes a read: what is known of each, and what happens when there is none.

use std::time::Duration;

use mainstay_clock::Timestamp;
use mainstay_routing::{Reader, pick_reader};

use crate::core::Core;
use crate::policy::NoReader;
use crate::session::Session;
use crate::upstream::Upstream;

/// Readers that are looked at for one read; with more, the next ones are looked at in turn.
const CANDIDATES_MAX: usize = 16;

impl Core {
    /// The reader that takes the next read.
    pub(crate) fn reader(&self) -> Option<usize> {
        self.reader_among(|index| self.upstreams[index].reads)
    }

    /// The server that the session used last, for a statement that is to stay there.
    pub(crate) fn own_reader(
        &self,
        session: &Session,
        is_meant: impl Fn(usize) -> bool,
    ) -> Option<usize> {
        let sticky = session.running().is_some_and(|one| one.ruled.sticky);
        let last = session.last_on.filter(|_| sticky)?;
        let index = self.servers.get(last)?.upstream;
        (self.upstreams[index].is_usable() && is_meant(index)).then_some(index)
    }

    /// The one of those that `is_meant` picks.
    pub(crate) fn reader_among(&self, is_meant: impl Fn(usize) -> bool) -> Option<usize> {
        let mut found = [(0, Reader::default()); CANDIDATES_MAX];
        let mut count = 0;
        let all = self.upstreams.len();
        for offset in 0..all {
            // The same start as long as all fit, so that turns are what the choice makes of them.
            let skip = if all > CANDIDATES_MAX { self.turn } else { 0 };
            let index = (skip + offset) % all;
            let one = &self.upstreams[index];
            if one.is_usable() && count < CANDIDATES_MAX && is_meant(index) {
                found[count] = (index, one.as_reader());
                count += 1;
            }
        }
        if count < 2 {
            return (count == 1).then_some(found[0].0);
        }
        let readers = found.map(|(_, reader)| reader);
        let turn = self.turn as u64;
        let place = pick_reader(&readers[..count], self.policy.readers.choice, turn)?;
        Some(found[place].0)
    }

    /// The server of a read: a reader, else what the policy says.
    pub(crate) fn for_read(&self, session: &Session, ready: Option<usize>) -> Option<usize> {
        let own = self.own_reader(session, |index| self.upstreams[index].reads);
        own.or_else(|| self.reader())
            .or(match self.policy.readers.none_left {
                NoReader::Writer => ready,
                NoReader::Wait | NoReader::Error => None,
            })
    }

    /// A free connection to a reader, for which nobody waits: the read that may have it and waits
    /// longest for another reader.
    pub(crate) fn read_waiting_elsewhere(&mut self, id: u32) -> Option<u32> {
        let server = self.servers.get(id)?;
        let index = server.upstream;
        let is_reader = |index: usize| self.upstreams[index].reads && self.writer != Some(index);
        let one = &self.upstreams[index];
        if !is_reader(index) || !one.is_usable() || !one.near || one.weight == 0 {
            return None;
        }
        let mut longest: Option<(Option<Timestamp>, usize, u32)> = None;
        for (other, upstream) in self.upstreams.iter().enumerate() {
            if other == index || upstream.waiters.is_empty() || !is_reader(other) {
                continue;
            }
            for &client in &upstream.waiters {
                let Some(session) = self.clients.get(client) else {
                    continue;
                };
                let since = session.running().map(|running| running.queued_at);
                let fits = session.key == server.key
                    && server.applied.can_become(&session.state)
                    && self.any_reader_serves(session);
                if fits && longest.is_none_or(|(before, ..)| since < before) {
                    longest = Some((since, other, client));
                }
            }
        }
        let (_, other, client) = longest?;
        self.upstreams[other]
            .waiters
            .retain(|&waiter| waiter != client);
        Some(client)
    }

    /// Looks up what the policy says of each server.
    pub(crate) fn take_traits(&mut self) {
        self.take_wishes();
        let readers = &self.policy.readers;
        for one in &mut self.upstreams {
            let traits = readers.servers.get(&one.target.name);
            one.weight = traits.map_or(1, |traits| traits.weight);
            let zone = traits.and_then(|traits| traits.zone.as_ref());
            one.near = readers.zone.is_none() || readers.zone.as_ref() == zone;
        }
    }
}

impl Upstream {
    fn as_reader(&self) -> Reader {
        let in_flight = self.open - self.idle.len() + self.waiters.len();
        Reader {
            weight: self.weight,
            in_flight: u32::try_from(in_flight).unwrap_or(u32::MAX),
            latency_us: self.latency_us,
            near: self.near,
        }
    }

    /// One more answer took so long. The eighth part of what is new counts.
    pub(crate) fn took(&mut self, time: Duration) {
        let new = u32::try_from(time.as_micros()).unwrap_or(u32::MAX).max(1);
        self.latency_us = if self.latency_us == 0 {
            new
        } else {
            self.latency_us - self.latency_us / 8 + new / 8
        };
    }
}
