//! `bench-manager`: what the manager costs with fleets of simulated servers, and how fast it
//! decides.
//!
//! Three kinds of processes: this one prints; for each fleet it starts one that runs the managers
//! and measures itself; that one starts another that plays the servers, and tells it over a pipe
//! whose primary is to die. It asserts nothing: how fast a machine is, is no property of the
//! program.

mod dialect;
mod fleet;
mod managers;
mod measure;
mod peer;
mod servers;

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};
use clap::{Parser, Subcommand};
use mainstay_bench::report::{Report, Table, say};
use rustix::process::{Resource, getrlimit, setrlimit};

use measure::Measured;

/// Measures what the manager costs with fleets of simulated servers, and how fast it decides.
#[derive(Debug, Parser)]
#[command(name = "bench-manager")]
struct Args {
    /// Numbers of servers; they stand in clusters of five.
    #[arg(long, value_delimiter = ',', default_value = "10,100,1000")]
    servers: Vec<usize>,
    /// Seconds of one measurement of processor time; the median of three counts.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Primaries that die, one after another.
    #[arg(long, default_value_t = 9)]
    deaths: usize,
    /// Where the report goes: NAME.json and NAME.md.
    #[arg(long, default_value = "target/bench-manager")]
    report: PathBuf,
    #[command(subcommand)]
    role: Option<Role>,
}

/// What the processes are that this one starts.
#[derive(Debug, Subcommand)]
#[command(hide = true)]
enum Role {
    /// Plays the servers, and does what it is told on its input.
    #[command(hide = true)]
    Play { clusters: usize },
    /// Runs the managers, and prints what it has measured of itself.
    #[command(hide = true)]
    Manage { clusters: usize },
}

fn main() -> Result<()> {
    let args = Args::parse();
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit)?;
    match args.role {
        Some(Role::Play { clusters }) => servers::play(clusters),
        Some(Role::Manage { clusters }) => {
            let measured = measure::measure(clusters, args.seconds, args.deaths)?;
            say(&measured.json().to_string());
            Ok(())
        }
        None => compare(&args),
    }
}

/// Each fleet by a process of its own, so that none has the memory of the one before.
fn compare(args: &Args) -> Result<()> {
    let mut report = Report::default();
    let mut cost = Table::new(
        "Processor time and memory of the managers' process",
        &[
            "servers",
            "clusters",
            "looks/s",
            "CPU % of one core",
            "us per look",
            "RSS MiB",
            "KiB per server",
            "threads",
            "other load %",
        ],
    );
    let mut latency = Table::new(
        "From a primary's death until its failover has begun, ms",
        &["servers", "deaths", "median", "least", "most"],
    );
    for servers in &args.servers {
        let clusters = servers.div_ceil(fleet::CLUSTER_SIZE);
        say(&format!("{servers} servers in {clusters} clusters"));
        let measured = one(args, clusters)?;
        cost.row(measured.cost(clusters));
        latency.row(measured.latency(clusters));
    }
    report.add(cost);
    report.add(latency);
    report.write(&args.report)
}

fn one(args: &Args, clusters: usize) -> Result<Measured> {
    let output = Command::new(std::env::current_exe()?)
        .args(["--seconds", &args.seconds.to_string()])
        .args(["--deaths", &args.deaths.to_string()])
        .args(["manage", &clusters.to_string()])
        .stderr(Stdio::inherit())
        .output()?;
    if !output.status.success() {
        bail!("the managers' process ended: {}", output.status);
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let json = serde_json::from_str(text.trim()).context("what it printed is no JSON")?;
    Measured::read(&json).context("what it printed lacks a figure")
}
