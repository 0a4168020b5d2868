//! Sockets: UDP in one task, TCP in another, with a limit on everything that a stranger can make
//! grow.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use hickory_proto::op::Message;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::answer::{Zone, answer, truncated};
use crate::limit::Limiter;
use crate::names::Names;
use crate::{Config, DnsError};

/// A question is never longer.
const QUESTION_MAX: usize = 512;

/// Connections at the same time.
const CONNECTIONS_MAX: usize = 128;

/// A connection that says nothing for so long is closed (RFC 7766, 6.2.3: seconds).
const IDLE_LIMIT: Duration = Duration::from_secs(5);

/// A pause after an error that will not go away by itself at once, such as too many open files.
const ERROR_PAUSE: Duration = Duration::from_millis(100);

/// A responder that runs. It ends when this is dropped.
#[derive(Debug)]
pub struct Responder {
    address: SocketAddr,
    _tasks: JoinSet<()>,
}

impl Responder {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

struct Shared {
    zone: Zone,
    names: watch::Receiver<Names>,
    limiter: Mutex<Limiter>,
    turn: AtomicUsize,
}

/// Starts answering with what `names` holds at each question.
pub async fn start(config: &Config, names: watch::Receiver<Names>) -> Result<Responder, DnsError> {
    let zone = Zone::new(config)?;
    let refused = |reason| DnsError::Listen {
        address: config.listen,
        reason,
    };
    let tcp = TcpListener::bind(config.listen).await.map_err(refused)?;
    let address = tcp.local_addr().map_err(refused)?;
    let udp = UdpSocket::bind(address).await.map_err(refused)?;
    let shared = Arc::new(Shared {
        zone,
        names,
        limiter: Mutex::new(Limiter::new(config.queries_per_second)),
        turn: AtomicUsize::new(0),
    });
    let mut tasks = JoinSet::new();
    tasks.spawn(datagrams(udp, Arc::clone(&shared)));
    tasks.spawn(connections(tcp, shared));
    Ok(Responder {
        address,
        _tasks: tasks,
    })
}

impl Shared {
    fn answer(&self, question: &[u8]) -> Option<Vec<u8>> {
        let request = Message::from_vec(question).ok()?;
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let reply = answer(&self.zone, &self.names.borrow(), &request, turn)?;
        reply.to_vec().ok()
    }

    fn allows(&self, source: IpAddr) -> bool {
        let limiter = self.limiter.lock();
        let mut limiter = limiter.unwrap_or_else(PoisonError::into_inner);
        limiter.allows(Instant::now(), source)
    }
}

async fn datagrams(socket: UdpSocket, shared: Arc<Shared>) {
    let mut question = [0; QUESTION_MAX];
    let mut over = 0_usize;
    loop {
        let (length, source) = match socket.recv_from(&mut question).await {
            Ok(received) => received,
            Err(error) => {
                tracing::debug!(%error, "a question over UDP was not received");
                tokio::time::sleep(ERROR_PAUSE).await;
                continue;
            }
        };
        let question = &question[..length];
        let reply = if shared.allows(source.ip()) {
            shared.answer(question)
        } else {
            // Every other one is told to ask over TCP: a real client does, a forged source cannot.
            over = over.wrapping_add(1);
            let request = Message::from_vec(question)
                .ok()
                .filter(|_| over.is_multiple_of(2));
            request
                .as_ref()
                .and_then(truncated)
                .and_then(|reply| reply.to_vec().ok())
        };
        if let Some(reply) = reply {
            // Who does not take it asks again.
            let _ = socket.send_to(&reply, source).await;
        }
    }
}

async fn connections(listener: TcpListener, shared: Arc<Shared>) {
    let permits = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut clients = JoinSet::new();
    loop {
        while clients.try_join_next().is_some() {}
        let Ok(permit) = Arc::clone(&permits).acquire_owned().await else {
            return;
        };
        match listener.accept().await {
            Ok((stream, _)) => {
                let shared = Arc::clone(&shared);
                clients.spawn(async move {
                    // Whatever ends it, the client connects again.
                    let _ = connection(stream, &shared).await;
                    drop(permit);
                });
            }
            Err(error) => {
                tracing::debug!(%error, "a connection was not accepted");
                tokio::time::sleep(ERROR_PAUSE).await;
            }
        }
    }
}

/// Questions with their length before them (RFC 1035, 4.2.2).
async fn connection(mut stream: TcpStream, shared: &Shared) -> io::Result<()> {
    let late = |_| io::Error::from(io::ErrorKind::TimedOut);
    loop {
        let length = timeout(IDLE_LIMIT, stream.read_u16())
            .await
            .map_err(late)??;
        let mut question = vec![0; usize::from(length).min(QUESTION_MAX)];
        if usize::from(length) > QUESTION_MAX {
            return Ok(());
        }
        let read = timeout(IDLE_LIMIT, stream.read_exact(&mut question)).await;
        read.map_err(late)??;
        let Some(reply) = shared.answer(&question) else {
            return Ok(());
        };
        let length = u16::try_from(reply.len()).map_err(|_| io::ErrorKind::InvalidData)?;
        let framed = [&length.to_be_bytes()[..], &reply].concat();
        timeout(IDLE_LIMIT, stream.write_all(&framed))
            .await
            .map_err(late)??;
    }
}
