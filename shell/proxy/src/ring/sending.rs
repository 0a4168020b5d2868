//! Sending: what is queued for a connection goes out together at the end of the turn, and what
//! is queued in the meantime when that has been taken.
#![allow(unsafe_code)]

use std::collections::VecDeque;
use std::ops::Range;

use mainstay_session::{Chunk, CloseReason, ConnId};

use super::blocks::{BLOCK_BYTES, BlockId, Blocks};
use super::queue::{Kind, PIECES_MAX};
use super::{Input, Ring, tag};
use crate::driver::{BLOCKED_BYTES, Driver, Notice, Phase, Token};

/// Fewer bytes than these that have to wait are copied, so that they do not keep a whole block.
const COPIED_BYTES: usize = BLOCK_BYTES / 4;

/// Room for so many pieces is kept from send to send.
const IDLE_PIECES: usize = 4;

/// Bytes to send, where they are.
#[derive(Debug)]
enum Piece {
    /// In a block, which is held for it.
    Block(BlockId, Range<usize>),
    Owned(Vec<u8>, usize),
    Static(&'static [u8]),
}

impl Piece {
    fn bytes<'a>(&'a self, blocks: &'a Blocks) -> &'a [u8] {
        match self {
            Self::Block(id, range) => blocks.bytes(*id, range.clone()),
            Self::Owned(bytes, sent) => &bytes[*sent..],
            Self::Static(bytes) => bytes,
        }
    }

    fn advance(&mut self, sent: usize) {
        match self {
            Self::Block(_, range) => range.start += sent,
            Self::Owned(_, before) => *before += sent,
            Self::Static(bytes) => *bytes = &bytes[sent..],
        }
    }

    fn release(self, blocks: &mut Blocks) {
        if let Self::Block(id, _) = self {
            blocks.release(id);
        }
    }
}

/// What is queued for one connection. Its first pieces may be with the kernel, and are not
/// touched then.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    pieces: VecDeque<Piece>,
    queued_bytes: usize,
    /// Pieces that the kernel has.
    sending: usize,
    /// The last send did not take everything: the next one waits for room.
    slow: bool,
}

impl Outbox {
    /// True when nothing is queued.
    pub(super) fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// True when the kernel has some of it.
    pub(super) fn is_sending(&self) -> bool {
        self.sending > 0
    }

    /// Forgets everything; the kernel must not have any of it.
    pub(super) fn clear(&mut self, blocks: &mut Blocks) {
        for piece in self.pieces.drain(..) {
            piece.release(blocks);
        }
        *self = Self::default();
    }

    fn push(&mut self, piece: Piece, length: usize) {
        self.queued_bytes += length;
        self.pieces.push_back(piece);
    }

    /// The last piece, unless the kernel has it.
    fn last(&mut self) -> Option<&mut Piece> {
        (self.pieces.len() > self.sending)
            .then(|| self.pieces.back_mut())
            .flatten()
    }

    /// Queues a range of a block, with the last piece if it goes on where that ends.
    fn push_range(&mut self, id: BlockId, range: Range<usize>, blocks: &mut Blocks) {
        let length = range.len();
        if let Some(Piece::Block(same, before)) = self.last()
            && *same == id
            && before.end == range.start
        {
            before.end = range.end;
            self.queued_bytes += length;
        } else {
            blocks.hold(id);
            self.push(Piece::Block(id, range), length);
        }
    }

    /// Queues bytes that the machine made, with the last piece if they are few.
    fn push_owned(&mut self, bytes: Vec<u8>) {
        if !self.append(&bytes) {
            let length = bytes.len();
            self.push(Piece::Owned(bytes, 0), length);
        }
    }

    /// Queues a copy.
    fn push_copy(&mut self, bytes: &[u8]) {
        if !self.append(bytes) {
            self.push(Piece::Owned(bytes.to_vec(), 0), bytes.len());
        }
    }

    /// Copies a few bytes to the end of the last piece; false when that cannot be.
    fn append(&mut self, bytes: &[u8]) -> bool {
        let Some(Piece::Owned(last, 0)) = self.last() else {
            return false;
        };
        if last.len() + bytes.len() > BLOCK_BYTES {
            return false;
        }
        last.extend_from_slice(bytes);
        self.queued_bytes += bytes.len();
        true
    }

    /// The bytes of the pieces that the kernel has.
    fn sending_bytes(&self, blocks: &Blocks) -> usize {
        let pieces = self.pieces.iter().take(self.sending);
        pieces.map(|piece| piece.bytes(blocks).len()).sum()
    }

    /// Takes away what has been sent.
    fn advance(&mut self, mut sent: usize, blocks: &mut Blocks) {
        self.sending = 0;
        self.queued_bytes -= sent;
        while let Some(first) = self.pieces.front_mut() {
            let length = first.bytes(blocks).len();
            if sent < length {
                first.advance(sent);
                return;
            }
            sent -= length;
            let first = self.pieces.pop_front().expect("just seen");
            first.release(blocks);
        }
        self.slow = false;
        // An idle connection owns no more than the places of a few pieces.
        if self.pieces.capacity() > IDLE_PIECES {
            self.pieces = VecDeque::new();
        }
    }
}

/// After so many turns in a row with one send it is likely that only one client is at work.
const LONE_TURNS: u32 = 16;

/// Turns in a row with no more than one send.
#[derive(Debug, Default)]
pub(super) struct Lone(u32);

impl Lone {
    /// One more turn. True when a client seems to be alone.
    pub(super) fn turn(&mut self, sends: usize) -> bool {
        self.0 = match sends {
            0 => self.0,
            1 => self.0.saturating_add(1),
            _ => 0,
        };
        self.0 > LONE_TURNS
    }
}

impl Ring {
    /// Queues bytes for a connection.
    pub(super) fn send(&mut self, to: ConnId, chunk: Chunk) {
        let Some(token) = self.table.find(to) else {
            return;
        };
        let conn = self.table.get(token).expect("a found token is alive");
        let outbox = &mut conn.side.outbox;
        // What came in this turn has not been offered to the kernel yet, which may take it all.
        let waits =
            outbox.is_sending() || outbox.pieces.len() > PIECES_MAX || conn.phase != Phase::Open;
        if outbox.is_empty() {
            self.to_send.push(token);
        }
        match (chunk, &self.input) {
            (Chunk::Input(range), _) if range.is_empty() => {}
            (Chunk::Input(range), Input::Block(id, length)) => {
                assert!(range.end <= *length, "a range of the input");
                if waits && range.len() < COPIED_BYTES {
                    outbox.push_copy(self.blocks.bytes(*id, range));
                } else {
                    outbox.push_range(*id, range, &mut self.blocks);
                }
            }
            (Chunk::Input(range), Input::Early(bytes)) => outbox.push_copy(&bytes[range]),
            (Chunk::Input(_), Input::None) => panic!("a range of no input"),
            (Chunk::Owned(bytes), _) if bytes.is_empty() => {}
            (Chunk::Owned(bytes), _) => outbox.push_owned(bytes),
            (Chunk::Static([]), _) => {}
            (Chunk::Static(bytes), _) => outbox.push(Piece::Static(bytes), bytes.len()),
        }
        if waits && outbox.queued_bytes > BLOCKED_BYTES && !conn.blocked {
            conn.blocked = true;
            let notice = Notice::Blocked(outbox.queued_bytes);
            self.table.notify(token, notice);
        }
    }

    /// Gives the kernel what is queued, unless it has some already. While one client is at work
    /// alone the worker waits for the next event in the same call. Else it does not: those whom the
    /// sends wake run first, and more has come in when it waits.
    pub(super) fn begin_send(&mut self, token: Token, alone: bool) {
        let Some(conn) = self.table.get(token) else {
            return;
        };
        let open = matches!(conn.phase, Phase::Open | Phase::Closing) && !conn.side.dead;
        let outbox = &mut conn.side.outbox;
        if !open || outbox.is_empty() || outbox.is_sending() {
            return;
        }
        let socket = conn
            .socket
            .as_ref()
            .expect("an open connection has a socket");
        // Nobody waits for its end: neither a close nor a session that was told to wait.
        let whole = outbox.pieces.len() <= PIECES_MAX && !outbox.slow;
        let at_once = alone && whole && conn.phase == Phase::Open && !conn.blocked;
        let pieces = outbox.pieces.iter().take(PIECES_MAX);
        let pieces = pieces.map(|piece| piece.bytes(&self.blocks));
        let tag = (tag(Kind::Send, token), at_once);
        // SAFETY: the bytes are in held blocks, in vectors that are not touched, or static; all of
        // them stay in the outbox until the completion, and the outbox in the table.
        unsafe { self.queue.send(tag, socket, pieces) };
        outbox.sending = outbox.pieces.len().min(PIECES_MAX);
        conn.side.under_way.begin(Kind::Send);
    }

    /// The kernel has taken what it was given, or failed to.
    pub(super) fn sent(&mut self, token: Token, result: i32) {
        let conn = self.table.get(token).expect("the caller has it");
        let outbox = &mut conn.side.outbox;
        let sending = outbox.sending_bytes(&self.blocks);
        let sent = match usize::try_from(result) {
            Ok(0) => return self.fail(token),
            Ok(sent) => sent.min(sending),
            Err(_) if result == -libc::EAGAIN => 0,
            Err(_) => return self.fail(token),
        };
        outbox.slow = sent < sending;
        outbox.advance(sent, &mut self.blocks);
        if !outbox.is_empty() {
            self.to_send.push(token);
        } else if conn.phase == Phase::Closing {
            self.remove(token);
        } else if std::mem::take(&mut conn.blocked) {
            self.table.notify(token, Notice::Unblocked);
        }
    }

    /// A send failed: what the peer sent before is still to be read, then the read fails too.
    fn fail(&mut self, token: Token) {
        let conn = self.table.get(token).expect("the caller has it");
        conn.side.outbox.clear(&mut self.blocks);
        if conn.phase == Phase::Closing {
            self.remove(token);
        } else if conn.paused {
            self.table.notify(token, Notice::Closed(CloseReason::Reset));
        }
    }
}
