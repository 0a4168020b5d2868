//! The sockets of one worker: runs the machine's operations and says what happened on them.
//!
//! Sockets are registered once, edge-triggered, for reading; watching for room to send begins
//! when a send was cut short and ends when everything has been sent. The rules that keep edges
//! from being lost:
//! - a short read means that nothing is left, unless the peer has shut down: then no event will
//!   follow, so it is read to the end;
//! - a failed send says nothing: the reader of the same socket finds the error after the last
//!   bytes that the peer sent before it;
//! - a token of a closed connection is never given again, so a stale event finds nobody.

mod ids;
mod opening;
mod sending;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use mainstay_clock::Timestamp;
use mainstay_session::{CloseReason, ConnId, Op, Ops};
use rustix::event::epoll::{self, EventData, EventFlags};
use rustix::io::{Errno, retry_on_intr};
use rustix::net::RecvFlags;

use crate::conn::{Conn, Phase, Readable, Token};
use crate::load::Ticket;
use ids::Ids;
pub(crate) use opening::Lookup;

/// A closed connection whose peer does not take the rest in this time is cut.
const LINGER: Duration = Duration::from_secs(10);

const READ: EventFlags = EventFlags::IN
    .union(EventFlags::RDHUP)
    .union(EventFlags::ET);
const READ_WRITE: EventFlags = READ.union(EventFlags::OUT);

/// Something the machine must hear of, found while its operations were run.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Notice {
    /// An attempt to connect succeeded.
    Connected,
    /// A connection ended or could not be opened.
    Closed(CloseReason),
    /// So many bytes are queued for it.
    Blocked(usize),
    /// Nothing is queued for it any more.
    Unblocked,
}

/// What a read found.
#[derive(Debug)]
pub(crate) enum Read {
    /// So many bytes at the start of the buffer.
    Bytes(ConnId, usize),
    /// The connection is gone.
    End(ConnId, CloseReason),
    /// Nothing now.
    Nothing,
}

/// The sockets of one worker.
#[derive(Debug)]
pub(crate) struct Net {
    epoll: Arc<OwnedFd>,
    conns: Vec<Option<Conn>>,
    free: Vec<u32>,
    next_generation: u32,
    clients: Ids,
    servers: Ids,
    notices: VecDeque<(Token, Notice)>,
    unread: Vec<Token>,
    lookups: Vec<Lookup>,
    lingering: VecDeque<(Timestamp, Token)>,
}

impl Net {
    /// No connections. `generation` must be out of reach of an earlier `Net` of the same worker.
    pub(crate) fn new(epoll: Arc<OwnedFd>, generation: u32) -> Self {
        Self {
            epoll,
            conns: Vec::new(),
            free: Vec::new(),
            next_generation: generation,
            clients: Ids::default(),
            servers: Ids::default(),
            notices: VecDeque::new(),
            unread: Vec::new(),
            lookups: Vec::new(),
            lingering: VecDeque::new(),
        }
    }

    /// Takes an accepted socket over.
    pub(crate) fn add_client(&mut self, who: ConnId, socket: OwnedFd, ticket: Ticket) {
        let mut conn = Conn::new(who, Phase::Open);
        conn.ticket = Some(ticket);
        let token = self.insert(conn);
        if let Err(errno) = self.register(token, socket, READ) {
            tracing::warn!(error = %errno, "cannot watch a client's socket");
            self.get(token).expect("just inserted").phase = Phase::Resolving;
            self.notices
                .push_back((token, Notice::Closed(CloseReason::Reset)));
        }
    }

    /// Runs the operations; `input` is what their ranges mean.
    pub(crate) fn run(&mut self, now: Timestamp, ops: &mut Ops, input: &[u8]) {
        let mut rest = ops.as_slice();
        while let Some(op) = rest.first() {
            let mut done = 1;
            match op {
                Op::Send { to, .. } => done = self.send(*to, rest, input),
                Op::Connect { id, address, .. } => self.connect(*id, address),
                Op::Pause(who) => self.pause(*who),
                Op::Resume(who) => self.resume(*who),
                Op::Close(who) => self.close(now, *who),
            }
            rest = &rest[done..];
        }
        ops.clear();
    }

    /// The next thing the machine must hear of.
    pub(crate) fn next_notice(&mut self) -> Option<(ConnId, Notice)> {
        while let Some((token, notice)) = self.notices.pop_front() {
            let Some(conn) = self.get(token).filter(|conn| conn.phase != Phase::Closing) else {
                continue;
            };
            let who = conn.who;
            if matches!(notice, Notice::Closed(_)) {
                self.remove(token);
            }
            return Some((who, notice));
        }
        None
    }

    /// What epoll said about a connection. True when it should be read.
    pub(crate) fn event(&mut self, token: Token, flags: EventFlags) -> bool {
        let Some(conn) = self.get(token) else {
            return false;
        };
        let ended = flags.intersects(EventFlags::RDHUP | EventFlags::HUP | EventFlags::ERR);
        match conn.phase {
            Phase::Resolving => return false,
            Phase::Connecting => {
                if !self.finish_connect(token) {
                    return false;
                }
            }
            Phase::Open if flags.contains(EventFlags::OUT) && conn.awaits_room => self.flush(token),
            Phase::Open => {}
            Phase::Closing => {
                if flags.intersects(EventFlags::HUP | EventFlags::ERR) {
                    self.remove(token);
                } else {
                    self.flush(token);
                }
                return false;
            }
        }
        let Some(conn) = self.get(token) else {
            return false;
        };
        if ended {
            conn.readable = Readable::ToTheEnd;
        } else if flags.contains(EventFlags::IN) && conn.readable == Readable::No {
            conn.readable = Readable::Perhaps;
        }
        if conn.paused && flags.contains(EventFlags::ERR) {
            // Nobody reads it, and nobody could answer it: it is of no use to its session.
            self.notices
                .push_back((token, Notice::Closed(CloseReason::Reset)));
        }
        true
    }

    /// Reads once. The end takes the connection away.
    pub(crate) fn read(&mut self, now: Timestamp, token: Token, buffer: &mut [u8]) -> Read {
        let Some(conn) = self.get(token) else {
            return Read::Nothing;
        };
        if conn.phase != Phase::Open || conn.paused || conn.readable == Readable::No {
            return Read::Nothing;
        }
        let (who, capacity) = (conn.who, buffer.len());
        let socket = conn
            .socket
            .as_ref()
            .expect("an open connection has a socket");
        match retry_on_intr(|| rustix::net::recv(socket, &mut *buffer, RecvFlags::empty())) {
            Ok((_, 0)) => {
                // It may only have shut down its sending side, and still take what is queued.
                self.retire(now, token);
                Read::End(who, CloseReason::Eof)
            }
            Ok((_, received)) => {
                if received < capacity && conn.readable == Readable::Perhaps {
                    conn.readable = Readable::No;
                }
                Read::Bytes(who, received)
            }
            Err(Errno::AGAIN) => {
                conn.readable = Readable::No;
                Read::Nothing
            }
            Err(_) => {
                self.remove(token);
                Read::End(who, CloseReason::Reset)
            }
        }
    }

    /// Reads the connection in the next turn, so that a busy one cannot starve the others.
    pub(crate) fn read_later(&mut self, token: Token) {
        self.unread.push(token);
    }

    /// The connections to read without waiting for an event.
    pub(crate) fn take_unread(&mut self) -> Vec<Token> {
        std::mem::take(&mut self.unread)
    }

    /// True when there is something to do without an event.
    pub(crate) fn has_unread(&self) -> bool {
        !self.unread.is_empty()
    }

    /// Cuts closed connections whose peers did not take the rest in time.
    pub(crate) fn cut_lingering(&mut self, now: Timestamp) {
        while let Some(&(_, token)) = self.lingering.front().filter(|(limit, _)| *limit <= now) {
            self.lingering.pop_front();
            self.remove(token);
        }
    }

    /// When the next closed connection must be cut.
    pub(crate) fn deadline(&self) -> Option<Timestamp> {
        self.lingering.front().map(|(limit, _)| *limit)
    }

    fn pause(&mut self, who: ConnId) {
        if let Some(conn) = self.find(who).and_then(|token| self.get(token)) {
            conn.paused = true;
        }
    }

    fn resume(&mut self, who: ConnId) {
        let Some(token) = self.find(who) else { return };
        let conn = self.get(token).expect("a found token is alive");
        conn.paused = false;
        if conn.readable != Readable::No {
            self.read_later(token);
        }
    }

    fn close(&mut self, now: Timestamp, who: ConnId) {
        if let Some(token) = self.find(who) {
            self.retire(now, token);
        }
    }

    /// Takes the connection from the machine; the socket stays until what is queued is sent.
    fn retire(&mut self, now: Timestamp, token: Token) {
        let conn = self.get(token).expect("the caller has it");
        if conn.phase == Phase::Open && !conn.unsent.is_empty() {
            conn.phase = Phase::Closing;
            let who = conn.who;
            self.ids(who).clear(who);
            self.lingering.push_back((now + LINGER, token));
        } else {
            self.remove(token);
        }
    }

    fn register(&mut self, token: Token, socket: OwnedFd, flags: EventFlags) -> Result<(), Errno> {
        let data = EventData::new_u64(token.to_bits());
        epoll::add(&*self.epoll, socket.as_fd(), data, flags)?;
        self.get(token).expect("the caller has it").socket = Some(socket);
        Ok(())
    }

    fn insert(&mut self, mut conn: Conn) -> Token {
        let generation = self.next_generation;
        self.next_generation = generation.wrapping_add(1);
        conn.generation = generation;
        let who = conn.who;
        let index = self.free.pop().unwrap_or_else(|| {
            self.conns.push(None);
            u32::try_from(self.conns.len() - 1).expect("fewer sockets than file descriptors")
        });
        self.conns[index as usize] = Some(conn);
        self.ids(who).set(who, index);
        Token { index, generation }
    }

    /// Closes the socket at once.
    fn remove(&mut self, token: Token) {
        if self.get(token).is_none() {
            return;
        }
        let conn = self.conns[token.index as usize].take().expect("just seen");
        self.free.push(token.index);
        if conn.phase != Phase::Closing {
            self.ids(conn.who).clear(conn.who);
        }
    }

    fn get(&mut self, token: Token) -> Option<&mut Conn> {
        let conn = self.conns.get_mut(token.index as usize)?.as_mut()?;
        (conn.generation == token.generation).then_some(conn)
    }

    fn find(&mut self, who: ConnId) -> Option<Token> {
        let index = self.ids(who).get(who)?;
        let generation = self.conns[index as usize].as_ref()?.generation;
        Some(Token { index, generation })
    }

    fn ids(&mut self, who: ConnId) -> &mut Ids {
        match who {
            ConnId::Client(_) => &mut self.clients,
            ConnId::Server(_) => &mut self.servers,
        }
    }
}
