//! `mainstay-sim`: lives many seeds, or tells the story of one.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use clap::{Parser, ValueEnum};
use mainstay_failover::bugs::{Bug, Bugs};
use mainstay_sim::{Options, Scenario, Summary, Totals, simulate};
use mainstay_topology::Family;

/// Simulates the lives of clusters over the real core machines, one seed each.
///
/// Example: mainstay-sim --schedules 20000
#[derive(Debug, Parser)]
struct Arguments {
    /// How many seeds to live.
    #[arg(long, default_value_t = 1000)]
    schedules: u64,
    /// One seed; with --schedules, the first of them.
    #[arg(long)]
    seed: Option<u64>,
    /// Servers of each cluster.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(2..=9))]
    servers: u8,
    /// The servers' family; `both` takes them in turn by seed.
    #[arg(long, value_enum, default_value_t = Families::Both)]
    family: Families,
    /// A known bug to put back: the simulator must catch it.
    #[arg(long, value_parser = bug)]
    bug: Option<Bug>,
    /// Scenario files to live instead of seeds.
    #[arg(long, num_args = 1.., value_name = "FILE")]
    scenario: Vec<PathBuf>,
    /// How many seeds are lived at the same time; one for each processor if it is not given.
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    jobs: Option<u16>,
    /// Print the story of every seed.
    #[arg(long)]
    verbose: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Families {
    Mysql,
    Mariadb,
    Both,
}

impl Arguments {
    fn options(&self, seed: u64, verbose: bool) -> Options {
        Options {
            seed,
            servers: usize::from(self.servers),
            family: match self.family {
                Families::Mysql => Family::Mysql,
                Families::Both if seed.is_multiple_of(2) => Family::Mysql,
                Families::Mariadb | Families::Both => Family::Mariadb,
            },
            bugs: self.bug.map(Bugs::only).unwrap_or_default(),
            verbose,
            scenario: None,
            at_step: None,
        }
    }

    /// The command that lives a seed again.
    fn replay(&self, seed: u64) -> String {
        let mut command = format!("cargo run --release -p mainstay-sim -- --seed {seed} --verbose");
        if self.servers != 3 {
            command += &format!(" --servers {}", self.servers);
        }
        if let Some(family) = self.family.to_possible_value()
            && self.family != Families::Both
        {
            command += &format!(" --family {}", family.get_name());
        }
        if let Some(bug) = self.bug {
            command += &format!(" --bug {bug:?}");
        }
        command
    }
}

/// A bug by its name.
fn bug(name: &str) -> Result<Bug, String> {
    let mut all = Bug::ALL.into_iter();
    let names = || Bug::ALL.map(|bug| format!("{bug:?}")).join(", ");
    all.find(|bug| format!("{bug:?}").eq_ignore_ascii_case(&name.replace('-', "")))
        .ok_or_else(|| format!("it is one of {}", names()))
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if !arguments.scenario.is_empty() {
        return play(&arguments);
    }
    let first = arguments.seed.unwrap_or(1);
    let single = arguments.seed.is_some() && !std::env::args().any(|one| one.contains("schedules"));
    let count = if single { 1 } else { arguments.schedules };
    let begun = Instant::now();
    let next = AtomicU64::new(first);
    let totals = Mutex::new(Totals::default());
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = arguments.jobs.map_or(processors, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads.min(count as usize) {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= first + count {
                        return;
                    }
                    let summary = simulate(arguments.options(seed, arguments.verbose));
                    let mut totals = totals.lock().expect("no thread panics with the lock");
                    if arguments.verbose {
                        print(&summary.trace);
                    }
                    totals.add(summary);
                }
            });
        }
    });
    let totals = totals.into_inner().expect("no thread panics with the lock");
    report(&arguments, &totals, begun)
}

/// Lives scenarios; the story of one that does not hold is printed.
fn play(arguments: &Arguments) -> ExitCode {
    let mut failed = 0;
    for path in &arguments.scenario {
        let bugs = arguments.bug.map(Bugs::only).unwrap_or_default();
        let text = std::fs::read_to_string(path).map_err(|error| error.to_string());
        let scenario = text.and_then(|text| Scenario::read(&text));
        let result = match scenario.map(|scenario| scenario.play(bugs)) {
            Err(error) => format!("cannot be read: {error}"),
            Ok(Ok(lives)) => {
                print(&[format!("{}: holds in {lives} lives", path.display())]);
                continue;
            }
            Ok(Err((life, summary))) => {
                if arguments.verbose {
                    print(&summary.trace);
                }
                let violation = summary.violation.map(|one| one.to_string());
                format!("{life}: {}", violation.unwrap_or_default())
            }
        };
        failed += 1;
        print(&[format!("{}: {result}", path.display())]);
    }
    ExitCode::from(u8::from(failed > 0))
}

fn report(arguments: &Arguments, totals: &Totals, begun: Instant) -> ExitCode {
    let mut lines = vec![totals.to_string()];
    lines.push(format!("took {:.1} s", begun.elapsed().as_secs_f64()));
    if let Some(failed) = totals.failed.first() {
        if !arguments.verbose {
            let again: Summary = simulate(arguments.options(failed.0, true));
            print(&again.trace);
        }
        for (seed, violation) in totals.failed.iter().take(10) {
            lines.push(format!("seed {seed}: {violation}"));
            lines.push(format!("  replay: {}", arguments.replay(*seed)));
        }
        lines.push(format!(
            "{} of {} seeds failed",
            totals.failed.len(),
            totals.seeds
        ));
    }
    print(&lines);
    ExitCode::from(u8::from(!totals.failed.is_empty()))
}

fn print(lines: &[String]) {
    let mut out = std::io::stdout().lock();
    for line in lines {
        // Nobody reads any more: nothing to be done about it.
        let _ = writeln!(out, "{line}");
    }
}
