//! A statement in a log, with what its session had set that the statement depends on.
//!
//! Source: `MySQL` source documentation, `Query_event`; codes from 128 on are `MariaDB`'s.

use crate::parse::Input;
use crate::payload::inflate;
use crate::{BinlogError, Event, Kind};

/// A statement and its surroundings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// The default schema; empty: none.
    pub schema: Vec<u8>,
    /// The statement, in the session's character set.
    pub text: Vec<u8>,
    /// When it began: seconds since 1970.
    pub unix_seconds: u32,
    /// The fraction of that second.
    pub microseconds: u32,
    /// `OPTION_AUTO_IS_NULL`, `OPTION_NOT_AUTOCOMMIT`, `OPTION_NO_FOREIGN_KEY_CHECKS`,
    /// `OPTION_RELAXED_UNIQUE_CHECKS`: as bits.
    pub flags2: Option<u32>,
    /// `sql_mode` as bits.
    pub sql_mode: Option<u64>,
    /// `auto_increment_increment` and `auto_increment_offset`.
    pub auto_increment: Option<(u16, u16)>,
    /// Collations: of the client (its character set's), of the connection, of the server.
    pub collations: Option<[u16; 3]>,
    /// `time_zone`.
    pub time_zone: Option<Vec<u8>>,
    /// `explicit_defaults_for_timestamp`.
    pub explicit_defaults: Option<bool>,
    /// `default_collation_for_utf8mb4`.
    pub utf8mb4_collation: Option<u16>,
    /// `sql_require_primary_key`.
    pub require_primary_key: Option<bool>,
}

impl Query {
    /// Reads the event, if it is a statement.
    pub fn read(event: &Event) -> Result<Option<Self>, BinlogError> {
        let is_compressed = match event.kind() {
            Kind::Query => false,
            Kind::QueryCompressed => true,
            _ => return Ok(None),
        };
        let malformed = || event.malformed("its statement cannot be read");
        let mut query = statement(event.body(), is_compressed).ok_or_else(malformed)?;
        query.unix_seconds = event.unix_seconds();
        Ok(Some(query))
    }

    /// Whether it begins a transaction of rows.
    pub(crate) fn begins(&self) -> bool {
        self.text == b"BEGIN" || self.text.starts_with(b"XA START")
    }

    /// Whether it ends a transaction.
    pub(crate) fn ends(&self) -> bool {
        self.text == b"COMMIT" || self.text == b"ROLLBACK"
    }
}

fn statement(body: &[u8], is_compressed: bool) -> Option<Query> {
    let mut input = Input(body);
    input.take(8)?;
    let schema_bytes = usize::from(input.u8()?);
    let _error = input.u16()?;
    let variable_bytes = usize::from(input.u16()?);
    let mut query = Query::default();
    let mut variables = Input(input.take(variable_bytes)?);
    while let Some(code) = variables.u8() {
        // A variable that is not known ends what can be read of them: it has no length.
        if variable(&mut query, code, &mut variables).is_none() {
            break;
        }
    }
    query.schema = input.take(schema_bytes)?.to_vec();
    input.take(1)?;
    query.text = if is_compressed {
        inflate(input.0)?
    } else {
        input.0.to_vec()
    };
    Some(query)
}

fn variable(query: &mut Query, code: u8, input: &mut Input<'_>) -> Option<()> {
    match code {
        0 => query.flags2 = Some(input.u32()?),
        1 => query.sql_mode = Some(input.u64()?),
        3 => query.auto_increment = Some((input.u16()?, input.u16()?)),
        4 => query.collations = Some([input.u16()?, input.u16()?, input.u16()?]),
        5 => query.time_zone = Some(text(input)?.to_vec()),
        13 | 128 => query.microseconds = input.uint(3)? as u32,
        16 => query.explicit_defaults = Some(input.u8()? != 0),
        18 => query.utf8mb4_collation = Some(input.u16()?),
        19 => query.require_primary_key = Some(input.u8()? != 0),
        other => skip(other, input)?,
    }
    Some(())
}

/// What does not change what the statement does to its tables.
fn skip(code: u8, input: &mut Input<'_>) -> Option<()> {
    let bytes = match code {
        2 => usize::from(input.u8()?) + 1,
        6 => usize::from(input.u8()?),
        11 => {
            text(input)?;
            usize::from(input.u8()?)
        }
        12 => return schemas(input),
        7 | 8 | 130 => 2,
        10 => 4,
        9 | 17 | 129 => 8,
        20 => 1,
        _ => return None,
    };
    input.take(bytes).map(|_| ())
}

fn text<'a>(input: &mut Input<'a>) -> Option<&'a [u8]> {
    let bytes = usize::from(input.u8()?);
    input.take(bytes)
}

/// The names of changed schemas, each ended by a zero; 254 of them are "too many", without names.
fn schemas(input: &mut Input<'_>) -> Option<()> {
    let count = input.u8()?;
    if count == 254 {
        return Some(());
    }
    for _ in 0..count {
        while input.u8()? != 0 {}
    }
    Some(())
}
