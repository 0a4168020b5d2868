//! The machine of one virtual router (RFC 9568 §6.4). Its states are those of [`crate::state`].
//!
//! - The addresses are taken when it becomes Active and dropped when it ceases to be: an action
//!   [`Action::Take`] is followed by [`Action::Drop`] before the next one.
//! - They are dropped before a packet says so: who hears it may take them at once.
//! - A packet that is not believed changes no timer.
//! - What is not known to be well is a fault.

mod receive;
#[cfg(test)]
mod tests;

use std::net::IpAddr;
use std::time::Duration;

use mainstay_clock::Timestamp;

use crate::announcer::Announcer;
use crate::event::{Action, Event};
use crate::finding::{Finding, Findings, Problem};
use crate::packet::{Advert, Authentication, RouterId, STOPPING};
use crate::policy::Policy;
use crate::state::{State, Trigger, next};
use crate::timers;
use crate::track::{Tracks, Verdict};

/// A pause of less is no reason to think that others have taken over.
const PAUSE_MIN: Duration = Duration::from_secs(1);

/// Who hands over may answer for the addresses a little longer.
const HAND_OVER: Duration = Duration::from_secs(1);

/// The Active router as it was heard last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heard {
    /// Where it sends from.
    pub source: IpAddr,
    /// Its priority.
    pub priority: u8,
    /// When.
    pub at: Timestamp,
}

/// Counted since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// Advertisements sent.
    pub sent: u64,
    /// Advertisements that were believed.
    pub received: u64,
    /// Of those, with priority 0.
    pub received_stopping: u64,
    /// Packets that were ignored.
    pub ignored: u64,
    /// Times that it became Active.
    pub became_active: u64,
    /// Addresses that somebody else removed.
    pub lost: u64,
}

/// One virtual router.
#[derive(Debug, Clone)]
pub struct Router {
    policy: Policy,
    state: State,
    since: Timestamp,
    reason: String,
    running: bool,
    source: Option<IpAddr>,
    /// A sentence while the group that it belongs to may not serve.
    group_fault: Option<String>,
    tracks: Tracks,
    /// While Active: when to advertise next.
    advert_at: Option<Timestamp>,
    /// While Backup: when to become Active.
    down_at: Option<Timestamp>,
    /// While Backup: since when a worse router has been heard.
    worse_since: Option<Timestamp>,
    /// The interval of the Active router, which version 3 learns.
    learned: Duration,
    heard: Option<Heard>,
    /// When any router of ours was believed last.
    believed_at: Option<Timestamp>,
    announcer: Announcer,
    findings: Findings,
    counters: Counters,
}

impl Router {
    /// A router that does not run yet.
    pub fn new(policy: Policy) -> Self {
        let mut tracks = Tracks::default();
        tracks.expect(&policy.tracks);
        Self {
            state: State::Init,
            since: Timestamp::ZERO,
            reason: "it has not started".to_owned(),
            running: false,
            source: None,
            group_fault: None,
            tracks,
            advert_at: None,
            down_at: None,
            worse_since: None,
            learned: policy.interval,
            heard: None,
            believed_at: None,
            announcer: Announcer::default(),
            findings: Findings::default(),
            counters: Counters::default(),
            policy,
        }
    }

    /// Its number.
    pub fn id(&self) -> RouterId {
        self.policy.id
    }

    /// Its rules.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Its state.
    pub fn state(&self) -> State {
        self.state
    }

    /// Since when.
    pub fn since(&self) -> Timestamp {
        self.since
    }

    /// Why, in a sentence.
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// The priority with which it speaks.
    pub fn priority(&self) -> u8 {
        self.tracks.weigh(self.policy.priority)
    }

    /// The address that it sends from, when its interface can be used.
    pub fn source(&self) -> Option<IpAddr> {
        self.source
    }

    /// The Active router, while this one is Backup.
    pub fn heard(&self) -> Option<Heard> {
        self.heard
    }

    /// What is tracked, and how it is.
    pub fn tracks(&self) -> impl Iterator<Item = (&str, Option<Verdict>)> {
        self.tracks.all()
    }

    /// What is wrong with what others do.
    pub fn findings(&self) -> impl Iterator<Item = &Finding> {
        self.findings.all()
    }

    /// How often each problem was seen.
    pub fn problems(&self) -> impl Iterator<Item = (&'static str, u64)> {
        self.findings.counted()
    }

    /// What is counted.
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// When [`Event::Timer`] is due.
    pub fn deadline(&self) -> Option<Timestamp> {
        let all = [
            self.advert_at,
            self.down_at,
            self.announcer.deadline(),
            self.findings.deadline(),
        ];
        all.into_iter().flatten().min()
    }

    /// Takes an event.
    pub fn handle(&mut self, now: Timestamp, event: Event) -> Vec<Action> {
        let mut out = Vec::new();
        match event {
            Event::Start => {
                self.running = true;
                self.settle(now, &mut out);
            }
            Event::Stop => {
                self.running = false;
                self.go(now, Trigger::Stop, &mut out);
            }
            Event::Timer => self.timer(now, &mut out),
            Event::Packet(packet) => self.receive(now, &packet, &mut out),
            Event::Link(source) => {
                self.source = source;
                self.settle(now, &mut out);
            }
            Event::Track { name, verdict } => {
                if self.tracks.set(&name, verdict) {
                    self.settle(now, &mut out);
                }
            }
            Event::Claim if self.state == State::Active => self.announce_again(now, &mut out),
            Event::Claim => self.go(now, Trigger::Claimed, &mut out),
            Event::Conflict { address, hardware } => {
                self.conflict(now, address, hardware, &mut out);
            }
            Event::Lost(address) => self.lost(now, address, &mut out),
            Event::Reload(policy) => self.reload(now, policy, &mut out),
        }
        out
    }

    /// Whether it lacks something of its own, and what.
    pub(crate) fn own_fault(&self) -> Option<String> {
        if self.source.is_none() {
            return Some("the interface is down or has no address".to_owned());
        }
        self.tracks.fault()
    }

    /// Told by the group: a sentence when another of the group may not serve.
    pub(crate) fn set_group_fault(&mut self, now: Timestamp, fault: Option<String>) -> Vec<Action> {
        let mut out = Vec::new();
        self.group_fault = fault;
        self.settle(now, &mut out);
        out
    }

    /// Told by the group: another of it has become Active, or Backup.
    pub(crate) fn follow(&mut self, now: Timestamp, trigger: Trigger) -> Vec<Action> {
        let mut out = Vec::new();
        self.go(now, trigger, &mut out);
        out
    }

    /// Enters or leaves the state of fault as it must.
    fn settle(&mut self, now: Timestamp, out: &mut Vec<Action>) {
        if !self.running {
            return;
        }
        let fault = self.own_fault().or_else(|| self.group_fault.clone());
        if let Some(fault) = fault {
            if self.state == State::Fault {
                self.reason = fault;
            } else {
                self.go_because(now, Trigger::Missing, Some(fault), out);
            }
        } else if self.policy.is_owner() {
            self.go(now, Trigger::StartOwner, out);
        } else {
            self.go(now, Trigger::Start, out);
        }
    }

    fn timer(&mut self, now: Timestamp, out: &mut Vec<Action>) {
        out.extend(self.findings.forget(now));
        if self.down_at.is_some_and(|at| now >= at) {
            self.go(now, Trigger::Silence, out);
        }
        if let Some(at) = self.advert_at.filter(|at| now >= *at) {
            if now.since(at) > self.active_down().max(PAUSE_MIN) {
                self.go(now, Trigger::Paused, out);
                return;
            }
            self.advertise(now, out);
        }
        let due = self.announcer.due(now, &self.policy.announcements);
        out.extend(due.map(Action::Announce));
    }

    fn conflict(
        &mut self,
        now: Timestamp,
        about: IpAddr,
        hardware: [u8; 6],
        out: &mut Vec<Action>,
    ) {
        // While another router is Active, it is right to answer for the addresses.
        if self.state != State::Active {
            return;
        }
        let before = self.believed_at.map(|at| self.since.since(at));
        let handed_over = before.is_some_and(|silence| silence < self.active_down());
        if handed_over && !now.passed(self.since, HAND_OVER) {
            return;
        }
        let problem = Problem::InUse { hardware };
        out.extend(self.findings.note(now, Finding { about, problem }));
        self.announce_again(now, out);
    }

    fn lost(&mut self, now: Timestamp, address: IpAddr, out: &mut Vec<Action>) {
        if self.state == State::Active && self.policy.addresses.contains(&address) {
            self.counters.lost += 1;
            out.push(Action::Take);
            let count = self.announcer.begin(now, &self.policy.announcements);
            out.push(Action::Announce(count));
        }
    }

    fn reload(&mut self, now: Timestamp, policy: Policy, out: &mut Vec<Action>) {
        let others = self.policy.addresses != policy.addresses;
        self.tracks.expect(&policy.tracks);
        self.policy = policy;
        match self.state {
            State::Active => {
                // The shell drops those that are no longer wanted.
                if others {
                    out.push(Action::Take);
                    self.announcer.end();
                    let count = self.announcer.begin(now, &self.policy.announcements);
                    out.push(Action::Announce(count));
                }
                self.advertise(now, out);
            }
            State::Backup => self.await_silence(now),
            State::Init | State::Fault => {}
        }
        self.settle(now, out);
    }

    fn announce_again(&mut self, now: Timestamp, out: &mut Vec<Action>) {
        let count = self.announcer.quarrel(now, &self.policy.announcements);
        out.extend(count.map(Action::Announce));
    }

    fn advertise(&mut self, now: Timestamp, out: &mut Vec<Action>) {
        self.advert_at = Some(now + self.policy.interval);
        self.send(self.priority(), out);
    }

    fn send(&mut self, priority: u8, out: &mut Vec<Action>) {
        let authentication = match self.policy.password {
            Some(password) => Authentication::Password(password),
            None => Authentication::None,
        };
        self.counters.sent += 1;
        out.push(Action::Send(Advert {
            version: self.policy.version,
            id: self.policy.id,
            priority,
            interval: self.policy.interval,
            addresses: self.policy.addresses.clone(),
            authentication,
        }));
    }

    fn active_down(&self) -> Duration {
        timers::active_down(self.policy.version, self.priority(), self.learned)
    }

    fn await_silence(&mut self, now: Timestamp) {
        self.down_at = Some(now + self.active_down());
    }

    fn go(&mut self, now: Timestamp, trigger: Trigger, out: &mut Vec<Action>) {
        self.go_because(now, trigger, None, out);
    }

    /// Follows the table; with what is done on leaving one state and on entering another.
    fn go_because(
        &mut self,
        now: Timestamp,
        trigger: Trigger,
        because: Option<String>,
        out: &mut Vec<Action>,
    ) {
        let from = self.state;
        let Some((to, why)) = next(from, trigger) else {
            return;
        };
        let reason = because.unwrap_or_else(|| why.to_owned());
        self.state = to;
        self.since = now;
        self.reason.clone_from(&reason);
        self.advert_at = None;
        self.down_at = None;
        self.worse_since = None;
        if from == State::Active {
            self.announcer.end();
            out.push(Action::Drop);
            // One that yields to a better router says nothing: that one is heard already.
            if to != State::Backup {
                self.send(STOPPING, out);
            }
        }
        match to {
            State::Init | State::Fault => self.heard = None,
            State::Backup => {
                if from != State::Active {
                    self.learned = self.policy.interval;
                }
                self.await_silence(now);
            }
            State::Active => {
                self.counters.became_active += 1;
                self.heard = None;
                self.learned = self.policy.interval;
                self.advertise(now, out);
                out.push(Action::Take);
                let count = self.announcer.begin(now, &self.policy.announcements);
                out.push(Action::Announce(count));
            }
        }
        out.push(Action::Changed { from, to, reason });
    }
}
