//! What a plan was made from: a plan that was printed is run only while nothing of it has changed.

use std::fmt::Write as _;

use mainstay_topology::{Applier, Reachability, Receiver, Server, ServerName};

use super::Manager;
use crate::step::{Plan, Step};

/// What a plan relies on, and its steps, as far as neither changes with every write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Basis {
    /// Of what, and how it is.
    facts: Vec<(String, String)>,
    steps: Vec<String>,
}

impl Basis {
    /// The name of the plan: eight digits that are the same as long as the basis is.
    pub fn id(&self) -> String {
        let mut text = String::new();
        for (of, value) in &self.facts {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{of}\t{value}");
        }
        text.push_str(&self.steps.join("\n"));
        let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        format!("{:08x}", hash & 0xffff_ffff)
    }

    /// How it differs from what it was; `None` when it does not.
    pub fn change_since(&self, before: &Self) -> Option<String> {
        let mut changes = Vec::new();
        for (of, value) in &self.facts {
            let was = before.facts.iter().find(|(other, _)| other == of);
            match was {
                Some((_, was)) if was == value => {}
                Some((_, was)) => changes.push(format!("{of}: {value}, was {was}")),
                None => changes.push(format!("{of}: {value}")),
            }
        }
        if changes.is_empty() && self.steps != before.steps {
            changes.push("other steps would be needed".to_owned());
        }
        (!changes.is_empty()).then(|| changes.join("; "))
    }
}

impl Manager {
    /// What a plan relies on now.
    pub fn basis(&self, plan: &Plan) -> Basis {
        let record = self.record();
        let name = |name: &Option<_>| {
            name.as_ref()
                .map_or("nobody".to_owned(), ToString::to_string)
        };
        let joined: Vec<&str> = record.joined.iter().map(ServerName::as_str).collect();
        let mut facts = vec![
            ("the epoch".to_owned(), record.epoch.to_string()),
            ("the primary".to_owned(), name(&record.primary)),
            ("the recorded replicas".to_owned(), joined.join(", ")),
        ];
        let servers = self.topology.servers.values();
        facts.extend(servers.map(|server| (server.name().to_string(), state(server))));
        Basis {
            facts,
            steps: plan.steps.iter().map(shape).collect(),
        }
    }
}

fn state(server: &Server) -> String {
    let reachability = match server.reachability {
        Reachability::Reachable => "reachable",
        Reachability::Gone => "gone",
        Reachability::Silent => "silent",
        Reachability::Closed => "closed",
        Reachability::Unknown => "unknown",
    };
    let mut words = vec![reachability.to_owned()];
    if let Some(facts) = server.facts() {
        words.push(
            if facts.read_only {
                "read-only"
            } else {
                "writable"
            }
            .to_owned(),
        );
    }
    if let Some(link) = server.link() {
        let receiver = match link.receiver {
            Receiver::Running => "receives",
            Receiver::Connecting => "connects",
            Receiver::Stopped => "does not receive",
        };
        let applier = match link.applier {
            Applier::Running => "applies",
            Applier::Stopped => "does not apply",
            Applier::Failed(_) => "cannot apply",
        };
        words.push(format!("{receiver} from {} and {applier}", link.source));
    }
    words.extend(server.wish.why_off());
    words.join(", ")
}

/// A step without the transactions that it names.
fn shape(step: &Step) -> String {
    let effect = format!("{:?}", step.effect);
    let kind = effect.split([' ', '{']).next().unwrap_or_default();
    let server = step.place.as_ref().map(|place| place.name.as_str());
    format!("{kind} {}", server.unwrap_or_default())
}
