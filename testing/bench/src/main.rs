//! `mainstay-bench`: what the proxy costs, side by side with HAProxy and with no proxy at all.
//!
//! It asserts nothing: how fast a machine is, is no property of the program.

mod args;
mod connections;
mod contender;
mod flatness;
mod memory;
mod queries;
mod server;
mod sessions;
mod sysbench;

use anyhow::Result;
use clap::Parser as _;
use mainstay_bench::{process, report};
use rustix::process::{Resource, getrlimit, setrlimit};
use tempfile::TempDir;

use args::{Args, Part};
use contender::{Contender, Running};
use report::{Report, say};
use server::Server;

/// What all parts share.
pub(crate) struct Bench {
    pub(crate) contenders: Vec<Contender>,
    pub(crate) report: Report,
    pub(crate) server: Server,
    /// The last to go.
    pub(crate) folder: TempDir,
}

impl Bench {
    /// Starts one contender with these lines more in its settings.
    pub(crate) fn start(&self, contender: &Contender, extra: &str) -> Result<Running> {
        contender.start(self.server.port, self.folder.path(), extra)
    }

    /// Starts everybody.
    pub(crate) fn start_all(&self, extra: &str) -> Result<Vec<Running>> {
        self.contenders
            .iter()
            .map(|one| self.start(one, extra))
            .collect()
    }
}

fn main() -> Result<()> {
    let args = Args::parse().shortened();
    contender::require(&args.mainstay)?;
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit)?;
    let folder = tempfile::Builder::new()
        .prefix("mainstay-bench-")
        .tempdir()?;
    say("starting MariaDB and filling its tables");
    let server = Server::start(folder.path())?;
    sysbench::prepare(server.port)?;
    let mut bench = Bench {
        contenders: Vec::new(),
        report: Report::default(),
        server,
        folder,
    };
    choose(&mut bench, &args)?;
    if args.runs(Part::Queries) {
        queries::measure(&mut bench, &args)?;
    }
    if args.runs(Part::Connections) {
        connections::measure(&mut bench, &args)?;
    }
    if args.runs(Part::Memory) {
        memory::measure(&mut bench, &args)?;
    }
    if args.runs(Part::Flatness) {
        flatness::measure(&mut bench, &args)?;
    }
    if args.runs(Part::Growth) {
        memory::growth(&mut bench, &args)?;
    }
    bench.report.write(&args.report)
}

/// The contenders that were asked for and that this machine can run.
fn choose(bench: &mut Bench, args: &Args) -> Result<()> {
    for one in contender::all(&args.mainstay, args.baseline.as_deref()) {
        if !args.only.is_empty() && !args.only.iter().any(|name| name == one.name) {
            continue;
        }
        let name = one.name;
        if let Some(one) = one.fitted(bench.folder.path())? {
            bench.contenders.push(one);
        } else {
            let note = format!("{name} is left out: the binary does not take its settings");
            bench.report.note(note);
        }
    }
    Ok(())
}
