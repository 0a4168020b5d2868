//! The identity of one transaction, as its first event tells it.

use std::fmt;

use mainstay_gtid::mysql::{Origin, Tag, Uuid};
use mainstay_gtid::{Difference, Family, GtidSet, mariadb};

use crate::parse::Input;
use crate::{BinlogError, Event, Kind};

/// `FL_STANDALONE` of `MariaDB`: the transaction is the one event that follows.
const STANDALONE: u8 = 1;

/// Who a transaction is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gtid {
    /// A transaction of `MySQL`.
    Mysql {
        /// Where it was committed first.
        origin: Origin,
        /// Its number there.
        number: u64,
    },
    /// A transaction of `MariaDB`.
    Mariadb(mariadb::Gtid),
}

impl Gtid {
    /// The set of only this transaction.
    pub fn set(&self) -> GtidSet {
        let family = match self {
            Self::Mysql { .. } => Family::Mysql,
            Self::Mariadb(_) => Family::Mariadb,
        };
        let read = GtidSet::parse(family, &self.to_string());
        read.unwrap_or_else(|_| GtidSet::empty(family))
    }
}

impl Gtid {
    /// Whether it is one of these.
    pub fn is_among(&self, transactions: &Difference) -> bool {
        match (self, transactions, self.set()) {
            (Self::Mysql { .. }, Difference::Mysql(all), GtidSet::Mysql(one)) => all.contains(&one),
            (Self::Mariadb(gtid), Difference::Mariadb(ranges), _) => ranges.iter().any(|range| {
                let (first, last) = (range.first(), range.last());
                (gtid.domain, gtid.server) == (last.domain, last.server)
                    && (first.sequence..=last.sequence).contains(&gtid.sequence)
            }),
            _ => false,
        }
    }
}

impl fmt::Display for Gtid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mariadb(gtid) => gtid.fmt(f),
            Self::Mysql { origin, number } => match origin.tag {
                Some(tag) => write!(f, "{}:{tag}:{number}", origin.uuid),
                None => write!(f, "{}:{number}", origin.uuid),
            },
        }
    }
}

/// What the first event of a transaction tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Opening {
    pub(crate) gtid: Option<Gtid>,
    /// One event follows, and no commit.
    pub(crate) is_standalone: bool,
}

impl Opening {
    /// Reads the event, if it is one that opens a transaction.
    pub(crate) fn read(event: &Event) -> Result<Option<Self>, BinlogError> {
        let mut input = Input(event.body());
        let read = match event.kind() {
            Kind::AnonymousGtid => Some(Self {
                gtid: None,
                is_standalone: false,
            }),
            Kind::Gtid => untagged(&mut input),
            Kind::GtidTagged => tagged(&mut input),
            Kind::MariadbGtid => mariadb(&mut input, event.server_id()),
            _ => return Ok(None),
        };
        let malformed = || event.malformed("its GTID cannot be read");
        read.map(Some).ok_or_else(malformed)
    }
}

fn mysql(uuid: [u8; 16], tag: Option<Tag>, number: u64) -> Option<Opening> {
    let origin = Origin {
        uuid: Uuid::from_bytes(uuid),
        tag,
    };
    (number > 0).then_some(Opening {
        gtid: Some(Gtid::Mysql { origin, number }),
        is_standalone: false,
    })
}

fn untagged(input: &mut Input<'_>) -> Option<Opening> {
    let _flags = input.u8()?;
    let uuid = input.take(16)?.try_into().ok()?;
    mysql(uuid, None, input.u64()?)
}

/// The fields of `mysql::serialization` in the order of `Gtid_event`: flags, UUID, number, tag.
fn tagged(input: &mut Input<'_>) -> Option<Opening> {
    let _version = input.varlen()?;
    let _bytes = input.varlen()?;
    let _last_needed_field = input.varlen()?;
    field_of(input, 0)?;
    input.varlen()?;
    field_of(input, 1)?;
    let mut uuid = [0; 16];
    for byte in &mut uuid {
        *byte = u8::try_from(input.varlen()?).ok()?;
    }
    field_of(input, 2)?;
    let number = u64::try_from(input.varlen_signed()?).ok()?;
    field_of(input, 3)?;
    let bytes = usize::try_from(input.varlen()?).ok()?;
    let tag = std::str::from_utf8(input.take(bytes)?).ok()?;
    let tag = if tag.is_empty() {
        None
    } else {
        Some(Tag::parse(tag)?)
    };
    mysql(uuid, tag, number)
}

/// The number before a field; none is left out.
fn field_of(input: &mut Input<'_>, number: u64) -> Option<()> {
    (input.varlen()? == number).then_some(())
}

fn mariadb(input: &mut Input<'_>, server: u32) -> Option<Opening> {
    let sequence = input.u64()?;
    let domain = input.u32()?;
    let flags = input.u8()?;
    let gtid = mariadb::Gtid {
        domain,
        server,
        sequence,
    };
    (sequence > 0).then_some(Opening {
        gtid: Some(Gtid::Mariadb(gtid)),
        is_standalone: flags & STANDALONE != 0,
    })
}
