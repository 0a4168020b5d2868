//! Which crate may use which: what the manifests list against the table of the architecture.

use std::path::Path;

use anyhow::Context;
use cargo_metadata::{DependencyKind, MetadataCommand};

use crate::violation::Violation;

mod table;

use table::{CORE, CORE_LIBRARIES, CORE_TEST_LIBRARIES, OPEN_TO_CORE, OPEN_TO_SHELL, SHELL};

/// One dependency as a manifest lists it; folders stand for crates of this workspace.
#[derive(Debug)]
struct Arrow {
    from: String,
    to: Target,
    for_tests: bool,
}

#[derive(Debug)]
enum Target {
    Crate(String),
    Library(String),
}

/// Checks every crate of the workspace at `root`.
pub(crate) fn check_workspace(root: &Path) -> anyhow::Result<Vec<Violation>> {
    let metadata = MetadataCommand::new()
        .manifest_path(root.join("Cargo.toml"))
        .no_deps()
        .other_options(["--offline".to_owned()])
        .exec()
        .context("asking `cargo metadata` for the crates")?;
    let folder_of = |path: &Path| {
        let folder = path.strip_prefix(&metadata.workspace_root).unwrap_or(path);
        folder.to_string_lossy().replace('\\', "/")
    };
    let mut found = Vec::new();
    for package in &metadata.packages {
        let manifest = package.manifest_path.as_std_path();
        let from = folder_of(manifest.parent().unwrap_or(manifest));
        let text = std::fs::read_to_string(manifest).context(manifest.display().to_string())?;
        found.extend(check_known(&from));
        for dependency in &package.dependencies {
            let to = match &dependency.path {
                Some(path) => Target::Crate(folder_of(path.as_std_path())),
                None => Target::Library(dependency.name.clone()),
            };
            let for_tests = dependency.kind == DependencyKind::Development;
            let violation = check(&Arrow {
                from: from.clone(),
                to,
                for_tests,
            });
            found.extend(violation.map(|violation| Violation {
                line: line_of(&text, &dependency.name, for_tests),
                ..violation
            }));
        }
    }
    Ok(found)
}

/// A crate that the table does not know has no arrows, so its manifest would pass unread.
fn check_known(folder: &str) -> Option<Violation> {
    let known = match folder.split_once('/') {
        Some(("core", name)) => CORE.iter().any(|(known, _)| *known == name),
        Some(("shell", name)) => SHELL.iter().any(|(known, _)| *known == name),
        Some(("bin" | "testing", _)) => true,
        Some(_) | None => folder == "xtask",
    };
    (!known).then(|| {
        violation(
            folder,
            "a crate that the architecture does not know".to_owned(),
        )
    })
}

fn check(arrow: &Arrow) -> Option<Violation> {
    let allowed = match &arrow.to {
        Target::Crate(to) => may_use(&arrow.from, to, arrow.for_tests),
        Target::Library(name) => may_list(&arrow.from, name, arrow.for_tests),
    };
    let what = match &arrow.to {
        Target::Crate(to) => format!("{} uses {to}", arrow.from),
        Target::Library(name) => format!("{} lists `{name}`", arrow.from),
    };
    (!allowed).then(|| violation(&arrow.from, what))
}

fn may_use(from: &str, to: &str, for_tests: bool) -> bool {
    let (from_layer, from_name) = from.split_once('/').unwrap_or((from, ""));
    let (to_layer, to_name) = to.split_once('/').unwrap_or((to, ""));
    let listed = |table: &[(&str, &[&str])]| {
        table
            .iter()
            .any(|(name, uses)| *name == from_name && uses.contains(&to_name))
    };
    match (from_layer, to_layer) {
        ("core", "core") => OPEN_TO_CORE.contains(&to_name) || listed(CORE),
        ("shell" | "xtask", "core")
        | ("bin", "core" | "shell")
        | ("testing", "core" | "shell" | "testing") => true,
        ("shell", "shell") => OPEN_TO_SHELL.contains(&to_name) || listed(SHELL),
        // Whoever is tested may use the tools of testing; the product itself may not.
        ("shell" | "bin", "testing") => for_tests,
        _ => false,
    }
}

fn may_list(from: &str, library: &str, for_tests: bool) -> bool {
    let listed = |list: &[(&str, &str)]| list.iter().any(|(name, _)| *name == library);
    !from.starts_with("core/")
        || listed(CORE_LIBRARIES)
        || (for_tests && listed(CORE_TEST_LIBRARIES))
}

fn violation(folder: &str, what: String) -> Violation {
    Violation {
        path: format!("{folder}/Cargo.toml"),
        line: 1,
        what,
        why: "the folders are the architecture, and the core stays pure (ARCHITECTURE.md)",
        remedy: "move the code to where it belongs, or record a decision in docs/decisions and \
                 add the arrow to xtask/src/arrows/table.rs"
            .to_owned(),
    }
}

/// Where the manifest lists the dependency; a name can be listed for tests as well.
fn line_of(manifest: &str, name: &str, for_tests: bool) -> usize {
    let listed = |line: &str| {
        let rest = line.trim_start().strip_prefix(name);
        rest.is_some_and(|rest| rest.starts_with(['.', ' ', '=']))
    };
    let mut section = "";
    for (at, line) in manifest.lines().enumerate() {
        if line.starts_with('[') {
            section = line;
        } else if listed(line) && section.contains("dev-dependencies") == for_tests {
            return at + 1;
        }
    }
    1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrows_point_down_and_only_where_the_table_says() {
        assert!(may_use("core/failover", "core/topology", false));
        assert!(
            may_use("core/sql", "core/clock", false),
            "clock is open to the core"
        );
        assert!(!may_use("core/topology", "core/failover", false));
        assert!(!may_use("core/failover", "shell/mysql", true));
        assert!(may_use("shell/manager", "shell/store", false));
        assert!(may_use("shell/proxy", "shell/telemetry", false));
        assert!(!may_use("shell/proxy", "shell/manager", false));
        assert!(!may_use("shell/proxy", "bin/mainstay", false));
        assert!(may_use("bin/mainstay", "shell/proxy", false));
        assert!(!may_use("bin/mainstay", "testing/e2e", false));
        assert!(may_use("bin/mainstay", "testing/e2e", true));
        assert!(!may_use("core/gtid", "xtask", true));
    }

    #[test]
    fn the_core_lists_only_pure_libraries() {
        for impure in [
            "tokio",
            "serde",
            "rand",
            "rustix",
            "getrandom",
            "tracing",
            "anyhow",
        ] {
            assert!(!may_list("core/gtid", impure, false), "{impure}");
            assert!(!may_list("core/gtid", impure, true), "{impure}");
            assert!(may_list("shell/proxy", impure, false), "{impure}");
        }
        assert!(may_list("core/gtid", "thiserror", false));
        assert!(
            may_list("core/gtid", "proptest", true) && !may_list("core/gtid", "proptest", false)
        );
    }

    #[test]
    fn a_crate_that_the_table_does_not_know_is_found() {
        assert_eq!(check_known("core/gtid"), None);
        assert_eq!(check_known("xtask"), None);
        assert!(check_known("shell/everything").is_some() && check_known("extra").is_some());
    }

    #[test]
    fn a_violation_names_the_line_of_the_right_section() {
        let manifest = "[dependencies]\nserde_json = \"1\"\nserde.workspace = true\n\
                        [dev-dependencies]\nserde = \"1\"\n";
        assert_eq!(line_of(manifest, "serde", false), 3);
        assert_eq!(line_of(manifest, "serde", true), 5);
        let to = Target::Library("tokio".to_owned());
        let arrow = Arrow {
            from: "core/sql".to_owned(),
            to,
            for_tests: false,
        };
        let text = check(&arrow).expect("a violation").to_string();
        assert!(
            text.starts_with("core/sql/Cargo.toml:1: core/sql lists `tokio`; "),
            "{text}"
        );
    }
}
