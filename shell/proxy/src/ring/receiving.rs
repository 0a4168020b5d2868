//! What was received: to the machine at once, or kept while it wants nothing.

use mainstay_clock::Timestamp;
use mainstay_session::CloseReason;

use super::queue::{Completion, Kind};
use super::{Input, Ring, tag};
use crate::driver::{Driver, Event, Notice, Phase, Token};

/// True when a receive with this result has found the end of its connection.
pub(super) fn is_end(result: i32) -> bool {
    match -result {
        0 => true,
        libc::ENOBUFS | libc::ECANCELED | libc::EINTR | libc::EAGAIN => false,
        error => error > 0,
    }
}

impl Ring {
    /// Begins to receive, unless it goes on already or nobody wants it.
    pub(super) fn receive(&mut self, token: Token) {
        let Some(conn) = self.table.get(token) else {
            return;
        };
        let side = &mut conn.side;
        let receives = side.under_way.has(Kind::Receive);
        if conn.phase != Phase::Open || conn.paused || receives || side.end.is_some() {
            return;
        }
        side.under_way.begin(Kind::Receive);
        let tag = tag(Kind::Receive, token);
        self.queue.receive(tag, conn.socket());
    }

    /// A receive brought something, or has ended.
    pub(super) fn received(&mut self, now: Timestamp, completion: Completion) -> Option<Event> {
        let Completion { tag, result, .. } = completion;
        let conn = self.table.get(tag.token).expect("the caller has it");
        if !completion.more && !is_end(result) {
            self.to_receive.push(tag.token);
        }
        if conn.phase != Phase::Open {
            self.drop_received(completion);
            return None;
        }
        let end = match result {
            0 => Some(CloseReason::Eof),
            _ if is_end(result) => Some(CloseReason::Reset),
            _ => None,
        };
        if conn.paused || !conn.side.early.is_empty() {
            if conn.paused && end == Some(CloseReason::Reset) {
                // Nobody reads it, and nobody could answer it: it is of no use to its session.
                let notice = Notice::Closed(CloseReason::Reset);
                self.table.notify(tag.token, notice);
                return None;
            }
            conn.side.end = end;
            if conn.paused && completion.more {
                // The kernel did not find it when it was to be cancelled: it was just at work.
                self.queue.cancel(tag);
            }
            if let (Some(block), Ok(length)) = (completion.buffer, usize::try_from(result)) {
                let bytes = self.blocks.bytes(block, 0..length);
                conn.side.early.extend_from_slice(bytes);
            }
            self.drop_received(completion);
            return None;
        }
        if let Some(reason) = end {
            self.drop_received(completion);
            return Some(self.end(now, tag.token, reason));
        }
        let (block, length) = (completion.buffer?, usize::try_from(result).ok()?);
        self.input = Input::Block(block, length);
        Some(Event::Input(conn.who))
    }

    /// What came in while a connection was paused, now that it is not.
    pub(super) fn early(&mut self, now: Timestamp, token: Token) -> Option<Event> {
        let conn = self.table.get(token)?;
        if conn.paused || conn.phase != Phase::Open {
            return None;
        }
        if conn.side.early.is_empty() {
            let reason = conn.side.end.take()?;
            return Some(self.end(now, token, reason));
        }
        let bytes = std::mem::take(&mut conn.side.early);
        let who = conn.who;
        if conn.side.end.is_some() {
            self.resumed.push(token);
        } else {
            self.to_receive.push(token);
        }
        self.input = Input::Early(bytes);
        Some(Event::Input(who))
    }

    /// Gives the block of a completion back that nobody wants.
    pub(super) fn drop_received(&mut self, completion: Completion) {
        if let Some(block) = completion.buffer {
            self.blocks.release(block);
        }
    }

    fn end(&mut self, now: Timestamp, token: Token, reason: CloseReason) -> Event {
        let who = self.table.get(token).expect("the caller has it").who;
        match reason {
            // It may only have shut down its sending side, and still take what is queued.
            CloseReason::Eof => self.retire(now, token),
            _ => self.remove(token),
        }
        Event::End(who, reason)
    }
}
