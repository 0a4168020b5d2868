//! Lives a scenario: in each family, in each order, after each step, and with some delays of
//! messages.

use std::sync::Arc;

use mainstay_failover::bugs::Bugs;

use super::Scenario;
use crate::{Options, Summary, simulate};

/// Each is lived so often, with other delays of messages.
const SEEDS: u64 = 3;
/// More steps than any scenario has.
const STEPS_MAX: u64 = 80;
/// A scenario that is for each step and reaches no more of them shows nothing.
const STEPS_LEAST: u64 = 1;

impl Scenario {
    /// Lives it; answers how many lives it took, or the life in which it does not hold and the
    /// name of that life.
    pub fn play(&self, bugs: Bugs) -> Result<u64, (String, Box<Summary>)> {
        let mut lives = 0;
        for scenario in self.orders() {
            let scenario = Arc::new(scenario);
            for family in &self.families {
                for seed in 1..=SEEDS {
                    let options = Options {
                        seed,
                        servers: scenario.servers,
                        family: *family,
                        bugs,
                        verbose: true,
                        scenario: Some(Arc::clone(&scenario)),
                        at_step: None,
                    };
                    lives += in_each_step(&options, self.each_step.is_some())?;
                }
            }
        }
        Ok(lives)
    }
}

fn in_each_step(options: &Options, each: bool) -> Result<u64, (String, Box<Summary>)> {
    if !each {
        return live(options.clone()).map(|_| 1);
    }
    for step in 1..=STEPS_MAX {
        let options = Options {
            at_step: Some(step),
            ..options.clone()
        };
        if !live(options.clone())? {
            assert!(step > STEPS_LEAST, "only {step} steps were reached");
            return Ok(step);
        }
    }
    Ok(STEPS_MAX)
}

/// Whether the step that the options name was reached.
fn live(options: Options) -> Result<bool, (String, Box<Summary>)> {
    let name = format!(
        "{}, seed {}, step {:?}",
        options.family, options.seed, options.at_step
    );
    let summary = simulate(options);
    if summary.violation.is_some() {
        return Err((name, Box::new(summary)));
    }
    Ok(summary.acted_at_step)
}
