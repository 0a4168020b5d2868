//! The ends of a sandbox's logs, for the output of a failed test: short, because what collects
//! that output may keep only a part of it, and without the lines that every healthy run has.

use std::fs;
use std::path::Path;

use serde_json::Value;

/// Lines of Mainstay's own log that are shown.
const OWN_LINES: usize = 30;
/// Lines of each server's log.
const SERVER_LINES: usize = 12;
/// Characters of a line.
const WIDTH: usize = 240;

/// Parts of lines that a healthy server writes at each start and end.
const USUAL: [&str; 9] = [
    "InnoDB: ",
    "Aborted connection",
    "proxies_priv",
    "Plugin 'FEEDBACK'",
    "[System]",
    "crash recovery",
    "caching_sha2_password",
    "Semi-sync",
    "ack receiver",
];

/// Prints them to the standard error.
pub(crate) fn show(sandbox: &Path) {
    print_end(&sandbox.join("mainstay.log"), OWN_LINES, |line| {
        Some(own(line))
    });
    for server in ["db1", "db2", "db3"] {
        let log = sandbox.join(server).join("mysqld.log");
        print_end(&log, SERVER_LINES, |line| {
            let usual = USUAL.iter().any(|part| line.contains(part));
            (!usual).then(|| line.to_owned())
        });
    }
}

fn print_end(log: &Path, count: usize, shown: fn(&str) -> Option<String>) {
    let Ok(text) = fs::read_to_string(log) else {
        return;
    };
    let mut lines: Vec<_> = text.lines().rev().filter_map(shown).take(count).collect();
    lines.reverse();
    eprintln!("--- the end of {}", log.display());
    for line in lines {
        eprintln!("{}", cut(&line));
    }
}

/// `09:57:54.999 warn step failed operation=10 reason=...` for a line of JSON.
fn own(line: &str) -> String {
    let Ok(Value::Object(fields)) = serde_json::from_str(line) else {
        return line.to_owned();
    };
    let text = |value: &Value| {
        value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned)
    };
    let first = ["at", "level", "message"].map(|name| fields.get(name).map_or(String::new(), text));
    let [at, level, message] = &first;
    let time = at.split('T').next_back().unwrap_or(at);
    let mut shown = format!("{time} {level} {message}");
    for (name, value) in &fields {
        if !["at", "level", "message", "target"].contains(&name.as_str()) {
            shown.push_str(&format!(" {name}={}", text(value)));
        }
    }
    shown
}

fn cut(line: &str) -> String {
    if line.chars().count() <= WIDTH {
        return line.to_owned();
    }
    // Both ends say something: what was done, and why it went wrong.
    let half = WIDTH / 2;
    let begin: String = line.chars().take(half).collect();
    let end: Vec<_> = line.chars().rev().take(half).collect();
    let end: String = end.into_iter().rev().collect();
    format!("{begin} ... {end}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_json_is_shown_as_a_sentence() {
        let line = r#"{"at":"2026-11-20T09:57:54.999Z","level":"warn","target":"x",
            "message":"step failed","step":2}"#;
        let shown = own(line);
        assert_eq!(shown, "09:57:54.999Z warn step failed step=2");
    }

    #[test]
    fn a_long_line_keeps_both_its_ends() {
        let shown = cut(&format!("begin{}end", "x".repeat(1000)));
        assert!(shown.starts_with("begin") && shown.ends_with("end"));
        assert!(shown.len() < 2 * WIDTH);
    }
}
