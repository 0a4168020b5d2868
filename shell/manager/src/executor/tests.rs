//! Steps that need no server: those of the manager itself, of the proxies and of the hosts.

mod cut;

use std::sync::Mutex;
use std::time::Duration;

use mainstay_failover::{Effect, Hooks, OnFailure};
use mainstay_gtid::Difference;
use mainstay_mysql::ConnectOptions;
use mainstay_topology::{Address, Epoch, Record};
use tempfile::TempDir;

use super::*;
use crate::control::Pending;

/// Proxies that say how they were told to behave.
struct Proxies {
    published: Mutex<Vec<Routes>>,
    drains: bool,
}

impl ProxyControl for Proxies {
    fn publish(&self, routes: &Routes) {
        self.published.lock().unwrap().push(routes.clone());
    }

    fn drained(&self, _: Duration) -> Pending<'_, bool> {
        Box::pin(async { self.drains })
    }
}

/// A host that can end processes, and nothing else.
struct Host;

impl HostControl for Host {
    fn hooks(&self, _: &ServerName) -> Hooks {
        Hooks::default()
    }

    fn end_process(&self, _: &ServerName) -> Pending<'_, Result<(), String>> {
        Box::pin(async { Ok(()) })
    }
}

pub(super) struct Bench {
    executor: Arc<Executor>,
    proxies: Arc<Proxies>,
    busy: watch::Sender<bool>,
    tasks: JoinSet<()>,
    _folder: TempDir,
}

impl Bench {
    fn new(drains: bool, host: Option<Arc<dyn HostControl>>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let login = Login {
            user: "m".to_owned(),
            password: "p".to_owned(),
        };
        let proxies = Arc::new(Proxies {
            published: Mutex::default(),
            drains,
        });
        let (busy, probe_busy) = watch::channel(false);
        let executor = Executor {
            hands: BTreeMap::new(),
            login: login.clone(),
            replication: login,
            proxy: Arc::clone(&proxies) as Arc<dyn ProxyControl>,
            host,
            hooks: None,
            store: Store::open(&folder.path().join("state")).unwrap(),
            writer: watch::channel(None).0,
            probe_busy,
            salvage: folder.path().join("salvage"),
            data_directories: BTreeMap::new(),
            saved: Mutex::default(),
            progress: Mutex::default(),
            eventless: Mutex::default(),
            handover: Mutex::default(),
        };
        Self {
            executor: Arc::new(executor),
            proxies,
            busy,
            tasks: JoinSet::new(),
            _folder: folder,
        }
    }

    /// With one server.
    pub(super) fn with_server(options: &ConnectOptions) -> Self {
        let mut bench = Self::new(true, None);
        let mut tasks = JoinSet::new();
        let hand = Hand::open(options.clone(), "m", &mut tasks);
        let executor = Arc::get_mut(&mut bench.executor).expect("nothing runs yet");
        executor.hands.insert(server(), hand);
        bench.tasks = tasks;
        bench
    }

    async fn run(&self, effect: Effect) -> StepResult {
        let step = Step {
            effect,
            place: None,
            group: 1,
            precondition: String::new(),
            sentence: String::new(),
            sql: Vec::new(),
            limit: Duration::from_secs(5),
            on_failure: OnFailure::Undo,
            undo: None,
        };
        self.run_step(step).await
    }

    pub(super) async fn run_step(&self, step: Step) -> StepResult {
        let (sender, mut events) = mpsc::channel(1);
        let id = (OperationId(1), 0);
        run(
            Arc::clone(&self.executor),
            id,
            Box::new(step),
            Clock::start(),
            sender,
        )
        .await;
        match events.recv().await {
            Some(Event::StepEnded { result, .. }) => result,
            other => panic!("the end of a step, not {other:?}"),
        }
    }

    fn writer(&self) -> Option<Target> {
        self.executor.writer.borrow().clone()
    }
}

pub(super) fn server() -> ServerName {
    ServerName::new("db1")
}

/// The first ones of one origin.
fn transactions(last: u64) -> Difference {
    let text = format!("3e11fa47-71ca-11e1-9e33-c80aa9429562:1-{last}");
    Difference::Mysql(text.parse().expect("a set"))
}

fn routes(hold_writes: bool) -> Routes {
    let address = Address {
        host: "127.0.0.1".to_owned(),
        port: 3301,
    };
    Routes {
        epoch: Epoch(1),
        writer: Some(Target {
            name: server(),
            address,
        }),
        hold_writes,
        ..Routes::default()
    }
}

pub(super) fn done() -> StepResult {
    StepResult::Done(Output::Done)
}

#[tokio::test]
async fn routes_reach_the_proxies_and_the_write_probe() {
    let bench = Bench::new(true, None);
    let open = routes(false);
    let publish = |routes: &Routes| Effect::Publish {
        routes: routes.clone(),
    };
    assert_eq!(bench.run(publish(&open)).await, done());
    assert_eq!(bench.writer(), open.writer);
    let held = routes(true);
    assert_eq!(bench.run(publish(&held)).await, done());
    assert_eq!(bench.writer(), None);
    assert_eq!(*bench.proxies.published.lock().unwrap(), [open, held]);
}

#[tokio::test(start_paused = true)]
async fn a_server_is_drained_only_when_the_write_probe_has_ended_too() {
    let bench = Bench::new(true, None);
    bench.busy.send_replace(true);
    let drain = || Effect::Drain { server: server() };
    assert_eq!(bench.run(drain()).await, StepResult::TimedOut);
    bench.busy.send_replace(false);
    assert_eq!(bench.run(drain()).await, done());
}

#[tokio::test]
async fn writes_that_do_not_end_fail_the_drain() {
    let bench = Bench::new(false, None);
    let result = bench.run(Effect::Drain { server: server() }).await;
    let sentence = "writes on db1 did not end in time";
    assert_eq!(result, StepResult::Failed(sentence.to_owned()));
}

#[tokio::test]
async fn a_record_is_stored_and_an_older_one_refused() {
    let bench = Bench::new(true, None);
    let record = |epoch| Record {
        epoch: Epoch(epoch),
        primary: Some(server()),
        ..Record::default()
    };
    let store = |epoch| Effect::Record {
        record: record(epoch),
    };
    assert_eq!(bench.run(store(2)).await, done());
    assert!(matches!(bench.run(store(1)).await, StepResult::Failed(_)));
    assert_eq!(bench.executor.store.record().unwrap(), record(2));
}

#[tokio::test]
async fn without_a_host_a_process_is_not_ended() {
    let end = || Effect::EndProcess { server: server() };
    let result = Bench::new(true, None).run(end()).await;
    let sentence = "there is no means on the host of db1 to end its process";
    assert_eq!(result, StepResult::Failed(sentence.to_owned()));
    let bench = Bench::new(true, Some(Arc::new(Host)));
    assert_eq!(bench.run(end()).await, done());
}

#[tokio::test]
async fn transactions_that_are_saved_are_not_saved_again() {
    let bench = Bench::new(true, None);
    let save = |last| Effect::SaveErrant {
        server: server(),
        transactions: transactions(last),
    };
    let kept = Saved {
        gtids: transactions(7).to_string(),
        folder: "salvage/db1-1".into(),
        logs: Vec::new(),
    };
    bench.executor.saved().insert(server(), kept);
    let said = Output::Said("they are in salvage/db1-1".to_owned());
    assert_eq!(bench.run(save(7)).await, StepResult::Done(said));
    // Others it would have to ask the server for.
    let sentence = "db1 is no server of this cluster".to_owned();
    assert_eq!(bench.run(save(8)).await, StepResult::Failed(sentence));
}

#[tokio::test]
async fn a_step_on_an_unknown_server_fails() {
    let bench = Bench::new(true, None);
    let result = bench.run(Effect::OpenWrites { server: server() }).await;
    let sentence = "db1 is no server of this cluster";
    assert_eq!(result, StepResult::Failed(sentence.to_owned()));
}
