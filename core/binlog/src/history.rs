//! The transactions of earlier logs, as the second event of a log lists them.

use std::fmt::Write as _;

use mainstay_gtid::mysql::Uuid;
use mainstay_gtid::{Family, GtidSet};

use crate::parse::Input;
use crate::{BinlogError, Event, Kind};

/// In a `Gtid_list` the count's upper bits are flags.
const COUNT_MASK: u32 = 0x0fff_ffff;

/// What the logs before this one hold, when the event tells it. `MySQL` lists all transactions,
/// `MariaDB` the newest of each server in each domain.
pub fn earlier(event: &Event) -> Result<Option<GtidSet>, BinlogError> {
    let mut input = Input(event.body());
    let read = match event.kind() {
        Kind::PreviousGtids => {
            mysql(&mut input).and_then(|text| GtidSet::parse(Family::Mysql, &text).ok())
        }
        Kind::GtidList => {
            mariadb(&mut input).and_then(|text| GtidSet::parse(Family::Mariadb, &text).ok())
        }
        _ => return Ok(None),
    };
    let malformed = || event.malformed("its list of GTIDs cannot be read");
    read.map(Some).ok_or_else(malformed)
}

/// `Gtid_set::encode`: with tags (8.3 and newer) the first and the last byte of the count are 1.
fn mysql(input: &mut Input<'_>) -> Option<String> {
    let head = input.u64()?;
    let has_tags = head >> 56 == 1;
    let origins = if has_tags {
        head >> 8 & 0x0000_ffff_ffff_ffff
    } else {
        head
    };
    let mut text = String::new();
    for _ in 0..origins {
        let uuid = Uuid::from_bytes(input.take(16)?.try_into().ok()?);
        let mut name = uuid.to_string();
        if has_tags {
            let bytes = usize::try_from(input.varlen()?).ok()?;
            let tag = std::str::from_utf8(input.take(bytes)?).ok()?;
            if !tag.is_empty() {
                write!(name, ":{tag}").ok()?;
            }
        }
        for _ in 0..input.u64()? {
            let (first, end) = (input.u64()?, input.u64()?);
            let separator = if text.is_empty() { "" } else { "," };
            write!(text, "{separator}{name}:{first}-{}", end.checked_sub(1)?).ok()?;
        }
    }
    Some(text)
}

fn mariadb(input: &mut Input<'_>) -> Option<String> {
    let count = input.u32()? & COUNT_MASK;
    let mut text = String::new();
    for _ in 0..count {
        let (domain, server, sequence) = (input.u32()?, input.u32()?, input.u64()?);
        let separator = if text.is_empty() { "" } else { "," };
        write!(text, "{separator}{domain}-{server}-{sequence}").ok()?;
    }
    Some(text)
}
