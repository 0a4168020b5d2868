//! Runs the catalogue of faults against real servers: `make e2e-failover`. Needs root.
//!
//! ```text
//! e2e-failover [mariadb] [mysql] [NAME...]   these families and faults; all without any
//! e2e-failover list                          the faults
//! ```
//! It prints a table, and fails if anything did not hold.
#![expect(clippy::print_stdout, reason = "its output is what it is run for")]

use std::process::ExitCode;

use mainstay_e2e::Family;
use mainstay_e2e::faults::{Fault, Outcome, Series, catalogue, table};

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
    let mut outcomes = Vec::new();
    for family in families {
        outcomes.extend(run(family, &faults));
    }
    print!("{}", table(&outcomes));
    if outcomes.iter().all(|one| one.wrong.is_empty()) {
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
