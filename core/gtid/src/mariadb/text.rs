//! The text form: `0-1-122,0-2-123,1-1-7`, as `MariaDB` prints and accepts it.
//!
//! A server's text is one history. A set whose parts are not known to be one is printed with
//! semicolons between them, so that nothing is forgotten when it is read again.

use std::fmt;
use std::str::FromStr;

use super::{Gtid, MariadbSet, Position};
use crate::{Family, GtidError};

impl FromStr for Gtid {
    type Err = GtidError;

    fn from_str(text: &str) -> Result<Self, GtidError> {
        let gtid = || {
            let (domain, rest) = text.split_once('-')?;
            let (server, sequence) = rest.split_once('-')?;
            Some(Self {
                domain: parse_number(domain)?.try_into().ok()?,
                server: parse_number(server)?.try_into().ok()?,
                sequence: parse_number(sequence)?,
            })
        };
        let expected = "domain-server-sequence such as 0-1-122";
        gtid().ok_or_else(|| GtidError::syntax(Family::Mariadb, text, expected))
    }
}

fn parse_number(text: &str) -> Option<u64> {
    // `u64::from_str` would let a plus sign pass.
    text.starts_with(|first: char| first.is_ascii_digit())
        .then(|| text.parse().ok())?
}

/// Reads a list with commas; spaces around entries and empty entries are passed over.
fn parse_list<T: FromIterator<Gtid>>(text: &str) -> Result<T, GtidError> {
    text.split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .map(str::parse)
        .collect()
}

impl FromStr for MariadbSet {
    type Err = GtidError;

    fn from_str(text: &str) -> Result<Self, GtidError> {
        text.split(';').try_fold(Self::default(), |so_far, part| {
            let line = parse_list::<Self>(part)?.of_one_history();
            Ok(so_far.union(&line))
        })
    }
}

impl FromStr for Position {
    type Err = GtidError;

    fn from_str(text: &str) -> Result<Self, GtidError> {
        parse_list(text)
    }
}

impl fmt::Display for MariadbSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let highest = self.position();
        let is_apart = |end: &Gtid| end.sequence < highest.sequence(end.domain);
        let apart: Vec<Gtid> = self.ends().filter(is_apart).collect();
        write_list(f, self.iter().filter(|gtid| !apart.contains(gtid)))?;
        apart.iter().try_for_each(|end| write!(f, ";{end}"))
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_list(f, self.iter())
    }
}

fn write_list(f: &mut fmt::Formatter<'_>, gtids: impl Iterator<Item = Gtid>) -> fmt::Result {
    for (index, gtid) in gtids.enumerate() {
        let comma = if index == 0 { "" } else { "," };
        write!(f, "{comma}{gtid}")?;
    }
    Ok(())
}
