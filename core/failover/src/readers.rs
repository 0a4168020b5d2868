//! Who may be read from besides the writer.

use std::collections::BTreeSet;
use std::time::Duration;

use mainstay_topology::{Applier, Reachability, Receiver, Server, ServerName, Target};

use crate::shape::acknowledges;
use crate::view::{View, target};

/// Servers take the difference of two whole seconds: a lag of a moment may read as one.
const ROUNDING: Duration = Duration::from_secs(1);

/// The readers now, given those of before, if there were any routes. One that has lost its source
/// goes on serving while the primary is away, and for `reader_lag_max` after it was heard last.
pub(crate) fn readers(view: View<'_>, before: Option<&[Target]>) -> Vec<Target> {
    let names = |targets: &'_ [Target]| -> BTreeSet<ServerName> {
        targets.iter().map(|target| target.name.clone()).collect()
    };
    let before = before.map(names);
    let away = view
        .primary()
        .is_none_or(|primary| primary.reachability != Reachability::Reachable);
    let serves = |server: &&Server| {
        let was = before
            .as_ref()
            .is_none_or(|before| before.contains(server.name()));
        let keeps = was && (away || heard_lately(view, server));
        serves(view, server, keeps) && (was || holds_the_beginning(view, server))
    };
    view.topology.others().filter(serves).map(target).collect()
}

/// Servers that an operator takes out: what was begun on them goes on until it has ended.
pub(crate) fn draining(view: View<'_>) -> Vec<Target> {
    let others = view.topology.others();
    let taken_out = others.filter(|server| server.wish.is_off() && server.answered().is_some());
    taken_out.map(target).collect()
}

fn serves(view: View<'_>, server: &Server, keeps: bool) -> bool {
    let Some(facts) = server.answered() else {
        return false;
    };
    let Some(link) = &facts.link else {
        return false;
    };
    let wanted = server.member.part.reads;
    let joined = wanted.unwrap_or(facts.setup.delay.is_zero())
        && (view.record().joined.contains(server.name()) || !acknowledges(view, server));
    let follows = view.topology.follows_primary(server);
    let receives = link.receiver == Receiver::Running || keeps;
    let near = match link.lag {
        Some(lag) => {
            let max = view.policy.reader_lag_max + facts.setup.delay;
            server.behind <= max && lag.saturating_sub(ROUNDING) <= max
        }
        None => keeps || facts.executed.contains(&link.received),
    };
    joined && follows && receives && near && link.applier == Applier::Running
}

/// A server that has just been attached says that it is 0 s behind, and nothing that the primary
/// did in this reign proves it wrong yet: it may lack all that was before.
fn holds_the_beginning(view: View<'_>, server: &Server) -> bool {
    let held = |begun| {
        server
            .facts()
            .is_some_and(|facts| facts.executed.contains(begun))
    };
    view.record().baseline.as_ref().is_none_or(held)
}

fn heard_lately(view: View<'_>, server: &Server) -> bool {
    let heard = server.heard_at.unwrap_or_default();
    view.now.since(heard) <= view.policy.reader_lag_max
}
