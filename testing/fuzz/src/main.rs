//! `mainstay-fuzz`: changes the kept inputs at random for some seconds, target by target. An input
//! that breaks a target is kept and named; the tests run it from then on.

use std::io::Write;
use std::panic::catch_unwind;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use clap::Parser;
use mainstay_fuzz::mutate::Mutator;
use mainstay_fuzz::{TARGETS, Target, corpus, named};

/// Runs fuzz targets on inputs changed at random.
#[derive(Debug, Parser)]
struct Arguments {
    /// Which targets [default: all].
    targets: Vec<String>,
    /// How long each runs.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Where the changes begin; a failure names it.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    let mut targets = Vec::new();
    for name in &arguments.targets {
        match named(name) {
            Some(target) => targets.push(target),
            None => bail!("there is no target {name}"),
        }
    }
    if targets.is_empty() {
        targets = TARGETS.to_vec();
    }
    let mut sound = true;
    for target in targets {
        sound &= fuzz(target, &arguments)?;
    }
    Ok(if sound {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// False when an input broke the target.
fn fuzz(target: Target, arguments: &Arguments) -> Result<bool> {
    let inputs = corpus::inputs(target)?.into_iter().map(|(_, data)| data);
    let inputs: Vec<Vec<u8>> = inputs.collect();
    let mut mutator = Mutator::new(arguments.seed);
    let end = Instant::now() + Duration::from_secs(arguments.seconds);
    let mut runs = 0_u64;
    while Instant::now() < end {
        for _ in 0..100 {
            let data = mutator.input(&inputs);
            runs += 1;
            if catch_unwind(|| (target.run)(&data)).is_err() {
                let path = corpus::keep(target, &data)?;
                let (name, seed) = (target.name, arguments.seed);
                let mut out = std::io::stdout();
                writeln!(
                    out,
                    "{name}: broken by {} (seed {seed}, run {runs})",
                    path.display()
                )?;
                writeln!(out, "replay: cargo test -p mainstay-fuzz")?;
                return Ok(false);
            }
        }
    }
    writeln!(std::io::stdout(), "{}: {runs} inputs", target.name)?;
    Ok(true)
}
