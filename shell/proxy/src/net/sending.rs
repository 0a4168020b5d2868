//! Sending: at once as far as the kernel takes it, the rest when there is room again.

use std::collections::VecDeque;
use std::io::IoSlice;
use std::sync::Arc;

use mainstay_session::{Chunk, CloseReason, ConnId, Op};
use rustix::event::epoll::{self, EventData};

use super::{Net, Notice, READ, READ_WRITE};
use crate::conn::{Phase, Readable, Token};

/// More than this queued for a connection, and its counterpart is no longer read.
const BLOCKED_BYTES: usize = 256 * 1024;
/// Adjacent sends to one connection that go out in one system call.
const SLICES_MAX: usize = 8;

impl Net {
    /// Sends the run of adjacent sends that `ops` begins with; returns how many those are.
    pub(super) fn send(&mut self, to: ConnId, ops: &[Op], input: &[u8]) -> usize {
        let mut slices = [IoSlice::new(&[]); SLICES_MAX];
        let mut count = 0;
        for (slice, op) in slices.iter_mut().zip(ops) {
            let Op::Send { to: same, chunk } = op else {
                break;
            };
            if *same != to {
                break;
            }
            *slice = IoSlice::new(bytes(chunk, input));
            count += 1;
        }
        let Some(token) = self.find(to) else {
            return count;
        };
        let conn = self.get(token).expect("a found token is alive");
        if conn.send(&slices[..count]).is_err() {
            self.fail(token);
            return count;
        }
        let queued_bytes = conn.unsent.len();
        if queued_bytes > BLOCKED_BYTES && !conn.blocked {
            conn.blocked = true;
            self.notices
                .push_back((token, Notice::Blocked(queued_bytes)));
        }
        if queued_bytes > 0 {
            self.await_room(token, true);
        }
        count
    }

    /// Sends what is queued, as far as the kernel takes it.
    pub(super) fn flush(&mut self, token: Token) {
        let conn = self.get(token).expect("the caller has it");
        if conn.flush().is_err() {
            self.fail(token);
        } else if conn.unsent.is_empty() {
            if conn.phase == Phase::Closing {
                self.remove(token);
                return;
            }
            if std::mem::take(&mut conn.blocked) {
                self.notices.push_back((token, Notice::Unblocked));
            }
            self.await_room(token, false);
        }
    }

    /// A send failed: what the peer sent before is still to be read, then the read fails too.
    fn fail(&mut self, token: Token) {
        let conn = self.get(token).expect("the caller has it");
        conn.unsent = VecDeque::new();
        conn.readable = Readable::ToTheEnd;
        let paused = conn.paused;
        if conn.phase == Phase::Closing {
            self.remove(token);
        } else if paused {
            self.notices
                .push_back((token, Notice::Closed(CloseReason::Reset)));
        } else {
            self.read_later(token);
        }
    }

    /// Changing what epoll watches also makes it look again, so no edge is lost by it.
    pub(super) fn await_room(&mut self, token: Token, wanted: bool) {
        let epoll = Arc::clone(&self.epoll);
        let conn = self.get(token).expect("the caller has it");
        if conn.awaits_room == wanted || !matches!(conn.phase, Phase::Open | Phase::Closing) {
            return;
        }
        conn.awaits_room = wanted;
        let socket = conn
            .socket
            .as_ref()
            .expect("an open connection has a socket");
        let flags = if wanted { READ_WRITE } else { READ };
        if epoll::modify(&*epoll, socket, EventData::new_u64(token.to_bits()), flags).is_err() {
            self.notices
                .push_back((token, Notice::Closed(CloseReason::Reset)));
        }
    }
}

/// The bytes of a chunk. A range outside the input would be a defect of the machine.
fn bytes<'a>(chunk: &'a Chunk, input: &'a [u8]) -> &'a [u8] {
    match chunk {
        Chunk::Input(range) => &input[range.clone()],
        Chunk::Owned(bytes) => bytes,
        Chunk::Static(bytes) => bytes,
    }
}
