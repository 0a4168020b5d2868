//! Follows the reply to one command to its end, for any chunking of the bytes, keeping no rows.
//!
//! Only packet headers and first bytes are read; OK, ERR, EOF and other short packets are kept
//! until they are whole. What to do with the bytes is the caller's business.
//!
//! ```text
//! First ─▶ OK/ERR ──────────────────────────────────────────▶ Done (or First: more results)
//!       ─▶ column count ─▶ Columns ─▶ [ColumnsEnd] ─▶ Rows ─▶ Done (or First: more results)
//!       ─▶ prepared ─▶ [Params ─▶ ParamsEnd] ─▶ [Columns ─▶ ColumnsEnd] ─▶ Done
//!       ─▶ request for a file ─▶ the client's data ─▶ First
//! ```
//!
//! Invariants: no byte after the end of the reply is consumed; memory is bounded by
//! [`KEPT_MAX`]; the result does not depend on how the stream is cut.
//!
//! Sources: `COM_QUERY` Response, `COM_STMT_PREPARE` Response, `COM_FIELD_LIST` Response (MySQL
//! internals); "Result Set Packets" (MariaDB).

mod changes;
mod phase;
mod summary;
#[cfg(test)]
mod tests;

use crate::Capabilities;
use crate::codec::Malformed;
use crate::command::ReplyKind;
use crate::packet::{HEADER_LEN, MAX_PAYLOAD, PacketHeader};
use crate::response::{EOF_HEADER, ERR_HEADER, ErrPacket, LOCAL_INFILE_HEADER, OK_HEADER};
use phase::Phase;

pub use changes::{Mark, without_changes};
pub use summary::{Prepared, Summary};

/// Longest status packet that is kept. Session changes can make an OK packet long, but not this.
pub const KEPT_MAX: usize = 1 << 20;

/// Capacity kept from one reply to the next.
const KEPT_IDLE_MAX: usize = 1 << 10;

/// How far a reply is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// More bytes are needed.
    More,
    /// The server wants a file from the client: it is the client's turn to send. The tracker then
    /// goes on with the server's next bytes.
    LocalInfile,
    /// The reply has ended.
    Done,
}

/// What one call of [`ResponseTracker::feed`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fed {
    /// Bytes that belong to the reply. The rest, if any, is not part of it.
    pub consumed: usize,
    /// How far the reply is.
    pub progress: Progress,
}

/// The follower. One per server connection; [`begin`](Self::begin) starts it for each command.
// Each flag is one independent fact about the stream.
#[allow(clippy::struct_excessive_bools)]
#[derive(Clone, Debug)]
pub struct ResponseTracker {
    capabilities: Capabilities,
    kind: ReplyKind,
    phase: Phase,
    waiting_for_client: bool,
    /// Header and first byte of a packet, until they are whole.
    head: [u8; HEADER_LEN + 1],
    head_len: usize,
    /// Payload bytes of the current packet still to come, after its first one.
    body_left: usize,
    /// Whether the current packet is kept in `kept`.
    keep: bool,
    kept: Vec<u8>,
    /// Whether the current packet's payload goes on in the next packet.
    continues: bool,
    /// The length of a packet with session changes that ended just now.
    marked: Option<usize>,
    marks: Vec<Mark>,
    /// The definitions of output parameters said that another result follows. MySQL without
    /// `DEPRECATE_EOF` does not say it again behind their row, and sends it all the same.
    promised: bool,
    summary: Summary,
}

impl ResponseTracker {
    /// A tracker for a connection with these capabilities in use. It is at rest until
    /// [`begin`](Self::begin).
    pub fn new(capabilities: Capabilities) -> Self {
        Self {
            capabilities,
            kind: ReplyKind::None,
            phase: Phase::Done,
            waiting_for_client: false,
            head: [0; HEADER_LEN + 1],
            head_len: 0,
            body_left: 0,
            keep: false,
            kept: Vec::new(),
            continues: false,
            marked: None,
            marks: Vec::new(),
            promised: false,
            summary: Summary::default(),
        }
    }

    /// A command was sent whose reply has this shape. [`ReplyKind::Login`] and
    /// [`ReplyKind::Endless`] cannot be followed; feeding their bytes is an error.
    pub fn begin(&mut self, kind: ReplyKind) {
        self.kind = kind;
        self.phase = match kind {
            ReplyKind::None => Phase::Done,
            ReplyKind::Fetch => Phase::Rows,
            ReplyKind::FieldList => Phase::FieldList,
            ReplyKind::Single
            | ReplyKind::ResultSets
            | ReplyKind::Prepare
            | ReplyKind::Statistics
            | ReplyKind::Login
            | ReplyKind::Endless => Phase::First,
        };
        self.waiting_for_client = false;
        self.head_len = 0;
        self.body_left = 0;
        self.keep = false;
        self.continues = false;
        self.promised = false;
        // One long status packet must not cost an idle connection its length for ever.
        if self.kept.capacity() > KEPT_IDLE_MAX {
            self.kept = Vec::new();
        }
        self.summary = Summary::default();
    }

    /// What was seen since [`begin`](Self::begin).
    pub const fn summary(&self) -> &Summary {
        &self.summary
    }

    /// The summary, moved out; the tracker's own is empty afterwards.
    pub fn take_summary(&mut self) -> Summary {
        std::mem::take(&mut self.summary)
    }

    /// Whether the reply has ended.
    pub const fn is_done(&self) -> bool {
        matches!(self.phase, Phase::Done)
    }

    /// Whether the bytes so far end at the end of a packet: the only places where a packet of our
    /// own may follow.
    pub const fn at_packet_boundary(&self) -> bool {
        self.head_len == 0 && !self.continues
    }

    /// The server sent `bytes`. An error means that the stream is not the protocol, or not the
    /// reply that was announced: the connection must be closed.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<Fed, Malformed> {
        if matches!(self.kind, ReplyKind::Login | ReplyKind::Endless) {
            return Err(Malformed::Unexpected(
                "this kind of reply cannot be followed",
            ));
        }
        let mut at = 0;
        self.waiting_for_client = false;
        self.marks.clear();
        while at < bytes.len() && !self.is_done() && !self.waiting_for_client {
            at += self.pass_rows(&bytes[at..]);
            at += if self.head_len <= HEADER_LEN {
                self.read_head(&bytes[at..])?
            } else {
                self.read_body(&bytes[at..])?
            };
            if let Some(len) = self.marked.take() {
                self.marks.push(Mark { end: at, len });
            }
        }
        let progress = match (self.is_done(), self.waiting_for_client) {
            (true, _) => Progress::Done,
            (false, true) => Progress::LocalInfile,
            (false, false) => Progress::More,
        };
        Ok(Fed {
            consumed: at,
            progress,
        })
    }

    /// Passes whole rows, of which nothing is kept: most of the packets of a long reply. Stops
    /// before anything else; returns how many bytes that were.
    fn pass_rows(&mut self, bytes: &[u8]) -> usize {
        let mut at = 0;
        if self.phase != Phase::Rows || self.head_len != 0 || self.continues {
            return at;
        }
        while let Some(&[a, b, c, sequence, first]) = bytes[at..].first_chunk() {
            let len = u32::from_le_bytes([a, b, c, 0]) as usize;
            let end = at + HEADER_LEN + len;
            let ordinary = len != 0 && len != MAX_PAYLOAD && !self.wanted(first, len);
            if !ordinary || end > bytes.len() {
                break;
            }
            self.summary.last_sequence = sequence;
            self.summary.packets += 1;
            self.summary.rows += 1;
            at = end;
        }
        at
    }

    fn read_head(&mut self, bytes: &[u8]) -> Result<usize, Malformed> {
        let count = (self.head.len() - self.head_len).min(bytes.len());
        self.head[self.head_len..self.head_len + count].copy_from_slice(&bytes[..count]);
        let had = self.head_len;
        self.head_len += count;
        let Some(header) = PacketHeader::parse(&self.head[..self.head_len]) else {
            return Ok(count);
        };
        if header.len == 0 {
            self.summary.last_sequence = header.sequence;
            self.empty_packet()?;
            return Ok(HEADER_LEN - had);
        }
        if self.head_len <= HEADER_LEN {
            return Ok(count);
        }
        self.summary.last_sequence = header.sequence;
        self.begin_packet(header)?;
        Ok(count)
    }

    fn empty_packet(&mut self) -> Result<(), Malformed> {
        self.head_len = 0;
        // Only the end of a payload of exactly n × (16 MiB − 1) bytes is an empty packet.
        if !std::mem::take(&mut self.continues) {
            return Err(Malformed::Unexpected("an empty packet in a reply"));
        }
        self.packet_ended(None)
    }

    fn begin_packet(&mut self, header: PacketHeader) -> Result<(), Malformed> {
        let first = self.head[HEADER_LEN];
        let was_continued = std::mem::replace(&mut self.continues, header.continues());
        self.keep = !was_continued && self.wanted(first, header.len);
        if self.keep {
            if header.len > KEPT_MAX {
                return Err(Malformed::TooLong(KEPT_MAX));
            }
            self.kept.clear();
            self.kept.push(first);
        }
        self.body_left = header.len - 1;
        if self.body_left == 0 {
            self.body_ended()
        } else {
            Ok(())
        }
    }

    fn read_body(&mut self, bytes: &[u8]) -> Result<usize, Malformed> {
        let count = self.body_left.min(bytes.len());
        if self.keep {
            self.kept.extend_from_slice(&bytes[..count]);
        }
        self.body_left -= count;
        if self.body_left == 0 {
            self.body_ended()?;
        }
        Ok(count)
    }

    fn body_ended(&mut self) -> Result<(), Malformed> {
        self.head_len = 0;
        if self.continues {
            return Ok(());
        }
        if !std::mem::take(&mut self.keep) {
            return self.packet_ended(None);
        }
        let kept = std::mem::take(&mut self.kept);
        let result = self.packet_ended(Some(&kept));
        self.kept = kept;
        result
    }

    /// Whether a packet that begins so has to be read, and not only passed.
    fn wanted(&self, first: u8, len: usize) -> bool {
        match self.phase {
            Phase::First => match self.kind {
                ReplyKind::Statistics => first == ERR_HEADER,
                ReplyKind::ResultSets => first != LOCAL_INFILE_HEADER,
                ReplyKind::None
                | ReplyKind::Single
                | ReplyKind::Prepare
                | ReplyKind::FieldList
                | ReplyKind::Fetch
                | ReplyKind::Login
                | ReplyKind::Endless => true,
            },
            Phase::Params { .. } | Phase::Columns { .. } => first == ERR_HEADER,
            Phase::ParamsEnd { .. } | Phase::ColumnsEnd => true,
            Phase::FieldList | Phase::Rows => first == ERR_HEADER || self.ends_rows(first, len),
            Phase::Done => false,
        }
    }

    /// Whether a packet is the end of rows. A row can start with `0xFE` too: then its first field
    /// is longer than 16 MiB, and so is the packet.
    fn ends_rows(&self, first: u8, len: usize) -> bool {
        first == EOF_HEADER
            && if self.capabilities.contains(Capabilities::DEPRECATE_EOF) {
                len < MAX_PAYLOAD
            } else {
                len < 9
            }
    }

    fn packet_ended(&mut self, kept: Option<&[u8]>) -> Result<(), Malformed> {
        self.summary.packets += 1;
        let Some(payload) = kept else {
            return self.passed();
        };
        match payload.first() {
            Some(&ERR_HEADER) => self.error(payload),
            Some(&first) => self.read(first, payload),
            None => Err(Malformed::Truncated),
        }
    }

    fn error(&mut self, payload: &[u8]) -> Result<(), Malformed> {
        let error = ErrPacket::parse(payload)?;
        if error.code == ErrPacket::PROGRESS
            && self.capabilities.contains(Capabilities::MARIADB_PROGRESS)
        {
            return Ok(());
        }
        self.summary.error = Some(error);
        self.phase = Phase::Done;
        Ok(())
    }

    /// Whether a packet that begins so is an OK, or an EOF in its place.
    const fn is_ok(first: u8) -> bool {
        matches!(first, OK_HEADER | EOF_HEADER)
    }
}
