//! Prepared statements: `COM_STMT_EXECUTE` written and binary rows read, for the control plane's
//! own statements. Those of the proxy's clients pass through as they are.
//!
//! Sources: `COM_STMT_EXECUTE`, "Binary Protocol Resultset Row", "Binary Protocol Value" (MySQL
//! internals).

use crate::Command;
use crate::codec::{Malformed, Reader, put_lenenc_bytes, put_u32, put_u64};
use crate::result::{ColumnDefinition, UNSIGNED_FLAG, column_type};

/// A parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Param<'a> {
    /// NULL.
    Null,
    /// A signed integer.
    Int(i64),
    /// An unsigned integer.
    UInt(u64),
    /// Text or bytes.
    Bytes(&'a [u8]),
}

/// Appends the payload of a `COM_STMT_EXECUTE` without a cursor. `params` must be as many as the
/// statement has.
pub fn put_execute(out: &mut Vec<u8>, statement_id: u32, params: &[Param<'_>]) {
    out.push(Command::StmtExecute.byte());
    put_u32(out, statement_id);
    out.push(0);
    put_u32(out, 1);
    if params.is_empty() {
        return;
    }
    let nulls = out.len();
    out.resize(nulls + params.len().div_ceil(8), 0);
    for (index, param) in params.iter().enumerate() {
        if *param == Param::Null {
            out[nulls + index / 8] |= 1 << (index % 8);
        }
    }
    out.push(1);
    for param in params {
        let (column_type, flag) = match param {
            Param::Null => (column_type::NULL, 0),
            Param::Int(_) => (column_type::LONGLONG, 0),
            Param::UInt(_) => (column_type::LONGLONG, 0x80),
            Param::Bytes(_) => (column_type::VAR_STRING, 0),
        };
        out.extend_from_slice(&[column_type, flag]);
    }
    for param in params {
        match param {
            Param::Null => {}
            Param::Int(value) => put_u64(out, value.cast_unsigned()),
            Param::UInt(value) => put_u64(out, *value),
            Param::Bytes(bytes) => put_lenenc_bytes(out, bytes),
        }
    }
}

/// Reads a binary row into the text that the text protocol would show; `None` is NULL.
pub fn parse_binary_row(
    payload: &[u8],
    columns: &[ColumnDefinition],
) -> Result<Vec<Option<Vec<u8>>>, Malformed> {
    let mut reader = Reader::new(payload);
    if reader.u8()? != 0 {
        return Err(Malformed::Unexpected("this is not a binary row"));
    }
    // The bitmap of NULLs begins with two unused bits.
    let nulls = reader.bytes((columns.len() + 2).div_ceil(8))?;
    let is_null = |index: usize| nulls[(index + 2) / 8] & 1 << ((index + 2) % 8) != 0;
    columns
        .iter()
        .enumerate()
        .map(|(index, column)| {
            if is_null(index) {
                Ok(None)
            } else {
                value(&mut reader, column).map(Some)
            }
        })
        .collect()
}

fn value(reader: &mut Reader<'_>, column: &ColumnDefinition) -> Result<Vec<u8>, Malformed> {
    let unsigned = column.flags & UNSIGNED_FLAG != 0;
    let integer = |value: u64, signed: i64| {
        if unsigned {
            value.to_string()
        } else {
            signed.to_string()
        }
    };
    let text = match column.column_type {
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
        column_type::FLOAT => f32::from_bits(reader.u32()?).to_string(),
        column_type::DOUBLE => f64::from_bits(reader.u64()?).to_string(),
        column_type::DATE => date(reader, None)?,
        column_type::DATETIME | column_type::TIMESTAMP => date(reader, Some(column.decimals))?,
        column_type::TIME => time(reader, column.decimals)?,
        _ => return reader.lenenc_bytes().map(<[u8]>::to_vec),
    };
    Ok(text.into_bytes())
}

/// Trailing parts that are zero are not sent: the length says how many there are. `decimals` are
/// the digits of the second's fraction, for a date with a time.
fn date(reader: &mut Reader<'_>, decimals: Option<u8>) -> Result<String, Malformed> {
    let len = reader.u8()?;
    let (mut year, mut month, mut day, mut clock, mut micros) = (0, 0, 0, [0; 3], 0);
    if len >= 4 {
        (year, month, day) = (reader.u16()?, reader.u8()?, reader.u8()?);
    }
    if len >= 7 {
        clock = [reader.u8()?, reader.u8()?, reader.u8()?];
    }
    if len >= 11 {
        micros = reader.u32()?;
    }
    let date = format!("{year:04}-{month:02}-{day:02}");
    let Some(decimals) = decimals else {
        return Ok(date);
    };
    let [hour, minute, second] = clock;
    Ok(format!(
        "{date} {hour:02}:{minute:02}:{second:02}{}",
        fraction(micros, decimals)
    ))
}

fn time(reader: &mut Reader<'_>, decimals: u8) -> Result<String, Malformed> {
    let len = reader.u8()?;
    let (mut negative, mut hours, mut minute, mut second, mut micros) = (false, 0, 0, 0, 0);
    if len >= 8 {
        negative = reader.u8()? != 0;
        let days = u64::from(reader.u32()?);
        hours = days * 24 + u64::from(reader.u8()?);
        (minute, second) = (reader.u8()?, reader.u8()?);
    }
    if len >= 12 {
        micros = reader.u32()?;
    }
    let sign = if negative { "-" } else { "" };
    Ok(format!(
        "{sign}{hours:02}:{minute:02}:{second:02}{}",
        fraction(micros, decimals)
    ))
}

fn fraction(micros: u32, decimals: u8) -> String {
    if decimals == 0 {
        return String::new();
    }
    let mut digits = format!(".{micros:06}");
    digits.truncate(1 + usize::from(decimals));
    digits
}
