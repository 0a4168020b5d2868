//! A proxy that takes no clients for a while.

use std::net::{Shutdown, TcpStream};

use super::machine::BEGIN;
use super::{connect, echo, read_all, start, wait_until};
use crate::door::Door;
use crate::io::Io;

pub(super) fn a_closed_door_lets_nobody_in_and_nobody_is_sent_away(io: Io) {
    let crew = start(io, 2, None);
    let client = connect(&crew);
    echo(&client, BEGIN);
    for _ in 0..2 {
        assert!(crew.turn_door(Door::Closed));
        assert!(TcpStream::connect(crew.address()).is_err(), "refused");
        echo(&client, b"goes on");
        assert!(crew.turn_door(Door::Open));
        // More than once, so that each worker's socket is met.
        for _ in 0..8 {
            echo(&connect(&crew), b"taken");
        }
    }
}

pub(super) fn an_emptied_proxy_serves_again_when_it_is_opened(io: Io) {
    let crew = start(io, 2, None);
    let clients = [connect(&crew), connect(&crew)];
    for client in &clients {
        echo(client, b"here");
    }
    assert!(crew.turn_door(Door::Closed));
    assert!(crew.turn_door(Door::Emptied));
    for client in &clients {
        assert_eq!(read_all(client), b"");
    }
    wait_until(|| crew.clients().iter().sum::<usize>() == 0);
    assert!(TcpStream::connect(crew.address()).is_err(), "refused");
    assert!(crew.turn_door(Door::Open));
    for _ in 0..8 {
        echo(&connect(&crew), b"taken");
    }
}

pub(super) fn a_session_is_ended_by_its_number(io: Io) {
    let crew = start(io, 1, None);
    let (one, other) = (connect(&crew), connect(&crew));
    echo(&one, b"one");
    echo(&other, b"other");
    assert!(!crew.end(7, false));
    assert!(crew.end(0, false));
    assert_eq!(read_all(&one), b"");
    echo(&other, b"goes on");
    other.shutdown(Shutdown::Both).expect("open");
}
