//! One run of sysbench, and what it said.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::contender::Running;
use crate::process::{Cpu, machine_busy_us};
use crate::server::{PASSWORD, ROWS, SCHEMA, TABLES, USER};

/// What to run.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Load {
    pub(crate) workload: String,
    pub(crate) ps_mode: String,
    pub(crate) threads: u32,
    pub(crate) seconds: u32,
}

/// What came of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Outcome {
    pub(crate) queries_per_s: f64,
    pub(crate) p95_ms: f64,
    pub(crate) p99_ms: f64,
    /// Processor time of the proxy per query; zero without one.
    pub(crate) proxy_us: f64,
    pub(crate) proxy_user_us: f64,
    pub(crate) server_us: f64,
    /// What the machine did besides, in parts of its capacity.
    pub(crate) other: f64,
}

fn command(port: u16, workload: &str) -> Command {
    let mut command = Command::new("sysbench");
    command
        .arg(workload)
        .args(["--db-driver=mysql", "--mysql-host=127.0.0.1", TABLES, ROWS])
        .arg(format!("--mysql-port={port}"))
        .arg(format!("--mysql-user={USER}"))
        .arg(format!("--mysql-password={PASSWORD}"))
        .arg(format!("--mysql-db={SCHEMA}"));
    command
}

/// Makes the tables.
pub(crate) fn prepare(port: u16) -> Result<()> {
    let made = command(port, "oltp_read_write").arg("prepare").output()?;
    if !made.status.success() {
        bail!(
            "sysbench could not make its tables:\n{}",
            String::from_utf8_lossy(&made.stdout)
        );
    }
    Ok(())
}

/// Runs the load against the contender.
pub(crate) fn run(load: &Load, at: &Running, server: u32) -> Result<Outcome> {
    let mut command = command(at.port, &load.workload);
    command
        .arg(format!("--db-ps-mode={}", load.ps_mode))
        .arg(format!("--threads={}", load.threads))
        .arg(format!("--time={}", load.seconds))
        .args(["--histogram=on", "--mysql-ignore-errors=1213,1020", "run"]);
    let own = std::process::id();
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot run sysbench")?;
    let mut output = BufReader::new(child.stdout.take().context("it was piped")?);
    let mut text = String::new();
    // What comes before is connecting and preparing.
    while !text.contains("Threads started!") && output.read_line(&mut text)? > 0 {}
    let proxy_cpu = || at.pid().map_or(Ok(Cpu::default()), Cpu::of);
    let before = (proxy_cpu()?, Cpu::of(server)?, machine_busy_us()?);
    let clients = Cpu::of(child.id())?.total_us + Cpu::of(own)?.total_us;
    output.read_to_string(&mut text)?;
    let after = (proxy_cpu()?, Cpu::of(server)?, machine_busy_us()?);
    let clients = Cpu::of(child.id()).map_or(0.0, |cpu| cpu.total_us) - clients;
    if !child.wait()?.success() {
        bail!("sysbench failed at {}:\n{text}", at.name);
    }
    let queries = number_after(&text, "queries:").context("sysbench named no queries")?;
    let seconds = number_after(&text, "total time:").context("sysbench named no time")?;
    let (proxy, server) = (after.0.since(before.0), after.1.since(before.1));
    let own_us = proxy.total_us + server.total_us + clients.max(0.0);
    let capacity = seconds * 1e6 * std::thread::available_parallelism()?.get() as f64;
    let percentile = percentiles(&text);
    Ok(Outcome {
        queries_per_s: queries / seconds,
        p95_ms: percentile(0.95),
        p99_ms: percentile(0.99),
        proxy_us: proxy.total_us / queries,
        proxy_user_us: proxy.user_us / queries,
        server_us: server.total_us / queries,
        other: ((after.2 - before.2 - own_us) / capacity).max(0.0),
    })
}

/// The number behind a label: `queries:   12345  (4115.00 per sec.)`.
fn number_after(text: &str, label: &str) -> Option<f64> {
    let (_, rest) = text.split_once(label)?;
    let word = rest.split_whitespace().next()?;
    word.trim_end_matches('s').parse().ok()
}

/// The percentiles of the histogram, whose lines are `value |***  count`.
fn percentiles(text: &str) -> impl Fn(f64) -> f64 {
    let line = |line: &str| -> Option<(f64, f64)> {
        let (value, rest) = line.split_once('|')?;
        let count = rest.split_whitespace().last()?;
        Some((value.trim().parse().ok()?, count.parse().ok()?))
    };
    let buckets: Vec<(f64, f64)> = text.lines().filter_map(line).collect();
    let all: f64 = buckets.iter().map(|(_, count)| count).sum();
    move |part| {
        let mut seen = 0.0;
        for (value, count) in &buckets {
            seen += count;
            if seen >= all * part {
                return *value;
            }
        }
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTPUT: &str = "\
Latency histogram (values are in milliseconds)
       value  ------------- distribution ------------- count
       0.035 |*                                        10
       0.040 |**************************************** 85
       1.500 |                                         5

    queries performed:
        total:                           100
    queries:                             100    (33.33 per sec.)
    total time:                          3.0002s
";

    #[test]
    fn what_sysbench_prints_is_read() {
        assert_eq!(number_after(OUTPUT, "queries:"), Some(100.0));
        assert_eq!(number_after(OUTPUT, "total time:"), Some(3.0002));
        let percentile = percentiles(OUTPUT);
        assert_eq!(percentile(0.95).to_bits(), 0.04_f64.to_bits());
        assert_eq!(percentile(0.99).to_bits(), 1.5_f64.to_bits());
    }
}
