//! `track_file` and `vrrp_track_process`: what keepalived watches on its own host, by the words of
//! `keepalived.conf(5)`. Their weight is 1 where none is said.

use super::{Script, Statement, Track, weight};
use crate::keepalived::{keywords, seconds};
use crate::report::Report;
use crate::toml::quoted;

/// keepalived is told of changes by the kernel; here it is looked again and again.
const INTERVAL: &str = "500ms";
const LOOKS_PER_SECOND: f64 = 2.0;

pub(super) fn file<'f>(block: &'f Statement, report: &mut Report) -> Option<Script<'f>> {
    let name = named(block, report)?;
    let Some(path) = block.child("file").and_then(Statement::value) else {
        report.left_out(block.line, name, "it has no `file`");
        return None;
    };
    said(block, "file", report, "file");
    if let Some(statement) = block.child("init_file") {
        let sentence = "no file is made: none is as good as one that holds 0";
        report.changed(statement.line, &format!("{name} init_file"), sentence);
    }
    keywords::remaining(block, keywords::FILE, report);
    let keys = vec![("kind", quoted("file")), ("file", quoted(path))];
    Some(script(block, name, "track_file", (keys, (1, 1)), report))
}

pub(super) fn process<'f>(block: &'f Statement, report: &mut Report) -> Option<Script<'f>> {
    let name = named(block, report)?;
    let command = block.child("process");
    let Some((statement, path)) = command.and_then(|one| Some((one, one.value()?))) else {
        report.left_out(block.line, name, "it has no `process`");
        return None;
    };
    // By its name, as the kernel has it.
    let process = path.rsplit('/').next().unwrap_or(path);
    let more = ["param_match", "full_command"];
    let looks_at_parameters =
        statement.words.len() > 2 || more.iter().any(|word| block.child(word).is_some());
    let what = format!("{name} process");
    if looks_at_parameters {
        let sentence = format!(
            "any process called {process}, whatever its parameters are; to tell them apart use a \
             track of kind \"script\" with `pgrep -f`"
        );
        report.changed(statement.line, &what, sentence);
    } else {
        report.taken(statement.line, &what, "process");
    }
    for word in more {
        said(block, word, report, "see `process`");
    }
    let mut keys = vec![("kind", quoted("process")), ("process", quoted(process))];
    if let Some(quorum) = block.child("quorum").and_then(Statement::value) {
        said(block, "quorum", report, "least");
        let least = quorum.parse::<u32>().ok().filter(|least| *least > 0);
        keys.extend(least.map(|least| ("least", least.to_string())));
    }
    if let Some(most) = block.child("quorum_max") {
        let sentence = "that fewer are wanted has no counterpart: use a track of kind \"script\"";
        report.left_out(most.line, &format!("{name} quorum_max"), sentence);
        if most.value() == Some("0") {
            return None;
        }
    }
    let fall = patience(block, "terminate_delay", "fall", report);
    let rise = patience(block, "fork_delay", "rise", report);
    if block.child("delay").is_some() {
        said(block, "delay", report, "fall and rise");
    }
    keywords::remaining(block, keywords::PROCESS, report);
    Some(script(
        block,
        name,
        "track_process",
        (keys, (fall, rise)),
        report,
    ))
}

fn named<'f>(block: &'f Statement, report: &mut Report) -> Option<&'f str> {
    let name = block.value();
    if name.is_none() {
        report.left_out(block.line, block.keyword(), "it has no name");
    }
    name
}

fn said(block: &Statement, keyword: &str, report: &mut Report, now: &str) {
    if let Some(statement) = block.child(keyword) {
        let name = block.value().unwrap_or_default();
        report.taken(statement.line, &format!("{name} {keyword}"), now);
    }
}

/// So many looks in a row last as long as keepalived waits.
fn patience(block: &Statement, keyword: &str, key: &str, report: &mut Report) -> u32 {
    said(block, keyword, report, key);
    let delay = block.child(keyword).or_else(|| block.child("delay"));
    let delay = delay.and_then(Statement::value);
    // What is no time at all for others is none here.
    let delay = delay.filter(|text| seconds(text).is_some());
    let delay: f64 = delay.and_then(|text| text.parse().ok()).unwrap_or(0.0);
    let looks = (delay.min(3_600.0) * LOOKS_PER_SECOND).ceil();
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "from 0 to 7200"
    )]
    let looks = looks as u32;
    looks + 1
}

type Keys = Vec<(&'static str, String)>;

fn script<'f>(
    block: &'f Statement,
    name: &'f str,
    list: &'static str,
    (mut keys, (fall, rise)): (Keys, (u32, u32)),
    report: &mut Report,
) -> Script<'f> {
    for key in ["interval", "retry_interval"] {
        keys.push((key, quoted(INTERVAL)));
    }
    keys.push(("fall", fall.to_string()));
    keys.push(("rise", rise.to_string()));
    said(block, "weight", report, "weight");
    let sentence = "a track of the addresses that name it";
    report.taken(block.line, &block.shown(), sentence);
    let track = Track {
        name: name.to_owned(),
        comment: None,
        weight: block.child("weight").map_or(1, default_weight),
        keys,
    };
    let line = block.line;
    Script {
        line,
        name,
        list,
        track,
    }
}

/// `weight -5 reverse`, in the block itself.
fn default_weight(statement: &Statement) -> i32 {
    weight(statement).unwrap_or(1)
}

/// What a weight means where the track is named; why it has no counterpart.
pub(super) fn weigh(list: &str, statement: &Statement, track: &mut Track) -> Result<(), String> {
    if statement.words.iter().any(|word| word == "reverse") {
        return Err(
            "`reverse` has no counterpart: a track that is well never counts against".into(),
        );
    }
    if list != "track_file" || track.weight == 0 {
        return Ok(());
    }
    if track.weight > 0 {
        return Err(format!(
            "the number in the file, times {}, is added to the priority: that has no counterpart. \
             With `weight = -N` any number but 0 takes N off, without a weight the addresses go",
            track.weight
        ));
    }
    track.comment = Some(format!(
        "keepalived multiplies the number in the file by {}; here any number but 0 counts as 1.",
        track.weight
    ));
    Ok(())
}
