//! How a life begins: mostly with a cluster that serves, sometimes with servers that never did.

use std::time::Duration;

use mainstay_gtid::{Family as SetFamily, GtidSet};
use mainstay_topology::{Epoch, Family, Record, Target};

use super::{Happening, World};
use crate::link::Link;

impl World {
    pub(super) fn begin(&mut self) {
        if !self.mood.newborn {
            self.establish();
        }
        self.at(self.now, Happening::StartManager);
        self.at(self.now, Happening::Beat);
        for writer in 0..self.clients.writers.len() {
            let soon = self.random.millis(0, 100);
            self.after(soon, Happening::Write(writer));
        }
        self.after(Duration::from_millis(100), Happening::SideDoor);
        self.after(Duration::from_millis(self.mood.peace_ms), Happening::Peace);
        if self.raise_the_curtain() {
            return;
        }
        let mut first = self.random.millis(0, 3_000);
        if let Some(scene) = self.mood.scene {
            self.after(first, Happening::Play(scene, 0));
            first += self.random.millis(500, 3_000);
        }
        self.after(first, Happening::Strike);
    }

    /// The configured source of a server, as an index.
    pub(super) fn own_source(&self, server: usize) -> Option<usize> {
        let source = self.servers[server].member.part.source.as_ref()?;
        Some(self.index(source))
    }

    /// The first server is the primary of the first reign, the others are its replicas.
    fn establish(&mut self) {
        let names: Vec<_> = self.servers.iter().map(|one| one.name().clone()).collect();
        let set = match self.options.family {
            Family::Mysql => SetFamily::Mysql,
            Family::Mariadb => SetFamily::Mariadb,
        };
        let record = Record {
            epoch: Epoch(1),
            primary: Some(names[0].clone()),
            joined: self.servers[1..]
                .iter()
                .filter(|server| server.acknowledges)
                .map(|server| server.name().clone())
                .collect(),
            baseline: Some(GtidSet::empty(set)),
            began_at: None,
            acknowledgements: self.mood.acknowledgements,
        };
        self.servers[0].memory.writable = true;
        self.record(&record);
        let primary = &mut self.servers[0];
        primary.memory.source_on = true;
        primary.memory.acks_needed = self.mood.acknowledgements as usize;
        let source = Target {
            name: primary.member.name.clone(),
            address: primary.member.address.clone(),
        };
        for replica in 1..self.servers.len() {
            let at = self.own_source(replica).unwrap_or(0);
            let source = match at {
                0 => source.clone(),
                _ => Target {
                    name: names[at].clone(),
                    address: self.servers[at].member.address.clone(),
                },
            };
            self.servers[replica].link = Some(Link::new(source, at));
            self.start_both(replica);
        }
    }
}
