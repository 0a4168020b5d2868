//! The driver on `io_uring`.
//!
//! One receive per connection goes on for as long as the connection is read. Sends are only noted
//! while the machine runs; all of them go out in the one system call that also waits for the next
//! events, so that nobody whom they wake takes the processor from this worker before it is done.
//! - At most one send of a connection is on its way, so bytes cannot overtake each other.
//! - A place in the table is free only after the last completion of its connection: until then the
//!   kernel may use its socket and its bytes.
//! - Sends are seen first, then connections that have ended, then the rest: a statement sent to a
//!   server that is known to be gone has an unknown outcome, one that waits has not.

mod blocks;
mod probe;
mod queue;
mod receiving;
mod sending;

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::time::Duration;

use mainstay_clock::Timestamp;
use mainstay_session::{CloseReason, ConnId, Op, Ops};
use rustix::io::Errno;
use rustix::net::SocketFlags;

use crate::driver::{Conn, Driver, Event, Notice, Opening, Phase, Table, Token};
use crate::load::Ticket;
use blocks::{BlockId, Blocks};
pub(crate) use probe::probe;
use queue::{Completion, Kind, Queue, Tag, UnderWay};
use sending::{Lone, Outbox};

/// How often the end of cancelled operations is waited for, and how long each time. Each of them
/// ends at once; what has not by then never will.
const QUIET_TRIES: usize = 100;
const QUIET_WAIT: Duration = Duration::from_millis(100);

/// What this driver keeps of each connection.
#[derive(Debug, Default)]
pub(crate) struct Side {
    /// Operations whose last completion is still to come.
    under_way: UnderWay,
    /// Nobody wants it any more: it goes with its last completion.
    dead: bool,
    /// Its end is among the completions of this turn.
    ending: bool,
    /// Came in although it is paused.
    early: Vec<u8>,
    end: Option<CloseReason>,
    outbox: Outbox,
}

/// The bytes of the last input.
enum Input {
    None,
    Block(BlockId, usize),
    Early(Vec<u8>),
}

/// What a worker's ring is made of, made before its thread.
pub(crate) struct Parts {
    queue: Queue,
    blocks: Blocks,
}

impl Parts {
    /// Queues and buffers.
    pub(crate) fn new() -> io::Result<Self> {
        let queue = Queue::new()?;
        let blocks = Blocks::new(&queue)?;
        Ok(Self { queue, blocks })
    }
}

/// The sockets of one worker, on `io_uring`. The queues are dropped before what they point to.
pub(crate) struct Ring {
    queue: Queue,
    blocks: Blocks,
    table: Table<Side>,
    input: Input,
    /// The completions of this turn, and how far they are taken.
    completions: Vec<Completion>,
    arrived: Vec<Completion>,
    taken: usize,
    /// Connections that have something to send, or should be read again.
    to_send: Vec<Token>,
    lone: Lone,
    to_receive: Vec<Token>,
    /// Connections with bytes that came in while they were paused.
    resumed: Vec<Token>,
    bell: Option<RawFd>,
    listener: Option<RawFd>,
    own_pending: [bool; 2],
}

impl Ring {
    /// No connections. The calling thread is the only one that may ever use it.
    pub(crate) fn new(parts: Parts) -> Self {
        let Parts { queue, mut blocks } = parts;
        queue
            .enable()
            .expect("a ring that was made to be enabled can be");
        blocks.refill();
        Self {
            queue,
            blocks,
            table: Table::default(),
            input: Input::None,
            completions: Vec::new(),
            arrived: Vec::new(),
            taken: 0,
            to_send: Vec::new(),
            lone: Lone::default(),
            to_receive: Vec::new(),
            resumed: Vec::new(),
            bell: None,
            listener: None,
            own_pending: [false; 2],
        }
    }

    /// Begins what was left for the end of the turn.
    fn submit_all(&mut self) {
        self.blocks.refill();
        for token in std::mem::take(&mut self.to_receive) {
            self.receive(token);
        }
        let mut to_send = std::mem::take(&mut self.to_send);
        let alone = self.lone.turn(to_send.len());
        for token in to_send.drain(..) {
            self.begin_send(token, alone);
        }
        self.to_send = to_send;
        self.watch_own();
    }

    /// Puts the completions into the order in which they are looked at.
    fn sort(&mut self) {
        self.completions.clear();
        self.taken = 0;
        let mut ends = false;
        for completion in &self.arrived {
            let Completion { tag, result, .. } = *completion;
            match tag.kind {
                Kind::Send => self.completions.push(*completion),
                Kind::Receive if receiving::is_end(result) => {
                    if let Some(conn) = self.table.get(tag.token) {
                        conn.side.ending = true;
                        ends = true;
                    }
                }
                _ => {}
            }
        }
        self.arrived.retain(|one| one.tag.kind != Kind::Send);
        if ends {
            let table = &mut self.table;
            self.arrived.sort_by_key(|one| {
                let ending = |conn: &mut Conn<Side>| conn.side.ending;
                !table.get(one.tag.token).is_some_and(ending)
            });
        }
        self.completions.append(&mut self.arrived);
    }

    /// What a completion means; an event if the worker must hear of it.
    fn complete(&mut self, now: Timestamp, completion: Completion) -> Option<Event> {
        let Completion { tag, result, .. } = completion;
        match tag.kind {
            Kind::Bell => {
                self.own_pending[0] = false;
                return Some(Event::Bell);
            }
            Kind::Listener => {
                self.own_pending[1] = false;
                return self.listener.map(|_| Event::Listener);
            }
            Kind::Cancel => return None,
            Kind::Receive | Kind::Send | Kind::Open | Kind::Failure => {}
        }
        let side = &mut self.table.get(tag.token)?.side;
        if !completion.more {
            side.under_way.end(tag.kind);
        }
        let (dead, last) = (side.dead, side.under_way.is_empty());
        match tag.kind {
            Kind::Receive if dead => self.drop_received(completion),
            Kind::Receive => return self.received(now, completion),
            Kind::Send if dead => {}
            Kind::Send => self.sent(tag.token, result),
            Kind::Open if !dead => {
                self.finish_connect(tag.token);
            }
            Kind::Failure if !dead => self.failed(tag.token, result),
            Kind::Open | Kind::Failure | Kind::Bell | Kind::Listener | Kind::Cancel => {}
        }
        if dead && last {
            self.bury(tag.token);
        }
        None
    }

    fn pause(&mut self, who: ConnId) {
        let Some(token) = self.table.find(who) else {
            return;
        };
        let conn = self.table.get(token).expect("a found token is alive");
        conn.paused = true;
        if conn.side.under_way.has(Kind::Receive) {
            self.queue.cancel(tag(Kind::Receive, token));
        }
        self.guard(token);
    }

    fn resume(&mut self, who: ConnId) {
        let Some(token) = self.table.find(who) else {
            return;
        };
        let conn = self.table.get(token).expect("a found token is alive");
        conn.paused = false;
        if conn.side.under_way.has(Kind::Failure) {
            self.queue.cancel(tag(Kind::Failure, token));
        }
        if conn.side.early.is_empty() && conn.side.end.is_none() {
            self.to_receive.push(token);
        } else {
            self.resumed.push(token);
        }
    }

    /// Waits for the failure of a paused connection: nobody would find it out by reading.
    fn guard(&mut self, token: Token) {
        let conn = self.table.get(token).expect("the caller has it");
        if conn.phase != Phase::Open || conn.side.under_way.has(Kind::Failure) {
            return;
        }
        conn.side.under_way.begin(Kind::Failure);
        let tag = tag(Kind::Failure, token);
        self.queue.poll(tag, conn.socket(), libc::POLLERR);
    }

    /// The wait for a failure has ended.
    fn failed(&mut self, token: Token, result: i32) {
        let conn = self.table.get(token).expect("the caller has it");
        if conn.phase != Phase::Open || !conn.paused {
            return;
        }
        if result == -libc::ECANCELED {
            // It was resumed and paused again in the meantime.
            self.guard(token);
        } else if result < 0 || result & i32::from(libc::POLLERR) != 0 {
            self.table.notify(token, Notice::Closed(CloseReason::Reset));
        }
    }

    fn close(&mut self, now: Timestamp, who: ConnId) {
        if let Some(token) = self.table.find(who) {
            self.retire(now, token);
        }
    }

    /// Takes the connection from the machine; the socket stays until what is queued is sent.
    fn retire(&mut self, now: Timestamp, token: Token) {
        let conn = self.table.get(token).expect("the caller has it");
        if conn.phase == Phase::Open && !conn.side.outbox.is_empty() {
            if conn.side.under_way.has(Kind::Receive) {
                self.queue.cancel(tag(Kind::Receive, token));
            }
            self.table.detach(token);
            self.table.linger(now, token);
        } else {
            self.remove(token);
        }
    }

    /// Frees the place of a connection that the kernel has let go of.
    fn bury(&mut self, token: Token) {
        if let Some(mut conn) = self.table.take(token) {
            conn.side.outbox.clear(&mut self.blocks);
        }
    }

    fn watch_own(&mut self) {
        let files = [(Kind::Bell, self.bell), (Kind::Listener, self.listener)];
        for ((kind, file), pending) in files.into_iter().zip(&mut self.own_pending) {
            if let (Some(file), false) = (file, *pending) {
                *pending = true;
                self.queue.poll(Tag::own(kind), &file, libc::POLLIN);
            }
        }
    }

    fn release_input(&mut self) {
        if let Input::Block(id, _) = std::mem::replace(&mut self.input, Input::None) {
            self.blocks.release(id);
        }
    }

    /// Ends every operation. False when the kernel does not let go.
    fn be_quiet(&mut self) -> bool {
        self.queue.cancel_all();
        for _ in 0..QUIET_TRIES {
            if self.queue.pending() == 0 {
                break;
            }
            self.arrived.clear();
            self.queue.enter(Some(QUIET_WAIT), &mut self.arrived);
            for filled in self.arrived.drain(..).filter_map(|one| one.buffer) {
                self.blocks.filled(filled);
                self.blocks.release(filled);
            }
        }
        self.queue.pending() == 0
    }
}

impl Opening for Ring {
    type Side = Side;

    fn table(&mut self) -> &mut Table<Side> {
        &mut self.table
    }

    fn await_open(&mut self, token: Token, socket: OwnedFd) -> Result<(), Errno> {
        let conn = self.table.get(token).expect("the caller has it");
        conn.side.under_way.begin(Kind::Open);
        let tag = tag(Kind::Open, token);
        self.queue.poll(tag, &socket, libc::POLLOUT);
        conn.socket = Some(socket);
        Ok(())
    }

    fn begin_traffic(&mut self, token: Token) {
        let conn = self.table.get(token).expect("the caller has it");
        // The kernel waits by itself only for sockets that may block.
        if rustix::io::ioctl_fionbio(conn.socket(), false).is_err() {
            let notice = Notice::Closed(CloseReason::Reset);
            return self.table.notify(token, notice);
        }
        self.to_receive.push(token);
        self.to_send.push(token);
    }
}

impl Driver for Ring {
    // A socket that does not block makes the kernel give up instead of waiting.
    const ACCEPTED: SocketFlags = SocketFlags::CLOEXEC;

    fn watch_bell(&mut self, bell: BorrowedFd<'_>) {
        self.bell = Some(bell.as_raw_fd());
    }

    fn watch_listener(&mut self, listener: BorrowedFd<'_>, wanted: bool) {
        self.listener = wanted.then_some(listener.as_raw_fd());
    }

    fn add_client(&mut self, who: ConnId, socket: OwnedFd, ticket: Ticket) {
        let mut conn = Conn::new(who, Phase::Open);
        conn.ticket = Some(ticket);
        conn.socket = Some(socket);
        let token = self.table.insert(conn);
        self.to_receive.push(token);
    }

    fn adopt(&mut self, socket: &OwnedFd) -> Result<(), Errno> {
        rustix::io::ioctl_fionbio(socket, false)
    }

    fn wait(&mut self, timeout: Option<Duration>) {
        self.submit_all();
        self.arrived.clear();
        self.queue.enter(timeout, &mut self.arrived);
        for filled in self.arrived.iter().filter_map(|one| one.buffer) {
            self.blocks.filled(filled);
        }
        self.sort();
    }

    fn next(&mut self, now: Timestamp) -> Option<Event> {
        loop {
            let event = if let Some(&completion) = self.completions.get(self.taken) {
                self.taken += 1;
                self.complete(now, completion)
            } else {
                let token = self.resumed.pop()?;
                self.early(now, token)
            };
            if event.is_some() {
                return event;
            }
            if self.table.has_notices() {
                return Some(Event::Noticed);
            }
        }
    }

    fn input(&self) -> &[u8] {
        match &self.input {
            Input::None => &[],
            Input::Block(id, length) => self.blocks.bytes(*id, 0..*length),
            Input::Early(bytes) => bytes,
        }
    }

    fn run(&mut self, now: Timestamp, ops: &mut Ops) {
        for op in ops.drain(..) {
            match op {
                Op::Send { to, chunk } => self.send(to, chunk),
                Op::Connect { id, address, .. } => self.connect(id, &address),
                Op::Pause(who) => self.pause(who),
                Op::Resume(who) => self.resume(who),
                Op::Close(who) => self.close(now, who),
                Op::StartTls { .. } | Op::Compress { .. } => {
                    unreachable!("these are run above the driver")
                }
                Op::Tell { worker, note } => self.table.tell(worker, note),
            }
        }
        self.release_input();
    }

    fn has_work(&self) -> bool {
        !self.resumed.is_empty()
    }

    fn remove(&mut self, token: Token) {
        let Some(conn) = self.table.get(token) else {
            return;
        };
        let under_way = conn.side.under_way;
        if under_way.is_empty() {
            return self.bury(token);
        }
        if std::mem::replace(&mut conn.side.dead, true) {
            return;
        }
        conn.ticket = None;
        for kind in [Kind::Receive, Kind::Send, Kind::Open, Kind::Failure] {
            if under_way.has(kind) {
                self.queue.cancel(tag(kind, token));
            }
        }
        self.table.detach(token);
    }

    fn give(&mut self, token: Token) -> Option<OwnedFd> {
        let conn = self.table.get(token)?;
        let side = &conn.side;
        let here = !side.early.is_empty() || side.end.is_some() || !side.outbox.is_empty();
        if conn.phase != Phase::Open || conn.blocked || conn.paused || here {
            return None;
        }
        if side.under_way.is_empty() {
            return self.table.take(token)?.socket;
        }
        // When it has ended, and has not brought anything, the socket can go.
        self.queue.cancel(tag(Kind::Receive, token));
        None
    }

    fn clear(&mut self) {
        self.release_input();
        // What is not taken yet holds blocks.
        for completion in self.completions.split_off(self.taken) {
            self.drop_received(completion);
        }
        self.completions.clear();
        self.taken = 0;
        assert!(self.be_quiet(), "a cancelled operation of a socket ends");
        self.own_pending = [false; 2];
        let Self { table, blocks, .. } = self;
        table.clear(|conn| conn.side.outbox.clear(blocks));
        self.to_send.clear();
        self.to_receive.clear();
        self.resumed.clear();
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        if !self.be_quiet() {
            tracing::error!("the kernel does not let go of a proxy worker's memory: it is leaked");
            self.blocks.leak();
            std::mem::forget(std::mem::take(&mut self.table));
        }
    }
}

/// The name of an operation.
const fn tag(kind: Kind, token: Token) -> Tag {
    Tag { kind, token }
}
