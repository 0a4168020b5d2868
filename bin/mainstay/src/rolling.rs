//! `mainstay rolling restart`: every server once, replicas first; between two it is whole again.
//!
//! Each server goes into maintenance (its reads drain, no commit waits for it), is restarted,
//! catches up and comes back into service; then the primary moves, and the old one follows. It
//! stops at the first failure. What is done is read from the manager's journal, so it can be taken
//! up again.

use std::collections::BTreeSet;
use std::process::{Command, ExitCode, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};
use mainstay_dashboard::views::{
    ChangeRequest, OperationOutcome, OperationView, ServerView, StatusView, SwitchoverRequest,
};

use crate::api::Api;
use crate::args::{ClusterArgs, duration};
use crate::change::now_ms;
use crate::drill::wrong_with;

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(200);

/// What its maintenances are for.
const REASON: &str = "rolling restart";

/// `mainstay rolling`.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum RollingCommand {
    /// Restart all servers one after another, replicas first.
    #[command(after_help = "Example:\n  mainstay rolling restart\n  \
                            mainstay rolling restart --config mainstay.toml --command \
                            'ssh $MAINSTAY_HOST systemctl restart mysql'\n\n\
                            Exit code 1: it has stopped at a failure; it says how to go on.")]
    Restart(RestartArgs),
}

/// `mainstay rolling restart`.
#[derive(Debug, Clone, Args)]
pub(crate) struct RestartArgs {
    #[command(flatten)]
    cluster: ClusterArgs,
    /// Restarts one server: run by `sh -c` here, with `MAINSTAY_SERVER`, `MAINSTAY_HOST` and
    /// `MAINSTAY_PORT` [default: the server's own `SHUTDOWN`, where a supervisor starts it again].
    #[arg(long, value_name = "CMD")]
    command: Option<String>,
    /// Go on with one that has stopped: leave out who was restarted since this moment, which it
    /// has told.
    #[arg(long, value_name = "MILLISECONDS")]
    since: Option<u64>,
    /// A server must be back after this long.
    #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = duration)]
    limit: Duration,
}

/// Runs it.
pub(crate) fn run(command: &RollingCommand) -> Result<ExitCode> {
    let RollingCommand::Restart(args) = command;
    let since = args.since.unwrap_or_else(now_ms);
    let rolling = Rolling {
        api: Api::find(&args.cluster)?,
        args,
        since,
    };
    let done = rolling.run();
    done.with_context(|| format!("stopped; to go on: mainstay rolling restart --since {since} …"))?;
    Ok(ExitCode::SUCCESS)
}

struct Rolling<'a> {
    api: Api,
    args: &'a RestartArgs,
    since: u64,
}

impl Rolling<'_> {
    fn run(&self) -> Result<()> {
        let done = self.done()?;
        let status = self.status()?;
        let primary = status.primary.clone().context("there is no primary yet")?;
        let foreign = status.servers.iter().find_map(|one| {
            let wish = one.wish.as_ref()?;
            (!wish.contains(REASON)).then(|| format!("{} {wish}", one.name))
        });
        if let Some(foreign) = foreign {
            bail!("{foreign}: take it back into service first");
        }
        let left = status
            .servers
            .iter()
            .filter(|one| !done.contains(&one.name));
        let replicas: Vec<&ServerView> = left.clone().filter(|one| one.name != primary).collect();
        for server in replicas {
            self.restart(server)?;
        }
        let Some(last) = left.into_iter().find(|one| one.name == primary) else {
            return Ok(());
        };
        self.wait_until_whole(None)?;
        eprintln!("{primary}: the primary moves");
        let request = SwitchoverRequest {
            allow_newer: true,
            ..SwitchoverRequest::default()
        };
        finished(self.api.post("/api/v1/switchover", &request)?)?;
        self.wait_until_whole(None)?;
        self.restart(last)
    }

    /// Servers that have come back into service since it was begun.
    fn done(&self) -> Result<BTreeSet<String>> {
        let operations: Vec<OperationView> = self.api.get("/api/v1/operations?limit=1000")?;
        let of_this = operations
            .iter()
            .filter(|one| one.began_at_ms >= self.since && one.outcome == OperationOutcome::Done);
        Ok(of_this
            .filter_map(|one| one.purpose.strip_prefix("maintenance off "))
            .map(str::to_owned)
            .collect())
    }

    fn restart(&self, server: &ServerView) -> Result<()> {
        let name = server.name.as_str();
        self.wait_until_whole(Some(name))?;
        eprintln!("{name}: its reads drain");
        self.change("maintenance on", name)?;
        eprintln!("{name}: is restarted");
        match &self.args.command {
            None => self.change("restart", name)?,
            Some(command) => {
                run_command(command, server)?;
                self.wait(&format!("{name} is not back"), |status| {
                    let found = status.servers.iter().find(|one| one.name == name);
                    found.is_some_and(|one| one.reachability == "reachable")
                })?;
                self.change("start", name)?;
            }
        }
        self.change("maintenance off", name)?;
        // Whoever got reads gets them again only when commits can wait for it again.
        self.wait(&format!("{name} is not whole"), |status| {
            let found = status.servers.iter().find(|one| one.name == name);
            let reads = found.is_some_and(|one| one.reader || !server.reader || one.writer);
            reads && wrong_with(status).is_none()
        })?;
        eprintln!("{name}: is back in service");
        Ok(())
    }

    fn change(&self, change: &str, server: &str) -> Result<()> {
        let request = ChangeRequest {
            change: change.to_owned(),
            server: Some(server.to_owned()),
            reason: REASON.to_owned(),
            by: "mainstay".to_owned(),
            ..ChangeRequest::default()
        };
        // An operation of the manager's own may be under way, or have just ended.
        let until = Instant::now() + self.args.limit;
        loop {
            let answer: Result<OperationView> = self.api.post("/api/v1/change", &request);
            match answer {
                Ok(operation) => return finished(operation),
                Err(error) if Instant::now() < until && passes(&format!("{error}")) => {
                    sleep(PAUSE);
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn status(&self) -> Result<StatusView> {
        self.api.get("/api/v1/status")
    }

    /// Waits until all is well, but for one server that may be out already.
    fn wait_until_whole(&self, but: Option<&str>) -> Result<()> {
        self.wait("the cluster is not whole", |status| {
            let out = |one: &ServerView| one.wish.is_some() && Some(one.name.as_str()) != but;
            !status.servers.iter().any(out) && wrong_with(status).is_none()
        })
    }

    fn wait(&self, what: &str, holds: impl Fn(&StatusView) -> bool) -> Result<()> {
        let until = Instant::now() + self.args.limit;
        while !holds(&self.status()?) {
            if Instant::now() >= until {
                bail!("{what} after {:?}", self.args.limit);
            }
            sleep(PAUSE);
        }
        Ok(())
    }
}

/// What is over in a moment.
fn passes(reason: &str) -> bool {
    ["wait until it has ended", "try again"]
        .iter()
        .any(|one| reason.contains(one))
}

fn finished(operation: OperationView) -> Result<()> {
    match (operation.outcome, operation.failure) {
        (OperationOutcome::Done, _) => Ok(()),
        (_, reason) => bail!(
            "{} failed: {}",
            operation.purpose,
            reason.unwrap_or_default()
        ),
    }
}

fn run_command(command: &str, server: &ServerView) -> Result<()> {
    let (host, port) = server
        .address
        .rsplit_once(':')
        .unwrap_or((server.address.as_str(), ""));
    let status = Command::new("sh")
        .args(["-c", command])
        .stdin(Stdio::null())
        .env("MAINSTAY_SERVER", &server.name)
        .env("MAINSTAY_HOST", host)
        .env("MAINSTAY_PORT", port)
        .status()
        .with_context(|| format!("`{command}` cannot be run"))?;
    if !status.success() {
        bail!("`{command}` for {} ended with {status}", server.name);
    }
    Ok(())
}
