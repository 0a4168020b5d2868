//! Plays every file of `scenarios/` against the machine and compares what it does with what the
//! file expects. `UPDATE_EXPECT=1` rewrites the expectations.

mod deaths;
mod player;
mod print;
mod script;
mod world;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use player::play;

const DIVIDER: &str = "=====\n";

#[test]
fn every_scenario_goes_as_expected() {
    let files = files();
    assert!(
        files.len() >= 25,
        "only {} scenarios were found",
        files.len()
    );
    let update = updates();
    let mut wrong = String::new();
    for file in files {
        let text = std::fs::read_to_string(&file).expect("a readable scenario");
        let (script, expected) = text.split_once(DIVIDER).unwrap_or((&text, ""));
        let found = play(script).unwrap_or_else(|error| format!("error: {error}\n"));
        if found == expected {
            continue;
        }
        if update {
            std::fs::write(&file, format!("{script}{DIVIDER}{found}")).expect("a writable file");
        } else {
            let name = file
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            let _ = write!(
                wrong,
                "\n--- {name}: expected\n{expected}--- found\n{found}"
            );
        }
    }
    assert!(
        wrong.is_empty(),
        "run with UPDATE_EXPECT=1 if this is right:{wrong}"
    );
}

fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let entries = std::fs::read_dir(folder).expect("the folder of scenarios");
    let mut files: Vec<PathBuf> = entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "txt"))
        .collect();
    files.sort();
    files
}

#[allow(
    clippy::disallowed_methods,
    reason = "a test may be told to rewrite its expectations"
)]
fn updates() -> bool {
    std::env::var("UPDATE_EXPECT").is_ok_and(|value| value == "1")
}
