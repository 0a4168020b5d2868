//! The programs of `[[hook]]`, for the manager to run.

use std::os::unix::process::ExitStatusExt;

use mainstay_failover::hook::Call;
use mainstay_manager::{HookControl, Pending};
use mainstay_settings::{HookSettings, Settings};

use crate::program::{Ended, Program};

/// What is kept of what a hook prints: the journal keeps it.
const OUTPUT_MAX: usize = 2048;

/// The hooks of a file, in the order of the policy's.
pub(crate) struct Hooks {
    cluster: String,
    hooks: Vec<HookSettings>,
}

impl Hooks {
    pub(crate) fn of(settings: &Settings) -> Self {
        Self {
            cluster: settings.cluster.name.clone(),
            hooks: settings.hooks.clone(),
        }
    }

    fn program(&self, call: &Call, mut variables: Vec<(&'static str, String)>) -> Option<Program> {
        let hook = self.hooks.get(call.number)?;
        variables.push(("MAINSTAY_CLUSTER", self.cluster.clone()));
        Some(Program {
            filename: hook.program.clone(),
            arguments: hook.arguments.clone(),
            variables,
            limit: hook.limit,
        })
    }
}

impl HookControl for Hooks {
    fn run(
        &self,
        call: &Call,
        variables: Vec<(&'static str, String)>,
    ) -> Pending<'_, Result<String, String>> {
        let program = self.program(call, variables);
        Box::pin(async move {
            let program = program.ok_or("there is no such hook any more")?;
            match program.run().await {
                Ok(ended) => told(&ended, &program),
                Err(error) => Err(format!("it cannot be started: {error}")),
            }
        })
    }
}

/// What it said, or how it failed.
fn told(ended: &Ended, program: &Program) -> Result<String, String> {
    let output = bounded(ended.output.trim());
    let Some(status) = ended.status else {
        let limit = program.limit.as_millis();
        return Err(format!("it was ended after {limit} ms"));
    };
    let end = match (status.code(), status.signal()) {
        (Some(0), _) => return Ok(output),
        (Some(code), _) => format!("exit status {code}"),
        (None, signal) => format!("ended by signal {}", signal.unwrap_or_default()),
    };
    Err(if output.is_empty() {
        end
    } else {
        format!("{end}: {output}")
    })
}

/// Its last lines: what went wrong stands at the end.
fn bounded(output: &str) -> String {
    let mut from = output.len().saturating_sub(OUTPUT_MAX);
    while !output.is_char_boundary(from) {
        from += 1;
    }
    output[from..].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_much_output_the_end_is_kept() {
        let long = "é".repeat(OUTPUT_MAX);
        assert_eq!(bounded(&long).len(), OUTPUT_MAX);
        assert_eq!(bounded("short"), "short");
    }
}
