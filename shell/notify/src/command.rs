//! Runs a program with the message in its environment.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use tokio::time::timeout;

use crate::{Message, NotifyError};

/// What is kept of a program's output.
const OUTPUT_BYTES_MAX: usize = 4096;

/// A program and its arguments; no shell is between.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// Its path.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
}

impl Command {
    pub(crate) async fn run(&self, message: &Message, limit: Duration) -> Result<(), NotifyError> {
        let program = self.program.display().to_string();
        let mut command = tokio::process::Command::new(&self.program);
        command
            .args(&self.arguments)
            .envs(message.variables())
            .stdin(Stdio::null())
            .process_group(0)
            .kill_on_drop(true);
        let output = match timeout(limit, command.output()).await {
            Err(_) => {
                let what = program;
                return Err(NotifyError::Late { what, limit });
            }
            Ok(Err(source)) => return Err(NotifyError::Start { program, source }),
            Ok(Ok(output)) => output,
        };
        let mut printed = output.stdout;
        printed.extend_from_slice(&output.stderr);
        let from = printed.len().saturating_sub(OUTPUT_BYTES_MAX);
        let printed = String::from_utf8_lossy(&printed[from..]).trim().to_owned();
        if output.status.success() {
            if !printed.is_empty() {
                tracing::info!(%program, output = %printed, "an alert's program has printed");
            }
            return Ok(());
        }
        Err(NotifyError::Status {
            program,
            status: output.status,
            output: printed,
        })
    }
}
