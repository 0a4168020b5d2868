//! After the faults: is all well, and is everything there?

use std::time::Duration;

use mainstay_topology::{Applier, Receiver};

use super::{Happening, World};
use crate::invariants::{
    it_heals, no_silent_divergence, nothing_acknowledged_is_lost, waits_before_it_opens,
};
use crate::server::Life;

const LOOK: Duration = Duration::from_millis(200);
/// The cluster must have healed this long after the last fault.
const PATIENCE: Duration = Duration::from_secs(90);
/// It has healed when it was well for so many looks.
const LOOKS: u32 = 4;
/// Transactions that a replica may be behind while clients write.
const NEAR: usize = 30;
/// From the last write to the end.
const QUIET: Duration = Duration::from_secs(2);

impl World {
    pub(super) fn look_around(&mut self) {
        let well = self.is_well();
        self.checks.well_looks = if well.is_ok() {
            self.checks.well_looks + 1
        } else {
            0
        };
        if let Err(why) = &well {
            let why = why.clone();
            self.say(|| format!("not well yet: {why}"));
        }
        let late = self
            .peace
            .is_some_and(|since| self.now.passed(since, PATIENCE));
        match well {
            Ok(()) if self.checks.well_looks >= LOOKS => {
                self.say(|| "all is well; clients stop".to_owned());
                self.clients.quiet = true;
                self.after(QUIET, Happening::Rest);
            }
            Err(why) if late => self.fail(it_heals::NAME, why),
            Ok(()) | Err(_) => self.after(LOOK, Happening::LookAround),
        }
    }

    /// One writable primary, the recorded one; all others attached and near; writes flow.
    pub(super) fn is_well(&self) -> Result<(), String> {
        let primary = self.recorded_primary().ok_or("there is no primary")?;
        let writer = self.servers[primary].name();
        if self.manager.is_none() {
            return Err("the manager is dead".to_owned());
        }
        for server in &self.servers {
            let name = server.name();
            if server.life != Life::Up {
                return Err(format!("{name} does not run"));
            }
            if server.memory.writable != (server.index == primary) {
                return Err(format!("{name} is writable: {}", server.memory.writable));
            }
            if server.memory.source_on != (server.index == primary) {
                return Err(format!("{name} waits for acknowledgements, or does not"));
            }
            if server.index == primary {
                continue;
            }
            let link = server
                .link
                .as_ref()
                .ok_or(format!("{name} has no source"))?;
            let runs = link.receiver == Receiver::Running && link.applier == Applier::Running;
            let own = self.own_source(server.index).unwrap_or(primary);
            if link.at != own || !runs {
                return Err(format!("{name} does not replicate from {writer}"));
            }
            if server.log.len() + NEAR < self.servers[primary].log.len() {
                let (has, waits) = (server.log.len(), link.relay.len());
                return Err(format!(
                    "{name} has not caught up: {has} applied, {waits} received, applying {}, \
                     blocked {}, visible {}",
                    link.applying, link.blocked, server.visible
                ));
            }
            let silent = server.member.part.acknowledges == Some(false) || own != primary;
            if self.store.record.joined.contains(name) == silent {
                return Err(format!("{name} is recorded as a replica: {silent}"));
            }
        }
        for (index, proxy) in self.clients.proxies.iter().enumerate() {
            let routes = proxy.routes.as_ref().filter(|routes| !routes.hold_writes);
            let target = routes.and_then(|routes| routes.writer.as_ref());
            if target.is_none_or(|target| target.name != *writer) {
                return Err(format!("proxy {index} does not write to {writer}"));
            }
            if self.now.passed(proxy.acknowledged, Duration::from_secs(2)) {
                return Err(format!("no write was acknowledged through proxy {index}"));
            }
        }
        Ok(())
    }

    /// Nobody writes any more: everything must be everywhere.
    pub(super) fn rest(&mut self) {
        for server in 0..self.servers.len() {
            let checked = nothing_acknowledged_is_lost::at(&self.ledger, &self.servers[server]);
            self.must(nothing_acknowledged_is_lost::NAME, checked);
        }
        let checked = no_silent_divergence::check(&self.servers);
        self.must(no_silent_divergence::NAME, checked);
        if self.over.is_none() {
            self.over = Some(Ok(()));
        }
    }

    /// The server begins to accept writes: in a new reign it must have all that was acknowledged.
    pub(super) fn open_writes(&mut self, server: usize) {
        self.servers[server].memory.writable = true;
        self.checks.roles.opened(server);
        let checked = waits_before_it_opens::opens(&self.servers[server]);
        self.must(waits_before_it_opens::NAME, checked);
        if self.recorded_primary() == Some(server) {
            let checked = nothing_acknowledged_is_lost::at(&self.ledger, &self.servers[server]);
            self.must(nothing_acknowledged_is_lost::NAME, checked);
        }
    }
}
