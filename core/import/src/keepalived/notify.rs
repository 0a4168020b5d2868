//! Commands that are told of changes. Here one program is told of all of them, with the four
//! arguments of keepalived: what it is, its name, its state, its priority.

use super::grammar::Statement;
use super::script::command;
use crate::report::Report;

const STATES: [(&str, &str); 4] = [
    ("notify_master", "MASTER"),
    ("notify_backup", "BACKUP"),
    ("notify_fault", "FAULT"),
    ("notify_stop", "STOP"),
];

/// The one program; `None` where nothing is told.
pub(super) fn of(block: &Statement, report: &mut Report) -> Option<Vec<String>> {
    let text = |keyword: &str| {
        let statement = block.child(keyword)?;
        let words = statement.words.get(1..).filter(|words| !words.is_empty())?;
        Some((statement.line, words.join(" ")))
    };
    let whole = text("notify");
    let each: Vec<_> = STATES
        .iter()
        .filter_map(|(keyword, state)| {
            text(keyword).map(|(line, text)| (*keyword, *state, line, text))
        })
        .collect();
    if let Some((line, text)) = &whole {
        report.taken(*line, "notify", "`notify`, with the same arguments");
        if each.is_empty() {
            return Some(command(text));
        }
    }
    if each.is_empty() {
        return None;
    }
    let mut cases = String::new();
    for (keyword, state, line, text) in &each {
        report.changed(*line, keyword, format!("a case of `notify`, for {state}"));
        cases += &format!("{state}) {text};; ");
    }
    let mut program = format!("case \"$3\" in {cases}esac");
    if let Some((_, text)) = &whole {
        program = format!("{program}; exec {text} \"$@\"");
    }
    Some(
        ["/bin/sh", "-c", &program, "notify"]
            .map(str::to_owned)
            .to_vec(),
    )
}
