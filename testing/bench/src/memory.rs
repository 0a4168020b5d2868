//! The parts `memory` and `growth`: what idle sessions keep, and what minutes of load add.

use anyhow::Result;

use crate::Bench;
use crate::args::Args;
use crate::contender::{Contender, Kind};
use crate::process::resident_kib;
use crate::report::{Table, say};
use crate::sessions::{open, runtime};
use crate::sysbench::{Load, run};

/// Seconds between two looks at the memory under load.
const LOOK_S: u32 = 10;

/// Adds a table of resident memory by number of idle sessions.
pub(crate) fn measure(bench: &mut Bench, args: &Args) -> Result<()> {
    let columns = [
        "contender",
        "idle sessions",
        "RSS MiB",
        "KiB per idle session",
    ];
    let mut table = Table::new("Memory", &columns);
    let proxies = |one: &&Contender| one.kind != Kind::Direct;
    for contender in bench.contenders.iter().filter(proxies) {
        let running = bench.start(contender, "")?;
        let Some(pid) = running.pid() else { continue };
        let runtime = runtime()?;
        let mut sessions = Vec::new();
        let empty = resident_kib(pid)?;
        for &wanted in &args.idle {
            if let Err(error) = runtime.block_on(open(running.port, &mut sessions, wanted)) {
                say(&format!(
                    "{}: not {wanted} sessions: {error:#}",
                    contender.name
                ));
                break;
            }
            let now = resident_kib(pid)?;
            let each = match wanted {
                0 => String::new(),
                wanted => format!("{:.2}", (now - empty) / wanted as f64),
            };
            let resident = format!("{:.1}", now / 1024.0);
            table.row(vec![
                contender.name.to_owned(),
                wanted.to_string(),
                resident,
                each,
            ]);
        }
        // Connections leave within their runtime.
        runtime.block_on(async { drop(sessions) });
    }
    bench.report.add(table);
    Ok(())
}

/// Adds a table of resident memory over minutes of the same load.
pub(crate) fn growth(bench: &mut Bench, args: &Args) -> Result<()> {
    let columns = ["contender", "after s", "RSS MiB"];
    let mut table = Table::new(
        "Memory under steady load (oltp_read_write, 16 clients)",
        &columns,
    );
    let mainstays = |one: &&Contender| matches!(one.kind, Kind::Mainstay { .. });
    for contender in bench.contenders.iter().filter(mainstays) {
        let running = bench.start(contender, "")?;
        let Some(pid) = running.pid() else { continue };
        let load = Load {
            workload: "oltp_read_write".to_owned(),
            ps_mode: "auto".to_owned(),
            threads: 16,
            seconds: LOOK_S,
        };
        for look in 0..=args.minutes * 60 / LOOK_S {
            if look > 0 {
                run(&load, &running, bench.server.process.pid())?;
            }
            let resident = format!("{:.2}", resident_kib(pid)? / 1024.0);
            say(&format!(
                "{} after {} s: {resident} MiB",
                contender.name,
                look * LOOK_S
            ));
            table.row(vec![
                contender.name.to_owned(),
                (look * LOOK_S).to_string(),
                resident,
            ]);
        }
    }
    bench.report.add(table);
    Ok(())
}
