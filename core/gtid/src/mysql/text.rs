//! The text form: `uuid:1-5:7:tag:1-3,\nuuid:1`, as the server prints and accepts it.
//!
//! Grammar: the manual's "GTID Format and Storage". Spaces and line ends may stand around every
//! part, intervals come in any order, and empty parts between commas are passed over.
//! The server also takes parts that hold nothing (`uuid`, `uuid:tag`, `uuid:5-3`).
//! It never prints them, so here they are errors: a cut-off text must not look like a smaller set.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use super::{Interval, MysqlSet, Origin, Tag, Uuid};
use crate::{Family, GtidError};

impl FromStr for MysqlSet {
    type Err = GtidError;

    fn from_str(text: &str) -> Result<Self, GtidError> {
        let mut unsorted = BTreeMap::new();
        for part in text
            .split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty())
        {
            parse_server(part, &mut unsorted)?;
        }
        Ok(Self::from_unsorted(unsorted))
    }
}

/// Reads what follows one UUID: intervals, then any number of tags with their intervals.
fn parse_server(
    part: &str,
    unsorted: &mut BTreeMap<Origin, Vec<Interval>>,
) -> Result<(), GtidError> {
    let mut items = part.split(':').map(str::trim).peekable();
    let uuid = items.next().unwrap_or_default();
    let uuid = Uuid::parse(uuid).ok_or_else(|| error(uuid, "a UUID with dashes"))?;
    let mut origin = Origin { uuid, tag: None };
    let mut wants_interval = true;
    while items.peek().is_some() {
        // The list is looked up once for each origin, not for each of a million intervals.
        let list = unsorted.entry(origin).or_default();
        while let Some(item) = items.next_if(|item| !is_tag(item)) {
            list.push(parse_interval(item)?);
            wants_interval = false;
        }
        let Some(item) = items.next() else { break };
        if wants_interval && origin.tag.is_some() {
            return Err(error(item, INTERVAL));
        }
        let tag = Tag::parse(item).ok_or_else(|| error(item, TAG))?;
        origin.tag = Some(tag);
        wants_interval = true;
    }
    if wants_interval {
        Err(error(part, INTERVAL))
    } else {
        Ok(())
    }
}

const TAG: &str = "a tag of at most 32 letters, digits or underscores";
const INTERVAL: &str = "transaction numbers such as 5 or 1-5, from 1 to 2^63 - 2";

fn is_tag(item: &str) -> bool {
    item.starts_with(|first: char| first == '_' || first.is_ascii_alphabetic())
}

fn parse_interval(item: &str) -> Result<Interval, GtidError> {
    let (first, last) = item.split_once('-').unwrap_or((item, item));
    parse_number(first)
        .zip(parse_number(last))
        .and_then(|(first, last)| Interval::new(first, last))
        .ok_or_else(|| error(item, INTERVAL))
}

fn parse_number(text: &str) -> Option<u64> {
    let text = text.trim();
    // `u64::from_str` would let a plus sign pass.
    text.starts_with(|first: char| first.is_ascii_digit())
        .then(|| text.parse().ok())?
}

fn error(text: &str, expected: &'static str) -> GtidError {
    GtidError::syntax(Family::Mysql, text, expected)
}

impl fmt::Display for MysqlSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut previous: Option<Uuid> = None;
        for (origin, list) in self.iter() {
            if previous != Some(origin.uuid) {
                let separator = if previous.is_some() { ",\n" } else { "" };
                write!(f, "{separator}{}", origin.uuid)?;
                previous = Some(origin.uuid);
            }
            if let Some(tag) = origin.tag {
                write!(f, ":{tag}")?;
            }
            for interval in list {
                if interval.count() == 1 {
                    write!(f, ":{}", interval.first())?;
                } else {
                    write!(f, ":{}-{}", interval.first(), interval.last())?;
                }
            }
        }
        Ok(())
    }
}
