//! Plans that were shown: each is run by its name only while nothing it relies on has changed.

use std::collections::VecDeque;

use mainstay_failover::preflight::Terms;
use mainstay_failover::{Basis, Manager as Machine, Request};

/// Plans that are remembered.
const MAX: usize = 64;

/// The newest plans, until the manager ends.
#[derive(Debug, Default)]
pub(super) struct Shown {
    plans: VecDeque<(String, Request, Terms, Basis)>,
}

impl Shown {
    /// Remembers a plan, and gives it its name.
    pub(super) fn keep(&mut self, request: Request, terms: Terms, basis: Basis) -> String {
        let id = basis.id();
        self.plans.retain(|(known, ..)| *known != id);
        if self.plans.len() >= MAX {
            self.plans.pop_front();
        }
        self.plans.push_back((id.clone(), request, terms, basis));
        id
    }

    /// What the plan was made for, if it would be made in the same way now.
    pub(super) fn again(&self, id: &str, machine: &Machine) -> Result<(Request, Terms), String> {
        let found = self.plans.iter().find(|(known, ..)| known == id);
        let (_, request, terms, before) = found.ok_or_else(|| {
            format!(
                "there is no plan {id}: the manager was started since, or it is too old; print it \
                 again with `mainstay plan`"
            )
        })?;
        let plan = machine.plan(request);
        let plan = plan.map_err(|reason| format!("plan {id} cannot be run any more: {reason}"))?;
        match machine.basis(&plan).change_since(before) {
            None => Ok((request.clone(), *terms)),
            Some(change) => Err(format!(
                "plan {id} was made from another state ({change}); print it again with `mainstay \
                 plan`"
            )),
        }
    }
}
