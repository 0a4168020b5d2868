//! `[[hook]]`: programs that run before and after operations.

use std::time::Duration;

use mainstay_failover::hook::Moment;

use super::Found;
use crate::hook::HookSettings;
use crate::reader::{Report, Section};

const LIMIT: Duration = Duration::from_secs(5);
/// A program has to start.
const LIMIT_LEAST: Duration = Duration::from_millis(100);
/// What waits for a hook waits no longer.
const LIMIT_MOST: Duration = Duration::from_mins(1);

const ON_FAILURE: &[(&str, bool)] = &[("go-on", false), ("stop", true)];

pub(super) fn read(
    tables: &[Found<'_, '_>],
    alone: bool,
    report: &mut Report<'_>,
) -> Vec<HookSettings> {
    if let (true, Some((_, span))) = (alone, tables.first()) {
        let sentence = "waits for operations of a manager: there is a [monitor] in its place";
        report.add(span.start, "hook", sentence);
    }
    let read = tables
        .iter()
        .filter_map(|found| one(Section::new("hook", found.clone(), report)));
    read.collect()
}

fn one(mut section: Section<'_, '_, '_>) -> Option<HookSettings> {
    let moments = Moment::ALL.map(|moment| (moment.name(), moment));
    let when = section.choice("when", &moments);
    let program = section.value("command", "the whole path of a program", |value| {
        let path = value.as_str()?;
        path.starts_with('/').then(|| path.into())
    });
    let arguments = section.texts("arguments", "[\"--move-address\"]");
    let limit = section.duration("limit", LIMIT, LIMIT_LEAST);
    if limit > LIMIT_MOST {
        let sentence = "is longer than \"1min\": what waits for a hook waits no longer";
        section.wrong("limit", sentence.to_owned());
    }
    let stops = section.choice("on_failure", ON_FAILURE).unwrap_or(false);
    for (key, why) in [
        ("when", "say before or after what it runs"),
        ("command", "say what runs"),
    ] {
        if !section.has(key) {
            section.missing(key, why);
        }
    }
    if let Some(when) = when.filter(|when| stops && !when.may_stop()) {
        let sentence = format!(
            "`stop` is for what was not begun yet, and `{when}` is too late: only what \
             runs before something can stop it"
        );
        section.wrong("on_failure", sentence);
    }
    section.end();
    Some(HookSettings {
        when: when?,
        program: program?,
        arguments,
        limit,
        stops,
    })
}
