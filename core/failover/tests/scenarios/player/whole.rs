//! Whether the cluster of a script is whole when it has ended.

use mainstay_topology::{Applier, Receiver};

use super::Player;

impl Player {
    /// What keeps the cluster from being whole: one writer, the recorded one, everybody else where
    /// the configuration and the operator want it, and nothing under way.
    pub(super) fn wrong(&self) -> Option<String> {
        let topology = self.manager.topology();
        let Some(primary) = topology.record.primary.as_ref() else {
            return Some("there is no primary".to_owned());
        };
        if let Some(operation) = self.manager.operation() {
            return Some(format!("operation {} is under way", operation.id.0));
        }
        if self.script.record != topology.record {
            return Some("the stored record is another".to_owned());
        }
        let addresses = &self.script.world.addresses;
        topology.servers.values().find_map(|server| {
            let name = server.name();
            let facts = &self.script.world.servers[name].facts;
            if facts.read_only == (name == primary) {
                return Some(format!("{name} is read-only: {}", facts.read_only));
            }
            if name == primary || server.wish.is_off() {
                return None;
            }
            let source = server.member.part.source.as_ref().unwrap_or(primary);
            let runs = facts.link.as_ref().is_some_and(|link| {
                link.source == addresses[source]
                    && link.receiver == Receiver::Running
                    && link.applier == Applier::Running
            });
            let recorded = source != primary || topology.record.joined.contains(name);
            (!runs || !recorded).then(|| format!("{name} is not attached to {source}"))
        })
    }
}
