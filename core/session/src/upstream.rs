//! One server of the routes: its pool, the sessions that wait for it, and when to try it again.

use std::collections::VecDeque;
use std::time::Duration;

use mainstay_clock::Timestamp;
use mainstay_topology::Target;
use mainstay_wire::Capabilities;

use crate::causal::Seen;
use crate::counts::GroupStats;
use crate::hung::Life;
use crate::stats::ServerStats;
use crate::tracking::Usual;

/// One server.
// Each flag is one independent fact.
#[allow(clippy::struct_excessive_bools)]
#[derive(Debug)]
pub(crate) struct Upstream {
    pub(crate) target: Target,
    /// In the routes in force.
    pub(crate) listed: bool,
    /// It finishes what it has begun, by the routes in force.
    pub(crate) drains: bool,
    /// A reader in the routes in force.
    pub(crate) reads: bool,
    /// It was the writer in the epoch in force: its connections end with that.
    pub(crate) wrote: bool,
    /// Idle connections, the one used last at the end.
    pub(crate) idle: Vec<u32>,
    /// Connections that were kept for nothing but counters; some of them may not be any more.
    pub(crate) soft: VecDeque<u32>,
    /// All connections, also those being opened.
    pub(crate) open: usize,
    /// Sessions waiting for a connection, in order.
    pub(crate) waiters: VecDeque<u32>,
    /// Nothing is opened to it until then: the last attempt failed.
    pub(crate) opening: Pause,
    /// No new write is sent to it until then: it said that it is read-only.
    pub(crate) writing: Pause,
    /// What its last greeting offered.
    pub(crate) capabilities: Option<Capabilities>,
    /// What it tells of session changes by itself, once that was asked.
    pub(crate) usual: Option<Usual>,
    /// TLS with it could not be established, and need not be.
    pub(crate) without_tls: bool,
    /// The transactions that it is known to have.
    pub(crate) reached: Seen,
    /// Connections beyond the worker's own share.
    pub(crate) borrowed: usize,
    /// No connection more may be opened: it is asked again then.
    pub(crate) starves_until: Option<Timestamp>,
    /// Sessions that waited for a connection, and how long.
    pub(crate) queue: Queue,
    /// Its share of the reads.
    pub(crate) weight: u32,
    /// It is in the zone of the proxy.
    pub(crate) near: bool,
    /// The smoothed time of its answers.
    pub(crate) latency_us: u32,
    /// Whether it lives.
    pub(crate) life: Life,
    pub(crate) statements: u64,
    pub(crate) lost: u64,
    /// Connections that were opened, and logged in.
    pub(crate) opened: u64,
    /// Connections that could not be opened, or not log in.
    pub(crate) failed: u64,
    /// The most that were in use, or being opened, at the same time.
    pub(crate) used_max: usize,
    /// What statements have asked of it, by their hostgroup: there are few.
    pub(crate) groups: Vec<(u32, GroupStats)>,
}

impl Upstream {
    pub(crate) fn new(target: Target) -> Self {
        Self {
            target,
            listed: true,
            drains: false,
            reads: false,
            wrote: false,
            idle: Vec::new(),
            soft: VecDeque::new(),
            open: 0,
            waiters: VecDeque::new(),
            opening: Pause::default(),
            writing: Pause::default(),
            capabilities: None,
            usual: None,
            without_tls: false,
            reached: Seen::default(),
            borrowed: 0,
            starves_until: None,
            queue: Queue::default(),
            weight: 1,
            near: true,
            latency_us: 0,
            life: Life::default(),
            statements: 0,
            lost: 0,
            opened: 0,
            failed: 0,
            used_max: 0,
            groups: Vec::new(),
        }
    }

    /// What statements of this hostgroup have asked of it.
    pub(crate) fn group(&mut self, hostgroup: u32) -> &mut GroupStats {
        let known = self.groups.iter().position(|(id, _)| *id == hostgroup);
        let place = known.unwrap_or_else(|| {
            self.groups.push((hostgroup, GroupStats::default()));
            self.groups.len() - 1
        });
        &mut self.groups[place].1
    }

    /// What it has counted itself.
    pub(crate) fn report(&self, stats: &mut ServerStats) {
        stats.opened = self.opened;
        stats.failed = self.failed;
        stats.used_max = self.used_max;
        stats.latency = Duration::from_micros(self.latency_us.into());
        stats.listed = self.listed;
        stats.left_alone = self.listed && self.opening.until.is_some();
    }

    /// True when statements may be sent to it now.
    pub(crate) fn is_usable(&self) -> bool {
        self.listed && self.opening.until.is_none() && self.life.hung.is_none()
    }
}

/// How long sessions waited for a connection.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Queue {
    pub(crate) served: u64,
    pub(crate) time: Duration,
    pub(crate) time_max: Duration,
}

impl Queue {
    pub(crate) fn waited(&mut self, time: Duration) {
        self.served += 1;
        self.time += time;
        self.time_max = self.time_max.max(time);
    }
}

/// A pause that grows with each failure in a row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pause {
    pub(crate) until: Option<Timestamp>,
    next: Duration,
}

const PAUSE_MIN: Duration = Duration::from_millis(50);
const PAUSE_MAX: Duration = Duration::from_secs(1);

impl Default for Pause {
    fn default() -> Self {
        Self {
            until: None,
            next: PAUSE_MIN,
        }
    }
}

impl Pause {
    pub(crate) fn failed(&mut self, now: Timestamp) {
        if self.until.is_none() {
            self.until = Some(now + self.next);
            self.next = (self.next * 2).min(PAUSE_MAX);
        }
    }

    /// True once, when the pause is over.
    pub(crate) fn is_over(&mut self, now: Timestamp) -> bool {
        let over = self.until.is_some_and(|until| until <= now);
        if over {
            self.until = None;
        }
        over
    }
}
