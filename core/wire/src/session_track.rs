//! Session state changes that a server reports in OK packets.
//!
//! Source: `Protocol::OK_Packet`, Session State Information (MySQL internals).

use crate::codec::{Malformed, Reader, put_lenenc_bytes};

/// One change of the session's state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SessionChange {
    /// A tracked system variable has a new value. `MariaDB` reports `last_gtid` this way.
    SystemVariable {
        /// Its name.
        name: String,
        /// Its new value.
        value: String,
    },
    /// The default schema changed.
    Schema(String),
    /// Some state changed (a user variable, a temporary table, a prepared statement, …).
    StateChanged(bool),
    /// GTIDs of the transaction just committed, or of all, as `session_track_gtids` says.
    Gtids(String),
    /// Statements that would start the current transaction again with its characteristics.
    TransactionCharacteristics(String),
    /// The eight-character transaction state, as `T___W___`.
    TransactionState(String),
    /// A kind that a newer server knows.
    Unknown {
        /// Its number.
        kind: u8,
        /// Its data.
        data: Vec<u8>,
    },
}

/// Reads the session state information of an OK packet. A change whose data is not as documented
/// is [`SessionChange::Unknown`]: its length still says where the next one begins.
pub fn parse_changes(bytes: &[u8]) -> Result<Vec<SessionChange>, Malformed> {
    let mut reader = Reader::new(bytes);
    let mut changes = Vec::new();
    while !reader.is_empty() {
        let kind = reader.u8()?;
        let data = reader.lenenc_bytes()?;
        let before = changes.len();
        if parse_change(kind, data, &mut changes).is_err() {
            changes.truncate(before);
            changes.push(SessionChange::Unknown {
                kind,
                data: data.to_vec(),
            });
        }
    }
    Ok(changes)
}

fn parse_change(kind: u8, data: &[u8], into: &mut Vec<SessionChange>) -> Result<(), Malformed> {
    let mut reader = Reader::new(data);
    let mut next_text = || reader.lenenc_bytes().map(lossy);
    match kind {
        0 => return parse_variables(data, into),
        1 => into.push(SessionChange::Schema(next_text()?)),
        // The only kind whose text has no length of its own.
        2 => into.push(SessionChange::StateChanged(data == b"1")),
        3 => {
            // The first byte names the encoding of the set; only text (0) is defined.
            let mut set = Reader::new(data.get(1..).ok_or(Malformed::Truncated)?);
            into.push(SessionChange::Gtids(lossy(set.lenenc_bytes()?)));
        }
        4 => into.push(SessionChange::TransactionCharacteristics(next_text()?)),
        5 => into.push(SessionChange::TransactionState(next_text()?)),
        kind => into.push(SessionChange::Unknown {
            kind,
            data: data.to_vec(),
        }),
    }
    Ok(())
}

/// One variable, or several one after the other.
fn parse_variables(data: &[u8], into: &mut Vec<SessionChange>) -> Result<(), Malformed> {
    let mut reader = Reader::new(data);
    while !reader.is_empty() {
        let name = lossy(reader.lenenc_bytes()?);
        let value = lossy(reader.lenenc_bytes_or_null()?.unwrap_or_default());
        into.push(SessionChange::SystemVariable { name, value });
    }
    Ok(())
}

/// Appends session state information as OK packets carry it.
pub fn put_changes(out: &mut Vec<u8>, changes: &[SessionChange]) {
    let mut data = Vec::new();
    for change in changes {
        data.clear();
        let kind = match change {
            SessionChange::SystemVariable { name, value } => {
                put_lenenc_bytes(&mut data, name.as_bytes());
                put_lenenc_bytes(&mut data, value.as_bytes());
                0
            }
            SessionChange::Schema(name) => {
                put_lenenc_bytes(&mut data, name.as_bytes());
                1
            }
            SessionChange::StateChanged(yes) => {
                data.push(if *yes { b'1' } else { b'0' });
                2
            }
            SessionChange::Gtids(set) => {
                data.push(0);
                put_lenenc_bytes(&mut data, set.as_bytes());
                3
            }
            SessionChange::TransactionCharacteristics(text) => {
                put_lenenc_bytes(&mut data, text.as_bytes());
                4
            }
            SessionChange::TransactionState(text) => {
                put_lenenc_bytes(&mut data, text.as_bytes());
                5
            }
            SessionChange::Unknown { kind, data: raw } => {
                data.extend_from_slice(raw);
                *kind
            }
        };
        out.push(kind);
        put_lenenc_bytes(out, &data);
    }
}

// Values come in whatever character set the server keeps them; a strange letter in one must not
// break the connection.
fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
