//! What a fake server says when the manager looks at it.

use std::time::Duration;

use mainstay_topology::{
    Facts, Family, Link as LinkFacts, SemiSync, SemiSyncWords, Setup, Version,
};

use super::Server;
use crate::gtids::server_uuid;
use crate::link::Link;

impl Server {
    /// What it says when it is asked.
    pub(crate) fn facts(&self) -> Facts {
        let family = self.family;
        let waiting = u32::from(self.visible < self.log.len());
        let clients = self.memory.dumps.values().filter(|dump| dump.acknowledges);
        let executed = self.executed().to_history(family);
        let (major, minor, patch) = match family {
            Family::Mysql => (9, 7, 4),
            Family::Mariadb => (10, 11, 19),
        };
        Facts {
            version: Version {
                family,
                major,
                minor,
                patch,
            },
            server_id: self.id,
            server_uuid: (family == Family::Mysql).then(|| server_uuid(self.id)),
            read_only: !self.memory.writable || self.memory.offline,
            rewinding: self.rewound.is_some(),
            semi_sync: SemiSync {
                source_enabled: self.memory.source_on,
                acknowledgements: if self.memory.source_on {
                    self.memory.acks_needed as u32
                } else {
                    0
                },
                given_up: false,
                clients: clients.count() as u32,
                waiting,
                unacknowledged: 0,
                replica_enabled: self.acknowledges,
                words: SemiSyncWords::Present,
            },
            link: self.link.as_ref().map(|link| self.link_facts(link)),
            executed,
            setup: Setup::default(),
            positions: None,
        }
    }

    fn link_facts(&self, link: &Link) -> LinkFacts {
        let mut received = self.executed().clone();
        for one in &link.relay {
            received.insert(one.origin, one.number);
        }
        LinkFacts {
            source: link.source.address.clone(),
            receiver: link.receiver,
            receiver_error: link.receiver_error,
            applier: link.applier,
            received: received.to_set(self.family),
            heard: link.heard_count(),
            lag: link.lag().map(|lag| skewed(lag, self.clock_s)),
        }
    }
}

/// A lag as a server sees it whose clock is wrong: it takes the difference of two clocks.
fn skewed(lag: Duration, clock_s: i64) -> Duration {
    let off = Duration::from_secs(clock_s.unsigned_abs());
    if clock_s < 0 {
        lag.saturating_sub(off)
    } else {
        lag + off
    }
}
