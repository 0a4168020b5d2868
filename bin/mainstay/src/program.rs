//! Programs of the operator's: each directly, without a shell, in a process group of its own that
//! ends with it, for a limited time, and with a bounded part of what it prints.

use std::io;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// Of what a program prints in one run.
pub(crate) const OUTPUT_MAX: u64 = 16 << 10;

/// Where programs find others.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// A program, and how long it may run.
#[derive(Debug, Clone)]
pub(crate) struct Program {
    pub(crate) filename: PathBuf,
    pub(crate) arguments: Vec<String>,
    /// Besides `PATH`.
    pub(crate) variables: Vec<(&'static str, String)>,
    pub(crate) limit: Duration,
}

/// How it ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// `None` when its time was over.
    pub(crate) status: Option<ExitStatus>,
    pub(crate) output: String,
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

impl Program {
    /// Runs it.
    pub(crate) async fn run(&self) -> io::Result<Ended> {
        let mut child = Command::new(&self.filename)
            .args(&self.arguments)
            .env_clear()
            .env("PATH", PATH)
            .envs(self.variables.iter().map(|(name, value)| (*name, value)))
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
        let ended = timeout(self.limit, finish(&mut child, out, err)).await;
        drop(group);
        match ended {
            Ok(ended) => ended,
            Err(_) => Ok(Ended {
                status: None,
                output: String::new(),
            }),
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Long enough for anything that a test runs.
    const PATIENCE: Duration = Duration::from_mins(1);

    fn shell(script: &str, limit: Duration) -> Program {
        Program {
            filename: "/bin/sh".into(),
            arguments: vec!["-c".to_owned(), script.to_owned(), "a b".to_owned()],
            variables: vec![("MAINSTAY_EVENT", "on-halt".to_owned())],
            limit,
        }
    }

    #[tokio::test]
    async fn a_program_gets_its_arguments_as_they_are_and_its_output_is_kept() {
        let script = "echo \"<$0> $MAINSTAY_EVENT\"; echo bad >&2; exit 3";
        let ended = shell(script, PATIENCE).run().await.expect("it runs");
        assert_eq!(ended.output, "<a b> on-halt\nbad\n");
        assert_eq!(ended.status.and_then(|status| status.code()), Some(3));
    }

    #[tokio::test]
    async fn what_takes_too_long_is_ended_with_its_children() {
        let program = shell("sleep 1000 & sleep 1000", Duration::from_millis(100));
        let ended = program.run().await;
        assert!(ended.expect("it runs").status.is_none());
    }

    #[tokio::test]
    async fn output_without_end_is_cut() {
        let script = "i=0; while [ $i -lt 4000 ]; do echo 0123456789; i=$((i+1)); done";
        let ended = shell(script, PATIENCE).run().await.expect("it runs");
        assert_eq!(ended.output.len() as u64, OUTPUT_MAX);
        assert!(ended.status.is_some_and(|status| status.success()));
    }

    #[tokio::test]
    async fn a_program_that_is_not_there_is_an_error() {
        let mut program = shell("", PATIENCE);
        program.filename = "/nonexistent/program".into();
        assert!(program.run().await.is_err());
    }
}
