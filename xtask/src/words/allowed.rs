//! Where the words of servers and other tools are needed, and why. Keep it short: a new line here
//! is a decision, and a quotation in backticks often spares it.

/// What a file may do with banned words.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Allowed {
    pub(super) everywhere: bool,
    pub(super) in_strings: bool,
}

/// Files in which every word is allowed, by the start of their path.
const EVERYWHERE: [(&str, &str); 1] = [("xtask/src/words", "it lists the words")];

/// Files whose string literals quote servers, by the start of their path.
const IN_STRINGS: [(&str, &str); 8] = [
    ("core/command/", "the commands of ProxySQL"),
    ("core/gtid/", "the names of variables that hold a set"),
    ("core/import/", "what other programs call their settings"),
    (
        "core/session/src/tracking.rs",
        "the names of the servers' variables",
    ),
    (
        "core/sql/",
        "the tables of the servers' functions and statements",
    ),
    (
        "core/wire/",
        "names of protocol constants and messages of servers",
    ),
    (
        "shell/sandbox/",
        "the text of my.cnf and of the servers' statements",
    ),
    ("testing/", "what servers are asked and what they answer"),
];

pub(super) fn in_file(path: &str) -> Allowed {
    let parts: Vec<_> = path.split('/').collect();
    let name = parts.last().copied().unwrap_or_default();
    // Dialects exist to hold the servers' own words.
    let is_dialect = parts.contains(&"dialect") || name.starts_with("dialect");
    let listed = |list: &[(&str, &str)]| list.iter().any(|(start, _)| path.starts_with(start));
    // Tests quote what servers say, and what people type.
    let is_test = name == "tests.rs" || parts.contains(&"tests");
    Allowed {
        everywhere: is_dialect || listed(&EVERYWHERE),
        in_strings: is_test || listed(&IN_STRINGS),
    }
}
