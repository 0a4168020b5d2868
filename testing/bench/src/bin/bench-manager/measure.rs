//! The process of the managers: what it has used while nothing happened, and how long it takes to
//! begin a failover.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use mainstay_bench::process::{Cpu, machine_busy_us, resident_kib};
use mainstay_bench::report::median;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::sleep;

use crate::fleet::CLUSTER_SIZE;
use crate::managers::Manager;
use crate::servers::Servers;

/// Between the last cluster's first quiet moment and the first figure.
const SETTLING: Duration = Duration::from_secs(5);

/// How often processor time is measured.
const WINDOWS: usize = 3;

/// The figures of one fleet.
pub(crate) struct Measured {
    looks_per_s: f64,
    cpu_percent: f64,
    other_percent: f64,
    resident_kib: f64,
    /// Before the first manager was started.
    empty_kib: f64,
    threads: f64,
    latencies_ms: Vec<f64>,
}

/// What was used in one stretch of time.
struct Window {
    looks_per_s: f64,
    cpu_percent: f64,
    other_percent: f64,
}

/// Runs the managers of so many clusters, measures, and ends them.
pub(crate) fn measure(clusters: usize, seconds: u64, deaths: usize) -> Result<Measured> {
    let servers = Servers::start(clusters)?;
    // As many threads as `mainstay serve` gives to all but the sessions of clients.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let folder = tempfile::Builder::new()
        .prefix("bench-manager-")
        .tempdir()?;
    let mut bench = Bench {
        servers,
        folder,
        managers: Vec::new(),
    };
    runtime.block_on(bench.run(clusters, Duration::from_secs(seconds), deaths))
}

struct Bench {
    servers: Servers,
    folder: TempDir,
    managers: Vec<Manager>,
}

impl Bench {
    async fn run(&mut self, clusters: usize, long: Duration, deaths: usize) -> Result<Measured> {
        let empty_kib = resident_kib(std::process::id())?;
        for cluster in 0..clusters {
            let manager = Manager::start(cluster, self.folder.path())?;
            self.managers.push(manager);
        }
        for manager in &self.managers {
            manager.settle().await?;
        }
        sleep(SETTLING).await;
        let mut windows = Vec::new();
        for _ in 0..WINDOWS {
            windows.push(self.window(long).await?);
        }
        let (resident_kib, threads) = (resident_kib(std::process::id())?, threads()?);
        let mut latencies_ms = Vec::new();
        for death in 0..deaths {
            latencies_ms.push(
                self.kill(death * clusters.div_ceil(deaths) % clusters)
                    .await?,
            );
        }
        for manager in &self.managers {
            manager.stop().await;
        }
        let of = |figure: fn(&Window) -> f64| median(windows.iter().map(figure));
        Ok(Measured {
            looks_per_s: of(|window| window.looks_per_s),
            cpu_percent: of(|window| window.cpu_percent),
            other_percent: of(|window| window.other_percent),
            resident_kib,
            empty_kib,
            threads,
            latencies_ms,
        })
    }

    async fn window(&mut self, long: Duration) -> Result<Window> {
        let ours = |servers: &Servers| -> Result<(f64, f64)> {
            let own = Cpu::of(std::process::id())?.total_us;
            Ok((own, own + Cpu::of(servers.pid())?.total_us))
        };
        let (own, all) = ours(&self.servers)?;
        let (looks, busy, began) = (self.servers.looks()?, machine_busy_us()?, Instant::now());
        sleep(long).await;
        let us = began.elapsed().as_secs_f64() * 1e6;
        let (own_then, all_then) = ours(&self.servers)?;
        let others_us = (machine_busy_us()? - busy) - (all_then - all);
        Ok(Window {
            looks_per_s: (self.servers.looks()? - looks) / us * 1e6,
            cpu_percent: (own_then - own) / us * 100.0,
            other_percent: (others_us / us * 100.0).max(0.0),
        })
    }

    /// Ends a primary; how long it took to begin the failover, in ms. Then all is as before, under
    /// a new manager: what the plan does to servers that play only is not looked at.
    async fn kill(&mut self, cluster: usize) -> Result<f64> {
        let began = Instant::now();
        self.servers.kill(cluster)?;
        self.managers[cluster].fails_over().await?;
        let took = began.elapsed();
        self.managers[cluster].stop().await;
        self.servers.revive(cluster)?;
        self.managers[cluster] = Manager::start(cluster, self.folder.path())?;
        self.managers[cluster].settle().await?;
        Ok(took.as_secs_f64() * 1e3)
    }
}

/// Threads of this process (`proc_pid_task(5)`).
fn threads() -> Result<f64> {
    Ok(std::fs::read_dir("/proc/self/task")?.count() as f64)
}

impl Measured {
    /// The row of the table of costs.
    pub(crate) fn cost(&self, clusters: usize) -> Vec<String> {
        let servers = (clusters * CLUSTER_SIZE) as f64;
        let more_kib = self.resident_kib - self.empty_kib;
        vec![
            format!("{servers}"),
            clusters.to_string(),
            format!("{:.0}", self.looks_per_s),
            format!("{:.1}", self.cpu_percent),
            format!("{:.0}", self.cpu_percent * 1e4 / self.looks_per_s),
            format!("{:.1}", self.resident_kib / 1024.0),
            format!("{:.0}", more_kib / servers),
            format!("{}", self.threads),
            format!("{:.0}", self.other_percent),
        ]
    }

    /// The row of the table of latencies.
    pub(crate) fn latency(&self, clusters: usize) -> Vec<String> {
        let all = || self.latencies_ms.iter().copied();
        vec![
            (clusters * CLUSTER_SIZE).to_string(),
            self.latencies_ms.len().to_string(),
            format!("{:.1}", median(all())),
            format!("{:.1}", all().fold(f64::INFINITY, f64::min)),
            format!("{:.1}", all().fold(0.0, f64::max)),
        ]
    }

    /// For [`Self::read`], in another process.
    pub(crate) fn json(&self) -> Value {
        json!({
            "looks_per_s": self.looks_per_s,
            "cpu_percent": self.cpu_percent,
            "other_percent": self.other_percent,
            "resident_kib": self.resident_kib,
            "empty_kib": self.empty_kib,
            "threads": self.threads,
            "latencies_ms": self.latencies_ms,
        })
    }

    pub(crate) fn read(json: &Value) -> Result<Self> {
        let figure = |name: &str| json[name].as_f64().with_context(|| format!("no {name}"));
        let latencies = json["latencies_ms"].as_array().context("no latencies_ms")?;
        Ok(Self {
            looks_per_s: figure("looks_per_s")?,
            cpu_percent: figure("cpu_percent")?,
            other_percent: figure("other_percent")?,
            resident_kib: figure("resident_kib")?,
            empty_kib: figure("empty_kib")?,
            threads: figure("threads")?,
            latencies_ms: latencies.iter().filter_map(Value::as_f64).collect(),
        })
    }
}
