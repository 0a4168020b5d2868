//! The loop: what probers see goes to the machine, and new routes go to the proxy.

use std::sync::{Arc, Mutex, PoisonError};

use mainstay_alone::{Alone, ServerState, Terms};
use mainstay_clock::Timestamp;
use mainstay_mysql::ConnectOptions;
use mainstay_topology::{Epoch, Routes};
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinHandle};
use tokio::time::Instant;

use crate::config::{Config, Every};
use crate::history::{History, Kind, Row};
use crate::prober::{Prober, Seen};

/// What may wait for the loop: it does nothing that takes time.
const WAITING_MAX: usize = 256;

/// Tells the proxy who may be used. It does not wait.
pub type Publish = Arc<dyn Fn(&Routes) + Send + Sync>;

/// A running monitor.
#[derive(Debug)]
pub struct Monitor {
    shared: Arc<Shared>,
    changes: mpsc::Sender<Config>,
    task: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    history: History,
    states: Mutex<(Routes, Vec<ServerState>)>,
}

/// Starts to probe. `epoch` is that of the routes that the proxy has.
pub fn start(config: Config, epoch: Epoch, publish: Publish) -> Monitor {
    let (changes, received) = mpsc::channel(1);
    let shared = Arc::new(Shared {
        history: History::default(),
        states: Mutex::default(),
    });
    let daemon = Daemon {
        alone: Alone::new(config.policy, config.servers.clone(), epoch),
        config,
        origin: Instant::now(),
        shared: Arc::clone(&shared),
        publish,
    };
    Monitor {
        shared,
        changes,
        task: tokio::spawn(daemon.run(received)),
    }
}

impl Monitor {
    /// The servers as they are now.
    pub fn states(&self) -> Vec<ServerState> {
        self.shared.now().1
    }

    /// The routes in force.
    pub fn routes(&self) -> Routes {
        self.shared.now().0
    }

    /// Probes of a kind that had an answer, and those that had none, since the start.
    pub fn counts(&self, kind: Kind) -> [u64; 2] {
        self.shared.history.counts(kind)
    }

    /// What probes of a kind saw, the oldest first.
    pub fn history(&self, kind: Kind) -> Vec<Row> {
        self.shared.history.rows(kind)
    }

    /// Puts other settings in force; what is known of servers that stay is kept. False when others
    /// are being put in force at this moment.
    pub fn change(&self, config: Config) -> bool {
        self.changes.try_send(config).is_ok()
    }

    /// Ends it; the proxy keeps the routes that it has.
    pub async fn shutdown(&self) {
        self.task.abort();
        while !self.task.is_finished() {
            tokio::task::yield_now().await;
        }
    }
}

impl Shared {
    fn now(&self) -> (Routes, Vec<ServerState>) {
        let states = self.states.lock();
        states.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

struct Daemon {
    config: Config,
    alone: Alone,
    origin: Instant,
    shared: Arc<Shared>,
    publish: Publish,
}

/// Probers that end when nobody holds them.
struct Probers(Vec<AbortHandle>);

impl Drop for Probers {
    fn drop(&mut self) {
        for task in &self.0 {
            task.abort();
        }
    }
}

impl Daemon {
    async fn run(mut self, mut changed: mpsc::Receiver<Config>) {
        let (sender, mut seen) = mpsc::channel(WAITING_MAX);
        let mut probers = self.probers(&sender);
        loop {
            tokio::select! {
                Some(config) = changed.recv() => {
                    let again = probing(&config) != probing(&self.config);
                    let now = self.now();
                    let new = self.alone.change(now, config.policy, config.servers.clone());
                    self.config = config;
                    if again {
                        drop(std::mem::replace(&mut probers, self.probers(&sender)));
                    }
                    self.show(now, new);
                }
                Some(Seen { server, kind, row, probed }) = seen.recv() => {
                    self.shared.history.push(kind, row, self.config.history);
                    let now = self.now();
                    let new = self.alone.observe(now, &server, probed);
                    self.show(now, new);
                }
                else => return,
            }
        }
    }

    fn now(&self) -> Timestamp {
        let elapsed = self.origin.elapsed().as_nanos();
        Timestamp::from_nanos(u64::try_from(elapsed).unwrap_or(u64::MAX))
    }

    fn show(&self, now: Timestamp, new: bool) {
        let states = self.alone.states(now);
        let routes = self.alone.routes();
        let mut shown = self.shared.states.lock();
        let shown = shown
            .as_mut()
            .map_or_else(|broken| &mut **broken.get_mut(), |shown| &mut **shown);
        for (state, before) in states.iter().map(|state| {
            let known = shown.1.iter().find(|before| before.name == state.name);
            (state, known)
        }) {
            log(state, before);
        }
        *shown = (routes.clone(), states);
        if new {
            (self.publish)(routes);
        }
    }

    fn probers(&self, seen: &mpsc::Sender<Seen>) -> Probers {
        let config = &self.config;
        let pairs = config
            .servers
            .iter()
            .flat_map(|terms| Kind::ALL.map(|kind| (terms, kind)));
        let tasks = pairs.map(|(terms, kind)| {
            let prober = prober(config, terms, kind, seen.clone());
            tokio::spawn(prober.run()).abort_handle()
        });
        Probers(tasks.collect())
    }
}

/// What probers are made of.
fn probing(config: &Config) -> Config {
    let mut servers = config.servers.clone();
    for terms in &mut servers {
        terms.intent = mainstay_topology::Intent::default();
        terms.lag_max = None;
        terms.latency_max = None;
    }
    Config {
        servers,
        policy: mainstay_alone::Policy::default(),
        history: std::time::Duration::ZERO,
        ..config.clone()
    }
}

fn prober(config: &Config, terms: &Terms, kind: Kind, seen: mpsc::Sender<Seen>) -> Prober {
    let every: Every = match kind {
        Kind::Connect => config.connect,
        Kind::Ping => config.ping,
        Kind::ReadOnly => config.read_only,
        Kind::Lag => config.lag,
    };
    let address = terms.member.address.clone();
    let options = ConnectOptions::new(
        address.host.as_str(),
        address.port,
        config.user.as_str(),
        config.password.as_str(),
    );
    Prober {
        server: terms.member.name.clone(),
        options: options.with_connect_timeout(every.limit),
        address,
        kind,
        check: config.check,
        every,
        seen,
    }
}

/// Says what has changed about a server.
fn log(state: &ServerState, before: Option<&ServerState>) {
    let server = &state.name;
    let status = state.status().as_str();
    let unchanged =
        before.is_some_and(|before| before.part == state.part && before.status() == state.status());
    let first_unknown = before.is_none() && state.comment.contains("not looked at");
    if unchanged || first_unknown {
        return;
    }
    let (part, comment) = (state.part, &state.comment);
    tracing::info!(%server, ?part, status, comment, "a server is used otherwise now");
}
