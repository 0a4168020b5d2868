//! Programs that run again and again (`[[scheduler]]`): each directly, without a shell, for a
//! limited time, and never twice at once. What they print goes to the log.

use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use mainstay_settings::SchedulerSettings;
use tokio::task::AbortHandle;
use tokio::time::{MissedTickBehavior, interval};

use crate::program::{Ended, Program};

/// The running programs. Dropping it ends them.
#[derive(Debug, Default)]
pub(crate) struct Scheduler {
    tasks: Vec<(SchedulerSettings, AbortHandle)>,
}

impl Scheduler {
    pub(crate) fn start(settings: &[SchedulerSettings]) -> Self {
        let mut scheduler = Self::default();
        scheduler.change(settings);
        scheduler
    }

    /// Puts other settings in force; programs whose settings have not changed are not disturbed.
    pub(crate) fn change(&mut self, settings: &[SchedulerSettings]) {
        self.tasks.retain(|(task, handle)| {
            let stays = settings.contains(task);
            if !stays {
                handle.abort();
            }
            stays
        });
        for one in settings.iter().filter(|one| one.active) {
            if !self.tasks.iter().any(|(task, _)| task == one) {
                let handle = tokio::spawn(again(one.clone())).abort_handle();
                self.tasks.push((one.clone(), handle));
            }
        }
    }
}

impl Drop for Scheduler {
    fn drop(&mut self) {
        for (_, task) in &self.tasks {
            task.abort();
        }
    }
}

async fn again(settings: SchedulerSettings) {
    let mut ticks = interval(settings.interval);
    // A run that takes longer than the interval is followed by the next tick, not by a crowd.
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    ticks.tick().await;
    let id = settings.id;
    let program = Program {
        filename: settings.filename,
        arguments: settings.arguments,
        variables: Vec::new(),
        limit: settings.limit,
    };
    loop {
        ticks.tick().await;
        match program.run().await {
            Ok(Ended { status, output }) => tell(id, status, &output),
            Err(error) => tracing::warn!(id, %error, "a scheduled program could not be run"),
        }
    }
}

fn tell(id: u32, status: Option<ExitStatus>, output: &str) {
    for line in output.lines() {
        tracing::info!(id, "scheduled: {line}");
    }
    match status {
        Some(status) if status.success() => {}
        Some(status) => {
            let (code, signal) = (status.code(), status.signal());
            tracing::warn!(id, code, signal, "a scheduled program has failed");
        }
        None => tracing::warn!(id, "a scheduled program took too long and was ended"),
    }
}
