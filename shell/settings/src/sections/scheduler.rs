//! `[[scheduler]]`, with ProxySQL's names.

use std::collections::BTreeSet;
use std::time::Duration;

use super::Found;
use crate::reader::{Report, Section};
use crate::settings::SchedulerSettings;

/// The limits of the column in ProxySQL.
const INTERVAL_MS: std::ops::RangeInclusive<u64> = 100..=100_000_000;

const ARGUMENTS_MAX: usize = 5;

/// Not shorter: a program has to start.
const LIMIT_LEAST: Duration = Duration::from_millis(100);

const LIMIT: Duration = Duration::from_mins(1);

pub(super) fn read(tables: &[Found<'_, '_>], report: &mut Report<'_>) -> Vec<SchedulerSettings> {
    let mut ids = BTreeSet::new();
    let mut all = Vec::new();
    for found in tables {
        let mut section = Section::new("scheduler", found.clone(), report);
        let id = section.value("id", "a whole number from 0", |value| {
            value.as_integer()?.as_str().parse::<u32>().ok()
        });
        let active = section.boolean("active", true);
        let interval_ms = section.value(
            "interval_ms",
            "a whole number from 100 to 100000000",
            |value| {
                let number: u64 = value.as_integer()?.as_str().parse().ok()?;
                INTERVAL_MS.contains(&number).then_some(number)
            },
        );
        let filename = section.value("filename", "the whole path of a program", |value| {
            let path = value.as_str()?;
            path.starts_with('/').then(|| path.to_owned())
        });
        let expected = "a list of up to 5 texts, such as [\"--all\"]";
        let arguments = section.value("arguments", expected, |value| {
            let items = value.as_array()?.iter();
            let texts: Option<Vec<_>> = items
                .map(|item| item.get_ref().as_str().map(str::to_owned))
                .collect();
            texts.filter(|texts| texts.len() <= ARGUMENTS_MAX)
        });
        let limit = section.duration("limit", LIMIT, LIMIT_LEAST);
        section.knows(&["comment"]);
        for (key, why) in [
            ("id", "each has a number of its own"),
            ("interval_ms", "say how often it runs"),
            ("filename", "say what runs"),
        ] {
            if !section.has(key) {
                section.missing(key, why);
            }
        }
        if id.is_some_and(|id| !ids.insert(id)) {
            section.wrong("id", "is that of another one too".to_owned());
        }
        section.end();
        let needed = id.zip(interval_ms).zip(filename);
        if let Some(((id, interval_ms), filename)) = needed {
            all.push(SchedulerSettings {
                id,
                active,
                interval: Duration::from_millis(interval_ms),
                filename: filename.into(),
                arguments: arguments.unwrap_or_default(),
                limit,
            });
        }
    }
    all
}
