//! OK, ERR and EOF packets.
//!
//! Sources: `Protocol::OK_Packet`, `Protocol::ERR_Packet`, `Protocol::EOF_Packet` (MySQL
//! internals).

#[cfg(test)]
mod tests;

use crate::Capabilities;
use crate::codec::{Malformed, Reader, put_lenenc, put_lenenc_bytes, put_u16};
use crate::session_track::{SessionChange, parse_changes, put_changes};

/// First byte of an OK packet.
pub const OK_HEADER: u8 = 0x00;
/// First byte of an EOF packet, and of the OK packet that ends a result set under
/// [`Capabilities::DEPRECATE_EOF`].
pub const EOF_HEADER: u8 = 0xfe;
/// First byte of an ERR packet.
pub const ERR_HEADER: u8 = 0xff;
/// First byte of a request for a client's file.
pub const LOCAL_INFILE_HEADER: u8 = 0xfb;

/// Status flags of a session. Source: `SERVER_STATUS_flags_enum`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StatusFlags(pub u16);

impl StatusFlags {
    /// A transaction is open.
    pub const IN_TRANS: Self = Self(1);
    /// `autocommit` is on.
    pub const AUTOCOMMIT: Self = Self(2);
    /// Another result set follows.
    pub const MORE_RESULTS_EXISTS: Self = Self(8);
    /// No good index was used.
    pub const NO_GOOD_INDEX_USED: Self = Self(16);
    /// No index was used.
    pub const NO_INDEX_USED: Self = Self(32);
    /// A cursor is open: rows come by `COM_STMT_FETCH`.
    pub const CURSOR_EXISTS: Self = Self(64);
    /// The last row of a cursor was sent.
    pub const LAST_ROW_SENT: Self = Self(128);
    /// A schema was dropped.
    pub const DB_DROPPED: Self = Self(256);
    /// `NO_BACKSLASH_ESCAPES` is in force.
    pub const NO_BACKSLASH_ESCAPES: Self = Self(512);
    /// A statement's definition changed under it.
    pub const METADATA_CHANGED: Self = Self(1024);
    /// The query was slow.
    pub const QUERY_WAS_SLOW: Self = Self(2048);
    /// The result set holds output parameters.
    pub const PS_OUT_PARAMS: Self = Self(4096);
    /// The open transaction is read-only.
    pub const IN_TRANS_READONLY: Self = Self(8192);
    /// The OK packet reports changes of the session's state.
    pub const SESSION_STATE_CHANGED: Self = Self(16384);

    /// Whether all bits of `other` are set.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// The flags of both.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The flags of `self` that `other` has not.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }
}

/// Success without rows, or the end of a result set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OkPacket {
    /// Rows changed.
    pub affected_rows: u64,
    /// First value generated for an `AUTO_INCREMENT` column.
    pub last_insert_id: u64,
    /// The session's flags.
    pub status: StatusFlags,
    /// Number of warnings.
    pub warnings: u16,
    /// A sentence for people, as `Rows matched: 1 …`.
    pub info: Vec<u8>,
    /// What changed in the session.
    pub changes: Vec<SessionChange>,
}

impl OkPacket {
    /// Reads a payload whose first byte is [`OK_HEADER`] or [`EOF_HEADER`].
    pub fn parse(payload: &[u8], capabilities: Capabilities) -> Result<Self, Malformed> {
        let mut reader = Reader::new(payload);
        if !matches!(reader.u8()?, OK_HEADER | EOF_HEADER) {
            return Err(Malformed::Unexpected("this is not an OK packet"));
        }
        let mut ok = Self {
            affected_rows: reader.lenenc()?,
            last_insert_id: reader.lenenc()?,
            status: StatusFlags(reader.u16()?),
            warnings: reader.u16()?,
            ..Self::default()
        };
        if !capabilities.contains(Capabilities::SESSION_TRACK) {
            let rest = reader.rest();
            let with_length = Reader::new(rest).lenenc_bytes();
            ok.info = with_length.unwrap_or(rest).to_vec();
            return Ok(ok);
        }
        // Servers leave the rest out when both fields would be empty.
        if !reader.is_empty() {
            ok.info = reader.lenenc_bytes()?.to_vec();
        }
        if ok.status.contains(StatusFlags::SESSION_STATE_CHANGED) && !reader.is_empty() {
            ok.changes = parse_changes(reader.lenenc_bytes()?)?;
        }
        Ok(ok)
    }

    /// Appends the payload with [`OK_HEADER`].
    pub fn encode(&self, out: &mut Vec<u8>, capabilities: Capabilities) {
        self.encode_as(OK_HEADER, out, capabilities);
    }

    /// Appends the payload with [`EOF_HEADER`]: the end of a result set when the client asked for
    /// [`Capabilities::DEPRECATE_EOF`].
    pub fn encode_as_eof(&self, out: &mut Vec<u8>, capabilities: Capabilities) {
        self.encode_as(EOF_HEADER, out, capabilities);
    }

    fn encode_as(&self, header: u8, out: &mut Vec<u8>, capabilities: Capabilities) {
        let tracked = capabilities.contains(Capabilities::SESSION_TRACK);
        let changed = tracked && !self.changes.is_empty();
        let status = self.status.without(StatusFlags::SESSION_STATE_CHANGED);
        let status = if changed {
            status.union(StatusFlags::SESSION_STATE_CHANGED)
        } else {
            status
        };
        out.push(header);
        put_lenenc(out, self.affected_rows);
        put_lenenc(out, self.last_insert_id);
        put_u16(out, status.0);
        put_u16(out, self.warnings);
        if !tracked {
            // The manual has a text to the end here; servers send its length, clients read it.
            if !self.info.is_empty() {
                put_lenenc_bytes(out, &self.info);
            }
            return;
        }
        if changed || !self.info.is_empty() {
            put_lenenc_bytes(out, &self.info);
        }
        if changed {
            let mut data = Vec::new();
            put_changes(&mut data, &self.changes);
            put_lenenc_bytes(out, &data);
        }
    }
}

/// An error, as servers send it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrPacket {
    /// The error's number.
    pub code: u16,
    /// Five characters of SQLSTATE. `HY000` where the server sent none, as it does before it knows
    /// that the client speaks 4.1.
    pub sqlstate: [u8; 5],
    /// The text.
    pub message: String,
}

impl ErrPacket {
    /// `MariaDB`'s progress reports use this number; they are not errors.
    pub const PROGRESS: u16 = 0xffff;

    /// An error with its text.
    pub fn new(code: u16, sqlstate: [u8; 5], message: impl Into<String>) -> Self {
        Self {
            code,
            sqlstate,
            message: message.into(),
        }
    }

    /// Reads a payload whose first byte is [`ERR_HEADER`].
    pub fn parse(payload: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(payload);
        if reader.u8()? != ERR_HEADER {
            return Err(Malformed::Unexpected("this is not an ERR packet"));
        }
        let code = reader.u16()?;
        let mut sqlstate = *b"HY000";
        if reader.peek() == Some(b'#') && reader.remaining() > 5 {
            reader.u8()?;
            sqlstate.copy_from_slice(reader.bytes(5)?);
        }
        let message = String::from_utf8_lossy(reader.rest()).into_owned();
        Ok(Self {
            code,
            sqlstate,
            message,
        })
    }

    /// Appends the payload.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.push(ERR_HEADER);
        put_u16(out, self.code);
        out.push(b'#');
        out.extend_from_slice(&self.sqlstate);
        out.extend_from_slice(self.message.as_bytes());
    }

    /// The SQLSTATE as text.
    pub fn sqlstate_text(&self) -> String {
        String::from_utf8_lossy(&self.sqlstate).into_owned()
    }
}

/// The end of column definitions or rows, without [`Capabilities::DEPRECATE_EOF`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EofPacket {
    /// Number of warnings.
    pub warnings: u16,
    /// The session's flags.
    pub status: StatusFlags,
}

impl EofPacket {
    /// Reads a payload whose first byte is [`EOF_HEADER`].
    pub fn parse(payload: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(payload);
        if reader.u8()? != EOF_HEADER {
            return Err(Malformed::Unexpected("this is not an EOF packet"));
        }
        Ok(Self {
            warnings: reader.u16()?,
            status: StatusFlags(reader.u16()?),
        })
    }

    /// Appends the payload.
    pub fn encode(self, out: &mut Vec<u8>) {
        out.push(EOF_HEADER);
        put_u16(out, self.warnings);
        put_u16(out, self.status.0);
    }
}

/// Appends what ends a result set for these capabilities: an OK packet with header `0xFE`, or EOF.
pub fn put_result_end(out: &mut Vec<u8>, end: &OkPacket, capabilities: Capabilities) {
    if capabilities.contains(Capabilities::DEPRECATE_EOF) {
        end.encode_as_eof(out, capabilities);
    } else {
        EofPacket {
            warnings: end.warnings,
            status: end.status,
        }
        .encode(out);
    }
}
