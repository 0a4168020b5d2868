//! Commands of the operator's: in a process group of their own, ended with all of it.

use std::os::unix::process::ExitStatusExt;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use mainstay_health::Script;
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::Command;
use tokio::time::timeout;

use crate::Passed;
use crate::error::Failure;

/// Ends a command and all that it has started.
struct Group(Option<Pid>);

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            // It may have ended in this moment.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

/// Runs a command for its effect, with these variables besides its environment.
pub async fn run(
    script: &Script,
    variables: &[(&str, String)],
    limit: Duration,
) -> Result<(), Failure> {
    let ended = timeout(limit, end_of(script, variables)).await;
    match code(ended.unwrap_or(Err(Failure::Late(limit)))?)? {
        0 => Ok(()),
        code => Err(Failure::Exit(code)),
    }
}

pub(crate) async fn look(script: &Script) -> Result<Passed, Failure> {
    let code = code(end_of(script, &[]).await?)?;
    match u32::try_from(code) {
        Ok(0) => Ok(Passed::default()),
        // keepalived.conf(5): misc_dynamic.
        Ok(code) if script.sets_weight && code >= 2 => Ok(Passed {
            weight: Some(code - 2),
        }),
        Ok(_) | Err(_) => Err(Failure::Exit(code)),
    }
}

fn code(status: ExitStatus) -> Result<i32, Failure> {
    let signal = status.signal().unwrap_or_default();
    status.code().ok_or(Failure::Signal(signal))
}

async fn end_of(script: &Script, variables: &[(&str, String)]) -> Result<ExitStatus, Failure> {
    let (program, arguments) = script.command.split_first().ok_or(Failure::NoCommand)?;
    let mut command = Command::new(program);
    command
        .args(arguments)
        .envs(variables.iter().map(|(name, value)| (*name, value)))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .kill_on_drop(true);
    if let Some(user) = &script.user {
        let (uid, gid) = account(user).ok_or_else(|| Failure::NoUser(user.clone()))?;
        command.uid(uid).gid(gid);
    }
    let child = command.spawn().map_err(|reason| Failure::NoStart {
        program: program.clone(),
        reason,
    });
    let mut child = child?;
    let pid = child.id().and_then(|pid| Pid::from_raw(pid.cast_signed()));
    let group = Group(pid);
    let ended = child.wait().await.map_err(Failure::Broken);
    drop(group);
    ended
}

/// The numbers of a user of this host.
fn account(user: &str) -> Option<(u32, u32)> {
    let accounts = std::fs::read_to_string("/etc/passwd").ok()?;
    accounts.lines().find_map(|line| {
        let mut fields = line.split(':');
        let found = fields.next() == Some(user);
        let (uid, gid) = (fields.nth(1)?, fields.next()?);
        found.then_some((uid.parse().ok()?, gid.parse().ok()?))
    })
}
