//! What stands before the text of a `COM_QUERY` and before the values of an execution: counts,
//! types and names of parameters.
//!
//! Sources: `COM_QUERY`, `COM_STMT_EXECUTE` (MySQL internals), `COM_STMT_BULK_EXECUTE` (MariaDB).
//! That the count of parameters is there whenever query attributes were negotiated, whatever the
//! flags say, is measured: MySQL 9.7 refuses an execution without it.

use std::ops::Range;

use crate::codec::{Malformed, Reader, put_lenenc};
use crate::result::column_type;
use crate::{Capabilities, Command};

/// The null bitmap of an execution comes after command, id, flags and iteration count.
const EXECUTE_HEAD: usize = 10;
/// The types of a bulk execution come after command, id and flags.
const BULK_HEAD: usize = 7;
/// Bulk flag: the types are sent.
const BULK_TYPES: u8 = 0x80;
/// Execution flag: the count of parameters is sent although there are none.
const COUNT_AVAILABLE: u8 = 0x08;

/// Where the text of a `COM_QUERY` begins in its payload.
pub fn query_text(payload: &[u8], capabilities: Capabilities) -> Result<usize, Malformed> {
    if !capabilities.contains(Capabilities::QUERY_ATTRIBUTES) {
        return Ok(1);
    }
    let mut reader = Reader::new(payload.get(1..).unwrap_or_default());
    let count = reader.lenenc()?;
    let _sets = reader.lenenc()?;
    if count == 0 {
        return Ok(payload.len() - reader.remaining());
    }
    let count = usize::try_from(count).map_err(|_| Malformed::Truncated)?;
    let nulls = reader.bytes(count.div_ceil(8))?;
    if reader.u8()? != 1 {
        return Err(Malformed::Unexpected("query attributes without types"));
    }
    let mut types = Vec::new();
    for _ in 0..count {
        types.push(reader.u8()?);
        reader.u8()?;
        reader.lenenc_bytes()?;
    }
    for (index, kind) in types.into_iter().enumerate() {
        if nulls[index / 8] & 1 << (index % 8) == 0 {
            skip_value(&mut reader, kind)?;
        }
    }
    Ok(payload.len() - reader.remaining())
}

fn skip_value(reader: &mut Reader<'_>, kind: u8) -> Result<(), Malformed> {
    let len = match kind {
        column_type::NULL => 0,
        column_type::TINY => 1,
        column_type::SHORT | column_type::YEAR => 2,
        column_type::LONG | column_type::INT24 | column_type::FLOAT => 4,
        column_type::LONGLONG | column_type::DOUBLE => 8,
        column_type::DATE | column_type::DATETIME | column_type::TIMESTAMP | column_type::TIME => {
            usize::from(reader.u8()?)
        }
        _ => {
            reader.lenenc_bytes()?;
            0
        }
    };
    reader.bytes(len).map(|_| ())
}

/// The place of the parameter types in an execution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bound {
    /// The byte that says whether they are there.
    flag: usize,
    /// Where they are, of the statement's own parameters; empty when they were left out, and then
    /// it is where they would be.
    pub types: Range<usize>,
    /// They are there.
    pub sent: bool,
    bulk: bool,
}

impl Bound {
    /// Reads the payload of a `COM_STMT_EXECUTE` or `COM_STMT_BULK_EXECUTE` of a statement with
    /// so many parameters. `None` when it has no place for types, or is cut short.
    pub fn read(payload: &[u8], parameters: u16, capabilities: Capabilities) -> Option<Self> {
        let command = Command::from_byte(*payload.first()?);
        if command == Command::StmtBulkExecute {
            let sent = payload.get(5)? & BULK_TYPES != 0;
            let len = if sent { 2 * usize::from(parameters) } else { 0 };
            let types = BULK_HEAD..BULK_HEAD + len;
            return (payload.len() >= types.end).then_some(Self {
                flag: 5,
                types,
                sent,
                bulk: true,
            });
        }
        let named = capabilities.contains(Capabilities::QUERY_ATTRIBUTES);
        let counted = named && payload.get(5)? & COUNT_AVAILABLE != 0;
        if parameters == 0 && !counted {
            return None;
        }
        let mut reader = Reader::new(payload.get(EXECUTE_HEAD..)?);
        let count = if named {
            usize::try_from(reader.lenenc().ok()?).ok()?
        } else {
            usize::from(parameters)
        };
        reader.bytes(count.div_ceil(8)).ok()?;
        let flag = payload.len() - reader.remaining();
        let sent = reader.u8().ok()? == 1;
        let start = flag + 1;
        let own = if sent { usize::from(parameters) } else { 0 };
        for _ in 0..own {
            reader.bytes(2).ok()?;
            if named {
                reader.lenenc_bytes().ok()?;
            }
        }
        Some(Self {
            flag,
            types: start..payload.len() - reader.remaining(),
            sent,
            bulk: false,
        })
    }

    /// Appends the payload with the types put in, which must have been left out.
    pub fn put_with_types(&self, out: &mut Vec<u8>, payload: &[u8], types: &[u8]) {
        let start = out.len();
        out.extend_from_slice(&payload[..self.types.start]);
        if self.bulk {
            out[start + self.flag] |= BULK_TYPES;
        } else {
            out[start + self.flag] = 1;
        }
        out.extend_from_slice(types);
        out.extend_from_slice(&payload[self.types.end..]);
    }
}

/// Appends the payload of a `COM_QUERY` without attributes.
pub fn put_query(out: &mut Vec<u8>, sql: &[u8], capabilities: Capabilities) {
    out.push(Command::Query.byte());
    if capabilities.contains(Capabilities::QUERY_ATTRIBUTES) {
        put_lenenc(out, 0);
        put_lenenc(out, 1);
    }
    out.extend_from_slice(sql);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NAMED: Capabilities = Capabilities::QUERY_ATTRIBUTES;

    #[test]
    fn the_text_of_a_query_comes_after_its_attributes() {
        // The example of the manual page of COM_QUERY.
        let payload = b"\x03\x01\x01\x00\x01\xfe\x00\x01a\x011select @@version_comment limit 1";
        let at = query_text(payload, NAMED).expect("right");
        assert_eq!(&payload[at..], b"select @@version_comment limit 1");
        assert_eq!(query_text(b"\x03\x00\x01select 1", NAMED), Ok(3));
        assert_eq!(query_text(b"\x03select 1", Capabilities::NONE), Ok(1));
        let payload = b"\x03\x03\x01\x02\x01\x08\x00\x01a\xfd\x00\x01b\x0c\x00\x01c\
                        \x01\0\0\0\0\0\0\0\x04\xe8\x07\x01\x01SELECT 2";
        let at = query_text(payload, NAMED).expect("right");
        assert_eq!(&payload[at..], b"SELECT 2");
    }

    #[test]
    fn a_query_made_here_is_read_here() {
        for capabilities in [Capabilities::NONE, NAMED] {
            let mut payload = Vec::new();
            put_query(&mut payload, b"SELECT 1", capabilities);
            let at = query_text(&payload, capabilities).expect("right");
            assert_eq!(&payload[at..], b"SELECT 1");
        }
    }

    #[test]
    fn types_left_out_are_put_in_where_they_belong() {
        let payload = [0x17, 9, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 7];
        let bound = Bound::read(&payload, 1, Capabilities::NONE).expect("right");
        assert!(!bound.sent);
        let mut made = Vec::new();
        bound.put_with_types(&mut made, &payload, &[8, 0]);
        assert_eq!(made, [0x17, 9, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 8, 0, 7]);
        let bound = Bound::read(&made, 1, Capabilities::NONE).expect("right");
        assert_eq!((bound.sent, &made[bound.types]), (true, &[8, 0][..]));

        let payload = [0xfa, 9, 0, 0, 0, 0x40, 0, 0, 7];
        let bound = Bound::read(&payload, 1, Capabilities::NONE).expect("right");
        let mut made = Vec::new();
        bound.put_with_types(&mut made, &payload, &[8, 0]);
        assert_eq!(made, [0xfa, 9, 0, 0, 0, 0xc0, 0, 8, 0, 0, 7]);
        let bound = Bound::read(&made, 1, Capabilities::NONE).expect("right");
        assert_eq!((bound.sent, &made[bound.types]), (true, &[8, 0][..]));
    }

    #[test]
    fn of_an_execution_with_attributes_only_the_types_of_parameters_are_the_statements() {
        let payload = b"\x17\x09\0\0\0\x08\x01\0\0\0\x02\0\x01\xfd\0\0\xfd\0\x01a\x02hi\x02vv";
        let bound = Bound::read(payload, 1, NAMED).expect("right");
        assert_eq!(
            (bound.sent, &payload[bound.types]),
            (true, &b"\xfd\0\0"[..])
        );
        let payload = b"\x17\x09\0\0\0\0\x01\0\0\0";
        assert_eq!(Bound::read(payload, 0, NAMED), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(
            payload: Vec<u8>,
            parameters: u16,
            named: bool,
        ) {
            let capabilities = if named { NAMED } else { Capabilities::NONE };
            let _ = query_text(&payload, capabilities);
            for command in [0x17, 0xfa] {
                let payload = [&[command], &payload[..]].concat();
                if let Some(bound) = Bound::read(&payload, parameters, capabilities) {
                    bound.put_with_types(&mut Vec::new(), &payload, &[0; 2]);
                }
            }
        }
    }
}
