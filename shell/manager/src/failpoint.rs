//! A death on order: `MAINSTAY_DIE_AT="switchover 7 before"` ends the process when the seventh step
//! of a switchover is journaled and not begun yet; `after` when it is done and not journaled yet.
//! What is tested is what is shipped: a death at any step has to be harmless.

use mainstay_failover::{Operation, OperationId};

/// The moments of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    Before,
    After,
}

/// Where the process ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failpoint {
    kind: String,
    /// From 1, as in a plan that is shown.
    step: usize,
    moment: Moment,
}

impl Failpoint {
    /// What the environment orders.
    pub(crate) fn ordered() -> Option<Self> {
        let text = std::env::var("MAINSTAY_DIE_AT").ok()?;
        let ordered = Self::parse(&text);
        if ordered.is_none() {
            tracing::error!(%text, "MAINSTAY_DIE_AT is not understood");
        }
        ordered
    }

    fn parse(text: &str) -> Option<Self> {
        let mut words = text.split_whitespace();
        let (kind, step, moment) = (words.next()?, words.next()?, words.next()?);
        Some(Self {
            kind: kind.to_owned(),
            step: step.parse().ok()?,
            moment: match moment {
                "before" => Moment::Before,
                "after" => Moment::After,
                _ => return None,
            },
        })
    }

    /// Ends the process if this is where it was ordered to end.
    pub(crate) fn reached(
        &self,
        running: Option<&Operation>,
        (operation, index): (OperationId, usize),
        moment: Moment,
    ) {
        let running = running.filter(|running| running.id == operation);
        let Some(running) = running else { return };
        let purpose = running.plan.purpose.to_string();
        if self.step == index + 1 && self.moment == moment && purpose.starts_with(&self.kind) {
            tracing::error!(%purpose, step = self.step, "dies, as MAINSTAY_DIE_AT has ordered");
            std::process::abort();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_names_plan_step_and_moment() {
        let order = Failpoint::parse("switchover 7 after").unwrap();
        assert_eq!((order.step, order.moment), (7, Moment::After));
        assert_eq!(Failpoint::parse("switchover seven after"), None);
        assert_eq!(Failpoint::parse("switchover 7"), None);
    }
}
