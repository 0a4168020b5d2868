//! What a packet does: whether it is believed (RFC 9568 §7.1), and what follows from it.
//!
//! Two things that keepalived and RFC 3768 ignore are believed here, because who ignores them
//! becomes a second Active router: another interval in version 2, and addresses that are partly
//! others. Both are said.

use mainstay_clock::Timestamp;

use super::{Heard, Router};
use crate::event::{Action, Packet};
use crate::finding::{Finding, Problem};
use crate::packet::{Advert, Authentication, Envelope, STOPPING, TTL, Version};
use crate::policy::Preempt;
use crate::state::{State, Trigger};
use crate::timers;

/// Findings that a packet which is believed does not refute.
const KEPT: [&str; 3] = ["interval", "addresses", "two_active"];

impl Router {
    pub(super) fn receive(&mut self, now: Timestamp, packet: &Packet, out: &mut Vec<Action>) {
        // A loop of the network, or of the multicast socket: what it says is known.
        if Some(packet.source) == self.source || !self.running {
            return;
        }
        let advert = match self.believed(packet) {
            Ok(advert) => advert,
            Err(problem) => {
                self.counters.ignored += 1;
                let about = packet.source;
                out.extend(self.findings.note(now, Finding { about, problem }));
                return;
            }
        };
        self.counters.received += 1;
        self.believed_at = Some(now);
        out.extend(self.findings.well(packet.source, &KEPT));
        self.compare(now, packet, &advert, out);
        match self.state {
            State::Init | State::Fault => {}
            State::Backup => self.hear(now, packet, &advert),
            State::Active => self.meet(now, packet, &advert, out),
        }
    }

    /// Whether this is for us, from one of us, unchanged.
    fn believed(&self, packet: &Packet) -> Result<Advert, Problem> {
        let multicast = packet.destination.is_multicast();
        let least = if multicast { TTL } else { self.policy.ttl_min };
        if packet.ttl < least {
            let found = packet.ttl;
            return Err(Problem::Ttl { found, least });
        }
        if multicast != self.policy.peers.is_empty() {
            return Err(Problem::Mode { multicast });
        }
        if !multicast && !self.policy.peers.contains(&packet.source) {
            return Err(Problem::Stranger);
        }
        let envelope = Envelope {
            source: packet.source,
            destination: packet.destination,
        };
        let advert = Advert::decode(&packet.bytes, &envelope).map_err(Problem::Garbled)?;
        if advert.version != self.policy.version {
            return Err(Problem::Version(advert.version));
        }
        let ours = self.policy.password;
        let right = match advert.authentication {
            Authentication::None => ours.is_none(),
            Authentication::Password(theirs) => ours == Some(theirs),
            Authentication::Other(_) => false,
        };
        if !right {
            return Err(Problem::Password);
        }
        let ours = &self.policy.addresses;
        if !advert
            .addresses
            .iter()
            .any(|address| ours.contains(address))
        {
            return Err(Problem::DuplicateId(advert.addresses));
        }
        Ok(advert)
    }

    /// Says where the sender's settings differ from ours.
    fn compare(&mut self, now: Timestamp, packet: &Packet, advert: &Advert, out: &mut Vec<Action>) {
        let about = packet.source;
        let mut differs = Vec::new();
        if advert.version == Version::V2 && advert.interval != self.policy.interval {
            let (theirs, ours) = (advert.interval, self.policy.interval);
            differs.push(Problem::Interval { theirs, ours });
        }
        let (theirs, ours) = (&advert.addresses, &self.policy.addresses);
        let all = |these: &[_], those: &[_]| these.iter().all(|address| those.contains(address));
        if !all(theirs, ours) || !all(ours, theirs) {
            differs.push(Problem::Addresses(theirs.clone()));
        }
        // Of two Active routers the worse one yields at this very packet.
        if self.state == State::Active && advert.priority != STOPPING {
            let priority = advert.priority;
            differs.push(Problem::TwoActive { priority });
        }
        let names: Vec<_> = differs.iter().map(Problem::name).collect();
        out.extend(self.findings.well(about, &names));
        for problem in differs {
            out.extend(self.findings.note(now, Finding { about, problem }));
        }
    }

    /// As Backup (RFC 9568 §6.4.2).
    fn hear(&mut self, now: Timestamp, packet: &Packet, advert: &Advert) {
        if advert.priority == STOPPING {
            self.counters.received_stopping += 1;
            let (version, priority) = (self.policy.version, self.priority());
            self.down_at = Some(now + timers::skew(version, priority, self.learned));
            return;
        }
        if advert.priority < self.priority() && self.preempts(now) {
            return;
        }
        if advert.priority >= self.priority() {
            self.worse_since = None;
        }
        self.learned = advert.interval;
        self.heard = Some(Heard {
            source: packet.source,
            priority: advert.priority,
            at: now,
        });
        self.await_silence(now);
    }

    /// Whether a worse router that is Active is replaced.
    fn preempts(&mut self, now: Timestamp) -> bool {
        match self.policy.preempt {
            _ if self.policy.is_owner() => true,
            Preempt::Always => true,
            Preempt::Never => false,
            Preempt::After(delay) => {
                let since = *self.worse_since.get_or_insert(now);
                now.passed(since, delay)
            }
        }
    }

    /// As Active (RFC 9568 §6.4.3).
    fn meet(&mut self, now: Timestamp, packet: &Packet, advert: &Advert, out: &mut Vec<Action>) {
        if advert.priority == STOPPING {
            self.counters.received_stopping += 1;
            self.advertise(now, out);
            return;
        }
        let theirs = (advert.priority, Some(packet.source));
        if theirs > (self.priority(), self.source) {
            self.learned = advert.interval;
            self.go(now, Trigger::Better, out);
            self.heard = Some(Heard {
                source: packet.source,
                priority: advert.priority,
                at: now,
            });
            return;
        }
        // The other is told at once that it is not alone, and so is the network, which may have
        // believed it.
        self.advertise(now, out);
        self.announce_again(now, out);
    }
}
