//! The part `flatness`: what the cost of a query should not depend on.

use std::fmt::Write as _;
use std::time::Duration;

use anyhow::Result;

use crate::Bench;
use crate::args::Args;
use crate::contender::{Contender, Kind, Running};
use crate::process::Cpu;
use crate::report::{Table, median};
use crate::sessions::{ask, open, runtime};
use crate::sysbench::{Load, run};

/// Something that there can be little or much of.
struct Dimension {
    name: &'static str,
    little: u32,
    much: u32,
    vary: Vary,
}

/// How it is varied.
#[derive(Clone, Copy)]
enum Vary {
    /// Sessions that sit idle beside the load.
    IdleSessions,
    /// Different statements.
    Digests,
    /// Lines of settings.
    Settings(fn(u32) -> String),
}

/// Everything that is varied. Settings that the binary does not know are left out with a line.
const DIMENSIONS: [Dimension; 4] = [
    Dimension {
        name: "idle sessions",
        little: 64,
        much: 5000,
        vary: Vary::IdleSessions,
    },
    Dimension {
        name: "distinct statements",
        little: 1,
        much: 1_000_000,
        vary: Vary::Digests,
    },
    Dimension {
        name: "query rules",
        little: 1,
        much: 200,
        vary: Vary::Settings(rules),
    },
    Dimension {
        name: "fast-routing rows",
        little: 1,
        much: 10_000,
        vary: Vary::Settings(fast_routing),
    },
];

/// Rules that match nothing, so that all of them are tried.
fn rules(count: u32) -> String {
    let mut text = String::new();
    for number in 1..=count {
        let _ = write!(
            text,
            "[[query_rules]]\nrule_id = {number}\nmatch_digest = \"^SELECT absent{number} \"\n\
             destination_hostgroup = 1\napply = 1\n"
        );
    }
    text
}

fn fast_routing(count: u32) -> String {
    let mut text = String::new();
    for number in 1..=count {
        let _ = write!(
            text,
            "[[fast_routing]]\nusername = \"somebody{number}\"\nschemaname = \"absent\"\n\
             destination_hostgroup = 1\n"
        );
    }
    text
}

/// Adds a table: processor time per query with little and with much of each.
pub(crate) fn measure(bench: &mut Bench, args: &Args) -> Result<()> {
    let columns = [
        "contender",
        "of what",
        "little",
        "much",
        "us/q little",
        "us/q much",
        "ratio",
    ];
    let mut table = Table::new("Flatness: 16 clients, point selects", &columns);
    let mut unknown = Vec::new();
    let mainstays = |one: &&Contender| matches!(one.kind, Kind::Mainstay { .. });
    for contender in bench.contenders.iter().filter(mainstays) {
        for dimension in &DIMENSIONS {
            let lines = |count| match dimension.vary {
                Vary::Settings(lines) => lines(count),
                Vary::IdleSessions | Vary::Digests => String::new(),
            };
            if !contender.knows(bench.folder.path(), &lines(1))? {
                unknown.push(format!(
                    "{} does not know {} yet",
                    contender.name, dimension.name
                ));
                continue;
            }
            let [little, much] = [dimension.little, dimension.much].map(|count| {
                bench
                    .start(contender, &lines(count))
                    .map(|one| (one, count))
            });
            let (little, much) = (little?, much?);
            let mut costs = [Vec::new(), Vec::new()];
            for _ in 0..args.repetitions {
                for (cost, (at, count)) in costs.iter_mut().zip([&little, &much]) {
                    cost.push(once(bench, args, at, (dimension.vary, *count))?);
                }
            }
            let [low, high] = costs.map(median);
            table.row(vec![
                contender.name.to_owned(),
                dimension.name.to_owned(),
                dimension.little.to_string(),
                dimension.much.to_string(),
                format!("{low:.1}"),
                format!("{high:.1}"),
                format!("{:.2}", high / low),
            ]);
        }
    }
    for line in unknown {
        bench.report.note(line);
    }
    bench.report.add(table);
    Ok(())
}

fn once(bench: &Bench, args: &Args, at: &Running, (vary, count): (Vary, u32)) -> Result<f64> {
    let load = Load {
        workload: "oltp_point_select".to_owned(),
        ps_mode: "disable".to_owned(),
        threads: 16,
        seconds: args.seconds,
    };
    let server = bench.server.process.pid();
    match vary {
        Vary::Settings(_) => Ok(run(&load, at, server)?.proxy_us),
        Vary::IdleSessions => {
            let runtime = runtime()?;
            let mut sessions = Vec::new();
            runtime.block_on(open(at.port, &mut sessions, count as usize))?;
            let cost = run(&load, at, server)?.proxy_us;
            runtime.block_on(async { drop(sessions) });
            Ok(cost)
        }
        Vary::Digests => {
            let cpu = || at.pid().map_or(Ok(Cpu::default()), Cpu::of);
            let before = cpu()?;
            let time = Duration::from_secs(args.seconds.into());
            let asked = runtime()?.block_on(ask(at.port, count.into(), time))?;
            Ok(cpu()?.since(before).total_us / asked as f64)
        }
    }
}
