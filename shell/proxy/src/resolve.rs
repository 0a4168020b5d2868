//! Host names to addresses, on a thread of its own: the resolver of the C library blocks.

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// A pool that opens many connections at once asks the name server only once.
const FRESH: Duration = Duration::from_secs(5);

/// One question; `answer` gets no addresses when the name has none.
struct Question {
    host: String,
    port: u16,
    answer: Box<dyn FnOnce(Vec<SocketAddr>) + Send>,
}

/// The way to the thread, which ends when the last way to it is dropped. It is not joined: a name
/// server that does not answer must not delay the end of the proxy.
#[derive(Clone)]
pub(crate) struct Resolver {
    questions: mpsc::Sender<Question>,
}

impl fmt::Debug for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Resolver")
    }
}

impl Resolver {
    /// Starts the thread.
    pub(crate) fn start() -> io::Result<Self> {
        let (questions, inbox) = mpsc::channel::<Question>();
        thread::Builder::new()
            .name("proxy-resolver".to_owned())
            .spawn(move || {
                let mut cache = Cache::default();
                for Question { host, port, answer } in inbox {
                    answer(
                        cache
                            .addresses(&host)
                            .iter()
                            .map(|&ip| (ip, port).into())
                            .collect(),
                    );
                }
            })?;
        Ok(Self { questions })
    }

    /// Asks for the addresses of a host; the answer is called on the resolver's thread.
    pub(crate) fn ask(
        &self,
        host: &str,
        port: u16,
        answer: impl FnOnce(Vec<SocketAddr>) + Send + 'static,
    ) {
        let question = Question {
            host: host.to_owned(),
            port,
            answer: Box::new(answer),
        };
        if let Err(mpsc::SendError(question)) = self.questions.send(question) {
            (question.answer)(Vec::new());
        }
    }
}

#[derive(Default)]
struct Cache {
    names: HashMap<String, (Instant, Vec<IpAddr>)>,
}

impl Cache {
    fn addresses(&mut self, host: &str) -> &[IpAddr] {
        let known = self
            .names
            .entry(host.to_owned())
            .or_insert((Instant::now(), Vec::new()));
        if known.1.is_empty() || known.0.elapsed() > FRESH {
            // Servers outlive name servers: while the name cannot be resolved its last addresses
            // are used.
            match (host, 0).to_socket_addrs() {
                Ok(found) => *known = (Instant::now(), found.map(|found| found.ip()).collect()),
                Err(error) => tracing::warn!(host, %error, "cannot resolve the name of a server"),
            }
        }
        &known.1
    }
}

/// What `host:port`, or `unix:/path`, says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Place<'a> {
    /// An address, ready to connect to.
    Address(SocketAddr),
    /// A name to ask for.
    Name(&'a str, u16),
    /// The path of a socket on this machine.
    Socket(&'a str),
    /// Neither.
    Nonsense,
}

/// Reads `host:port` or `unix:/path`; an IPv6 address may stand in brackets.
pub(crate) fn place(text: &str) -> Place<'_> {
    if let Some(path) = text.strip_prefix("unix:") {
        return Place::Socket(path);
    }
    let Some((host, Ok(port))) = text
        .rsplit_once(':')
        .map(|(host, port)| (host, port.parse()))
    else {
        return Place::Nonsense;
    };
    let host = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host);
    match host.parse::<IpAddr>() {
        Ok(ip) => Place::Address((ip, port).into()),
        Err(_) if host.is_empty() => Place::Nonsense,
        Err(_) => Place::Name(host, port),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_names_are_told_apart() {
        let address = |text: &str| Place::Address(text.parse().expect("an address"));
        assert_eq!(place("127.0.0.1:3306"), address("127.0.0.1:3306"));
        assert_eq!(place("[::1]:3306"), address("[::1]:3306"));
        assert_eq!(place("::1:3306"), address("[::1]:3306"));
        assert_eq!(place("db1.example:3306"), Place::Name("db1.example", 3306));
        assert_eq!(place("unix:/run/db.sock"), Place::Socket("/run/db.sock"));
        assert_eq!(place("db1"), Place::Nonsense);
        assert_eq!(place(":3306"), Place::Nonsense);
        assert_eq!(place("db1:70000"), Place::Nonsense);
    }

    #[test]
    fn a_name_is_answered_with_its_port_and_an_unknown_one_with_nothing() {
        let resolver = Resolver::start().expect("a thread");
        let (answers, inbox) = mpsc::channel();
        let other = answers.clone();
        resolver.ask("localhost", 3306, move |found| {
            answers.send(found).expect("waits");
        });
        // A name with a NUL is refused without asking a name server.
        resolver.ask("no\0name", 3306, move |found| {
            other.send(found).expect("waits");
        });
        let localhost = inbox.recv().expect("answered");
        assert!(
            localhost
                .iter()
                .all(|found| found.ip().is_loopback() && found.port() == 3306)
        );
        assert!(!localhost.is_empty());
        assert_eq!(inbox.recv().expect("answered"), []);
    }
}
