//! Runs the catalogue of faults against real servers: `make e2e-failover`. Needs root.
//!
//! ```text
//! e2e-failover [mariadb] [mysql] [NAME...]   these families and faults; all without any
//! e2e-failover list                          the faults
//! ```
//! It prints a table, and fails if anything did not hold.
#![expect(clippy::print_stdout, reason = "its output is what it is run for")]

use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

use mainstay_e2e::Family;
use mainstay_e2e::faults::{Fault, Outcome, Series, catalogue, table};

/// Somebody wants it to end: after the present fault, so that nothing stays behind.
static ENOUGH: AtomicBool = AtomicBool::new(false);

fn main() -> ExitCode {
    let mut names: Vec<String> = std::env::args().skip(1).collect();
    if names == ["list"] {
        for fault in catalogue() {
            println!("{:>3} {}", fault.number, fault.name);
        }
        return ExitCode::SUCCESS;
    }
    let mut families = vec![Family::MariaDb, Family::MySql];
    if families
        .iter()
        .any(|one| names.iter().any(|name| name == one.flavor()))
    {
        families.retain(|one| names.iter().any(|name| name == one.flavor()));
    }
    names.retain(|name| !["mariadb", "mysql"].contains(&name.as_str()));
    let mut faults = catalogue();
    if let Some(unknown) = names
        .iter()
        .find(|name| !faults.iter().any(|one| one.name == **name))
    {
        eprintln!("there is no fault {unknown}; `e2e-failover list` shows them");
        return ExitCode::FAILURE;
    }
    faults.retain(|fault| names.is_empty() || names.iter().any(|name| name == fault.name));
    std::thread::spawn(wait_for_interrupt);
    let mut outcomes = Vec::new();
    for family in families {
        outcomes.extend(run(family, &faults));
    }
    print!("{}", table(&outcomes));
    let enough = ENOUGH.load(Ordering::Relaxed);
    if outcomes.iter().all(|one| one.wrong.is_empty()) && !enough {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// A cluster that has failed is replaced by a new one.
fn run(family: Family, faults: &[Fault]) -> Vec<Outcome> {
    let mut outcomes = Vec::new();
    let mut series: Option<Series> = None;
    for fault in faults {
        if ENOUGH.load(Ordering::Relaxed) {
            break;
        }
        let mut cluster = series.take().unwrap_or_else(|| Series::start(family));
        let outcome = cluster.run(fault);
        eprint!("{}", table(std::slice::from_ref(&outcome)));
        if outcome.wrong.is_empty() {
            series = Some(cluster);
        } else {
            eprintln!("logs: {}", cluster.give_up().display());
        }
        outcomes.push(outcome);
    }
    outcomes
}

fn wait_for_interrupt() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime can be made");
    // Without it, an interrupt ends the program at once, as it always did.
    if runtime.block_on(tokio::signal::ctrl_c()).is_ok() {
        eprintln!("this ends after the present fault");
        ENOUGH.store(true, Ordering::Relaxed);
    }
}
