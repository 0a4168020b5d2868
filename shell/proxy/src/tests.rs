//! The driver over real loopback sockets, with a machine that echoes or relays.

mod door;
mod leaving;
mod machine;
mod relay;

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixListener;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use mainstay_topology::{Epoch, Routes};

use crate::crew::{Crew, Start};
use crate::gate::StillBusy;
use crate::io::Io;
use door::{
    a_closed_door_lets_nobody_in_and_nobody_is_sent_away, a_session_is_ended_by_its_number,
    an_emptied_proxy_serves_again_when_it_is_opened,
};
use leaving::{
    a_proxy_that_ends_in_order_dismisses_who_is_at_rest_and_closes_the_port,
    bytes_sent_while_a_client_moves_are_not_lost,
    clients_go_on_in_the_process_that_inherits_the_port,
};
use machine::{BEGIN, COMMIT, FLOOD, FLOOD_BYTES, LATER, PANIC, Toy, Upstream};
use relay::a_long_command_to_a_server_that_reads_in_bursts_is_answered;

const ANY_PORT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
/// More than all the buffers between two ends of a connection through the proxy hold.
const MUCH: usize = 48 << 20;

fn start(io: Io, workers: usize, upstream: Option<String>) -> Crew<Toy> {
    start_on(io, ANY_PORT, workers, upstream)
}

fn start_on(io: Io, listen: SocketAddr, workers: usize, upstream: Option<String>) -> Crew<Toy> {
    inherit(io, listen, workers, upstream, Vec::new())
}

fn inherit(
    io: Io,
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
        io,
        policy,
        routes,
        filters: Arc::default(),
        recorder: None,
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

fn a_client_that_does_not_read_is_not_read_until_it_does(io: Io) {
    let crew = start(io, 1, None);
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
    // What comes in at once can come on top of the limit: a read, or all receive buffers.
    let once = match crew.io() {
        Io::IoUring => 2048,
        Io::Auto | Io::Epoll => 64,
    };
    assert!(
        seen.queued_bytes_max <= (256 + once) * 1024,
        "{}",
        seen.queued_bytes_max
    );
}

fn a_slow_reader_behind_a_relay_pauses_its_server(io: Io) {
    let (address, server) = upstream(|mut server| server.write_all(&pattern(MUCH)));
    let crew = start(io, 1, Some(address.to_string()));
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

fn bytes_sent_before_the_connection_is_open_arrive_in_order(io: Io) {
    let (address, server) = upstream(|server| read_all(&server));
    let crew = start(io, 2, Some(address.to_string()));
    let mut client = connect(&crew);
    client.write_all(&pattern(1 << 20)).expect("open");
    client.shutdown(std::net::Shutdown::Write).expect("open");
    assert!(server.join().expect("no panic") == pattern(1 << 20));
}

fn an_end_that_comes_with_the_last_bytes_is_not_lost(io: Io) {
    let crew = start(io, 1, None);
    for length in [1, 65_535, 65_536, 65_537, 200_000] {
        let mut client = connect(&crew);
        client.write_all(&pattern(length)).expect("open");
        client.shutdown(std::net::Shutdown::Write).expect("open");
        assert!(read_all(&client) == pattern(length), "{length} bytes");
    }
    wait_until(|| crew.clients() == [0]);
}

fn a_client_that_ends_its_side_gets_all_that_is_queued_for_it(io: Io) {
    let crew = start(io, 1, None);
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

fn a_close_waits_for_what_is_queued(io: Io) {
    let crew = start(io, 1, None);
    let mut client = connect(&crew);
    client.write_all(FLOOD).expect("open");
    // Its number is free for the next client while the rest is still being sent.
    echo(&connect(&crew), b"next");
    assert_eq!(read_all(&client).len(), FLOOD_BYTES);
}

fn a_refused_connection_is_told_as_refused(io: Io) {
    let unused = TcpListener::bind(ANY_PORT)
        .expect("a free port")
        .local_addr()
        .expect("bound");
    let crew = start(io, 1, Some(unused.to_string()));
    assert_eq!(read_all(&connect(&crew)), b"refused");
}

fn an_address_that_is_none_is_unreachable(io: Io) {
    let crew = start(io, 1, Some("nonsense".to_owned()));
    assert_eq!(read_all(&connect(&crew)), b"unreachable");
}

fn a_host_name_is_resolved_and_each_of_its_addresses_tried(io: Io) {
    let (address, server) = upstream(|mut server| server.write_all(b"here"));
    let crew = start(io, 1, Some(format!("localhost:{}", address.port())));
    assert_eq!(read_all(&connect(&crew)), b"connected here");
    server.join().expect("no panic").expect("all was taken");
}

fn a_server_behind_a_socket_of_this_machine_is_reached(io: Io) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("server.sock");
    let listener = UnixListener::bind(&path).expect("a new socket");
    let server = thread::spawn(move || {
        let (mut server, _) = listener.accept().expect("the proxy connects");
        server.write_all(&pattern(1 << 20))
    });
    let address = format!("unix:{}", path.display());
    let crew = start(io, 1, Some(address));
    let all = read_all(&connect(&crew));
    server.join().expect("no panic").expect("all was taken");
    assert!(all[b"connected ".len()..] == pattern(1 << 20));
    assert_eq!(read_all(&connect(&crew)), b"refused");
    drop(folder);
    assert_eq!(read_all(&connect(&crew)), b"refused", "the file is gone");
}

fn clients_are_spread_evenly_and_forgotten_when_they_leave(io: Io) {
    let crew = start(io, 4, None);
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

fn clients_that_leave_and_come_together_are_not_mixed_up(io: Io) {
    let crew = start(io, 1, None);
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

fn thousands_of_clients_come_and_go(io: Io) {
    let crew = start(io, 2, None);
    thread::scope(|scope| {
        for thread in 0..4 {
            let crew = &crew;
            scope.spawn(move || {
                for round in 0..400 {
                    let words = format!("client {round} of {thread}");
                    let client = connect(crew);
                    echo(&client, words.as_bytes());
                    if round % 3 == 0 {
                        client.shutdown(std::net::Shutdown::Write).expect("open");
                        assert_eq!(read_all(&client), b"");
                    }
                }
            });
        }
    });
    wait_until(|| crew.clients() == [0, 0]);
    assert_eq!(crew.restarts(), 0);
}

fn many_small_messages_through_a_relay_arrive_in_order(io: Io) {
    let (address, server) = upstream(|server| {
        let mut back = server.try_clone().expect("open");
        // How the connection ends does not matter.
        let _ = std::io::copy(&mut &server, &mut back);
    });
    let crew = start(io, 1, Some(address.to_string()));
    let client = connect(&crew);
    let mut sender = client.try_clone().expect("open");
    let sending = thread::spawn(move || {
        let all = pattern(1 << 20);
        let mut messages = all.chunks(77);
        messages.try_for_each(|message| sender.write_all(message))
    });
    let mut all = vec![0; b"connected ".len() + (1 << 20)];
    (&client).read_exact(&mut all).expect("open");
    sending.join().expect("no panic").expect("all was taken");
    drop(client);
    server.join().expect("no panic");
    assert!(all[b"connected ".len()..] == pattern(1 << 20));
}

fn a_timer_of_the_machine_needs_no_event(io: Io) {
    let crew = start(io, 1, None);
    let mut client = connect(&crew);
    client.write_all(LATER).expect("open");
    let mut answer = [0; 3];
    client.read_exact(&mut answer).expect("open");
    assert_eq!(&answer, b"now");
}

fn routes_reach_every_worker_and_older_ones_none(io: Io) {
    let crew = start(io, 4, None);
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

fn the_writer_is_drained_when_the_last_write_has_ended(io: Io) {
    let crew = start(io, 2, None);
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

fn a_defect_ends_the_sessions_of_one_worker_only(io: Io) {
    let crew = start(io, 2, None);
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

fn a_proxy_that_stops_closes_its_clients_and_frees_its_port(io: Io) {
    let crew = start(io, 2, None);
    let address = crew.address();
    let client = connect(&crew);
    echo(&client, b"hello");
    drop(crew);
    assert_eq!(read_all(&client), b"");
    let again = start_on(io, address, 2, None);
    echo(&connect(&again), b"again");
}

macro_rules! on_each_driver {
    ($($name:ident,)*) => {
        $(mod $name {
            use super::*;

            #[test]
            fn on_epoll() {
                super::$name(Io::Epoll);
            }

            #[test]
            fn on_io_uring() {
                match crate::ring::probe() {
                    Ok(()) => super::$name(Io::IoUring),
                    Err(error) => eprintln!("skipped, there is no io_uring here: {error}"),
                }
            }
        })*
    };
}

on_each_driver! {
    a_client_that_does_not_read_is_not_read_until_it_does,
    a_closed_door_lets_nobody_in_and_nobody_is_sent_away,
    a_session_is_ended_by_its_number,
    an_emptied_proxy_serves_again_when_it_is_opened,
    a_slow_reader_behind_a_relay_pauses_its_server,
    bytes_sent_before_the_connection_is_open_arrive_in_order,
    an_end_that_comes_with_the_last_bytes_is_not_lost,
    a_client_that_ends_its_side_gets_all_that_is_queued_for_it,
    a_close_waits_for_what_is_queued,
    a_refused_connection_is_told_as_refused,
    an_address_that_is_none_is_unreachable,
    a_host_name_is_resolved_and_each_of_its_addresses_tried,
    a_server_behind_a_socket_of_this_machine_is_reached,
    clients_are_spread_evenly_and_forgotten_when_they_leave,
    clients_that_leave_and_come_together_are_not_mixed_up,
    a_long_command_to_a_server_that_reads_in_bursts_is_answered,
    a_timer_of_the_machine_needs_no_event,
    routes_reach_every_worker_and_older_ones_none,
    the_writer_is_drained_when_the_last_write_has_ended,
    a_defect_ends_the_sessions_of_one_worker_only,
    a_proxy_that_stops_closes_its_clients_and_frees_its_port,
    clients_go_on_in_the_process_that_inherits_the_port,
    bytes_sent_while_a_client_moves_are_not_lost,
    a_proxy_that_ends_in_order_dismisses_who_is_at_rest_and_closes_the_port,
    thousands_of_clients_come_and_go,
    many_small_messages_through_a_relay_arrive_in_order,
}
