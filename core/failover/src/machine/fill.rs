//! What a step carries that is known only when it is about to run.

use mainstay_topology::{Record, Routes};

use super::Manager;
use crate::effect::Effect;
use crate::plan::step;
use crate::readers::readers;
use crate::step::Step;

impl Manager {
    /// A step with what is known only now: the version of routes, and what a demoted primary had
    /// executed.
    pub(super) fn filled(&mut self, planned: &Step) -> Step {
        let demoted = self.run.as_ref().and_then(|run| run.demoted.clone());
        let effect = match (planned.effect.clone(), demoted) {
            (Effect::Publish { routes }, _) => Effect::Publish {
                routes: self.filled_routes(routes),
            },
            (Effect::AwaitApplied { server, .. }, Some(transactions)) => Effect::AwaitApplied {
                server,
                transactions,
            },
            (Effect::Record { record }, Some(held)) => Effect::Record {
                record: Record {
                    baseline: Some(held),
                    ..record
                },
            },
            (effect, _) => effect,
        };
        let step = step(self.view(), effect, planned.group, planned.on_failure);
        Step {
            undo: planned.undo.clone(),
            ..step
        }
    }

    fn filled_routes(&mut self, planned: Routes) -> Routes {
        let view = self.view();
        let before = self.routes.as_ref();
        let routes = Routes {
            epoch: view.record().epoch,
            readers: readers(view, before.map(|routes| routes.readers.as_slice())),
            ..planned
        };
        self.history.routes_version += 1;
        let routes = Routes {
            version: self.history.routes_version,
            ..routes
        };
        self.routes = Some(routes.clone());
        routes
    }
}
