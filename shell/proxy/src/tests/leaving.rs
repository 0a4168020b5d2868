//! Clients that leave for another process, or are dismissed.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::fd::OwnedFd;
use std::sync::mpsc;
use std::thread;

use super::machine::{BEGIN, COMMIT, Toy};
use super::{connect, echo, inherit, read_all, start, wait_until};
use crate::crew::Crew;
use crate::io::Io;
use crate::leaving::Leaving;

fn successor(io: Io, old: &Crew<Toy>) -> Crew<Toy> {
    let clones = old.listeners().iter().map(OwnedFd::try_clone);
    let inherited = clones.collect::<Result<_, _>>().expect("open");
    inherit(io, old.address(), 2, None, inherited)
}

pub(super) fn clients_go_on_in_the_process_that_inherits_the_port(io: Io) {
    let old = start(io, 2, None);
    let (resting, busy) = (connect(&old), connect(&old));
    echo(&resting, b"before");
    echo(&busy, BEGIN);
    let new = successor(io, &old);
    let (sender, receiver) = mpsc::channel();
    old.leave(&Leaving::Moving(sender));
    let connected = |crew: &Crew<Toy>| crew.clients().iter().sum::<usize>();
    thread::scope(|scope| {
        // A newcomer, too, may still have been accepted by a worker that had not heard of it.
        scope.spawn(|| {
            for moved in receiver {
                new.arrive(moved);
            }
        });
        echo(&resting, b"after");
        let newcomer = connect(&old);
        echo(&newcomer, b"new");
        wait_until(|| connected(&new) == 2);
        assert_eq!(connected(&old), 1, "it is in the middle of something");
        echo(&busy, COMMIT);
        wait_until(|| connected(&old) == 0);
        drop(old);
        for client in [&resting, &busy, &newcomer] {
            echo(client, b"and on");
        }
    });
}

pub(super) fn bytes_sent_while_a_client_moves_are_not_lost(io: Io) {
    let old = start(io, 1, None);
    let clients: Vec<_> = (0..50).map(|_| connect(&old)).collect();
    for client in &clients {
        echo(client, b"here");
    }
    let new = successor(io, &old);
    let (sender, receiver) = mpsc::channel();
    old.leave(&Leaving::Moving(sender));
    for mut client in &clients {
        client.write_all(b"sent").expect("open");
    }
    thread::scope(|scope| {
        scope.spawn(|| {
            for moved in receiver.into_iter().take(50) {
                new.arrive(moved);
            }
        });
        for mut client in &clients {
            let mut answer = [0; 4];
            client
                .read_exact(&mut answer)
                .expect("answered by one of the two");
            assert_eq!(&answer, b"sent");
        }
    });
}

pub(super) fn a_proxy_that_ends_in_order_dismisses_who_is_at_rest_and_closes_the_port(io: Io) {
    let crew = start(io, 2, None);
    let (resting, busy) = (connect(&crew), connect(&crew));
    echo(&resting, b"here");
    echo(&busy, BEGIN);
    crew.leave(&Leaving::Dismissed);
    assert_eq!(read_all(&resting), b"bye");
    wait_until(|| TcpStream::connect(crew.address()).is_err());
    echo(&busy, COMMIT);
    assert_eq!(read_all(&busy), b"bye");
}
