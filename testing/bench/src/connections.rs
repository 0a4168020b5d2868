//! The part `connections`: connect, log in, ask once, leave.

use std::time::Duration;

use anyhow::Result;

use crate::Bench;
use crate::args::Args;
use crate::contender::{Kind, Running};
use crate::process::Cpu;
use crate::report::{Table, median};
use crate::sessions::{runtime, set_up};

const SHA2: &str = "auth_plugin = \"caching_sha2_password\"";

/// Adds a table of set-ups per second and of the proxy's processor time for each.
pub(crate) fn measure(bench: &mut Bench, args: &Args) -> Result<()> {
    let mut running = bench.start_all("")?;
    for contender in &bench.contenders {
        if matches!(contender.kind, Kind::Mainstay { .. }) {
            let mut one = bench.start(contender, SHA2)?;
            one.name += " caching_sha2";
            running.push(one);
        }
    }
    let columns = [
        "clients",
        "contender",
        "set-ups/s",
        "proxy CPU us",
        "server CPU us",
    ];
    let mut table = Table::new("Connections: connect, log in, SELECT 1, close", &columns);
    for tasks in [1, 16] {
        let mut found: Vec<Vec<[f64; 3]>> = vec![Vec::new(); running.len()];
        for turn in 0..args.repetitions as usize {
            for offset in 0..running.len() {
                let index = (turn + offset) % running.len();
                found[index].push(once(bench, &running[index], tasks, args.seconds)?);
            }
        }
        for (one, values) in running.iter().zip(found) {
            let middle = |index: usize| median(values.iter().map(|value| value[index]));
            table.row(vec![
                tasks.to_string(),
                one.name.clone(),
                format!("{:.0}", middle(0)),
                format!("{:.0}", middle(1)),
                format!("{:.0}", middle(2)),
            ]);
        }
    }
    bench.report.add(table);
    Ok(())
}

fn once(bench: &Bench, at: &Running, tasks: u32, seconds: u32) -> Result<[f64; 3]> {
    let server = bench.server.process.pid();
    let proxy_cpu = || at.pid().map_or(Ok(Cpu::default()), Cpu::of);
    let before = (proxy_cpu()?, Cpu::of(server)?);
    let time = Duration::from_secs(seconds.into());
    let count = runtime()?.block_on(set_up(at.port, tasks, time))?;
    let after = (proxy_cpu()?, Cpu::of(server)?);
    let count = count as f64;
    Ok([
        count / time.as_secs_f64(),
        after.0.since(before.0).total_us / count,
        after.1.since(before.1).total_us / count,
    ])
}
