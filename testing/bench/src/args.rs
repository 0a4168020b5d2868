//! What to measure, and how long.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};

/// Measures what the proxy costs, side by side with HAProxy and with no proxy at all.
///
/// It starts a MariaDB, HAProxy and `mainstay serve` of its own on free ports, and stops them at
/// the end. Numbers of one run are only good against each other.
#[derive(Debug, Parser)]
#[command(name = "mainstay-bench")]
pub(crate) struct Args {
    /// Parts to run; all when none is named.
    #[arg(value_enum)]
    pub(crate) parts: Vec<Part>,
    /// A few short runs: shows that everything works, and says little.
    #[arg(long)]
    pub(crate) quick: bool,
    /// Only these contenders, by name: direct, haproxy, mainstay-epoll, mainstay-io_uring.
    #[arg(long, value_delimiter = ',')]
    pub(crate) only: Vec<String>,
    /// Workloads of sysbench.
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "oltp_point_select,oltp_read_only,oltp_read_write,oltp_write_only"
    )]
    pub(crate) workloads: Vec<String>,
    /// Prepared statements (auto: the binary protocol) or text (disable).
    #[arg(long, value_delimiter = ',', default_value = "auto,disable")]
    pub(crate) ps_modes: Vec<String>,
    /// Client threads of sysbench.
    #[arg(long, value_delimiter = ',', default_value = "1,16,64,256")]
    pub(crate) threads: Vec<u32>,
    /// Seconds of one run.
    #[arg(long, default_value_t = 4)]
    pub(crate) seconds: u32,
    /// How often each run is repeated; contenders take turns, and the median counts.
    #[arg(long, default_value_t = 3)]
    pub(crate) repetitions: u32,
    /// Numbers of idle sessions.
    #[arg(long, value_delimiter = ',', default_value = "0,100,1000,5000,10000")]
    pub(crate) idle: Vec<usize>,
    /// Minutes of steady load in the part `growth`.
    #[arg(long, default_value_t = 10)]
    pub(crate) minutes: u32,
    /// Another binary of Mainstay, measured as one more contender: `--baseline PATH`.
    #[arg(long, value_name = "PATH")]
    pub(crate) baseline: Option<PathBuf>,
    /// The binary of Mainstay.
    #[arg(long, env = "MAINSTAY_BIN", default_value = "target/release/mainstay")]
    pub(crate) mainstay: PathBuf,
    /// Where the report goes: NAME.json and NAME.md.
    #[arg(long, default_value = "target/bench-proxy")]
    pub(crate) report: PathBuf,
}

/// The parts of the bench.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// Throughput, latency and processor time per query under sysbench.
    Queries,
    /// Connection set-ups per second.
    Connections,
    /// Memory with idle sessions.
    Memory,
    /// What the cost of a query should not depend on.
    Flatness,
    /// Memory over minutes of steady load.
    Growth,
}

impl Args {
    /// The arguments with what `--quick` shortens.
    pub(crate) fn shortened(mut self) -> Self {
        if self.quick {
            self.workloads.truncate(1);
            self.threads = vec![1, 16];
            self.seconds = 2;
            self.repetitions = 1;
            self.idle = vec![0, 100, 1000];
            self.minutes = 1;
        }
        self
    }

    pub(crate) fn runs(&self, part: Part) -> bool {
        self.parts.is_empty() || self.parts.contains(&part)
    }
}
