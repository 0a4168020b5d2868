//! The server's side of a prepared statement: parameters of `COM_STMT_EXECUTE` read, rows written.
//! Only for statements that are answered locally: those of the proxy's clients pass through.
//!
//! Sources: `COM_STMT_EXECUTE`, "Binary Protocol Resultset Row", "Binary Protocol Value" (MySQL
//! internals).

use crate::Capabilities;
use crate::bound::Bound;
use crate::codec::{Malformed, Reader, put_lenenc_bytes};
use crate::result::column_type;

/// A parameter that a client gave.
#[derive(Clone, Debug, PartialEq)]
pub enum Given {
    /// NULL.
    Null,
    /// An integer; an unsigned one beyond the signed range stays at its end.
    Int(i64),
    /// A number with a fraction.
    Double(f64),
    /// A text, or bytes.
    Bytes(Vec<u8>),
}

/// The parameters of an execution without query attributes. `types` are those of the last
/// execution that sent them, and are replaced by what is sent.
pub fn parameters(
    payload: &[u8],
    count: u16,
    types: &mut Vec<u8>,
) -> Result<Vec<Given>, Malformed> {
    if count == 0 {
        return Ok(Vec::new());
    }
    let bound = Bound::read(payload, count, Capabilities::NONE).ok_or(Malformed::Truncated)?;
    if bound.sent {
        let sent = payload.get(bound.types.clone());
        *types = sent.ok_or(Malformed::Truncated)?.to_vec();
    }
    let count = usize::from(count);
    if types.len() != 2 * count {
        return Err(Malformed::Unexpected("an execution without types"));
    }
    // Command, id, flags and iteration count come before the bitmap.
    let nulls = payload.get(10..).ok_or(Malformed::Truncated)?;
    let mut reader = Reader::new(payload.get(bound.types.end..).unwrap_or_default());
    (0..count)
        .map(|index| {
            let null = nulls.get(index / 8).ok_or(Malformed::Truncated)? & 1 << (index % 8) != 0;
            if null {
                return Ok(Given::Null);
            }
            let unsigned = types[2 * index + 1] & 0x80 != 0;
            given(&mut reader, types[2 * index], unsigned)
        })
        .collect()
}

fn given(reader: &mut Reader<'_>, kind: u8, unsigned: bool) -> Result<Given, Malformed> {
    let integer = |bits: u64, signed: i64| {
        let value = i64::try_from(bits).unwrap_or(i64::MAX);
        Given::Int(if unsigned { value } else { signed })
    };
    Ok(match kind {
        column_type::NULL => Given::Null,
        column_type::TINY => {
            let value = reader.u8()?;
            integer(value.into(), value.cast_signed().into())
        }
        column_type::SHORT | column_type::YEAR => {
            let value = reader.u16()?;
            integer(value.into(), value.cast_signed().into())
        }
        column_type::LONG | column_type::INT24 => {
            let value = reader.u32()?;
            integer(value.into(), value.cast_signed().into())
        }
        column_type::LONGLONG => {
            let value = reader.u64()?;
            integer(value, value.cast_signed())
        }
        column_type::FLOAT => Given::Double(f32::from_bits(reader.u32()?).into()),
        column_type::DOUBLE => Given::Double(f64::from_bits(reader.u64()?)),
        column_type::DATE | column_type::DATETIME | column_type::TIMESTAMP | column_type::TIME => {
            return Err(Malformed::Unexpected("a date as a parameter"));
        }
        _ => Given::Bytes(reader.lenenc_bytes()?.to_vec()),
    })
}

/// Appends the payload of a binary row whose columns are all of text.
pub fn put_binary_row(out: &mut Vec<u8>, fields: &[Option<&[u8]>]) {
    out.push(0);
    let nulls = out.len();
    out.resize(nulls + (fields.len() + 2).div_ceil(8), 0);
    for (index, field) in fields.iter().enumerate() {
        match field {
            Some(bytes) => put_lenenc_bytes(out, bytes),
            // The bitmap of NULLs begins with two unused bits.
            None => out[nulls + (index + 2) / 8] |= 1 << ((index + 2) % 8),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::result::ColumnDefinition;
    use crate::statement::{Param, parse_binary_row, put_execute};

    #[test]
    fn parameters_arrive_as_they_were_given() {
        let mut payload = Vec::new();
        let given = [
            Param::Int(-7),
            Param::Null,
            Param::Bytes(b"x"),
            Param::UInt(9),
        ];
        put_execute(&mut payload, 3, &given);
        let mut types = Vec::new();
        let found = parameters(&payload, 4, &mut types).expect("they are whole");
        let text = Given::Bytes(b"x".to_vec());
        assert_eq!(found, [Given::Int(-7), Given::Null, text, Given::Int(9)]);
        assert_eq!(types.len(), 8);
    }

    #[test]
    fn rows_are_read_as_they_were_written() {
        let mut payload = Vec::new();
        put_binary_row(&mut payload, &[Some(b"a"), None, Some(b"")]);
        let columns = ["x", "y", "z"].map(ColumnDefinition::text);
        let row = parse_binary_row(&payload, &columns).expect("it is a row");
        assert_eq!(row, [Some(b"a".to_vec()), None, Some(Vec::new())]);
    }

    proptest! {
        #[test]
        fn no_payload_panics(
            payload in prop::collection::vec(any::<u8>(), 0..64),
            count in 0_u16..9,
        ) {
            let _ = parameters(&payload, count, &mut Vec::new());
        }
    }
}
