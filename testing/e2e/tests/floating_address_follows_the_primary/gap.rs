//! How long nobody answers for an address: a client on a host of its own that connects anew every
//! 5 ms, and waits for the greeting of a server.

use std::fs::File;
use std::io::Read as _;
use std::net::{SocketAddr, TcpStream};
use std::os::fd::AsFd as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{JoinHandle, sleep, spawn};
use std::time::{Duration, Instant};

use mainstay_e2e::wait_until;
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// Between two connections, and for the answer to one.
const PAUSE: Duration = Duration::from_millis(5);
const LIMIT: Duration = Duration::from_millis(20);

/// What the client and the test tell each other.
#[derive(Default)]
struct Told {
    answered: AtomicBool,
    ends: AtomicBool,
}

/// The client, until it is asked what it has seen.
pub(crate) struct Watch {
    told: Arc<Told>,
    client: JoinHandle<Duration>,
}

impl Watch {
    /// Begins in a network namespace, by its name, and waits for the first answer.
    pub(crate) fn start(namespace: &str, address: SocketAddr) -> Self {
        let told = Arc::new(Told::default());
        let namespace = File::open(format!("/run/netns/{namespace}")).expect("`ip` made it");
        let shared = Arc::clone(&told);
        let client = spawn(move || {
            // Of this thread alone.
            let network = Some(LinkNameSpaceType::Network);
            move_into_link_name_space(namespace.as_fd(), network).expect("the rights of root");
            longest_silence(address, &shared)
        });
        wait_until("an answer", || told.answered.load(Ordering::Relaxed));
        Self { told, client }
    }

    /// The longest time between two answers, of which the last is still to come.
    pub(crate) fn longest_silence(self) -> Duration {
        self.told.ends.store(true, Ordering::Relaxed);
        self.client.join().expect("the client does not fail")
    }
}

fn longest_silence(address: SocketAddr, told: &Told) -> Duration {
    let (mut last, mut longest) = (None, Duration::ZERO);
    loop {
        let ends = told.ends.load(Ordering::Relaxed);
        if greeted(address) {
            let now = Instant::now();
            longest = longest.max(last.map_or(Duration::ZERO, |last| now - last));
            last = Some(now);
            told.answered.store(true, Ordering::Relaxed);
            if ends {
                return longest;
            }
        }
        sleep(PAUSE);
    }
}

fn greeted(address: SocketAddr) -> bool {
    let connected = TcpStream::connect_timeout(&address, LIMIT);
    let greeting = connected.and_then(|mut stream| {
        stream.set_read_timeout(Some(LIMIT))?;
        let mut header = [0; 5];
        stream.read_exact(&mut header)?;
        Ok(header[4])
    });
    // The version of the protocol; 0xff would be an error, such as too many connections.
    greeting.is_ok_and(|version| version == 10)
}
