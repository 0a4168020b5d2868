//! Programs that run again and again (`[[scheduler]]`): each directly, without a shell, for a
//! limited time, and never twice at once. What they print goes to the log.

use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::{ExitStatus, Stdio};

use mainstay_settings::SchedulerSettings;
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};
use tokio::task::AbortHandle;
use tokio::time::{MissedTickBehavior, interval, timeout};

/// Of what a program prints in one run.
const OUTPUT_MAX: u64 = 16 << 10;

/// Where programs find others.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

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
    loop {
        ticks.tick().await;
        match run(&settings).await {
            Ok(Ended { status, output }) => tell(id, status, &output),
            Err(error) => tracing::warn!(id, %error, "a scheduled program could not be run"),
        }
    }
}

#[derive(Debug)]
struct Ended {
    /// `None` when its time was over.
    status: Option<ExitStatus>,
    output: String,
}

/// Its process group, which ends with the run however that ends.
struct Group(Option<Pid>);

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            // Mostly it has ended already.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

async fn run(settings: &SchedulerSettings) -> io::Result<Ended> {
    let mut child = Command::new(&settings.filename)
        .args(&settings.arguments)
        .env_clear()
        .env("PATH", PATH)
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()?;
    let pid = child.id().and_then(|pid| i32::try_from(pid).ok());
    let group = Group(pid.and_then(Pid::from_raw));
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let ended = timeout(settings.limit, finish(&mut child, out, err)).await;
    drop(group);
    match ended {
        Ok(ended) => ended,
        Err(_) => Ok(Ended {
            status: None,
            output: String::new(),
        }),
    }
}

async fn finish(
    child: &mut Child,
    out: Option<impl AsyncRead + Unpin>,
    err: Option<impl AsyncRead + Unpin>,
) -> io::Result<Ended> {
    let (out, err, status) = tokio::join!(text(out), text(err), child.wait());
    Ok(Ended {
        status: Some(status?),
        output: out + &err,
    })
}

/// What comes out, up to a limit; the rest is read and dropped, so that nobody waits for it.
async fn text(pipe: Option<impl AsyncRead + Unpin>) -> String {
    let Some(mut pipe) = pipe else {
        return String::new();
    };
    let mut bytes = Vec::new();
    // What was read until an error is worth showing.
    let _ = (&mut pipe).take(OUTPUT_MAX).read_to_end(&mut bytes).await;
    let _ = tokio::io::copy(&mut pipe, &mut tokio::io::sink()).await;
    String::from_utf8_lossy(&bytes).into_owned()
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// Long enough for anything that a test runs.
    const PATIENCE: Duration = Duration::from_mins(1);

    fn shell(script: &str, limit: Duration) -> SchedulerSettings {
        SchedulerSettings {
            id: 1,
            active: true,
            interval: Duration::from_millis(100),
            filename: "/bin/sh".into(),
            arguments: vec!["-c".to_owned(), script.to_owned(), "a b".to_owned()],
            limit,
        }
    }

    #[tokio::test]
    async fn a_program_gets_its_arguments_as_they_are_and_its_output_is_kept() {
        let ended = run(&shell("echo \"<$0>\"; echo bad >&2; exit 3", PATIENCE)).await;
        let ended = ended.expect("it runs");
        assert_eq!(ended.output, "<a b>\nbad\n");
        assert_eq!(ended.status.and_then(|status| status.code()), Some(3));
    }

    #[tokio::test]
    async fn what_takes_too_long_is_ended_with_its_children() {
        let ended = run(&shell(
            "sleep 1000 & sleep 1000",
            Duration::from_millis(100),
        ))
        .await;
        assert!(ended.expect("it runs").status.is_none());
    }

    #[tokio::test]
    async fn output_without_end_is_cut() {
        let script = "i=0; while [ $i -lt 4000 ]; do echo 0123456789; i=$((i+1)); done";
        let ended = run(&shell(script, PATIENCE)).await.expect("it runs");
        assert_eq!(ended.output.len() as u64, OUTPUT_MAX);
        assert!(ended.status.is_some_and(|status| status.success()));
    }

    #[tokio::test]
    async fn a_program_that_is_not_there_is_an_error() {
        let mut settings = shell("", PATIENCE);
        settings.filename = "/nonexistent/program".into();
        assert!(run(&settings).await.is_err());
    }
}
