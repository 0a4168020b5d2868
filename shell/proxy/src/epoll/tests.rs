//! What happens to the sockets of one worker, event by event.

use std::io::{Read as _, Write};
use std::net::{TcpListener, TcpStream};

use mainstay_session::Chunk;

use super::*;
use crate::load::Loads;

struct Bench {
    net: Epoll,
    listener: TcpListener,
    ops: Ops,
}

impl Bench {
    fn new() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        Self {
            net: Epoll::new(create().expect("an epoll")),
            listener,
            ops: Ops::new(),
        }
    }

    /// A client of the machine, and the peer's side of it.
    fn client(&mut self, number: u32) -> TcpStream {
        let address = self.listener.local_addr().expect("bound");
        let peer = TcpStream::connect(address).expect("listening");
        let (accepted, _) = self.listener.accept().expect("connected");
        accepted.set_nonblocking(true).expect("open");
        self.net.add_client(
            ConnId::Client(number),
            accepted.into(),
            Loads::new(1).ticket(0),
        );
        peer
    }

    /// The next events, as the worker would fetch them.
    fn events(&mut self) -> Vec<(Token, EventFlags)> {
        let mut events = Vec::with_capacity(8);
        epoll::wait(
            &*self.net.queue,
            rustix::buffer::spare_capacity(&mut events),
            None,
        )
        .expect("an open epoll");
        let split = |event: &epoll::Event| {
            let epoll::Event { flags, data, .. } = *event;
            (Token::from_bits(data.u64()), flags)
        };
        events.iter().map(split).collect()
    }

    fn run(&mut self, op: Op) {
        self.ops.push(op);
        self.net.run(Timestamp::ZERO, &mut self.ops);
        self.net.send_all();
    }

    fn read(&mut self, token: Token) -> Read {
        self.net.read(Timestamp::ZERO, token)
    }
}

#[test]
fn an_event_fetched_before_its_connection_was_closed_finds_nobody() {
    let mut bench = Bench::new();
    bench.client(0).write_all(b"late").expect("open");
    let (stale, flags) = bench.events()[0];
    bench.run(Op::Close(ConnId::Client(0)));
    let _peer = bench.client(0);
    assert!(!bench.net.event(stale, flags));
    assert!(matches!(bench.read(stale), Read::Nothing));
    assert_eq!(
        stale.index,
        bench
            .net
            .table
            .find(ConnId::Client(0))
            .expect("connected")
            .index
    );
}

#[test]
fn the_last_words_of_a_peer_are_read_although_sending_to_it_fails() {
    let mut bench = Bench::new();
    bench.client(0).write_all(b"bye").expect("open");
    let to = ConnId::Client(0);
    // The first one makes the peer's system answer with a reset, the second one fails.
    for _ in 0..2 {
        bench.run(Op::Send {
            to,
            chunk: Chunk::Static(b"hello?"),
        });
    }
    assert!(bench.net.has_work());
    let token = bench.net.unread[0];
    assert!(matches!(bench.read(token), Read::Bytes(_, 3)));
    assert!(matches!(bench.read(token), Read::End(..)));
}

#[test]
fn a_reset_of_a_paused_connection_is_told_at_once() {
    let mut bench = Bench::new();
    let peer = bench.client(0);
    bench.run(Op::Pause(ConnId::Client(0)));
    bench.run(Op::Send {
        to: ConnId::Client(0),
        chunk: Chunk::Static(b"unread"),
    });
    // Closing a socket that has unread bytes resets the connection (RFC 2525, 2.17).
    drop(peer);
    for (token, flags) in bench.events() {
        bench.net.event(token, flags);
    }
    let notice = bench.net.next_notice();
    assert!(matches!(
        notice,
        Some((ConnId::Client(0), Notice::Closed(CloseReason::Reset)))
    ));
    assert!(bench.net.next_notice().is_none(), "only once");
}

#[test]
fn what_was_readable_while_paused_is_read_after_resume_without_an_event() {
    let mut bench = Bench::new();
    let mut peer = bench.client(0);
    bench.run(Op::Pause(ConnId::Client(0)));
    peer.write_all(b"early").expect("open");
    let (token, flags) = bench.events()[0];
    assert!(bench.net.event(token, flags));
    assert!(matches!(bench.read(token), Read::Nothing));
    bench.run(Op::Resume(ConnId::Client(0)));
    assert_eq!(bench.net.unread, [token]);
    assert!(matches!(
        bench.read(token),
        Read::Bytes(ConnId::Client(0), 5)
    ));
}

#[test]
fn a_peer_that_never_takes_the_rest_is_cut_after_a_while() {
    let mut bench = Bench::new();
    let mut peer = bench.client(0);
    let chunk = Chunk::Owned(vec![7; 32 << 20]);
    bench.run(Op::Send {
        to: ConnId::Client(0),
        chunk,
    });
    bench.run(Op::Close(ConnId::Client(0)));
    let limit = bench
        .net
        .table
        .deadline()
        .expect("the rest is still to be sent");
    bench.net.cut_lingering(limit);
    assert_eq!(bench.net.table.deadline(), None);
    let mut taken = Vec::new();
    // A cut in the middle may be seen as a reset; what counts is that it ends.
    let _ = peer.read_to_end(&mut taken);
    assert!(taken.len() < 32 << 20);
}

#[test]
fn adjacent_sends_keep_their_order_when_there_are_many() {
    let mut bench = Bench::new();
    let mut peer = bench.client(0);
    let to = ConnId::Client(0);
    bench.ops = (0..100)
        .map(|byte| Op::Send {
            to,
            chunk: Chunk::Owned(vec![byte]),
        })
        .collect();
    bench.ops.push(Op::Close(to));
    bench.net.run(Timestamp::ZERO, &mut bench.ops);
    let mut all = Vec::new();
    peer.read_to_end(&mut all).expect("closed in order");
    assert_eq!(all, (0..100).collect::<Vec<u8>>());
}

#[test]
fn what_is_sent_in_one_turn_goes_out_together_and_to_the_right_peers() {
    for batched in [true, false] {
        let mut bench = Bench::new();
        let peers: Vec<_> = (0..5).map(|number| bench.client(number)).collect();
        if !batched {
            bench.net.outbox.batch = None;
        }
        for number in 0..5 {
            let to = ConnId::Client(number);
            let chunk = Chunk::Owned(vec![number as u8; 3]);
            bench.ops.push(Op::Send { to, chunk });
        }
        bench.net.run(Timestamp::ZERO, &mut bench.ops);
        let closed = bench.net.table.find(ConnId::Client(2)).expect("connected");
        bench.net.remove(closed);
        bench.net.send_all();
        for (number, mut peer) in peers.into_iter().enumerate() {
            let mut got = [9; 3];
            let told = peer.read(&mut got).expect("open, or closed in order");
            assert_eq!(told, if number == 2 { 0 } else { 3 });
            assert!(number == 2 || got == [number as u8; 3]);
        }
    }
}

#[test]
fn what_was_read_is_kept_until_it_is_sent_on() {
    let mut bench = Bench::new();
    let mut peers: Vec<_> = (0..2).map(|number| bench.client(number)).collect();
    for (number, words) in [&b"first"[..], b"second"].into_iter().enumerate() {
        peers[number].write_all(words).expect("open");
        let (token, flags) = bench.events()[0];
        bench.net.event(token, flags);
        let Read::Bytes(_, length) = bench.read(token) else {
            panic!("the peer has written");
        };
        bench.net.input.end = bench.net.input.start + length;
        assert_eq!(bench.net.input(), words);
        let to = ConnId::Client(1 - number as u32);
        let chunk = Chunk::Input(0..length);
        bench.ops.push(Op::Send { to, chunk });
        bench.net.run(Timestamp::ZERO, &mut bench.ops);
    }
    bench.net.send_all();
    let mut got = [0; 6];
    assert_eq!(peers[1].read(&mut got).expect("open"), 5);
    assert_eq!(&got[..5], b"first");
    assert_eq!(peers[0].read(&mut got).expect("open"), 6);
    assert_eq!(&got, b"second");
}
