//! What happens to the sockets of one worker, event by event, on each driver.

use std::io::{Read as _, Write};
use std::net::{TcpListener, TcpStream};

use mainstay_session::{Chunk, CloseReason, ConnId, Op, Ops};

use super::*;
use crate::epoll::{self, Epoll};
use crate::load::Loads;
use crate::ring::{Parts, Ring};

struct Bench<D> {
    driver: D,
    listener: TcpListener,
}

impl<D: Driver> Bench<D> {
    fn new(driver: D) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        Self { driver, listener }
    }

    /// A client of the machine, and the peer's side of it.
    fn client(&mut self, number: u32) -> TcpStream {
        let address = self.listener.local_addr().expect("bound");
        let peer = TcpStream::connect(address).expect("listening");
        let accepted = rustix::net::accept_with(&self.listener, D::ACCEPTED).expect("connected");
        let ticket = Loads::new(1).ticket(0);
        self.driver
            .add_client(ConnId::Client(number), accepted, ticket);
        peer
    }

    fn run(&mut self, op: Op) {
        self.driver.run(Timestamp::ZERO, &mut Ops::from([op]));
    }

    fn send(&mut self, number: u32, bytes: &'static [u8]) {
        let to = ConnId::Client(number);
        let chunk = Chunk::Static(bytes);
        self.run(Op::Send { to, chunk });
    }

    /// What happens in one turn: the bytes that came in, the ends, the notices.
    fn turn(&mut self, timeout: Option<Duration>) -> Seen {
        self.driver.wait(timeout);
        let mut seen = Seen::default();
        self.take(&mut seen);
        seen
    }

    fn take(&mut self, seen: &mut Seen) {
        while let Some(event) = self.driver.next(Timestamp::ZERO) {
            match event {
                Event::Input(_) => seen.bytes.extend_from_slice(self.driver.input()),
                Event::End(who, reason) => seen.ends.push((who, reason)),
                Event::Listener
                | Event::Bell
                | Event::Secured(..)
                | Event::CameFrom(..)
                | Event::Noticed => {}
            }
            self.driver.run(Timestamp::ZERO, &mut Ops::new());
            seen.notices
                .extend(std::iter::from_fn(|| self.driver.next_notice()));
        }
    }

    /// Turns until all of it has been seen.
    fn turns_until(&mut self, enough: impl Fn(&Seen) -> bool) -> Seen {
        let mut all = Seen::default();
        while !enough(&all) {
            let mut seen = self.turn(Some(Duration::from_millis(1)));
            all.bytes.append(&mut seen.bytes);
            all.ends.append(&mut seen.ends);
            all.notices.append(&mut seen.notices);
        }
        all
    }

    /// Turns until every socket is closed.
    fn turns_until_empty(&mut self) {
        while !self.driver.table().is_empty() {
            self.turn(Some(Duration::from_millis(1)));
        }
    }
}

#[derive(Debug, Default)]
struct Seen {
    bytes: Vec<u8>,
    ends: Vec<(ConnId, CloseReason)>,
    notices: Vec<(ConnId, Notice)>,
}

const CLIENT: ConnId = ConnId::Client(0);
const NOW: Option<Duration> = Some(Duration::ZERO);

fn an_event_fetched_before_its_connection_was_closed_finds_nobody<D: Driver>(driver: D) {
    let mut bench = Bench::new(driver);
    let mut peer = bench.client(0);
    bench.turn(NOW);
    peer.write_all(b"late").expect("open");
    bench.driver.wait(None);
    bench.run(Op::Close(CLIENT));
    let mut next = bench.client(0);
    let mut seen = Seen::default();
    bench.take(&mut seen);
    assert!(seen.bytes.is_empty() && seen.ends.is_empty(), "{seen:?}");
    next.write_all(b"new").expect("open");
    let seen = bench.turns_until(|seen| !seen.bytes.is_empty());
    assert_eq!(seen.bytes, b"new");
}

fn the_last_words_of_a_peer_are_read_although_sending_to_it_fails<D: Driver>(driver: D) {
    let mut bench = Bench::new(driver);
    bench.client(0).write_all(b"bye").expect("open");
    // The first one makes the peer's system answer with a reset, the second one fails.
    bench.send(0, b"hello?");
    let mut seen = bench.turn(NOW);
    bench.send(0, b"hello?");
    bench.take(&mut seen);
    if seen.ends.is_empty() {
        let rest = bench.turns_until(|seen| !seen.ends.is_empty());
        seen.bytes.extend(rest.bytes);
        seen.ends.extend(rest.ends);
    }
    assert_eq!(seen.bytes, b"bye");
    assert_eq!(seen.ends.len(), 1);
    bench.turns_until_empty();
}

fn a_reset_of_a_paused_connection_is_told_once<D: Driver>(driver: D) {
    let mut bench = Bench::new(driver);
    let peer = bench.client(0);
    bench.run(Op::Pause(CLIENT));
    bench.send(0, b"unread");
    bench.turn(NOW);
    // Closing a socket that has unread bytes resets the connection (RFC 2525, 2.17).
    drop(peer);
    let seen = bench.turns_until(|seen| !seen.notices.is_empty());
    assert_eq!(seen.notices, [(CLIENT, Notice::Closed(CloseReason::Reset))]);
    bench.turns_until_empty();
}

fn what_came_while_paused_is_read_after_resume_without_an_event<D: Driver>(driver: D) {
    let mut bench = Bench::new(driver);
    let mut peer = bench.client(0);
    bench.turn(NOW);
    peer.write_all(b"early").expect("open");
    // It is with the driver already, or only with the system.
    bench.driver.wait(None);
    bench.run(Op::Pause(CLIENT));
    let mut seen = Seen::default();
    bench.take(&mut seen);
    for _ in 0..3 {
        seen.bytes.extend(bench.turn(NOW).bytes);
    }
    assert_eq!(seen.bytes, b"");
    peer.write_all(b" and late").expect("open");
    bench.run(Op::Resume(CLIENT));
    drop(peer);
    let seen = bench.turns_until(|seen| !seen.ends.is_empty());
    assert_eq!(seen.bytes, b"early and late");
    assert_eq!(seen.ends, [(CLIENT, CloseReason::Eof)]);
}

fn pausing_and_resuming_in_one_turn_loses_nothing<D: Driver>(driver: D) {
    let mut bench = Bench::new(driver);
    let mut peer = bench.client(0);
    let mut bytes = Vec::new();
    for round in 0_u8..50 {
        bytes.extend(bench.turn(NOW).bytes);
        bench.run(Op::Pause(CLIENT));
        peer.write_all(&[round]).expect("open");
        if round % 3 == 0 {
            bytes.extend(bench.turn(NOW).bytes);
        }
        bench.run(Op::Resume(CLIENT));
        if round % 2 == 0 {
            bench.run(Op::Pause(CLIENT));
            bench.run(Op::Resume(CLIENT));
        }
    }
    let missing = 50 - bytes.len();
    bytes.extend(bench.turns_until(|seen| seen.bytes.len() == missing).bytes);
    assert_eq!(bytes, (0..50).collect::<Vec<u8>>());
}

fn a_peer_that_never_takes_the_rest_is_cut_after_a_while<D: Driver>(driver: D) {
    let mut bench = Bench::new(driver);
    let mut peer = bench.client(0);
    let chunk = Chunk::Owned(vec![7; 32 << 20]);
    bench.run(Op::Send { to: CLIENT, chunk });
    bench.run(Op::Close(CLIENT));
    bench.turn(NOW);
    let limit = bench.driver.table().deadline();
    bench
        .driver
        .cut_lingering(limit.expect("the rest is still to be sent"));
    assert_eq!(bench.driver.table().deadline(), None);
    bench.turns_until_empty();
    let mut taken = Vec::new();
    // A cut in the middle may be seen as a reset; what counts is that it ends.
    let _ = peer.read_to_end(&mut taken);
    assert!(taken.len() < 32 << 20);
}

fn adjacent_sends_keep_their_order_when_there_are_many<D: Driver>(driver: D) {
    let mut bench = Bench::new(driver);
    let mut peer = bench.client(0);
    let sends = (0..200).map(|byte| Op::Send {
        to: CLIENT,
        chunk: Chunk::Owned(vec![byte]),
    });
    let mut ops: Ops = sends.chain([Op::Close(CLIENT)]).collect();
    bench.driver.run(Timestamp::ZERO, &mut ops);
    bench.turns_until_empty();
    let mut all = Vec::new();
    peer.read_to_end(&mut all).expect("closed in order");
    assert_eq!(all, (0..200).collect::<Vec<u8>>());
}

fn peers_that_do_not_read_do_not_keep_others_from_being_read<D: Driver>(driver: D) {
    const MUCH: usize = 8 << 20;
    let mut bench = Bench::new(driver);
    let mut sender = bench.client(0);
    let lazy: Vec<_> = (1..=4).map(|number| bench.client(number)).collect();
    let sending = std::thread::spawn(move || sender.write_all(&vec![7; MUCH]));
    let mut received = 0;
    while received < MUCH {
        bench.driver.wait(None);
        while let Some(event) = bench.driver.next(Timestamp::ZERO) {
            let mut ops = Ops::new();
            if let Event::Input(_) = event {
                let length = bench.driver.input().len();
                received += length;
                ops.extend((1..=4).map(|number| Op::Send {
                    to: ConnId::Client(number),
                    chunk: Chunk::Input(0..length),
                }));
            }
            bench.driver.run(Timestamp::ZERO, &mut ops);
            while bench.driver.next_notice().is_some() {}
        }
    }
    sending.join().expect("no panic").expect("all was taken");
    drop(lazy);
}

fn a_driver_that_is_cleared_begins_again<D: Driver>(driver: D) {
    let mut bench = Bench::new(driver);
    let mut old: Vec<_> = (0..10).map(|number| bench.client(number)).collect();
    bench.run(Op::Send {
        to: CLIENT,
        chunk: Chunk::Owned(vec![7; 32 << 20]),
    });
    bench.run(Op::Pause(ConnId::Client(1)));
    bench.turn(NOW);
    for peer in &mut old {
        peer.write_all(b"old").expect("open");
    }
    bench.driver.wait(NOW);
    bench.driver.clear();
    let mut peer = bench.client(0);
    peer.write_all(b"new").expect("open");
    let seen = bench.turns_until(|seen| !seen.bytes.is_empty());
    assert_eq!(seen.bytes, b"new");
    for mut peer in old {
        // A reset is an end too.
        let _ = peer.read_to_end(&mut Vec::new());
    }
}

macro_rules! on_each_driver {
    ($($name:ident,)*) => {
        $(mod $name {
            use super::*;

            #[test]
            fn on_epoll() {
                super::$name(Epoll::new(epoll::create().expect("an epoll")));
            }

            #[test]
            fn on_io_uring() {
                match Parts::new() {
                    Ok(parts) => super::$name(Ring::new(parts)),
                    Err(error) => eprintln!("skipped, there is no io_uring here: {error}"),
                }
            }
        })*
    };
}

on_each_driver! {
    an_event_fetched_before_its_connection_was_closed_finds_nobody,
    the_last_words_of_a_peer_are_read_although_sending_to_it_fails,
    a_reset_of_a_paused_connection_is_told_once,
    what_came_while_paused_is_read_after_resume_without_an_event,
    pausing_and_resuming_in_one_turn_loses_nothing,
    a_peer_that_never_takes_the_rest_is_cut_after_a_while,
    adjacent_sends_keep_their_order_when_there_are_many,
    peers_that_do_not_read_do_not_keep_others_from_being_read,
    a_driver_that_is_cleared_begins_again,
}
