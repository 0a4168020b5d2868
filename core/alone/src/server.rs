//! What is known of one server: its probes, folded.

use std::time::Duration;

use mainstay_clock::Timestamp;
use mainstay_topology::{Intent, Promotion, Reachability, ServerName, Target};

use crate::policy::{Policy, Terms};
use crate::probed::{Failure, Following, Place, Probed};

/// What is known of one server.
#[derive(Debug, Clone)]
pub(crate) struct Server {
    pub(crate) terms: Terms,
    pub(crate) reachability: Reachability,
    ping_failures: u32,
    pub(crate) latency: Option<Duration>,
    read_only: Option<bool>,
    read_only_failures: u32,
    /// Its place in the replication, where that is known.
    place: Option<Place>,
    asked_for_source: bool,
    /// The lag that was known last, and when.
    lag: Option<(Timestamp, Duration)>,
    /// What went wrong with the last probe that failed; gone when one of the same kind succeeds.
    pub(crate) trouble: Option<String>,
    /// It was writable while another one was the writer, and nothing has changed since.
    pub(crate) passed_over: bool,
}

impl Server {
    pub(crate) fn new(terms: Terms) -> Self {
        Self {
            terms,
            reachability: Reachability::Unknown,
            ping_failures: 0,
            latency: None,
            read_only: None,
            read_only_failures: 0,
            place: None,
            asked_for_source: false,
            lag: None,
            trouble: None,
            passed_over: false,
        }
    }

    /// The same server under other terms.
    pub(crate) fn under(self, terms: Terms) -> Self {
        Self { terms, ..self }
    }

    pub(crate) fn name(&self) -> &ServerName {
        &self.terms.member.name
    }

    pub(crate) fn target(&self) -> Target {
        Target {
            name: self.name().clone(),
            address: self.terms.member.address.clone(),
        }
    }

    pub(crate) fn take(&mut self, now: Timestamp, probed: Probed) {
        match probed {
            Probed::Connect(Ok(_)) => self.answered(),
            Probed::Ping(Ok(took)) => {
                self.ping_failures = 0;
                self.latency = Some(took);
                self.answered();
            }
            Probed::ReadOnly(Ok(read_only)) => {
                self.read_only = Some(read_only);
                self.read_only_failures = 0;
                self.passed_over &= !read_only;
                self.answered();
            }
            Probed::Replication(Ok(place)) => {
                self.asked_for_source = true;
                self.follow(now, place);
                self.answered();
            }
            Probed::Connect(Err(failure)) => self.trouble = Some(failure.sentence),
            Probed::Ping(Err(failure)) => {
                self.ping_failures += u32::from(is_silence(&failure));
                self.failed(failure);
            }
            Probed::ReadOnly(Err(failure)) => {
                self.read_only_failures += u32::from(is_silence(&failure));
                self.failed(failure);
            }
            // Without the right to ask, neither source nor lag is known: that says nothing else.
            Probed::Replication(Err(failure)) => {
                self.asked_for_source = true;
                if failure.reachability == Reachability::Closed {
                    self.place = None;
                    self.lag = None;
                }
                self.trouble = Some(failure.sentence);
            }
        }
    }

    fn answered(&mut self) {
        self.reachability = Reachability::Reachable;
        self.trouble = None;
    }

    fn failed(&mut self, failure: Failure) {
        self.reachability = failure.reachability;
        self.trouble = Some(failure.sentence);
    }

    fn follow(&mut self, now: Timestamp, place: Place) {
        let on = place.following.as_ref().is_some_and(Following::is_on);
        self.passed_over &= on;
        match place.following.as_ref().and_then(|link| link.lag) {
            Some(lag) => self.lag = Some((now, lag)),
            // While it looks for its source it cannot know more than it did.
            None if on => {}
            None => self.lag = None,
        }
        self.place = Some(place);
    }

    /// It is reached, as far as the patience of the policy goes. Where nothing listens there is
    /// nothing to wait for.
    pub(crate) fn is_reached(&self, policy: Policy) -> bool {
        match self.reachability {
            Reachability::Gone | Reachability::Unknown => false,
            Reachability::Reachable | Reachability::Silent | Reachability::Closed => {
                self.ping_failures < policy.ping_failures_max
                    && self.read_only_failures < policy.read_only_failures_max
            }
        }
    }

    /// What comes back may be another process with other settings: it has to be asked again.
    pub(crate) fn forget_unless_reached(&mut self, policy: Policy) {
        if !self.is_reached(policy) {
            self.read_only = None;
        }
    }

    /// Whether it is read-only; `None` when that is not known, or not any more.
    pub(crate) fn read_only(&self, policy: Policy) -> Option<bool> {
        self.read_only.filter(|_| self.is_reached(policy))
    }

    /// It has answered, or failed to: whether it is read-only, and where it replicates from. Not
    /// asked for is a server that the operator has taken out.
    pub(crate) fn was_looked_at(&self) -> bool {
        let failed = self.read_only.is_none() && self.read_only_failures > 0;
        let unreached = !matches!(
            self.reachability,
            Reachability::Reachable | Reachability::Unknown
        );
        let answered = self.read_only.is_some() && self.asked_for_source;
        answered || failed || unreached || self.terms.intent != Intent::InService
    }

    /// It could be the writer by what it says and by what the operator wants.
    pub(crate) fn is_writable(&self, policy: Policy) -> bool {
        self.read_only(policy) == Some(false)
            && self.terms.intent == Intent::InService
            && self.terms.member.promotion != Promotion::Never
    }

    /// It replicates from the other, or tries to. Replicas may know their source by another
    /// address than the settings do.
    pub(crate) fn follows(&self, other: &Self) -> bool {
        let id = other.place.as_ref().map_or(0, |place| place.server_id);
        self.link().is_some_and(|link| {
            let same_id = id != 0 && link.source_id == id;
            link.is_on() && (same_id || link.source == other.terms.member.address)
        })
    }

    fn link(&self) -> Option<&Following> {
        self.place.as_ref()?.following.as_ref()
    }

    /// It was asked, and replicates from nobody.
    pub(crate) fn follows_nobody(&self) -> bool {
        self.place.is_some() && self.link().is_none()
    }

    /// How far it may be behind now; `None` when nobody knows. With a writer the time since the
    /// last word counts.
    pub(crate) fn lag(&self, now: Timestamp, has_writer: bool) -> Option<Duration> {
        let (at, lag) = self.lag?;
        let silence = if has_writer {
            now.since(at)
        } else {
            Duration::ZERO
        };
        // The pause between two probes is no lag.
        let silence = if silence < SILENCE_MIN {
            Duration::ZERO
        } else {
            silence
        };
        Some(lag + silence)
    }
}

/// Shorter pauses between two words about the lag say nothing.
const SILENCE_MIN: Duration = Duration::from_secs(5);

/// A server that answers with an error, even with "too many connections", is alive.
fn is_silence(failure: &Failure) -> bool {
    failure.reachability != Reachability::Closed
}
