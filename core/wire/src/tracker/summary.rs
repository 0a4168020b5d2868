//! What a reply said, once it was followed.

use crate::response::{ErrPacket, StatusFlags};
use crate::session_track::SessionChange;

/// What a `COM_STMT_PREPARE` gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prepared {
    /// The server's number for the statement.
    pub statement_id: u32,
    /// Number of its result's columns.
    pub columns: u16,
    /// Number of its parameters.
    pub params: u16,
    /// Number of warnings.
    pub warnings: u16,
}

/// What a reply said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// The error that ended it.
    pub error: Option<ErrPacket>,
    /// The last status flags seen; `None` if there were none, as with an error at once.
    pub status: Option<StatusFlags>,
    /// Rows changed, as the last OK packet says.
    pub affected_rows: u64,
    /// Generated value, as the last OK packet says.
    pub last_insert_id: u64,
    /// Warnings, as the last OK or EOF packet says.
    pub warnings: u16,
    /// Session changes of all OK packets, in order.
    pub changes: Vec<SessionChange>,
    /// Set by a prepare.
    pub prepared: Option<Prepared>,
    /// Packets seen to their end.
    pub packets: u64,
    /// Rows seen to their end, over all result sets.
    pub rows: u64,
    /// Result sets begun.
    pub result_sets: u32,
    /// Sequence number of the last packet begun.
    pub last_sequence: u8,
}
