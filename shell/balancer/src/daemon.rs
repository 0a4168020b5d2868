//! The loop around the machine: probes, tables, words to people.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use mainstay_balance::{
    Action, Answer, Balancer, Change, Engine as Kind, Event, RealId, Table, VirtualServer, check,
};
use mainstay_clock::Timestamp;
use mainstay_health::{Script, Verdict};
use mainstay_probes::{Failure, Passed, look, run_script};
use tokio::sync::{oneshot, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{MissedTickBehavior, interval, sleep_until};

use crate::engine::Engine;
use crate::error::BalancerError;

/// How often it is looked whether the table is still in force; and how soon after a failure it is
/// tried again.
const GUARD_INTERVAL: Duration = Duration::from_secs(5);

/// A command that is told of a change has so long.
const SCRIPT_LIMIT: Duration = Duration::from_secs(30);

/// Which engine moves the packets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum EngineChoice {
    /// IPVS where the kernel has it and can do what is asked for, else nftables.
    #[default]
    Auto,
    /// This one, or no start.
    Only(Kind),
}

/// What is known of one virtual server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// Its settings.
    pub virtual_server: VirtualServer,
    /// What moves its packets.
    pub engine: &'static str,
    /// Whether the last table could be put in force.
    pub in_force: bool,
    /// Whether there are enough real servers; `None` before all were looked at.
    pub quorum: Option<bool>,
    /// Its real servers, in the order of the settings.
    pub real_servers: Vec<ShownReal>,
}

/// What is known of one real server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownReal {
    /// Whether it serves.
    pub verdict: Verdict,
    /// Its share, as its settings or its probe give it.
    pub weight: u32,
    /// What was wrong when it was last looked at.
    pub failure: Option<String>,
}

/// Balancing that runs.
#[derive(Debug)]
pub struct Balancing {
    task: JoinHandle<()>,
    stop: oneshot::Sender<Leave>,
    shown: watch::Receiver<Vec<Shown>>,
}

/// What becomes of the rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Leave {
    Removed,
    InForce,
}

impl Balancing {
    /// What is known now.
    pub fn shown(&self) -> Vec<Shown> {
        self.shown.borrow().clone()
    }

    /// Ends it, and takes all rules away.
    pub async fn stop(self) {
        self.leave(Leave::Removed).await;
    }

    /// Ends it; the last table stays in force for another process to take over.
    pub async fn hand_over(self) {
        self.leave(Leave::InForce).await;
    }

    async fn leave(self, how: Leave) {
        let _ = self.stop.send(how);
        let _ = self.task.await;
    }
}

/// Starts balancing. Nothing is in force before each real server has been looked at.
pub fn start(
    servers: Vec<VirtualServer>,
    choice: EngineChoice,
) -> Result<Balancing, BalancerError> {
    let engine = engine(&servers, choice)?;
    tracing::info!(
        engine = engine.name(),
        services = servers.len(),
        "the balancer starts"
    );
    warn_of_host(&servers);
    let (stop, stopped) = oneshot::channel();
    let (show, shown) = watch::channel(Vec::new());
    let began = Instant::now();
    let daemon = Daemon {
        machine: Balancer::new(servers.clone(), Timestamp::ZERO),
        servers,
        began,
        engine,
        probes: JoinSet::new(),
        scripts: JoinSet::new(),
        in_force: true,
        failures: BTreeMap::new(),
        show,
    };
    let task = tokio::spawn(daemon.run(stopped));
    Ok(Balancing { task, stop, shown })
}

fn engine(servers: &[VirtualServer], choice: EngineChoice) -> Result<Engine, BalancerError> {
    let unsupported = |kind| -> Vec<_> {
        servers
            .iter()
            .flat_map(|server| check(kind, server))
            .collect()
    };
    let only = |kind| {
        let found = unsupported(kind);
        if found.is_empty() {
            Engine::new(kind)
        } else {
            Err(BalancerError::Unsupported(found))
        }
    };
    match choice {
        EngineChoice::Only(kind) => only(kind),
        EngineChoice::Auto => match only(Kind::Ipvs) {
            Ok(engine) => Ok(engine),
            Err(reason) => {
                tracing::debug!("no IPVS: {reason}");
                only(Kind::Nftables)
            }
        },
    }
}

/// NAT needs a host that forwards; whose setting that is, is not ours.
fn warn_of_host(servers: &[VirtualServer]) {
    let files = [
        (true, "/proc/sys/net/ipv4/ip_forward"),
        (false, "/proc/sys/net/ipv6/conf/all/forwarding"),
    ];
    for (is_ipv4, file) in files {
        let used = servers
            .iter()
            .any(|server| server.address.is_ipv4() == is_ipv4);
        let off = std::fs::read_to_string(file).is_ok_and(|text| text.trim() == "0");
        if used && off {
            tracing::warn!("{file} is 0: packets to real servers on other hosts are dropped");
        }
    }
}

struct Daemon {
    machine: Balancer,
    servers: Vec<VirtualServer>,
    began: Instant,
    engine: Engine,
    probes: JoinSet<(RealId, Result<Passed, Failure>)>,
    scripts: JoinSet<()>,
    /// Whether the machine's last table is.
    in_force: bool,
    /// Of those whose last look failed: why.
    failures: BTreeMap<(usize, usize), String>,
    show: watch::Sender<Vec<Shown>>,
}

impl Daemon {
    async fn run(mut self, mut stopped: oneshot::Receiver<Leave>) {
        let mut guard = interval(GUARD_INTERVAL);
        guard.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let how = loop {
            let deadline = self.machine.deadline();
            let due = deadline.map(|at| self.began + at.since(Timestamp::ZERO));
            let due = due.unwrap_or_else(|| Instant::now() + GUARD_INTERVAL);
            tokio::select! {
                how = &mut stopped => break how.unwrap_or(Leave::Removed),
                () = sleep_until(due.into()) => self.handle(Event::Tick).await,
                Some(ended) = self.probes.join_next() => {
                    // A probe that panicked has no answer; its streak would wait for ever.
                    let (id, found) = ended.expect("a probe does not panic");
                    self.answered(id, found).await;
                }
                Some(_) = self.scripts.join_next() => {}
                _ = guard.tick() => self.guard().await,
            }
        };
        if how == Leave::Removed
            && let Err(error) = self.engine.remove().await
        {
            tracing::error!(%error, "the rules of the balancer are still in force");
        }
    }

    async fn answered(&mut self, id: RealId, found: Result<Passed, Failure>) {
        let at = (id.virtual_server, id.real_server);
        match &found {
            Ok(_) => self.failures.remove(&at),
            Err(failure) => self.failures.insert(at, failure.to_string()),
        };
        let before = self.machine.state(id).map(|(verdict, _)| verdict);
        if let Err(failure) = &found
            && before != Some(Verdict::Down)
        {
            let (server, real) = self.names(id);
            tracing::info!(server, %real, "a probe failed: {failure}");
        }
        let answer = Answer {
            passed: found.is_ok(),
            weight: found.ok().and_then(|passed| passed.weight),
        };
        self.handle(Event::Answered { id, answer }).await;
    }

    async fn handle(&mut self, event: Event) {
        let now = Timestamp::ZERO + self.began.elapsed();
        for action in self.machine.handle(now, event) {
            match action {
                Action::Probe(id) => self.probe(id),
                Action::Tell(change) => self.tell(change),
                Action::Apply(table) => self.apply(&table).await,
            }
        }
        self.show.send_replace(self.shown());
    }

    fn probe(&mut self, id: RealId) {
        let real = self.machine.real_server(id);
        let Some(probe) = real.probe.clone() else {
            return;
        };
        let limit = real.timing.limit;
        self.probes
            .spawn(async move { (id, look(&probe, limit).await) });
    }

    async fn apply(&mut self, table: &Table) {
        let applied = self.engine.apply(table).await;
        if let Err(error) = &applied {
            tracing::error!(%error, "the balancer's table is not in force; it is tried again");
        }
        self.in_force = applied.is_ok();
    }

    /// Puts the table back that another hand has removed, or that could not be put in force.
    async fn guard(&mut self) {
        let Some(table) = self.machine.applied().cloned() else {
            return;
        };
        let stale = match self.engine.is_stale(&table).await {
            Ok(stale) => stale,
            Err(error) => {
                tracing::error!(%error, "it cannot be seen whether the table is in force");
                return;
            }
        };
        if stale && self.in_force {
            tracing::warn!("the balancer's rules were not as they should be; they are put back");
        }
        if stale || !self.in_force {
            self.apply(&table).await;
            self.show.send_replace(self.shown());
        }
    }

    fn tell(&mut self, change: Change) {
        let (state, script, variables) = match change {
            Change::Up(id) | Change::Down(id) => {
                let is_up = matches!(change, Change::Up(_));
                let (server, real) = self.names(id);
                let spec = self.machine.real_server(id);
                let (state, script) = if is_up {
                    tracing::info!(server, %real, "a real server serves");
                    ("UP", spec.on_up.clone())
                } else {
                    tracing::warn!(server, %real, "a real server is out");
                    ("DOWN", spec.on_down.clone())
                };
                (state, script, (server.to_owned(), real.to_string()))
            }
            Change::QuorumUp(at) | Change::QuorumDown(at) => {
                let is_up = matches!(change, Change::QuorumUp(_));
                let spec = self.machine.virtual_server(at);
                let (state, script) = if is_up {
                    tracing::info!(server = spec.name, "there are enough real servers");
                    ("QUORUM_UP", spec.on_quorum_up.clone())
                } else {
                    tracing::warn!(server = spec.name, "there are not enough real servers");
                    ("QUORUM_DOWN", spec.on_quorum_down.clone())
                };
                (state, script, (spec.name.clone(), String::new()))
            }
        };
        if let Some(script) = script {
            self.run_script(script, state, variables);
        }
    }

    fn run_script(&mut self, script: Script, state: &'static str, (name, real): (String, String)) {
        self.scripts.spawn(async move {
            let variables = [
                ("MAINSTAY_STATE", state.to_owned()),
                ("MAINSTAY_VIRTUAL_SERVER", name),
                ("MAINSTAY_REAL_SERVER", real),
            ];
            if let Err(failure) = run_script(&script, &variables, SCRIPT_LIMIT).await {
                let program = script.command.first();
                tracing::warn!(?program, state, "a command that was told failed: {failure}");
            }
        });
    }

    fn names(&self, id: RealId) -> (&str, std::net::SocketAddr) {
        let name = &self.machine.virtual_server(id.virtual_server).name;
        (name, self.machine.real_server(id).address)
    }

    fn shown(&self) -> Vec<Shown> {
        let shown = self.servers.iter().enumerate().map(|(at, server)| {
            let reals = (0..server.real_servers.len()).filter_map(|real_server| {
                let id = RealId {
                    virtual_server: at,
                    real_server,
                };
                let (verdict, weight) = self.machine.state(id)?;
                Some(ShownReal {
                    verdict,
                    weight,
                    failure: self.failures.get(&(at, real_server)).cloned(),
                })
            });
            Shown {
                virtual_server: server.clone(),
                engine: self.engine.name(),
                in_force: self.in_force && self.machine.applied().is_some(),
                quorum: self.machine.quorum(at),
                real_servers: reals.collect(),
            }
        });
        shown.collect()
    }
}
