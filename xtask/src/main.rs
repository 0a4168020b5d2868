//! The keeper of the house rules: `cargo run -p xtask -- tidy` checks them, `-- docs` rewrites the
//! generated parts of documents.
//!
//! Every rule is a function from text to violations, in a file of its own; `tidy.rs` runs them all
//! and shows everything that is wrong at once. What the compiler, clippy or rustfmt can check is
//! left to them.

use std::io::{Write, stdout};
use std::path::Path;
use std::process::ExitCode;

use anyhow::bail;

mod arrows;
mod decisions;
mod diagrams;
mod headers;
mod rust_text;
mod sizes;
mod source;
mod strays;
mod tidy;
mod violation;
mod words;

const USAGE: &str = "\
Usage: cargo run -p xtask -- COMMAND

  tidy   check the rules that no compiler checks; exit 1 if one is broken
  docs   rewrite the generated parts of the documents";

fn main() -> anyhow::Result<ExitCode> {
    let root = source::workspace_root();
    let mut arguments = std::env::args().skip(1);
    match (arguments.next().as_deref(), arguments.next()) {
        (Some("tidy"), None) => tidy_command(&root),
        (Some("docs"), None) => {
            for path in diagrams::rewrite(&root, diagrams::DIAGRAMS)? {
                writeln!(stdout(), "{path}: rewritten")?;
            }
            Ok(ExitCode::SUCCESS)
        }
        (Some("help" | "--help" | "-h"), None) => {
            writeln!(stdout(), "{USAGE}")?;
            Ok(ExitCode::SUCCESS)
        }
        _ => bail!("one command is expected\n\n{USAGE}"),
    }
}

fn tidy_command(root: &Path) -> anyhow::Result<ExitCode> {
    let violations = tidy::check(root)?;
    for violation in &violations {
        writeln!(stdout(), "{violation}")?;
    }
    if violations.is_empty() {
        writeln!(stdout(), "tidy: the house is in order")?;
        return Ok(ExitCode::SUCCESS);
    }
    writeln!(stdout(), "tidy: {} to mend", violations.len())?;
    Ok(ExitCode::FAILURE)
}
