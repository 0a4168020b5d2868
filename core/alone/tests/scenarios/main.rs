//! Decisions by example: the files in `scenarios/` tell what probes see, and after each `show` what
//! was decided. `UPDATE_EXPECT=1` writes the decisions anew.

mod laws;
mod script;

use std::path::Path;

#[test]
fn every_scenario_ends_as_it_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let update = std::env::var_os("UPDATE_EXPECT").is_some();
    let mut paths: Vec<_> = std::fs::read_dir(&folder)
        .expect("the folder of scenarios")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.sort();
    assert!(!paths.is_empty());
    let mut wrong = Vec::new();
    for path in paths {
        let text = std::fs::read_to_string(&path).expect("a scenario");
        let played = script::play(&text);
        if update {
            std::fs::write(&path, &played).expect("the scenario is written");
        } else if played != text {
            wrong.push(format!("{}:\n{played}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
