//! All rules over the whole house.

use std::path::Path;

use anyhow::Context;

use crate::violation::Violation;
use crate::{arrows, decisions, diagrams, headers, sizes, source, strays, words};

/// Every broken rule, in the order of the files.
pub(crate) fn check(root: &Path) -> anyhow::Result<Vec<Violation>> {
    let files = source::read_all(root).with_context(|| format!("reading {}", root.display()))?;
    let mut violations = arrows::check_workspace(root)?;
    violations.extend(decisions::check(&files));
    violations.extend(diagrams::check(&files, diagrams::DIAGRAMS));
    for rule in [sizes::check, headers::check, strays::check, words::check] {
        violations.extend(files.iter().flat_map(rule));
    }
    violations.sort();
    violations.dedup();
    Ok(violations)
}

#[test]
fn the_house_is_tidy() {
    let violations = check(&source::workspace_root()).expect("the house can be read");
    let list: Vec<_> = violations.iter().map(ToString::to_string).collect();
    assert!(
        list.is_empty(),
        "{} to mend:\n{}",
        list.len(),
        list.join("\n")
    );
}
