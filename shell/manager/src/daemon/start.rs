//! Puts a manager together: the machine from the stored record, a task for each server, the loop.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use mainstay_clock::Timestamp;
use mainstay_failover::machine::History;
use mainstay_failover::pause::Unacknowledged;
use mainstay_failover::{Hooks, Manager as Machine, OperationId, Purpose};
use mainstay_store::{Entry, Store, StoreError};
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinSet;

use super::Daemon;
use crate::clock::Clock;
use crate::config::Config;
use crate::control::{HookControl, HostControl, ProxyControl};
use crate::error::ManagerError;
use crate::event::Event;
use crate::executor::Executor;
use crate::failpoint::Failpoint;
use crate::handle::ManagerHandle;
use crate::journal::Journal;
use crate::keeper;
use crate::look;
use crate::observer::Observer;
use crate::snapshot::Snapshot;
use crate::write_probe::Prober;

/// Events that wait for the loop: some for each server and each step.
const QUEUE: usize = 256;

/// Versions of routes set aside for one process: three years at one a second, and a process that
/// published more would still only make its successor's routes look older than they are.
const ROUTE_VERSIONS: u32 = 100_000_000;

/// What a manager works with.
pub struct Wiring {
    /// Its state.
    pub store: Store,
    /// The proxies.
    pub proxy: Arc<dyn ProxyControl>,
    /// The hosts of the servers, where something can be done on them.
    pub host: Option<Arc<dyn HostControl>>,
    /// Whoever runs the hooks of the policy.
    pub hooks: Option<Arc<dyn HookControl>>,
}

/// Starts a manager on the current tokio runtime. It does nothing to the servers before it has
/// seen them.
pub fn start(config: &Config, wiring: Wiring) -> Result<ManagerHandle, ManagerError> {
    if config.members.is_empty() {
        return Err(ManagerError::NoServers);
    }
    let clock = Clock::start();
    let (sender, events) = mpsc::channel(QUEUE);
    let mut tasks = JoinSet::new();
    let executor = executor(config, &wiring, &mut tasks, (&sender, clock));
    let machine = machine(config, &wiring, clock)?;
    let (snapshots, watched) = watch::channel(Arc::new(first_snapshot(&machine)));
    let handle = ManagerHandle {
        events: sender.clone(),
        snapshots: watched,
        store: wiring.store,
        policy: Arc::new(config.policy.clone()),
    };
    tasks.spawn(keeper::run(handle.clone()));
    let wakes = observe(config, &mut tasks, (&sender, clock), &handle.snapshots);
    let daemon = Daemon {
        clock,
        machine,
        journal: Journal::new(handle.store.clone()),
        executor,
        wakes,
        events,
        sender: sender.clone(),
        snapshots,
        tasks,
        own: VecDeque::new(),
        asks: None,
        failpoint: Failpoint::ordered(),
        shown: super::shown::Shown::default(),
        asked: None,
        waiting: BTreeMap::new(),
        reason: STARTED.to_owned(),
        last_operation: None,
        known: super::log::Known::default(),
    };
    tokio::spawn(daemon.run());
    Ok(handle)
}

const STARTED: &str = "the manager has started";

fn machine(config: &Config, wiring: &Wiring, clock: Clock) -> Result<Machine, StoreError> {
    let store = &wiring.store;
    let history = History {
        last_operation: store.last_operation()?,
        interrupted: close_interrupted(store, clock)?,
        routes_version: store.reserve_route_versions(ROUTE_VERSIONS)?,
        wishes: store.wishes()?,
        paused: store.pause()?,
        unacknowledged: unacknowledged(config, store, clock)?,
    };
    let hooks = config.members.iter().map(|member| {
        let host = wiring.host.as_ref();
        let hooks = host.map(|host| host.hooks(&member.name));
        let hooks = Hooks {
            disk: config.data_directories.contains_key(&member.name),
            ..hooks.unwrap_or_default()
        };
        (member.name.clone(), hooks)
    });
    Ok(Machine::new(
        config.policy.clone(),
        &config.members,
        store.record()?,
        hooks.collect(),
        history,
    ))
}

/// The last failover, if it may hold another one back.
fn unacknowledged(
    config: &Config,
    store: &Store,
    clock: Clock,
) -> Result<Option<Unacknowledged>, StoreError> {
    let last = store.unacknowledged()?;
    Ok(last.and_then(|(operation, ended_us)| {
        let now_us = clock.wall_us(Timestamp::ZERO);
        let age = Duration::from_micros(now_us.saturating_sub(ended_us));
        Unacknowledged::ended_before(operation, age, config.policy.failover_pause)
    }))
}

/// An operation that has no end was cut off with the process before: what is left of it to be done
/// follows from the record and from the servers, never from the old plan.
fn close_interrupted(
    store: &Store,
    clock: Clock,
) -> Result<Option<(OperationId, Purpose)>, StoreError> {
    let mut open = store.unfinished()?;
    let at_us = clock.wall_us(Timestamp::ZERO);
    let ends: Vec<_> = open
        .iter()
        .map(|(operation, _)| Entry::Finished {
            operation: operation.0,
            at_us,
            outcome: Err("interrupted: the manager ended in the middle of it".to_owned()),
            certificate: None,
        })
        .collect();
    store.append(&ends)?;
    Ok(open.pop())
}

fn executor(
    config: &Config,
    wiring: &Wiring,
    tasks: &mut JoinSet<()>,
    (events, clock): (&mpsc::Sender<Event>, Clock),
) -> Arc<Executor> {
    let (writer, written) = watch::channel(None);
    let (busy, probe_busy) = watch::channel(false);
    let prober = Prober {
        login: config.login.clone(),
        timing: config.timing,
        writer: written,
        busy,
        events: events.clone(),
        clock,
    };
    tasks.spawn(prober.run());
    Arc::new(Executor {
        hands: Executor::open_hands(&config.members, &config.login, &config.timing, tasks),
        login: config.login.clone(),
        replication: config.replication.clone(),
        proxy: Arc::clone(&wiring.proxy),
        host: wiring.host.clone(),
        hooks: wiring.hooks.clone(),
        store: wiring.store.clone(),
        writer,
        probe_busy,
        salvage: config.salvage.clone(),
        data_directories: config.data_directories.clone(),
        saved: Mutex::default(),
        progress: Mutex::default(),
        eventless: Mutex::default(),
        handover: Mutex::default(),
    })
}

fn observe(
    config: &Config,
    tasks: &mut JoinSet<()>,
    (events, clock): (&mpsc::Sender<Event>, Clock),
    known: &watch::Receiver<Arc<Snapshot>>,
) -> BTreeMap<mainstay_topology::ServerName, Arc<Notify>> {
    let mut wakes = BTreeMap::new();
    for (index, member) in (0..).zip(&config.members) {
        let wake = Arc::new(Notify::new());
        let observer = Observer {
            channel: member.part.channel.clone(),
            server: member.name.clone(),
            options: look::options(&member.address, &config.login, &config.timing),
            interval: config.policy.probe_interval + out_of_step(config, index),
            limit: config.timing.probe_limit,
            wake: Arc::clone(&wake),
            events: events.clone(),
            clock,
            known: Some(known.clone()),
        };
        tasks.spawn(observer.run());
        wakes.insert(member.name.clone(), wake);
    }
    wakes
}

/// A replica can be compared with a primary only when the primary was looked at after it. Looks
/// that were once begun together must not stay so: each server has an interval of its own.
fn out_of_step(config: &Config, index: u32) -> Duration {
    config.policy.probe_interval * (index % 8) / 16
}

fn first_snapshot(machine: &Machine) -> Snapshot {
    Snapshot {
        at: Timestamp::ZERO,
        phase: machine.phase(),
        reason: STARTED.to_owned(),
        topology: machine.topology().clone(),
        findings: machine.findings().to_vec(),
        routes: machine.routes().cloned(),
        durability: machine.policy().durability,
        operation: None,
        last_operation: None,
        paused: machine.paused().cloned(),
    }
}
