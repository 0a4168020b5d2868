//! The two threads of a replica: started, stopped, and what the receiver does about silence.

use std::time::Duration;

use mainstay_topology::{Applier, Family, Receiver};

use super::{Happening, World};
use crate::invariants::no_needless_failover::Quiet;
use crate::link::Link;
use crate::message::{Body, End};
use crate::server::{Door, Life};

/// Between two heartbeats' looks.
const BEAT: Duration = Duration::from_millis(250);
/// `replica_net_timeout`.
const NET_TIMEOUT: Duration = Duration::from_secs(2);

impl World {
    pub(super) fn stop_receiver(&mut self, own: usize) {
        let Some(link) = &mut self.servers[own].link else {
            return;
        };
        link.receiver = Receiver::Stopped;
        let (source, connection) = (link.at, std::mem::take(&mut link.connection));
        if connection != 0 {
            self.send(End::Server(own), End::Server(source), Body::Bye(connection));
        }
    }

    /// MariaDB throws its relay log away when a thread is started with both stopped.
    fn discard_if_all_stopped(&mut self, own: usize) {
        let server = &mut self.servers[own];
        let Some(link) = &mut server.link else {
            return;
        };
        let stopped = link.receiver == Receiver::Stopped && link.applier != Applier::Running;
        if server.family == Family::Mariadb && stopped && !link.relay.is_empty() {
            link.relay.clear();
            self.tell(own, || "throws its relay log away".to_owned());
        }
    }

    pub(super) fn start_applier(&mut self, own: usize) {
        self.discard_if_all_stopped(own);
        if let Some(link) = &mut self.servers[own].link {
            link.applier = Applier::Running;
        }
        self.start_applying(own);
    }

    pub(super) fn start_both(&mut self, own: usize) {
        self.start_applier(own);
        let link = self.servers[own].link.as_ref();
        if link.is_some_and(|link| link.receiver == Receiver::Stopped) {
            self.connect(own);
        }
    }

    /// Heartbeats are heard, silence is noticed, receivers call again.
    pub(super) fn beat(&mut self) {
        let now = self.now;
        for own in 0..self.servers.len() {
            if self.servers[own].life != Life::Up {
                continue;
            }
            let Some(link) = self.servers[own].link.clone() else {
                continue;
            };
            let heard = self.hears(own, &link);
            let mut calls = false;
            if let Some(link) = &mut self.servers[own].link {
                if heard {
                    link.heard = now;
                } else if link.receiver == Receiver::Running && now.passed(link.heard, NET_TIMEOUT)
                {
                    link.receiver = Receiver::Connecting;
                    link.connection = 0;
                    link.retry = now;
                }
                calls = link.receiver == Receiver::Connecting && now >= link.retry;
            }
            if calls {
                self.connect(own);
            }
        }
        self.look_for_calm();
        self.after(BEAT, Happening::Beat);
    }

    /// What the replicas could say about the primary now.
    pub(super) fn look_for_calm(&mut self) {
        let primary = self.recorded_primary();
        let alive = |server: usize| self.servers[server].life == Life::Up;
        let asked = |server: usize| {
            let closed = self.servers[server].door != Door::Open;
            !closed && self.network.is_open(End::Manager, End::Server(server))
        };
        let mut quiet = Quiet {
            now: self.now,
            primary,
            hear: Vec::new(),
            undoubted: primary.is_some_and(alive),
        };
        for own in 0..self.servers.len() {
            let link = self.servers[own].link.as_ref();
            let Some(link) = link.filter(|link| Some(link.at) == primary) else {
                continue;
            };
            let hears = alive(own) && self.hears(own, link);
            quiet.undoubted &= alive(own) && (hears || link.receiver == Receiver::Stopped);
            if hears && asked(own) && self.manager.is_some() {
                quiet.hear.push(own);
            }
        }
        self.checks.calm.look(&quiet);
    }

    /// Whether heartbeats come over a link now.
    fn hears(&self, own: usize, link: &Link) -> bool {
        let source = &self.servers[link.at];
        let dump = source.memory.dumps.get(&own);
        let known = dump.is_some_and(|dump| dump.connection == link.connection);
        let open = self.network.is_open(End::Server(own), End::Server(link.at));
        link.receiver == Receiver::Running && open && known && source.life == Life::Up
    }
}
