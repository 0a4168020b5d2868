//! The sends of a turn. What both drivers do is tested in `driver`.

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

    fn read(&mut self, token: Token) -> Read {
        self.net.read(Timestamp::ZERO, token)
    }
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
