//! Release: end the wait of commits whose acknowledgement was lost on the way.
//!
//! MariaDB's replicas that reconnect by GTID never acknowledge what they had received before, so
//! one lost acknowledgement stops all writes for ever. What it would have said is proved here by
//! comparison instead: enough replicas hold all that it has written.

use std::time::Duration;

use mainstay_topology::{Family, Receiver, Server};

use super::Draft;
use crate::effect::Effect;
use crate::step::{OnFailure, Plan, Purpose};
use crate::view::View;

/// Commits that wait this long while nothing is written wait for something that is lost.
const PATIENCE: Duration = Duration::from_secs(2);

/// The plan, while commits wait and the proof is complete.
pub(crate) fn plan(view: View<'_>) -> Option<Plan> {
    let primary = view.primary()?;
    let facts = view.primary_facts()?;
    let (begun, _) = primary.facts.as_ref()?;
    let wanted = view.acknowledgements();
    let since = view.stalled?;
    let stalled = begun.passed(since, PATIENCE);
    let lossless = wanted > 0 && facts.semi_sync.acknowledgements >= wanted;
    let served = facts.semi_sync.clients >= wanted && !facts.read_only;
    if facts.version.family != Family::Mariadb || !stalled || !lossless || !served {
        return None;
    }
    let holds = |server: &&Server| {
        let replica = server.answered_since(since.max(view.settled));
        let receives = view
            .link_to_primary(server)
            .is_some_and(|link| link.receiver == Receiver::Running);
        receives
            && view.is_attached(server)
            && server.forgot.is_none()
            && replica.is_some_and(|replica| replica.held().contains(&facts.executed))
    };
    if view.topology.others().filter(holds).count() < wanted as usize {
        return None;
    }
    let mut draft = Draft::new(view);
    let effect = Effect::ReleaseProved {
        server: primary.name().clone(),
        transactions: facts.executed.clone(),
    };
    draft.next(effect, OnFailure::Replan);
    let primary = primary.name().clone();
    Some(draft.finish(Purpose::Establish { primary }, view.record().epoch))
}
