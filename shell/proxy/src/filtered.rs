//! A driver with filters: what the worker sees of it are the bytes of the machine, what the driver
//! sees are those of the sockets. It does not matter which driver it is.
//!
//! A connection without a filter costs one look at an empty place, and its bytes are not copied.

mod slots;

use std::collections::VecDeque;
use std::net::IpAddr;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use mainstay_clock::Timestamp;
use mainstay_session::{Chunk, CloseReason, ConnId, Op, Ops};
use mainstay_wire::compression::{Compression, End};

use crate::driver::{Driver, Event, Notice};
use crate::filter::{Filter, FilterError, Packer, Pulled};
use crate::filters::Filters;
use crate::load::Ticket;
use slots::Slots;

/// Room for what a filter gives at once.
const PLAIN_BYTES: usize = 64 * 1024;
/// How often one filter is asked before other connections have their turn.
const PULLS_PER_TURN: usize = 16;

/// A filter and where its connection stands.
#[derive(Debug, Default)]
struct Entry {
    filter: Filter,
    /// The machine does not want its bytes now.
    paused: bool,
    /// The socket has ended; the machine hears of it when the filter is empty.
    ended: Option<CloseReason>,
}

/// A client that was accepted.
#[derive(Debug)]
pub(crate) struct Accepted {
    pub(crate) socket: OwnedFd,
    pub(crate) peer: Option<IpAddr>,
    pub(crate) ticket: Ticket,
}

/// A driver, and the filters of its connections.
pub(crate) struct Filtered<D> {
    pub(crate) driver: D,
    pub(crate) filters: Arc<Filters>,
    slots: Slots<Entry>,
    packer: Packer,
    plain: Vec<u8>,
    /// The input is so many bytes of `plain`, not what the driver has.
    given: Option<usize>,
    /// The filter that is being emptied, and how often it still is asked.
    pulling: Option<(ConnId, usize)>,
    /// To be asked in the next turn.
    unpulled: Vec<ConnId>,
    unpulled_now: Vec<ConnId>,
    notices: VecDeque<(ConnId, Notice)>,
    out: Ops,
}

impl<D: Driver> Filtered<D> {
    /// No filters yet.
    pub(crate) fn new(driver: D, filters: Arc<Filters>) -> Self {
        Self {
            driver,
            filters,
            slots: Slots::default(),
            packer: Packer::default(),
            plain: Vec::new(),
            given: None,
            pulling: None,
            unpulled: Vec::new(),
            unpulled_now: Vec::new(),
            notices: VecDeque::new(),
            out: Ops::new(),
        }
    }

    /// Takes an accepted client over.
    pub(crate) fn add_client(&mut self, who: ConnId, client: Accepted) {
        if client.peer.is_some_and(|ip| self.filters.believes(ip)) {
            let entry = Entry {
                filter: Filter::with_header(),
                ..Entry::default()
            };
            self.slots.insert(who, entry);
        }
        self.driver.add_client(who, client.socket, client.ticket);
    }

    /// Lets go of a client and gives its socket, unless bytes of it are here or a filter would have
    /// to go with it.
    pub(crate) fn give(&mut self, who: ConnId) -> Option<OwnedFd> {
        if self.slots.get(who).is_some() {
            return None;
        }
        let token = self.driver.table().find(who)?;
        self.driver.give(token)
    }

    /// A new turn, after [`Driver::wait`].
    pub(crate) fn begin_turn(&mut self) {
        self.unpulled_now.append(&mut self.unpulled);
    }

    /// The next thing that has happened in this turn.
    pub(crate) fn next(&mut self, now: Timestamp) -> Option<Event> {
        loop {
            if let Some((who, left)) = self.pulling.take()
                && let Some(event) = self.pull(now, who, left)
            {
                return Some(event);
            }
            match self.driver.next(now) {
                Some(Event::Input(who)) => {
                    let Some(entry) = self.slots.get(who) else {
                        return Some(Event::Input(who));
                    };
                    entry.filter.feed(self.driver.input());
                    self.driver.run(now, &mut self.out);
                    self.pulling = Some((who, PULLS_PER_TURN));
                }
                Some(Event::End(who, reason)) => match self.slots.get(who) {
                    Some(entry) if entry.filter.has_input() => entry.ended = Some(reason),
                    Some(_) | None => {
                        self.slots.remove(who);
                        return Some(Event::End(who, reason));
                    }
                },
                Some(other) => return Some(other),
                None => self.pulling = Some((self.unpulled_now.pop()?, PULLS_PER_TURN)),
            }
        }
    }

    /// Asks a filter once.
    fn pull(&mut self, now: Timestamp, who: ConnId, left: usize) -> Option<Event> {
        let entry = self.slots.get(who).filter(|entry| !entry.paused)?;
        if left == 0 {
            self.unpulled.push(who);
            return None;
        }
        self.plain.resize(PLAIN_BYTES, 0);
        let pulled = entry.filter.pull(&mut self.plain);
        let (ended, is_done) = (entry.ended, entry.filter.is_done());
        let wire = std::mem::take(entry.filter.wire());
        if is_done && ended.is_none() {
            self.slots.remove(who);
        }
        if !wire.is_empty() {
            self.out.push(send(who, wire));
            self.driver.run(now, &mut self.out);
        }
        match pulled {
            Ok(Pulled::Nothing) => {
                let reason = ended?;
                self.slots.remove(who);
                return Some(Event::End(who, reason));
            }
            Ok(Pulled::End) => return Some(self.end(now, who, CloseReason::Eof)),
            Err(error) => {
                let reason = explain(who, &error);
                return Some(self.end(now, who, reason));
            }
            Ok(Pulled::Bytes(_) | Pulled::Secured { .. } | Pulled::CameFrom(_)) => {}
        }
        self.pulling = Some((who, left - 1));
        Some(match pulled {
            Ok(Pulled::Bytes(count)) => {
                self.given = Some(count);
                Event::Input(who)
            }
            Ok(Pulled::Secured { certified }) => Event::Secured(who, certified),
            Ok(Pulled::CameFrom(ip)) => Event::CameFrom(who, ip),
            Ok(Pulled::End | Pulled::Nothing) | Err(_) => unreachable!("returned above"),
        })
    }

    /// Closes a connection that its filter has found at its end.
    fn end(&mut self, now: Timestamp, who: ConnId, reason: CloseReason) -> Event {
        self.slots.remove(who);
        self.out.push(Op::Close(who));
        self.driver.run(now, &mut self.out);
        Event::End(who, reason)
    }

    /// The bytes of the last [`Event::Input`].
    pub(crate) fn input(&self) -> &[u8] {
        match self.given {
            Some(count) => &self.plain[..count],
            None => self.driver.input(),
        }
    }

    /// Runs the operations of the machine.
    pub(crate) fn run(&mut self, now: Timestamp, ops: &mut Ops) {
        let begins = |op: &Op| matches!(op, Op::StartTls { .. } | Op::Compress { .. });
        if self.slots.is_empty() && self.given.is_none() && !ops.iter().any(begins) {
            return self.driver.run(now, ops);
        }
        let mut ops = ops.drain(..).peekable();
        while let Some(op) = ops.next() {
            match op {
                Op::Send { to, chunk } => {
                    let Some(entry) = self.slots.get(to) else {
                        let chunk = self.own(chunk);
                        self.out.push(Op::Send { to, chunk });
                        continue;
                    };
                    // Together, so that they travel in one record or frame.
                    let mut chunks = vec![chunk];
                    let same = |op: &Op| matches!(op, Op::Send { to: also, .. } if *also == to);
                    while let Some(Op::Send { chunk, .. }) = ops.next_if(same) {
                        chunks.push(chunk);
                    }
                    let input = match self.given {
                        Some(count) => &self.plain[..count],
                        None => self.driver.input(),
                    };
                    let bytes: Vec<&[u8]> = chunks.iter().map(|one| one.bytes(input)).collect();
                    entry.filter.push(&bytes, &mut self.packer);
                    self.send_wire(to);
                }
                Op::Pause(who) => {
                    self.pause(who, true);
                    self.out.push(op);
                }
                Op::Resume(who) => {
                    self.pause(who, false);
                    self.out.push(op);
                }
                Op::Close(who) => {
                    if let Some(entry) = self.slots.get(who) {
                        entry.filter.finish();
                        self.send_wire(who);
                        self.slots.remove(who);
                    }
                    self.notices.retain(|(other, _)| *other != who);
                    self.out.push(op);
                }
                Op::StartTls {
                    who,
                    surplus,
                    address,
                } => self.start_tls(who, surplus, address.as_deref()),
                Op::Compress { who, how } => self.compress(who, how),
                Op::Connect { .. } | Op::Tell { .. } => self.out.push(op),
            }
        }
        drop(ops);
        self.driver.run(now, &mut self.out);
        self.given = None;
    }

    /// A chunk that the driver understands: its input is not ours.
    fn own(&self, chunk: Chunk) -> Chunk {
        match (chunk, self.given) {
            (Chunk::Input(range), Some(_)) => Chunk::Owned(self.plain[range].to_vec()),
            (chunk, _) => chunk,
        }
    }

    fn send_wire(&mut self, who: ConnId) {
        let wire = self
            .slots
            .get(who)
            .map(|one| std::mem::take(one.filter.wire()));
        if let Some(wire) = wire.filter(|wire| !wire.is_empty()) {
            self.out.push(send(who, wire));
        }
    }

    fn pause(&mut self, who: ConnId, paused: bool) {
        if let Some(entry) = self.slots.get(who) {
            entry.paused = paused;
            if !paused && (entry.filter.has_input() || entry.ended.is_some()) {
                self.unpulled.push(who);
            }
        }
    }

    fn start_tls(&mut self, who: ConnId, surplus: usize, address: Option<&str>) {
        let tls = match address {
            None => self.filters.accept(),
            Some(address) => self.filters.connect(address),
        };
        let Some(tls) = tls else {
            // The settings have changed between the offer and its acceptance.
            self.notices
                .push_back((who, Notice::Closed(CloseReason::Tls)));
            self.out.push(Op::Close(who));
            return;
        };
        let input = self.input();
        let surplus = input[input.len() - surplus..].to_vec();
        let entry = self.slots.get_or_insert(who);
        entry.filter.feed(&surplus);
        entry.filter.start_tls(tls);
        if !surplus.is_empty() {
            self.unpulled.push(who);
        }
        self.send_wire(who);
    }

    fn compress(&mut self, who: ConnId, how: Compression) {
        let end = match who {
            ConnId::Client(_) => End::Server,
            ConnId::Server(_) => End::Client,
        };
        self.slots.get_or_insert(who).filter.compress(how, end);
    }

    /// True when there is something to do without waiting.
    pub(crate) fn has_work(&self) -> bool {
        !self.unpulled.is_empty() || self.driver.has_work()
    }

    /// The next thing the machine must hear of.
    pub(crate) fn next_notice(&mut self) -> Option<(ConnId, Notice)> {
        if let Some(notice) = self.notices.pop_front() {
            return Some(notice);
        }
        let (who, notice) = self.driver.next_notice()?;
        if matches!(notice, Notice::Closed(_)) {
            self.slots.remove(who);
        }
        Some((who, notice))
    }

    /// Forgets everything, to begin again with another machine.
    pub(crate) fn clear(&mut self) {
        self.driver.clear();
        self.slots = Slots::default();
        self.given = None;
        self.pulling = None;
        self.unpulled.clear();
        self.unpulled_now.clear();
        self.notices.clear();
        self.out.clear();
    }
}

fn send(to: ConnId, bytes: Vec<u8>) -> Op {
    let chunk = Chunk::Owned(bytes);
    Op::Send { to, chunk }
}

fn explain(who: ConnId, error: &FilterError) -> CloseReason {
    match who {
        ConnId::Client(_) => tracing::debug!(%error, "a client is cut off"),
        ConnId::Server(_) => tracing::warn!(%error, "a connection to a server is given up"),
    }
    match error {
        FilterError::Tls(_) => CloseReason::Tls,
        FilterError::Header(_) | FilterError::Order(_) | FilterError::Unpack => {
            CloseReason::Garbled
        }
    }
}
