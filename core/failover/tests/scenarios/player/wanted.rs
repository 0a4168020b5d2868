//! What operators want in a script.

use mainstay_failover::pause::Pause;
use mainstay_failover::{Change, Event};
use mainstay_topology::{Maintenance, ServerName};

use super::Player;

/// That no automatic operation begins.
pub(super) fn pause() -> Pause {
    Pause {
        reason: "new switches".to_owned(),
        by: "jo".to_owned(),
        until_ms: None,
    }
}

impl Player {
    pub(super) fn pause(&mut self, pause: Option<Pause>) {
        self.journal.paused.clone_from(&pause);
        self.tell(Event::Paused(pause));
    }
}

/// What an operator wants with one server.
pub(super) fn change(words: &[&str]) -> Option<(ServerName, Change)> {
    let change = match words {
        ["stop", _] => Change::Stop,
        ["start", _] => Change::Start,
        ["move", _, "under", source] => Change::Move {
            under: ServerName::new(source),
        },
        ["regroup", _] => Change::Regroup,
        ["maintain", _] => Change::Maintain(Maintenance {
            reason: "disk".to_owned(),
            by: "jo".to_owned(),
            until_ms: None,
        }),
        ["serve", _] => Change::Serve,
        ["decommission", _] => Change::Decommission,
        ["restart", _] => Change::Restart,
        _ => return None,
    };
    Some((ServerName::new(words.get(1)?), change))
}
