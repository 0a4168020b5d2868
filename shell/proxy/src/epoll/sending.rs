//! Sending: at the end of a turn, all in one system call, as far as the kernel takes it; the rest
//! when there is room again.

use std::collections::VecDeque;
use std::io::IoSlice;
use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::Arc;

use mainstay_session::{CloseReason, ConnId, Op};
use rustix::event::epoll::{self, EventData};
use rustix::io::{Errno, retry_on_intr};
use rustix::net::{SendAncillaryBuffer, SendFlags};

use super::outbox::Outbox;
use super::{Epoll, READ, READ_WRITE, Readable, Side};
use crate::driver::{BLOCKED_BYTES, Conn, Driver, Notice, Phase, Token};

/// Adjacent sends to one connection that go out in one system call.
const SLICES_MAX: usize = 8;

impl Epoll {
    /// Sends the run of adjacent sends that `ops` begins with; returns how many those are.
    pub(super) fn send(&mut self, to: ConnId, ops: &[Op]) -> usize {
        let Some(token) = self.table.find(to) else {
            return 1;
        };
        let conn = self.table.get(token).expect("a found token is alive");
        let waits = conn.phase != Phase::Open || !conn.side.unsent.is_empty();
        let alone = !matches!(ops.get(1), Some(Op::Send { to: next, .. }) if *next == to);
        if conn.side.in_outbox {
            // Pieces of one connection must not overtake each other.
            self.send_all();
        } else if alone
            && !waits
            && let Some(Op::Send { chunk, .. }) = ops.first()
            && Outbox::takes(chunk)
        {
            conn.side.in_outbox = true;
            self.outbox.add(token, chunk, &self.input);
            if self.outbox.is_full() {
                self.send_all();
            }
            return 1;
        }
        self.send_now(to, ops)
    }

    /// Sends everything that waits for the end of the turn.
    pub(super) fn send_all(&mut self) {
        if self.outbox.letters.is_empty() {
            return;
        }
        let mut outbox = std::mem::take(&mut self.outbox);
        self.submit(&mut outbox);
        for (letter, result) in outbox.letters.iter().zip(&outbox.results) {
            let Some(conn) = self.table.get(letter.token) else {
                continue;
            };
            conn.side.in_outbox = false;
            let bytes = letter.bytes(&self.buffer, &outbox.made);
            match result {
                Ok(sent) if *sent == bytes.len() => {}
                Err(errno) if !matches!(*errno, Errno::AGAIN | Errno::INTR) => {
                    self.fail(letter.token);
                }
                sent => {
                    let left = bytes.get(sent.unwrap_or(0)..).unwrap_or_default();
                    conn.side.unsent.extend(left);
                    self.after_send(letter.token);
                }
            }
        }
        outbox.clear();
        self.outbox = outbox;
    }

    /// Finds out what each send of the outbox returns. One alone needs no list.
    fn submit(&self, outbox: &mut Outbox) {
        let Outbox {
            letters,
            made,
            batch,
            results,
        } = outbox;
        results.clear();
        results.resize(letters.len(), Err(Errno::AGAIN));
        let sends = letters.iter().enumerate().filter_map(|(place, letter)| {
            // One that was closed meanwhile takes nothing.
            let socket = self.table.look(letter.token)?.socket();
            Some((place, socket, letter.bytes(&self.buffer, made)))
        });
        match batch {
            Some(batch) if letters.len() > 1 => {
                let sends = sends.map(|(place, socket, bytes)| (place, socket.as_fd(), bytes));
                batch.send(sends, results);
            }
            _ => {
                for (place, socket, bytes) in sends {
                    results[place] = send_some(socket, &[IoSlice::new(bytes)]);
                }
            }
        }
    }

    /// Sends adjacent pieces at once.
    fn send_now(&mut self, to: ConnId, ops: &[Op]) -> usize {
        let input = &self.buffer[self.input.clone()];
        let mut slices = [IoSlice::new(&[]); SLICES_MAX];
        let mut count = 0;
        for (slice, op) in slices.iter_mut().zip(ops) {
            let Op::Send { to: same, chunk } = op else {
                break;
            };
            if *same != to {
                break;
            }
            *slice = IoSlice::new(chunk.bytes(input));
            count += 1;
        }
        let Some(token) = self.table.find(to) else {
            return count;
        };
        let conn = self.table.get(token).expect("a found token is alive");
        if conn.send(&slices[..count]).is_err() {
            self.fail(token);
        } else {
            self.after_send(token);
        }
        count
    }

    /// Looks at what the kernel did not take.
    fn after_send(&mut self, token: Token) {
        let conn = self.table.get(token).expect("the caller has it");
        let queued_bytes = conn.side.unsent.len();
        if queued_bytes > BLOCKED_BYTES && !conn.blocked {
            conn.blocked = true;
            self.table.notify(token, Notice::Blocked(queued_bytes));
        }
        if queued_bytes > 0 {
            self.await_room(token, true);
        }
    }

    /// Sends what is queued, as far as the kernel takes it.
    pub(super) fn flush(&mut self, token: Token) {
        let conn = self.table.get(token).expect("the caller has it");
        if conn.flush().is_err() {
            self.fail(token);
        } else if conn.side.unsent.is_empty() {
            if conn.phase == Phase::Closing {
                self.remove(token);
                return;
            }
            if std::mem::take(&mut conn.blocked) {
                self.table.notify(token, Notice::Unblocked);
            }
            self.await_room(token, false);
        }
    }

    /// A send failed: what the peer sent before is still to be read, then the read fails too.
    fn fail(&mut self, token: Token) {
        let conn = self.table.get(token).expect("the caller has it");
        conn.side.unsent = VecDeque::new();
        conn.side.readable = Readable::ToTheEnd;
        let paused = conn.paused;
        if conn.phase == Phase::Closing {
            self.remove(token);
        } else if paused {
            self.table.notify(token, Notice::Closed(CloseReason::Reset));
        } else {
            self.read_later(token);
        }
    }

    /// Changing what epoll watches also makes it look again, so no edge is lost by it.
    fn await_room(&mut self, token: Token, wanted: bool) {
        let queue = Arc::clone(&self.queue);
        let conn = self.table.get(token).expect("the caller has it");
        if conn.side.awaits_room == wanted || !matches!(conn.phase, Phase::Open | Phase::Closing) {
            return;
        }
        conn.side.awaits_room = wanted;
        let flags = if wanted { READ_WRITE } else { READ };
        let data = EventData::new_u64(token.to_bits());
        if epoll::modify(&*queue, conn.socket(), data, flags).is_err() {
            self.table.notify(token, Notice::Closed(CloseReason::Reset));
        }
    }
}

impl Conn<Side> {
    /// Sends the slices after everything queued; what the kernel does not take is queued. An error
    /// drops everything: the reader of the connection then finds out what has happened to it.
    fn send(&mut self, slices: &[IoSlice<'_>]) -> Result<(), Errno> {
        let mut sent = 0;
        if self.phase == Phase::Open && self.side.unsent.is_empty() {
            sent = send_some(self.socket(), slices)?;
        }
        for slice in slices {
            let skip = sent.min(slice.len());
            sent -= skip;
            self.side.unsent.extend(&slice[skip..]);
        }
        Ok(())
    }

    /// Sends what is queued until the kernel takes no more or nothing is left.
    fn flush(&mut self) -> Result<(), Errno> {
        while !self.side.unsent.is_empty() {
            let (front, back) = self.side.unsent.as_slices();
            let sent = send_some(self.socket(), &[IoSlice::new(front), IoSlice::new(back)])?;
            if sent == 0 {
                return Ok(());
            }
            self.side.unsent.drain(..sent);
        }
        self.side.unsent = VecDeque::new();
        Ok(())
    }
}

/// One system call; zero when the kernel takes nothing now.
fn send_some(socket: &OwnedFd, slices: &[IoSlice<'_>]) -> Result<usize, Errno> {
    let sent = retry_on_intr(|| match slices {
        [one] => rustix::net::send(socket, one, SendFlags::NOSIGNAL),
        several => {
            let mut control = SendAncillaryBuffer::default();
            rustix::net::sendmsg(socket, several, &mut control, SendFlags::NOSIGNAL)
        }
    });
    match sent {
        Err(Errno::AGAIN) => Ok(0),
        other => other,
    }
}
