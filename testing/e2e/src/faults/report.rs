//! The table that is printed at the end.

use std::fmt::Write as _;

use super::Outcome;

/// A line for each outcome; below it what was wrong.
pub fn table(outcomes: &[Outcome]) -> String {
    let mut text = format!(
        "{:>3} {:<34} {:<8} {:<7} {:>5} {:>7} {:>7} {:>7} {:>6} {:>5}  {}\n",
        "no",
        "fault",
        "family",
        "verdict",
        "moves",
        "by hand",
        "gap ms",
        "whole s",
        "acked",
        "lost",
        "errors"
    );
    for one in outcomes {
        let verdict = if one.wrong.is_empty() { "ok" } else { "FAILED" };
        let errors: Vec<_> = one
            .errors
            .iter()
            .map(|(code, count)| format!("{code}\u{d7}{count}"))
            .collect();
        writeln!(
            text,
            "{:>3} {:<34} {:<8} {:<7} {:>5} {:>7} {:>7.0} {:>7.1} {:>6} {:>5}  {}",
            one.number,
            one.name,
            one.family.to_string(),
            verdict,
            one.moves,
            one.by_hand,
            one.gap_ms,
            one.whole_after_s,
            one.acknowledged,
            one.lost,
            if errors.is_empty() {
                "none".to_owned()
            } else {
                errors.join(" ")
            }
        )
        .expect("a String takes all text");
    }
    for one in outcomes {
        for wrong in &one.wrong {
            writeln!(text, "\n{} on {}: {wrong}", one.name, one.family)
                .expect("a String takes all text");
        }
    }
    text
}
