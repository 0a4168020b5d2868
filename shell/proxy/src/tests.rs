//! The driver over real loopback sockets, with a machine that echoes or relays.

mod machine;

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use mainstay_topology::{Epoch, Routes};

use crate::crew::{Crew, Start};
use crate::gate::StillBusy;
use crate::leaving::Leaving;
use machine::{BEGIN, COMMIT, FLOOD, FLOOD_BYTES, LATER, PANIC, Toy, Upstream};

const ANY_PORT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
/// More than all the buffers between two ends of a connection through the proxy hold.
const MUCH: usize = 48 << 20;

fn start(workers: usize, upstream: Option<String>) -> Crew<Toy> {
    start_on(ANY_PORT, workers, upstream)
}

fn start_on(listen: SocketAddr, workers: usize, upstream: Option<String>) -> Crew<Toy> {
    inherit(listen, workers, upstream, Vec::new())
}

fn inherit(
    listen: SocketAddr,
    workers: usize,
    upstream: Option<String>,
    inherited: Vec<OwnedFd>,
) -> Crew<Toy> {
    let policy = Arc::new(Upstream(upstream));
    let routes = Arc::new(version(1));
    Crew::start(&Start {
        listen,
        workers,
        inherited,
        sched_batch: true,
        policy,
        routes,
        filters: Arc::default(),
    })
    .expect("starts")
}

fn version(version: u64) -> Routes {
    Routes {
        epoch: Epoch(1),
        version,
        hold_writes: true,
        ..Routes::default()
    }
}

fn connect(crew: &Crew<Toy>) -> TcpStream {
    TcpStream::connect(crew.address()).expect("the proxy listens")
}

/// Sends the words and waits for as many bytes.
fn echo(mut client: &TcpStream, words: &[u8]) {
    client.write_all(words).expect("open");
    let mut answer = vec![0; words.len()];
    client.read_exact(&mut answer).expect("open");
    assert_eq!(answer, words);
}

fn read_all(mut from: &TcpStream) -> Vec<u8> {
    let mut all = Vec::new();
    from.read_to_end(&mut all).expect("closed in order");
    all
}

/// Bytes in which a lost, doubled or moved piece shows.
fn pattern(length: usize) -> Vec<u8> {
    (0..length)
        .map(|at| (at ^ at >> 8 ^ at >> 16) as u8)
        .collect()
}

fn soon() -> Instant {
    Instant::now() + Duration::from_mins(1)
}

/// Gives the processor away until it is so; the test harness limits a wait that never ends.
fn wait_until(so: impl Fn() -> bool) {
    while !so() {
        thread::yield_now();
    }
}

/// A server that does `serve` with its first connection.
fn upstream<T: Send + 'static>(
    serve: impl FnOnce(TcpStream) -> T + Send + 'static,
) -> (SocketAddr, thread::JoinHandle<T>) {
    let listener = TcpListener::bind(ANY_PORT).expect("a free port");
    let address = listener.local_addr().expect("bound");
    (
        address,
        thread::spawn(move || serve(listener.accept().expect("the proxy connects").0)),
    )
}

#[test]
fn a_client_that_does_not_read_is_not_read_until_it_does() {
    let crew = start(1, None);
    let client = connect(&crew);
    let mut sender = client.try_clone().expect("open");
    let sending = thread::spawn(move || sender.write_all(&pattern(MUCH)));
    wait_until(|| crew.stats()[0].blocked == 1);
    let mut all = vec![0; MUCH];
    (&client).read_exact(&mut all).expect("open");
    sending.join().expect("no panic").expect("all was taken");
    assert!(all == pattern(MUCH), "the bytes are those sent");
    let seen = crew.stats().remove(0);
    assert_eq!(seen.blocked, seen.unblocked);
    // One read can come on top of the limit.
    assert!(
        seen.queued_bytes_max <= (256 + 64) * 1024,
        "{}",
        seen.queued_bytes_max
    );
}

#[test]
fn a_slow_reader_behind_a_relay_pauses_its_server() {
    let (address, server) = upstream(|mut server| server.write_all(&pattern(MUCH)));
    let crew = start(1, Some(address.to_string()));
    let client = connect(&crew);
    wait_until(|| crew.stats()[0].blocked == 1);
    let all = read_all(&client);
    server.join().expect("no panic").expect("all was taken");
    let (word, rest) = all.split_at(b"connected ".len());
    assert_eq!(word, b"connected ");
    assert!(
        rest == pattern(MUCH),
        "the bytes are those sent, to the last one before the end"
    );
}

#[test]
fn bytes_sent_before_the_connection_is_open_arrive_in_order() {
    let (address, server) = upstream(|server| read_all(&server));
    let crew = start(2, Some(address.to_string()));
    let mut client = connect(&crew);
    client.write_all(&pattern(1 << 20)).expect("open");
    client.shutdown(std::net::Shutdown::Write).expect("open");
    assert!(server.join().expect("no panic") == pattern(1 << 20));
}

#[test]
fn an_end_that_comes_with_the_last_bytes_is_not_lost() {
    let crew = start(1, None);
    for length in [1, 65_535, 65_536, 65_537, 200_000] {
        let mut client = connect(&crew);
        client.write_all(&pattern(length)).expect("open");
        client.shutdown(std::net::Shutdown::Write).expect("open");
        assert!(read_all(&client) == pattern(length), "{length} bytes");
    }
    wait_until(|| crew.clients() == [0]);
}

#[test]
fn a_client_that_ends_its_side_gets_all_that_is_queued_for_it() {
    let crew = start(1, None);
    let client = connect(&crew);
    let mut sender = client.try_clone().expect("open");
    let sending = thread::spawn(move || {
        sender.write_all(&pattern(MUCH))?;
        sender.shutdown(std::net::Shutdown::Write)
    });
    wait_until(|| crew.stats()[0].blocked == 1);
    assert!(read_all(&client) == pattern(MUCH));
    sending.join().expect("no panic").expect("all was taken");
}

#[test]
fn a_close_waits_for_what_is_queued() {
    let crew = start(1, None);
    let mut client = connect(&crew);
    client.write_all(FLOOD).expect("open");
    // Its number is free for the next client while the rest is still being sent.
    echo(&connect(&crew), b"next");
    assert_eq!(read_all(&client).len(), FLOOD_BYTES);
}

#[test]
fn a_refused_connection_is_told_as_refused() {
    let unused = TcpListener::bind(ANY_PORT)
        .expect("a free port")
        .local_addr()
        .expect("bound");
    let crew = start(1, Some(unused.to_string()));
    assert_eq!(read_all(&connect(&crew)), b"refused");
}

#[test]
fn an_address_that_is_none_is_unreachable() {
    let crew = start(1, Some("nonsense".to_owned()));
    assert_eq!(read_all(&connect(&crew)), b"unreachable");
}

#[test]
fn a_host_name_is_resolved_and_each_of_its_addresses_tried() {
    let (address, server) = upstream(|mut server| server.write_all(b"here"));
    let crew = start(1, Some(format!("localhost:{}", address.port())));
    assert_eq!(read_all(&connect(&crew)), b"connected here");
    server.join().expect("no panic").expect("all was taken");
}

#[test]
fn clients_are_spread_evenly_and_forgotten_when_they_leave() {
    let crew = start(4, None);
    let clients: Vec<_> = (0..200).map(|_| connect(&crew)).collect();
    for (number, client) in clients.iter().enumerate() {
        echo(client, format!("client {number}").as_bytes());
    }
    let spread = crew.clients();
    assert_eq!(spread.iter().sum::<usize>(), 200);
    // Two workers may see the same least loaded one at the same time.
    assert!(
        spread.iter().all(|&clients| (46..=54).contains(&clients)),
        "{spread:?}"
    );
    drop(clients);
    wait_until(|| crew.clients() == [0; 4]);
}

#[test]
fn clients_that_leave_and_come_together_are_not_mixed_up() {
    let crew = start(1, None);
    let mut old: Vec<_> = (0..64).map(|_| connect(&crew)).collect();
    for round in 0..20 {
        let new: Vec<_> = (0..64).map(|_| connect(&crew)).collect();
        for client in &mut old {
            client.write_all(b"bye").expect("open");
        }
        drop(old);
        for (number, client) in new.iter().enumerate() {
            echo(client, format!("round {round} client {number}").as_bytes());
        }
        old = new;
    }
}

#[test]
fn a_timer_of_the_machine_needs_no_event() {
    let crew = start(1, None);
    let mut client = connect(&crew);
    client.write_all(LATER).expect("open");
    let mut answer = [0; 3];
    client.read_exact(&mut answer).expect("open");
    assert_eq!(&answer, b"now");
}

#[test]
fn routes_reach_every_worker_and_older_ones_none() {
    let crew = start(4, None);
    assert!(crew.publish(version(3)));
    assert!(!crew.publish(version(2)));
    assert!(!crew.publish(version(3)));
    crew.drained(soon()).expect("nothing is in flight");
    let versions: Vec<_> = crew
        .stats()
        .iter()
        .map(|seen| seen.routes_version)
        .collect();
    assert_eq!(versions, [3; 4]);
}

#[test]
fn the_writer_is_drained_when_the_last_write_has_ended() {
    let crew = start(2, None);
    let (one, other) = (connect(&crew), connect(&crew));
    echo(&one, BEGIN);
    echo(&other, BEGIN);
    assert!(crew.publish(version(2)));
    // The workers' word is in flight too: until it has come the time-out tells fewer.
    wait_until(|| crew.drained(Instant::now()) == Err(StillBusy { in_flight: 2 }));
    let waiting = thread::scope(|scope| {
        let waiting = scope.spawn(|| crew.drained(soon()));
        echo(&one, COMMIT);
        echo(&other, COMMIT);
        waiting.join().expect("no panic")
    });
    assert_eq!(waiting, Ok(()));
}

#[test]
fn a_defect_ends_the_sessions_of_one_worker_only() {
    let crew = start(2, None);
    let (mut broken, other) = (connect(&crew), connect(&crew));
    echo(&broken, b"broken");
    echo(&other, b"other");
    assert_eq!(crew.clients(), [1, 1]);
    assert!(crew.publish(version(2)));
    broken.write_all(PANIC).expect("open");
    assert_eq!(broken.read(&mut [0]).unwrap_or(0), 0, "it is closed");
    echo(&other, b"still here");
    wait_until(|| crew.clients().iter().sum::<usize>() == 1);
    echo(&connect(&crew), b"new");
    assert_eq!(crew.restarts(), 1);
    crew.drained(soon())
        .expect("the worker took its place again");
    let versions: Vec<_> = crew
        .stats()
        .iter()
        .map(|seen| seen.routes_version)
        .collect();
    assert_eq!(versions, [2, 2], "the routes outlive the machine");
}

#[test]
fn a_proxy_that_stops_closes_its_clients_and_frees_its_port() {
    let crew = start(2, None);
    let address = crew.address();
    let client = connect(&crew);
    echo(&client, b"hello");
    drop(crew);
    assert_eq!(read_all(&client), b"");
    let again = start_on(address, 2, None);
    echo(&connect(&again), b"again");
}

fn successor(old: &Crew<Toy>) -> Crew<Toy> {
    let clones = old.listeners().iter().map(OwnedFd::try_clone);
    let inherited = clones.collect::<Result<_, _>>().expect("open");
    inherit(old.address(), 2, None, inherited)
}

#[test]
fn clients_go_on_in_the_process_that_inherits_the_port() {
    let old = start(2, None);
    let (resting, busy) = (connect(&old), connect(&old));
    echo(&resting, b"before");
    echo(&busy, BEGIN);
    let new = successor(&old);
    let (sender, receiver) = mpsc::channel();
    old.leave(&Leaving::Moving(sender));
    new.arrive(receiver.recv().expect("one is at rest"));
    echo(&resting, b"after");
    let newcomer = connect(&old);
    echo(&newcomer, b"new");
    wait_until(|| new.clients().iter().sum::<usize>() == 2);
    echo(&busy, COMMIT);
    new.arrive(receiver.recv().expect("now it is at rest"));
    drop(old);
    for client in [&resting, &busy, &newcomer] {
        echo(client, b"and on");
    }
}

#[test]
fn bytes_sent_while_a_client_moves_are_not_lost() {
    let old = start(1, None);
    let clients: Vec<_> = (0..50).map(|_| connect(&old)).collect();
    for client in &clients {
        echo(client, b"here");
    }
    let new = successor(&old);
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

#[test]
fn a_proxy_that_ends_in_order_dismisses_who_is_at_rest_and_closes_the_port() {
    let crew = start(2, None);
    let (resting, busy) = (connect(&crew), connect(&crew));
    echo(&resting, b"here");
    echo(&busy, BEGIN);
    crew.leave(&Leaving::Dismissed);
    assert_eq!(read_all(&resting), b"bye");
    wait_until(|| TcpStream::connect(crew.address()).is_err());
    echo(&busy, COMMIT);
    assert_eq!(read_all(&busy), b"bye");
}
