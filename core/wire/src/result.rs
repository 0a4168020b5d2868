//! Text result sets: column definitions and rows, read for the control plane's own queries,
//! written for answers given locally. Rows that only pass through are never decoded.
//!
//! Sources: `Protocol::ColumnDefinition41`, `ProtocolText::ResultsetRow` (MySQL internals).

#[cfg(test)]
mod tests;

use crate::Capabilities;
use crate::codec::{
    Malformed, Reader, put_lenenc, put_lenenc_bytes, put_u16, put_u32, text as utf8,
};
use crate::packet::{build_packet, put_packet};
use crate::response::{EofPacket, OkPacket, StatusFlags, put_result_end};

/// Types of columns and parameters. Source: `enum_field_types`.
pub mod column_type {
    /// `TINYINT`.
    pub const TINY: u8 = 0x01;
    /// `SMALLINT`.
    pub const SHORT: u8 = 0x02;
    /// `INT`.
    pub const LONG: u8 = 0x03;
    /// `FLOAT`.
    pub const FLOAT: u8 = 0x04;
    /// `DOUBLE`.
    pub const DOUBLE: u8 = 0x05;
    /// NULL.
    pub const NULL: u8 = 0x06;
    /// `TIMESTAMP`.
    pub const TIMESTAMP: u8 = 0x07;
    /// `BIGINT`.
    pub const LONGLONG: u8 = 0x08;
    /// `MEDIUMINT`.
    pub const INT24: u8 = 0x09;
    /// `DATE`.
    pub const DATE: u8 = 0x0a;
    /// `TIME`.
    pub const TIME: u8 = 0x0b;
    /// `DATETIME`.
    pub const DATETIME: u8 = 0x0c;
    /// `YEAR`.
    pub const YEAR: u8 = 0x0d;
    /// `VARCHAR` as it appears in result sets.
    pub const VAR_STRING: u8 = 0xfd;
}

/// Column flag: the integer has no sign.
pub const UNSIGNED_FLAG: u16 = 32;

/// One column of a result set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ColumnDefinition {
    /// Schema of the table.
    pub schema: String,
    /// Name or alias of the table.
    pub table: String,
    /// Name of the table.
    pub org_table: String,
    /// Name or alias of the column.
    pub name: String,
    /// Name of the column.
    pub org_name: String,
    /// Collation number.
    pub charset: u16,
    /// Longest value, in bytes.
    pub length: u32,
    /// One of [`column_type`].
    pub column_type: u8,
    /// Flags, as [`UNSIGNED_FLAG`].
    pub flags: u16,
    /// Digits after the point.
    pub decimals: u8,
}

impl ColumnDefinition {
    /// A column of text without a table.
    pub fn text(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            charset: u16::from(crate::handshake::UTF8MB4_GENERAL_CI),
            length: 1024,
            column_type: column_type::VAR_STRING,
            ..Self::default()
        }
    }

    /// Reads a payload, of a connection without `MARIADB_EXTENDED_METADATA`.
    pub fn parse(payload: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(payload);
        let _catalog = reader.lenenc_bytes()?;
        let column = Self {
            schema: utf8(reader.lenenc_bytes()?)?,
            table: utf8(reader.lenenc_bytes()?)?,
            org_table: utf8(reader.lenenc_bytes()?)?,
            name: utf8(reader.lenenc_bytes()?)?,
            org_name: utf8(reader.lenenc_bytes()?)?,
            ..Self::default()
        };
        let _length_of_the_rest = reader.lenenc()?;
        Ok(Self {
            charset: reader.u16()?,
            length: reader.u32()?,
            column_type: reader.u8()?,
            flags: reader.u16()?,
            decimals: reader.u8()?,
            ..column
        })
    }

    /// Appends the payload.
    pub fn encode(&self, out: &mut Vec<u8>) {
        self.encode_with(out, Capabilities::NONE);
    }

    /// Appends the payload for a client with these capabilities.
    pub fn encode_with(&self, out: &mut Vec<u8>, capabilities: Capabilities) {
        put_lenenc_bytes(out, b"def");
        for name in [
            &self.schema,
            &self.table,
            &self.org_table,
            &self.name,
            &self.org_name,
        ] {
            put_lenenc_bytes(out, name.as_bytes());
        }
        if capabilities.contains(Capabilities::MARIADB_EXTENDED_METADATA) {
            put_lenenc_bytes(out, b"");
        }
        out.push(0x0c);
        put_u16(out, self.charset);
        put_u32(out, self.length);
        out.push(self.column_type);
        put_u16(out, self.flags);
        out.push(self.decimals);
        out.extend_from_slice(&[0, 0]);
    }
}

/// Reads the `columns` fields of a text row; `None` is NULL.
pub fn parse_text_row(payload: &[u8], columns: usize) -> Result<Vec<Option<&[u8]>>, Malformed> {
    let mut reader = Reader::new(payload);
    let row = (0..columns)
        .map(|_| reader.lenenc_bytes_or_null())
        .collect::<Result<_, _>>()?;
    if reader.is_empty() {
        Ok(row)
    } else {
        Err(Malformed::Unexpected("a row with more fields"))
    }
}

/// Appends a text row's payload.
pub fn put_text_row<'a>(out: &mut Vec<u8>, fields: impl IntoIterator<Item = Option<&'a [u8]>>) {
    for field in fields {
        match field {
            None => out.push(0xfb),
            Some(bytes) => put_lenenc_bytes(out, bytes),
        }
    }
}

/// Appends a whole text result set in packets, the first with this sequence number. Returns the
/// sequence number after the last.
pub fn put_text_result_set(
    out: &mut Vec<u8>,
    sequence: u8,
    capabilities: Capabilities,
    columns: &[ColumnDefinition],
    rows: &[Vec<Option<String>>],
) -> u8 {
    let status = StatusFlags::AUTOCOMMIT;
    put_text_result_set_with(out, (sequence, status), capabilities, columns, rows)
}

/// The same with these status flags.
pub fn put_text_result_set_with(
    out: &mut Vec<u8>,
    (sequence, status): (u8, StatusFlags),
    capabilities: Capabilities,
    columns: &[ColumnDefinition],
    rows: &[Vec<Option<String>>],
) -> u8 {
    let told = Capabilities::OPTIONAL_RESULTSET_METADATA | Capabilities::MARIADB_CACHE_METADATA;
    let mut sequence = build_packet(out, sequence, |out| {
        put_lenenc(out, columns.len() as u64);
        if capabilities & told != Capabilities::NONE {
            out.push(1);
        }
    });
    for column in columns {
        sequence = build_packet(out, sequence, |out| column.encode_with(out, capabilities));
    }
    if !capabilities.contains(Capabilities::DEPRECATE_EOF) {
        let eof = EofPacket {
            warnings: 0,
            status,
        };
        sequence = build_packet(out, sequence, |out| eof.encode(out));
    }
    for row in rows {
        let mut payload = Vec::new();
        put_text_row(
            &mut payload,
            row.iter().map(|field| field.as_deref().map(str::as_bytes)),
        );
        sequence = put_packet(out, sequence, &payload);
    }
    let end = OkPacket {
        status,
        ..OkPacket::default()
    };
    build_packet(out, sequence, |out| put_result_end(out, &end, capabilities))
}
