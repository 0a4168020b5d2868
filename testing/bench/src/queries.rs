//! The part `queries`: every load against every contender, taking turns.

use std::collections::BTreeMap;

use anyhow::Result;

use crate::Bench;
use crate::args::Args;
use crate::contender::Running;
use crate::report::{Table, geometric_mean, median, say};
use crate::sysbench::{Load, Outcome, run};

type Outcomes = BTreeMap<String, Vec<Outcome>>;

const COLUMNS: [&str; 12] = [
    "workload",
    "ps",
    "threads",
    "contender",
    "q/s",
    "p95 ms",
    "p99 ms",
    "CPU us/q",
    "user us/q",
    "CPU / haproxy",
    "q/s / direct",
    "other load",
];

/// Runs the matrix and adds two tables: all cells, and the ratios in short.
pub(crate) fn measure(bench: &mut Bench, args: &Args) -> Result<()> {
    let running = bench.start_all("")?;
    let mut table = Table::new("Queries", &COLUMNS);
    let mut ratios: BTreeMap<(&'static str, String), Vec<f64>> = BTreeMap::new();
    for load in loads(args) {
        let outcomes = take_turns(bench, args, &load, &running)?;
        let of = |name: &str, value: fn(&Outcome) -> f64| {
            outcomes.get(name).map(|all| median(all.iter().map(value)))
        };
        let haproxy = of("haproxy", |one| one.proxy_us);
        let direct = of("direct", |one| one.queries_per_s);
        for one in &running {
            let Some(all) = outcomes.get(&one.name) else {
                continue;
            };
            let middle = |value: fn(&Outcome) -> f64| median(all.iter().map(value));
            let cpu = middle(|one| one.proxy_us);
            let rate = middle(|one| one.queries_per_s);
            let ratio = haproxy.filter(|_| cpu > 0.0).map(|haproxy| cpu / haproxy);
            let clients = if load.threads == 1 {
                "1 client"
            } else {
                "more clients"
            };
            if let Some(ratio) = ratio {
                ratios
                    .entry((clients, one.name.clone()))
                    .or_default()
                    .push(ratio);
            }
            table.row(vec![
                load.workload.clone(),
                load.ps_mode.clone(),
                load.threads.to_string(),
                one.name.clone(),
                format!("{rate:.0}"),
                format!("{:.2}", middle(|one| one.p95_ms)),
                format!("{:.2}", middle(|one| one.p99_ms)),
                format!("{cpu:.1}"),
                format!("{:.1}", middle(|one| one.proxy_user_us)),
                ratio.map_or_else(String::new, |ratio| format!("{ratio:.2}")),
                direct.map_or_else(String::new, |direct| format!("{:.2}", rate / direct)),
                format!("{:.2}", middle(|one| one.other)),
            ]);
        }
    }
    bench.report.add(table);
    let columns = [
        "clients",
        "contender",
        "CPU / haproxy, geometric mean",
        "cells",
    ];
    let mut short = Table::new("Processor time per query in short", &columns);
    for ((clients, name), values) in ratios {
        let mean = format!("{:.2}", geometric_mean(&values));
        short.row(vec![
            clients.to_owned(),
            name,
            mean,
            values.len().to_string(),
        ]);
    }
    bench.report.add(short);
    Ok(())
}

fn loads(args: &Args) -> Vec<Load> {
    let mut loads = Vec::new();
    for workload in &args.workloads {
        for ps_mode in &args.ps_modes {
            loads.extend(args.threads.iter().map(|&threads| Load {
                workload: workload.clone(),
                ps_mode: ps_mode.clone(),
                threads,
                seconds: args.seconds,
            }));
        }
    }
    loads
}

/// A contender that ran first in one repetition runs last in the next: what the machine does
/// besides hits all alike.
fn take_turns(bench: &Bench, args: &Args, load: &Load, all: &[Running]) -> Result<Outcomes> {
    let mut outcomes = Outcomes::new();
    for turn in 0..args.repetitions as usize {
        for offset in 0..all.len() {
            let one = &all[(turn + offset) % all.len()];
            let outcome = run(load, one, bench.server.process.pid())?;
            let Load {
                workload,
                ps_mode,
                threads,
                ..
            } = load;
            say(&format!(
                "{workload} {ps_mode} {threads} {}: {:.0} q/s, {:.1} us ({:.1} user), p99 {:.2} \
                 ms, server {:.1} us, other load {:.0} %",
                one.name,
                outcome.queries_per_s,
                outcome.proxy_us,
                outcome.proxy_user_us,
                outcome.p99_ms,
                outcome.server_us,
                outcome.other * 100.0,
            ));
            outcomes.entry(one.name.clone()).or_default().push(outcome);
        }
    }
    Ok(outcomes)
}
