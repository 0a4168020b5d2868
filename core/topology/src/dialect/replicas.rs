//! What both families say of their links, in rows of one for each channel: which one is this
//! cluster's, and what its settings are.

use std::time::Duration;

use super::answer::{Answer, Values};
use crate::setup::{AutoIncrement, Logging, Setup};

/// The filters of a link: its columns, and what they are called in a configuration.
const FILTERS: [(&str, &str); 7] = [
    ("Replicate_Do_DB", "replicate-do-db"),
    ("Replicate_Ignore_DB", "replicate-ignore-db"),
    ("Replicate_Do_Table", "replicate-do-table"),
    ("Replicate_Ignore_Table", "replicate-ignore-table"),
    ("Replicate_Wild_Do_Table", "replicate-wild-do-table"),
    ("Replicate_Wild_Ignore_Table", "replicate-wild-ignore-table"),
    ("Replicate_Rewrite_DB", "replicate-rewrite-db"),
];

/// Schemas in which nothing is replicated anyway: the server keeps them itself.
const OF_THE_SERVER: [&str; 3] = ["information_schema", "performance_schema", "sys"];

/// The links of a server: this cluster's, and the names of the others.
pub(super) struct Links<'a> {
    pub(super) own: Option<Values<'a>>,
    pub(super) others: Vec<String>,
}

/// Which of the links is this cluster's, by the name of its channel in a column.
pub(super) fn links<'a>(answer: Answer<'a>, column: &'static str, channel: &str) -> Links<'a> {
    let name = |row: &Values<'a>| row.any(column);
    // A link that was reset may stay in the list, without a host.
    let set_up = |row: &Values<'a>| {
        let host = [row.any("Source_Host"), row.any("Master_Host")];
        host.iter().any(|host| !host.is_empty())
    };
    let others = answer.all().filter(set_up);
    let others = others.filter(|row| !name(row).eq_ignore_ascii_case(channel));
    Links {
        own: answer
            .all()
            .find(|row| name(row).eq_ignore_ascii_case(channel)),
        others: others.map(|row| name(&row).to_owned()).collect(),
    }
}

/// How a server is set up, from its variables and its link.
pub(super) fn setup(own: Values<'_>, links: Links<'_>) -> Setup {
    let on = |column| matches!(own.any(column), "1" | "ON" | "");
    let number = |column| own.any(column).parse().unwrap_or(1);
    Setup {
        logging: match (on("log_bin"), on("log_updates")) {
            (false, _) => Logging::Nothing,
            (true, false) => Logging::Own,
            (true, true) => Logging::All,
        },
        filters: links.own.map(filters).unwrap_or_default(),
        auto_increment: AutoIncrement {
            offset: number("increment_offset"),
            increment: number("increment_by"),
        },
        delay: links.own.map_or(Duration::ZERO, delay),
        other_channels: links.others,
    }
}

/// The heartbeats of one channel, of `name count` for each.
pub(super) fn heartbeats<'a>(counts: &'a str, channel: &str) -> &'a str {
    let one = |text: &'a str| text.rsplit_once(' ');
    let found = counts.split(',').filter_map(one);
    let mut found = found.filter(|(name, _)| name.eq_ignore_ascii_case(channel));
    found.next().map_or("", |(_, count)| count)
}

fn delay(link: Values<'_>) -> Duration {
    Duration::from_secs(link.any("SQL_Delay").parse().unwrap_or(0))
}

fn filters(link: Values<'_>) -> Vec<String> {
    let mut filters: Vec<String> = FILTERS
        .iter()
        .flat_map(|(column, name)| {
            let values = link.any(column).split(',').map(str::trim);
            let leaves_out = move |value: &&str| {
                let harmless = *name == "replicate-ignore-db" && OF_THE_SERVER.contains(value);
                !value.is_empty() && !harmless
            };
            values
                .filter(leaves_out)
                .map(move |value| format!("{name}={value}"))
        })
        .collect();
    filters.sort_unstable();
    filters
}
