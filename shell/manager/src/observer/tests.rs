//! The observer against listeners that fail in each of the ways in which a server can.

use std::net::Ipv4Addr;

use mainstay_topology::Address;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinSet;

use super::*;
use crate::config::{Login, Timing};

/// The packet that a server sends instead of a greeting when all its connections are taken.
const TOO_MANY: &[u8] = b"\x17\x00\x00\x00\xff\x10\x04Too many connections";

struct Observed {
    events: mpsc::Receiver<Event>,
    wake: Arc<Notify>,
    _tasks: JoinSet<()>,
}

impl Observed {
    /// Observes a port; the next look comes only when it is asked for.
    fn start(port: u16) -> Self {
        let (sender, events) = mpsc::channel(8);
        let wake = Arc::new(Notify::new());
        let login = Login {
            user: "m".to_owned(),
            password: "p".to_owned(),
        };
        let timing = Timing {
            connect_limit: Duration::from_millis(50),
            ..Timing::default()
        };
        let address = Address {
            host: "127.0.0.1".to_owned(),
            port,
        };
        let observer = Observer {
            channel: String::new(),
            server: ServerName::new("db1"),
            options: look::options(&address, &login, &timing),
            interval: Duration::from_hours(1),
            limit: Duration::from_millis(50),
            wake: Arc::clone(&wake),
            events: sender,
            clock: Clock::start(),
            known: None,
        };
        let mut tasks = JoinSet::new();
        tasks.spawn(observer.run());
        Self {
            events,
            wake,
            _tasks: tasks,
        }
    }

    async fn next(&mut self) -> Outcome {
        match self.events.recv().await {
            Some(Event::Observed(observation)) => {
                assert!(observation.begun <= observation.ended);
                observation.outcome
            }
            other => panic!("an observation, not {other:?}"),
        }
    }
}

async fn listener() -> (TcpListener, u16) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

async fn accept(listener: &TcpListener) -> TcpStream {
    listener.accept().await.unwrap().0
}

#[tokio::test]
async fn a_port_where_nothing_listens_is_refused() {
    let bound = TcpSocket::new_v4().unwrap();
    bound.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let port = bound.local_addr().unwrap().port();
    assert_eq!(Observed::start(port).next().await, Outcome::Refused);
}

#[tokio::test]
async fn a_server_that_does_not_greet_is_silent() {
    let (_listener, port) = listener().await;
    let mut observed = Observed::start(port);
    assert_eq!(observed.next().await, Outcome::Silent);
    observed.wake.notify_one();
    assert_eq!(observed.next().await, Outcome::Silent);
}

#[tokio::test]
async fn a_server_without_a_free_connection_is_alive() {
    let (listener, port) = listener().await;
    let mut observed = Observed::start(port);
    accept(&listener).await.write_all(TOO_MANY).await.unwrap();
    assert_eq!(observed.next().await, Outcome::TooManyConnections);
}

#[tokio::test]
async fn a_lost_connection_is_followed_at_once_by_another_look() {
    let (listener, port) = listener().await;
    let mut observed = Observed::start(port);
    drop(accept(&listener).await);
    drop(listener);
    assert_eq!(observed.next().await, Outcome::Lost);
    assert_eq!(observed.next().await, Outcome::Refused);
}
