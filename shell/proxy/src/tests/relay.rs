//! Long commands to a server that takes them slower than they come.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::mpsc;
use std::thread;

use super::{MUCH, connect, pattern, start, upstream, wait_until};
use crate::io::Io;

const ROUNDS: usize = 2;
/// What the server reads at once; others have their turn before it goes on.
const BURST: usize = 700_000;

fn read_in_bursts(mut from: &TcpStream) -> Vec<u8> {
    let mut all = vec![0; MUCH];
    for burst in all.chunks_mut(BURST) {
        thread::yield_now();
        from.read_exact(burst).expect("open");
    }
    all
}

pub(super) fn a_long_command_to_a_server_that_reads_in_bursts_is_answered(io: Io) {
    let (go_on, may_read) = mpsc::channel();
    let (address, server) = upstream(move |mut server| {
        while may_read.recv().is_ok() {
            assert!(read_in_bursts(&server) == pattern(MUCH));
            server.write_all(b"answer").expect("open");
        }
    });
    let crew = start(io, 1, Some(address.to_string()));
    let mut client = connect(&crew);
    let mut greeting = [0; b"connected ".len()];
    client.read_exact(&mut greeting).expect("open");
    for _ in 0..ROUNDS {
        let before = crew.stats()[0].blocked;
        let mut sender = client.try_clone().expect("open");
        let sending = thread::spawn(move || sender.write_all(&pattern(MUCH)));
        wait_until(|| crew.stats()[0].blocked > before);
        go_on.send(()).expect("the server waits");
        let mut answer = [0; 6];
        client.read_exact(&mut answer).expect("open");
        assert_eq!(&answer, b"answer");
        sending.join().expect("no panic").expect("all was taken");
    }
    drop(go_on);
    server.join().expect("no panic");
    wait_until(|| {
        let seen = crew.stats().remove(0);
        seen.blocked == seen.unblocked
    });
}
