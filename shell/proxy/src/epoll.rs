//! The driver on epoll.
//!
//! Sockets are registered once, edge-triggered, for reading; watching for room to send begins
//! when a send was cut short and ends when everything has been sent. The rules that keep edges
//! from being lost:
//! - a short read means that nothing is left, unless the peer has shut down: then no event will
//!   follow, so it is read to the end;
//! - a failed send says nothing: the reader of the same socket finds the error after the last
//!   bytes that the peer sent before it;
//! - a token of a closed connection is never given again, so a stale event finds nobody.
//!
//! What the machine sends waits for the end of the turn: see `batch` for why.

mod batch;
mod outbox;
mod sending;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::ops::Range;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use mainstay_clock::Timestamp;
use mainstay_session::{CloseReason, ConnId, Op, Ops};
use rustix::event::Timespec;
use rustix::event::epoll::{self, EventData, EventFlags};
use rustix::io::{Errno, retry_on_intr};
use rustix::net::{RecvFlags, SocketFlags};

use crate::driver::{Conn, Driver, Event, Notice, Opening, Phase, Table, Token};
use crate::load::Ticket;
use outbox::Outbox;

/// Room for one read; it holds any reply but the largest.
const READ_BYTES: usize = 64 * 1024;
/// One buffer per worker, for what is read in a turn until it is sent on.
const BUFFER_BYTES: usize = 4 * READ_BYTES;
/// Reads of one connection before the others have their turn.
const READS_PER_TURN: usize = 4;
/// Events fetched at once.
const EVENTS: usize = 256;

const LISTENER: u64 = u64::MAX;
const BELL: u64 = u64::MAX - 1;

const READ: EventFlags = EventFlags::IN
    .union(EventFlags::RDHUP)
    .union(EventFlags::ET);
const READ_WRITE: EventFlags = READ.union(EventFlags::OUT);

/// What there is to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Readable {
    /// Nothing until the next event.
    #[default]
    No,
    /// Perhaps something.
    Perhaps,
    /// Perhaps something, then the end: it must be read to the end, because no event will follow.
    ToTheEnd,
}

/// What this driver keeps of each connection.
#[derive(Debug, Default)]
pub(crate) struct Side {
    readable: Readable,
    /// epoll watches it for room to send.
    awaits_room: bool,
    /// Bytes for it are in the outbox.
    in_outbox: bool,
    /// Bytes the kernel did not take.
    unsent: VecDeque<u8>,
}

/// The sockets of one worker, on epoll.
pub(crate) struct Epoll {
    queue: Arc<OwnedFd>,
    table: Table<Side>,
    events: Vec<epoll::Event>,
    /// How far the events are taken: each is looked at twice, for ends first.
    taken: usize,
    /// The connection that is being read, and how often it still may.
    reading: Option<(Token, usize)>,
    /// To be read without an event: after the events, and then in the next turn.
    unread: Vec<Token>,
    unread_now: std::vec::IntoIter<Token>,
    swept: bool,
    buffer: Box<[u8]>,
    /// Where in the buffer the current input is; what is before it is still to be sent.
    input: Range<usize>,
    outbox: Outbox,
}

/// What a read found.
#[derive(Debug)]
enum Read {
    /// So many bytes at the place of the input.
    Bytes(ConnId, usize),
    /// The connection is gone.
    End(ConnId, CloseReason),
    /// Nothing now.
    Nothing,
}

impl Epoll {
    /// No connections, on what [`create`] made.
    pub(crate) fn new(queue: OwnedFd) -> Self {
        Self {
            queue: Arc::new(queue),
            table: Table::default(),
            events: Vec::with_capacity(EVENTS),
            taken: 0,
            reading: None,
            unread: Vec::new(),
            unread_now: Vec::new().into_iter(),
            swept: false,
            buffer: vec![0; BUFFER_BYTES].into_boxed_slice(),
            input: 0..0,
            outbox: Outbox::new(),
        }
    }

    /// What epoll said about a connection. True when it should be read.
    fn event(&mut self, token: Token, flags: EventFlags) -> bool {
        let Some(conn) = self.table.get(token) else {
            return false;
        };
        match conn.phase {
            Phase::Resolving => return false,
            Phase::Connecting => {
                if !self.finish_connect(token) {
                    return false;
                }
            }
            Phase::Open if flags.contains(EventFlags::OUT) && conn.side.awaits_room => {
                self.flush(token);
            }
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
        let Some(conn) = self.table.get(token) else {
            return false;
        };
        let readable = &mut conn.side.readable;
        if ends(flags) {
            *readable = Readable::ToTheEnd;
        } else if flags.contains(EventFlags::IN) && *readable == Readable::No {
            *readable = Readable::Perhaps;
        }
        if conn.paused && flags.contains(EventFlags::ERR) {
            // Nobody reads it, and nobody could answer it: it is of no use to its session.
            self.table.notify(token, Notice::Closed(CloseReason::Reset));
        }
        true
    }

    /// Reads once. The end takes the connection away.
    fn read(&mut self, now: Timestamp, token: Token) -> Read {
        if self.buffer.len() - self.input.start < READ_BYTES {
            self.send_all();
            self.input = 0..0;
        }
        let Some(conn) = self.table.get(token) else {
            return Read::Nothing;
        };
        if conn.phase != Phase::Open || conn.paused || conn.side.readable == Readable::No {
            return Read::Nothing;
        }
        let who = conn.who;
        let socket = conn.socket();
        let room = &mut self.buffer[self.input.start..][..READ_BYTES];
        match retry_on_intr(|| rustix::net::recv(socket, &mut *room, RecvFlags::empty())) {
            Ok((_, 0)) => {
                // It may only have shut down its sending side, and still take what is queued.
                self.retire(now, token);
                Read::End(who, CloseReason::Eof)
            }
            Ok((_, received)) => {
                if received < READ_BYTES && conn.side.readable == Readable::Perhaps {
                    conn.side.readable = Readable::No;
                }
                Read::Bytes(who, received)
            }
            Err(Errno::AGAIN) => {
                conn.side.readable = Readable::No;
                Read::Nothing
            }
            Err(_) => {
                self.remove(token);
                Read::End(who, CloseReason::Reset)
            }
        }
    }

    /// Reads the connection in the next turn, so that a busy one cannot starve the others.
    fn read_later(&mut self, token: Token) {
        self.unread.push(token);
    }

    fn pause(&mut self, who: ConnId) {
        if let Some(conn) = self.table.find(who).and_then(|token| self.table.get(token)) {
            conn.paused = true;
        }
    }

    fn resume(&mut self, who: ConnId) {
        let Some(token) = self.table.find(who) else {
            return;
        };
        let conn = self.table.get(token).expect("a found token is alive");
        conn.paused = false;
        if conn.side.readable != Readable::No {
            self.read_later(token);
        }
    }

    fn close(&mut self, now: Timestamp, who: ConnId) {
        if let Some(token) = self.table.find(who) {
            self.retire(now, token);
        }
    }

    /// Takes the connection from the machine; the socket stays until what is queued is sent.
    fn retire(&mut self, now: Timestamp, token: Token) {
        if self
            .table
            .get(token)
            .is_some_and(|conn| conn.side.in_outbox)
        {
            self.send_all();
        }
        let Some(conn) = self.table.get(token) else {
            return;
        };
        if conn.phase == Phase::Open && !conn.side.unsent.is_empty() {
            self.table.detach(token);
            self.table.linger(now, token);
        } else {
            self.remove(token);
        }
    }

    fn register(&mut self, token: Token, socket: OwnedFd, flags: EventFlags) -> Result<(), Errno> {
        let data = EventData::new_u64(token.to_bits());
        epoll::add(&*self.queue, socket.as_fd(), data, flags)?;
        self.table.get(token).expect("the caller has it").socket = Some(socket);
        Ok(())
    }

    /// The next event, those that end a connection first: a statement sent to a server that is
    /// known to be gone has an unknown outcome, one that waits for another connection has not.
    fn next_event(&mut self) -> Option<epoll::Event> {
        let count = self.events.len();
        while self.taken < 2 * count {
            let wanted = self.taken < count;
            let place = if wanted {
                self.taken
            } else {
                self.taken - count
            };
            let event = self.events[place];
            self.taken += 1;
            if ends(event.flags) == wanted {
                return Some(event);
            }
        }
        None
    }
}

impl Opening for Epoll {
    type Side = Side;

    fn table(&mut self) -> &mut Table<Side> {
        &mut self.table
    }

    fn await_open(&mut self, token: Token, socket: OwnedFd) -> Result<(), Errno> {
        self.register(token, socket, READ_WRITE)
    }

    fn begin_traffic(&mut self, token: Token) {
        let conn = self.table.get(token).expect("the caller has it");
        conn.side.awaits_room = true;
        self.flush(token);
    }
}

impl Driver for Epoll {
    const ACCEPTED: SocketFlags = SocketFlags::NONBLOCK.union(SocketFlags::CLOEXEC);

    fn watch_bell(&mut self, bell: BorrowedFd<'_>) {
        watch(&self.queue, bell, BELL, EventFlags::IN);
    }

    fn watch_listener(&mut self, listener: BorrowedFd<'_>, wanted: bool) {
        let flags = if wanted {
            EventFlags::IN
        } else {
            EventFlags::empty()
        };
        watch(&self.queue, listener, LISTENER, flags);
    }

    fn add_client(&mut self, who: ConnId, socket: OwnedFd, ticket: Ticket) {
        let mut conn = Conn::new(who, Phase::Open);
        conn.ticket = Some(ticket);
        let token = self.table.insert(conn);
        if let Err(errno) = self.register(token, socket, READ) {
            tracing::warn!(error = %errno, "cannot watch a client's socket");
            self.table.get(token).expect("just inserted").phase = Phase::Resolving;
            self.table.notify(token, Notice::Closed(CloseReason::Reset));
        }
    }

    fn adopt(&mut self, socket: &OwnedFd) -> Result<(), Errno> {
        rustix::io::ioctl_fionbio(socket, true)
    }

    fn wait(&mut self, timeout: Option<Duration>) {
        self.events.clear();
        self.taken = 0;
        self.swept = false;
        self.send_all();
        self.input = 0..0;
        let at_once = self.has_work() || self.table.has_notices();
        let timeout = timeout
            .filter(|_| !at_once)
            .or(at_once.then_some(Duration::ZERO));
        let timeout = timeout.map(|wait| Timespec {
            tv_sec: i64::try_from(wait.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: wait.subsec_nanos().into(),
        });
        let spare = rustix::buffer::spare_capacity(&mut self.events);
        match epoll::wait(&*self.queue, spare, timeout.as_ref()) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(errno) => panic!("epoll_wait cannot fail on an open epoll: {errno}"),
        }
    }

    fn next(&mut self, now: Timestamp) -> Option<Event> {
        if self.table.has_notices() {
            return Some(Event::Noticed);
        }
        loop {
            if let Some((token, left)) = self.reading.take() {
                if left == 0 {
                    self.read_later(token);
                    continue;
                }
                match self.read(now, token) {
                    Read::Bytes(who, length) => {
                        self.input.end = self.input.start + length;
                        self.reading = Some((token, left - 1));
                        return Some(Event::Input(who));
                    }
                    Read::End(who, reason) => return Some(Event::End(who, reason)),
                    Read::Nothing => continue,
                }
            }
            let Some(epoll::Event { flags, data, .. }) = self.next_event() else {
                if !std::mem::replace(&mut self.swept, true) {
                    self.unread_now = std::mem::take(&mut self.unread).into_iter();
                }
                let token = self.unread_now.next()?;
                self.reading = Some((token, READS_PER_TURN));
                continue;
            };
            let token = match data.u64() {
                LISTENER => return Some(Event::Listener),
                BELL => return Some(Event::Bell),
                bits => Token::from_bits(bits),
            };
            if self.event(token, flags) {
                self.reading = Some((token, READS_PER_TURN));
            }
            if self.table.has_notices() {
                return Some(Event::Noticed);
            }
        }
    }

    fn input(&self) -> &[u8] {
        &self.buffer[self.input.clone()]
    }

    fn run(&mut self, now: Timestamp, ops: &mut Ops) {
        let mut rest = ops.as_slice();
        while let Some(op) = rest.first() {
            let mut done = 1;
            match op {
                Op::Send { to, .. } => done = self.send(*to, rest),
                Op::Connect { id, address, .. } => self.connect(*id, address),
                Op::Pause(who) => self.pause(*who),
                Op::Resume(who) => self.resume(*who),
                Op::Close(who) => self.close(now, *who),
                Op::StartTls { .. } | Op::Compress { .. } => {
                    unreachable!("these are run above the driver")
                }
                Op::Tell { worker, note } => self.table.tell(*worker, note.clone()),
            }
            rest = &rest[done..];
        }
        ops.clear();
        if self.outbox.holds(&self.input) {
            self.input.start = self.input.end;
        } else {
            self.input.end = self.input.start;
        }
    }

    fn has_work(&self) -> bool {
        !self.unread.is_empty()
    }

    fn remove(&mut self, token: Token) {
        self.table.take(token);
    }

    fn give(&mut self, token: Token) -> Option<OwnedFd> {
        let conn = self.table.get(token)?;
        let here = conn.side.in_outbox || !conn.side.unsent.is_empty();
        if conn.phase != Phase::Open || conn.blocked || here {
            return None;
        }
        let socket = self.table.take(token)?.socket?;
        // Closing would not do: another process keeps the socket open, and its events would come.
        if let Err(errno) = epoll::delete(&*self.queue, &socket) {
            tracing::warn!(error = %errno, "a client's socket cannot be let go of");
            return None;
        }
        Some(socket)
    }

    fn clear(&mut self) {
        self.table.clear(|_| {});
        self.events.clear();
        self.reading = None;
        self.unread.clear();
        self.unread_now = Vec::new().into_iter();
        self.input = 0..0;
        self.outbox.clear();
    }
}

impl Drop for Epoll {
    fn drop(&mut self) {
        self.send_all();
    }
}

/// A new epoll.
pub(crate) fn create() -> Result<OwnedFd, Errno> {
    epoll::create(epoll::CreateFlags::CLOEXEC)
}

fn ends(flags: EventFlags) -> bool {
    flags.intersects(EventFlags::RDHUP | EventFlags::HUP | EventFlags::ERR)
}

/// Watches a file of the worker itself, or watches it for something else.
fn watch(queue: &OwnedFd, file: BorrowedFd<'_>, name: u64, flags: EventFlags) {
    let data = EventData::new_u64(name);
    let watched = match epoll::modify(queue, file, data, flags) {
        Err(Errno::NOENT) => epoll::add(queue, file, data, flags),
        other => other,
    };
    if let Err(errno) = watched {
        tracing::error!(error = %errno, "a proxy worker cannot watch its own files");
    }
}
