//! `mainstay drill`: load, fault, account; with a progress bar, as text or as JSON.

mod print;

use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use indicatif::{ProgressBar, ProgressStyle};
use mainstay_dashboard::views::{OperationView, ServerView, StatusView, SwitchoverRequest};
use mainstay_drill::{
    Cluster, ClusterStatus, DrillOptions, Error, Fault, Progress, Report, ServerStatus,
    TimelineEntry,
};
use mainstay_mysql::ConnectOptions;
use rustix::process::{Pid, Signal, kill_process};

use crate::api::Api;
use crate::args::{DrillArgs, DrillFault};
use crate::output::{BadInput, emit};
use crate::runfile::RunFile;

/// Where the sandbox lists its servers with their process numbers.
pub(crate) const SANDBOX_PATH: &str = "/api/v1/sandbox";

pub(crate) fn run(args: &DrillArgs) -> Result<ExitCode> {
    let api = Api::find(&args.cluster)?;
    let sandbox: RunFile = api
        .get(SANDBOX_PATH)
        .context("drills need a running sandbox")?;
    let options = options_of(args, &sandbox)?;
    let bar = progress_bar(args.rounds);
    let tell = |round: u32, stage: Progress| show(&bar, round, args.rounds, stage);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .context("cannot start the drill's threads")?;
    let report = runtime.block_on(mainstay_drill::run(&Sandbox { api }, &options, tell));
    bar.finish_and_clear();
    finish(&report?, args.json)
}

fn finish(report: &Report, json: bool) -> Result<ExitCode> {
    if json {
        emit(&format!("{}\n", serde_json::to_string_pretty(report)?));
    } else {
        emit(&print::text_of(report));
    }
    Ok(if report.kept_the_promise() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn options_of(args: &DrillArgs, sandbox: &RunFile) -> Result<DrillOptions> {
    let (Some(user), Some(password)) = (&sandbox.proxy.user, &sandbox.proxy.password) else {
        return Err(BadInput("the sandbox names no user for the proxy".to_owned()).into());
    };
    // Longer than any hold: a connection that is late is a gap, not an error of the drill's own.
    let patience = Duration::from_secs(30);
    let proxy = ConnectOptions::new(&sandbox.proxy.host, sandbox.proxy.port, user, password)
        .with_connect_timeout(patience);
    Ok(DrillOptions {
        fault: match args.fault {
            DrillFault::KillPrimary => Fault::KillPrimary,
            DrillFault::StopPrimary => Fault::StopPrimary,
            DrillFault::Switchover => Fault::Switchover,
        },
        rounds: args.rounds,
        proxy,
        writers: args.writers,
        readers: args.readers,
        pause: args.pause,
        warm_up: Duration::from_secs(2),
        recovery_limit: args.recovery_limit,
    })
}

fn progress_bar(rounds: u32) -> ProgressBar {
    let bar = ProgressBar::new(u64::from(rounds) * 4);
    let style = ProgressStyle::with_template("{bar:30} {msg} {elapsed}")
        .expect("the template is a constant");
    bar.set_style(style);
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

fn show(bar: &ProgressBar, round: u32, rounds: u32, stage: Progress) {
    let (done, what) = match stage {
        Progress::Waiting => (0, "waiting for a healthy cluster"),
        Progress::Loading => (0, "load is running"),
        Progress::Recovering => (1, "fault is done, waiting for health"),
        Progress::Verifying => (2, "comparing the servers"),
        Progress::Finished => (4, "done"),
    };
    bar.set_position(u64::from(round) * 4 + done);
    bar.set_message(format!("round {} of {rounds}: {what}", round + 1));
}

/// A sandbox, asked by its API and hurt by signals.
struct Sandbox {
    api: Api,
}

impl Sandbox {
    /// The HTTP client blocks; the load must not wait for it.
    async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Api) -> Result<T> + Send + 'static,
    ) -> Result<T, Error> {
        let api = self.api.clone();
        let answer = tokio::task::spawn_blocking(move || question(&api)).await;
        let answer = answer.map_err(|error| Error::Cluster(error.to_string()))?;
        answer.map_err(|error| Error::Cluster(format!("{error:#}")))
    }
}

impl Cluster for Sandbox {
    async fn status(&self) -> Result<ClusterStatus, Error> {
        let status: StatusView = self.ask(|api| api.get("/api/v1/status")).await?;
        Ok(cluster_status(&status))
    }

    async fn fault(&self, fault: Fault) -> Result<(), Error> {
        match fault {
            Fault::KillPrimary => self.ask(|api| signal_primary(api, Signal::KILL)).await,
            Fault::StopPrimary => self.ask(|api| signal_primary(api, Signal::STOP)).await,
            Fault::Switchover => self.ask(switchover).await,
        }
    }

    async fn timeline(&self, ago_ms: f64) -> Result<Vec<TimelineEntry>, Error> {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let fault_at_ms = now.as_secs_f64() * 1_000.0 - ago_ms;
        let operations: Vec<OperationView> = self
            .ask(|api| api.get("/api/v1/operations?limit=20"))
            .await?;
        let mut entries: Vec<_> = operations
            .iter()
            .flat_map(|operation| entries_of(operation, fault_at_ms))
            .collect();
        entries.sort_by(|a, b| a.at_ms.total_cmp(&b.at_ms));
        Ok(entries)
    }
}

fn switchover(api: &Api) -> Result<()> {
    let operation: OperationView = api.post("/api/v1/switchover", &SwitchoverRequest::default())?;
    match operation.failure {
        None => Ok(()),
        Some(reason) => Err(anyhow::anyhow!("the switchover failed: {reason}")),
    }
}

fn signal_primary(api: &Api, signal: Signal) -> Result<()> {
    let sandbox: RunFile = api.get(SANDBOX_PATH)?;
    let primary = sandbox
        .servers
        .iter()
        .find(|server| server.role == "primary");
    let primary = primary.context("the sandbox has no primary now")?;
    let pid = primary
        .pid
        .and_then(|pid| Pid::from_raw(i32::try_from(pid).ok()?));
    let pid = pid.with_context(|| format!("{} has no process", primary.name))?;
    kill_process(pid, signal).with_context(|| format!("cannot send {signal:?} to {}", primary.name))
}

/// Lines of one operation, from the fault on; what came before belongs to another round.
fn entries_of(operation: &OperationView, fault_at_ms: f64) -> Vec<TimelineEntry> {
    #[expect(
        clippy::cast_precision_loss,
        reason = "milliseconds since 1970 fit a double"
    )]
    let began_ms = operation.began_at_ms as f64 - fault_at_ms;
    let entry = |moment: &mainstay_dashboard::views::MomentView| TimelineEntry {
        at_ms: began_ms + moment.from_ms,
        took_ms: moment.until_ms.map_or(0.0, |until| until - moment.from_ms),
        what: match moment.outcome.as_deref() {
            None | Some("done") => moment.text.clone(),
            Some(outcome) => format!("{} ({outcome})", moment.text),
        },
    };
    let after_the_fault = |entry: &TimelineEntry| entry.at_ms > -50.0;
    operation
        .timeline
        .iter()
        .map(entry)
        .filter(after_the_fault)
        .collect()
}

fn cluster_status(status: &StatusView) -> ClusterStatus {
    ClusterStatus {
        primary: status.primary.clone(),
        epoch: status.epoch,
        servers: status.servers.iter().filter_map(server_status).collect(),
        wrong: wrong_with(status),
    }
}

fn server_status(server: &ServerView) -> Option<ServerStatus> {
    let (host, port) = server.address.rsplit_once(':')?;
    let port = port.parse().ok()?;
    Some(ServerStatus {
        name: server.name.clone(),
        host: host.to_owned(),
        port,
    })
}

/// What keeps the cluster from being whole, if anything does.
pub(crate) fn wrong_with(status: &StatusView) -> Option<String> {
    if status.writes_held {
        return Some("writes are held".to_owned());
    }
    if let Some(operation) = &status.operation {
        return Some(format!("{} is under way", operation.purpose));
    }
    let wrong = status.servers.iter().find_map(|server| {
        let name = &server.name;
        if server.wish.is_some() && server.role != "primary" {
            // Whoever took it out knows.
            return None;
        }
        if server.reachability != "reachable" {
            return Some(format!("{name} is {}", server.reachability));
        }
        match server.role.as_str() {
            "primary" if server.writer => None,
            "primary" => Some(format!("{name} gets no writes yet")),
            "replica" => {
                let state = crate::status::state_of(server);
                (state != "replicating").then(|| format!("{name}: {state}"))
            }
            role => Some(format!("{name} is {role}")),
        }
    });
    let primary = status.servers.iter().any(|server| server.role == "primary");
    wrong.or_else(|| (!primary).then(|| "there is no primary".to_owned()))
}
