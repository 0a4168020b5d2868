//! The steps of a reply: what a whole packet means where it stands, and what comes next.

use super::{Prepared, ResponseTracker};
use crate::Capabilities;
use crate::codec::{Malformed, Reader};
use crate::command::ReplyKind;
use crate::packet::HEADER_LEN;
use crate::response::{EOF_HEADER, EofPacket, OK_HEADER, OkPacket, StatusFlags};

/// What the next packet is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// The first packet of a reply, or of a further result.
    First,
    /// A parameter definition of a prepared statement.
    Params { left: u16, columns: u16 },
    /// The EOF after them.
    ParamsEnd { columns: u16 },
    /// A column definition.
    Columns { left: u64 },
    /// The EOF after them.
    ColumnsEnd,
    /// A column definition of `COM_FIELD_LIST`, or the end.
    FieldList,
    /// A row, or the end of rows.
    Rows,
    /// Nothing.
    Done,
}

impl ResponseTracker {
    /// A packet that was not kept has ended.
    pub(super) fn passed(&mut self) -> Result<(), Malformed> {
        self.phase = match self.phase {
            Phase::First if self.kind == ReplyKind::Statistics => Phase::Done,
            Phase::First if self.kind == ReplyKind::ResultSets => {
                self.waiting_for_client = true;
                Phase::First
            }
            Phase::Params { left, columns } if left > 1 => Phase::Params {
                left: left - 1,
                columns,
            },
            Phase::Params { columns, .. } if self.has_eof() => Phase::ParamsEnd { columns },
            Phase::Params { columns, .. } => Self::prepared_columns(columns),
            Phase::Columns { left } if left > 1 => Phase::Columns { left: left - 1 },
            Phase::Columns { .. } => self.after_columns(),
            Phase::FieldList => Phase::FieldList,
            Phase::Rows => {
                self.summary.rows += 1;
                Phase::Rows
            }
            Phase::First | Phase::ParamsEnd { .. } | Phase::ColumnsEnd | Phase::Done => {
                return Err(Malformed::Unexpected("a packet too long for its place"));
            }
        };
        Ok(())
    }

    /// A kept packet that is not an error has ended.
    pub(super) fn read(&mut self, first: u8, payload: &[u8]) -> Result<(), Malformed> {
        match self.phase {
            Phase::First => self.read_first(first, payload),
            Phase::ParamsEnd { columns } => {
                EofPacket::parse(payload)?;
                self.phase = Self::prepared_columns(columns);
                Ok(())
            }
            Phase::ColumnsEnd if self.kind == ReplyKind::Prepare => {
                EofPacket::parse(payload)?;
                self.phase = Phase::Done;
                Ok(())
            }
            Phase::ColumnsEnd => {
                let eof = EofPacket::parse(payload)?;
                let out = StatusFlags::PS_OUT_PARAMS.union(StatusFlags::MORE_RESULTS_EXISTS);
                self.promised = eof.status.contains(out);
                // With a cursor the rows are fetched later, and this EOF is the last packet.
                if eof.status.contains(StatusFlags::CURSOR_EXISTS) {
                    self.result_ended(eof.status);
                } else {
                    self.phase = Phase::Rows;
                }
                Ok(())
            }
            Phase::FieldList | Phase::Rows => self.read_end(payload),
            Phase::Params { .. } | Phase::Columns { .. } | Phase::Done => {
                Err(Malformed::Unexpected("a packet that has no place here"))
            }
        }
    }

    fn read_first(&mut self, first: u8, payload: &[u8]) -> Result<(), Malformed> {
        match self.kind {
            ReplyKind::Prepare => self.read_prepared(payload),
            ReplyKind::ResultSets if first == OK_HEADER => self.read_ok(payload),
            ReplyKind::ResultSets => self.read_column_count(payload),
            ReplyKind::Single if Self::is_ok(first) => self.read_end(payload),
            ReplyKind::Single
            | ReplyKind::None
            | ReplyKind::FieldList
            | ReplyKind::Statistics
            | ReplyKind::Fetch
            | ReplyKind::Login
            | ReplyKind::Endless => {
                Err(Malformed::Unexpected("a reply that is neither OK nor ERR"))
            }
        }
    }

    /// OK, or the EOF that stands for it. An EOF has five bytes, an OK packet at least seven.
    fn read_end(&mut self, payload: &[u8]) -> Result<(), Malformed> {
        if payload.first() == Some(&EOF_HEADER) && payload.len() < 7 {
            let eof = EofPacket::parse(payload)?;
            self.summary.warnings = eof.warnings;
            self.result_ended(eof.status);
            return Ok(());
        }
        self.read_ok(payload)
    }

    fn read_ok(&mut self, payload: &[u8]) -> Result<(), Malformed> {
        let mut ok = OkPacket::parse(payload, self.capabilities)?;
        self.summary.affected_rows = ok.affected_rows;
        self.summary.last_insert_id = ok.last_insert_id;
        self.summary.warnings = ok.warnings;
        self.summary.changes.append(&mut ok.changes);
        self.marked = ok
            .status
            .contains(StatusFlags::SESSION_STATE_CHANGED)
            .then_some(HEADER_LEN + payload.len());
        self.result_ended(ok.status);
        Ok(())
    }

    fn result_ended(&mut self, status: StatusFlags) {
        self.summary.status = Some(status);
        let promised = std::mem::take(&mut self.promised);
        let more = self.kind == ReplyKind::ResultSets
            && (promised || status.contains(StatusFlags::MORE_RESULTS_EXISTS));
        self.phase = if more { Phase::First } else { Phase::Done };
    }

    fn read_column_count(&mut self, payload: &[u8]) -> Result<(), Malformed> {
        let mut reader = Reader::new(payload);
        let count = reader.lenenc()?;
        // Both families put it behind the count, whatever the manual's table says.
        let told =
            Capabilities::OPTIONAL_RESULTSET_METADATA.union(Capabilities::MARIADB_CACHE_METADATA);
        let told = self.capabilities & told != Capabilities::NONE;
        let definitions = !told || reader.is_empty() || reader.u8()? != 0;
        if count == 0 {
            return Err(Malformed::Unexpected("a result set without columns"));
        }
        self.summary.result_sets += 1;
        self.phase = if definitions {
            Phase::Columns { left: count }
        } else {
            self.after_columns()
        };
        Ok(())
    }

    fn read_prepared(&mut self, payload: &[u8]) -> Result<(), Malformed> {
        let mut reader = Reader::new(payload);
        if reader.u8()? != OK_HEADER {
            return Err(Malformed::Unexpected(
                "the reply to a prepare is neither OK nor ERR",
            ));
        }
        let statement_id = reader.u32()?;
        let columns = reader.u16()?;
        let params = reader.u16()?;
        // Very old servers end here.
        let warnings = if reader.remaining() >= 3 {
            reader.u8().and_then(|_| reader.u16())?
        } else {
            0
        };
        let definitions = !self
            .capabilities
            .contains(Capabilities::OPTIONAL_RESULTSET_METADATA)
            || reader.is_empty()
            || reader.u8()? != 0;
        self.summary.prepared = Some(Prepared {
            statement_id,
            columns,
            params,
            warnings,
        });
        self.summary.warnings = warnings;
        self.phase = match (definitions, params) {
            (false, _) => Phase::Done,
            (true, 0) => Self::prepared_columns(columns),
            (true, _) => Phase::Params {
                left: params,
                columns,
            },
        };
        Ok(())
    }

    fn prepared_columns(columns: u16) -> Phase {
        match columns {
            0 => Phase::Done,
            _ => Phase::Columns {
                left: u64::from(columns),
            },
        }
    }

    fn after_columns(&self) -> Phase {
        if self.has_eof() {
            Phase::ColumnsEnd
        } else if self.kind == ReplyKind::Prepare {
            Phase::Done
        } else {
            Phase::Rows
        }
    }

    fn has_eof(&self) -> bool {
        !self.capabilities.contains(Capabilities::DEPRECATE_EOF)
    }
}
