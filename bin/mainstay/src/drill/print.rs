//! The account of a drill as a person reads it.

use std::collections::BTreeMap;

use mainstay_drill::{Report, Round};

use crate::output::table;

pub(super) fn text_of(report: &Report) -> String {
    let mut text = String::new();
    let header = [
        "round",
        "fault",
        "primary",
        "write gap",
        "read gap",
        "errors",
        "acknowledged",
        "missing",
        "unacknowledged present",
        "two writers",
    ];
    let mut rows = vec![header.map(str::to_owned).to_vec()];
    rows.extend(
        report
            .rounds
            .iter()
            .enumerate()
            .map(|(index, round)| row_of(index + 1, round)),
    );
    text.push_str(&table(&rows));
    text.push('\n');
    if let Some(worst) = worst(&report.rounds) {
        text.push_str(&timeline(worst));
        text.push('\n');
    }
    text.push_str(&summary(report));
    text
}

fn row_of(number: usize, round: &Round) -> Vec<String> {
    let name = |server: &Option<String>| server.clone().unwrap_or_else(|| "none".to_owned());
    vec![
        number.to_string(),
        round.fault.to_string(),
        format!("{} → {}", name(&round.from), name(&round.to)),
        format!("{:.0} ms", round.write_gap_ms),
        format!("{:.0} ms", round.read_gap_ms),
        errors(&round.client_errors),
        round.acknowledged.to_string(),
        round.missing.to_string(),
        round.unacknowledged_present.to_string(),
        round.two_writers.to_string(),
    ]
}

fn errors(by_code: &BTreeMap<u16, u64>) -> String {
    if by_code.is_empty() {
        return "none".to_owned();
    }
    let each = by_code
        .iter()
        .map(|(code, count)| format!("{count} × {code}"));
    each.collect::<Vec<_>>().join(", ")
}

/// The round that writers felt most.
fn worst(rounds: &[Round]) -> Option<&Round> {
    rounds
        .iter()
        .max_by(|a, b| a.write_gap_ms.total_cmp(&b.write_gap_ms))
}

fn timeline(round: &Round) -> String {
    let mut text = format!(
        "What the manager did in the round with the longest write gap, {:.0} ms:\n",
        round.write_gap_ms
    );
    let rows: Vec<_> = round
        .timeline
        .iter()
        .map(|entry| {
            let took = if entry.took_ms > 0.0 {
                format!("{:.1} ms", entry.took_ms)
            } else {
                String::new()
            };
            vec![
                format!("  {:>9.1} ms", entry.at_ms),
                took,
                entry.what.clone(),
            ]
        })
        .collect();
    text.push_str(&table(&rows));
    text
}

fn summary(report: &Report) -> String {
    let sums = &report.summary;
    let mut text = format!(
        "{} rounds, {} writes acknowledged\n  write gap  p50 {:.0} ms, max {:.0} ms\n  \
         read gap   p50 {:.0} ms, max {:.0} ms\n  errors     {}\n",
        sums.rounds,
        sums.acknowledged,
        sums.write_gap_ms.p50,
        sums.write_gap_ms.max,
        sums.read_gap_ms.p50,
        sums.read_gap_ms.max,
        errors(&sums.client_errors),
    );
    if sums.missing == 0 {
        text.push_str("  missing    0: every acknowledged write is on every server\n");
    } else {
        text.push_str(&format!(
            "  MISSING    {} ACKNOWLEDGED WRITES\n",
            sums.missing
        ));
    }
    if sums.two_writers == 0 {
        text.push_str("  writers    never two at once\n");
    } else {
        text.push_str(&format!(
            "  TWO SERVERS ACKNOWLEDGED AT ONCE: {} writes\n",
            sums.two_writers
        ));
    }
    text
}
