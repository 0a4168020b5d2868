//! One fault after the other on one cluster, under load.

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use mainstay_drill::{Account, Load, Rows, ServerStatus, Shape, prepare_table, rows_of_all};
use mainstay_mysql::ConnectOptions;
use tokio::runtime::Runtime;

use super::judge::{Allowed, Outcome};
use super::{Fault, Stage};
use crate::lab::Lab;
use crate::{Family, Login};

const SHAPE: Shape = Shape {
    writers: 4,
    readers: 1,
    pause: Duration::from_millis(5),
};
/// How long replicas may take for what nobody waits for.
const SETTLING: Duration = Duration::from_mins(1);
/// For one server to be asked once.
const MOMENT: Duration = Duration::from_secs(1);
/// Longer than the proxy holds a statement.
const PATIENCE: Duration = Duration::from_secs(50);

/// A cluster that goes through faults.
#[derive(Debug)]
pub struct Series {
    lab: Lab,
    /// Gone at the end only: its threads are on the host of the clients.
    runtime: Option<Runtime>,
    next_number: Arc<AtomicU64>,
}

impl Series {
    /// A new cluster. The calling thread moves to the host of the clients.
    #[track_caller]
    pub fn start(family: Family) -> Self {
        let lab = Lab::start(family);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime can be made");
        let first = runtime.block_on(prepare_table(&options(&lab.proxy())));
        let first = first.expect("a table can be made through the proxy");
        crate::Client::connect(&lab.proxy())
            .execute("CREATE TABLE app.beside (id SERIAL) ENGINE=InnoDB");
        Self {
            lab,
            runtime: Some(runtime),
            next_number: Arc::new(AtomicU64::new(first)),
        }
    }

    /// Does one fault, and judges what came of it. After a failure the cluster is of no more use:
    /// see [`give_up`](Self::give_up).
    pub fn run(&mut self, fault: &Fault) -> Outcome {
        let mut outcome = Outcome {
            name: fault.name,
            number: fault.number,
            family: self.lab.family(),
            wrong: Vec::new(),
            gap_ms: 0.0,
            errors: BTreeMap::new(),
            acknowledged: 0,
            lost: 0,
            moves: 0,
            by_hand: 0,
            whole_after_s: 0.0,
        };
        let done = catch_unwind(AssertUnwindSafe(|| self.try_run(fault, &mut outcome)));
        match done {
            Ok(Ok(())) => {}
            Ok(Err(wrong)) => outcome.blame(wrong),
            Err(panic) => outcome.blame(message(panic.as_ref())),
        }
        outcome
    }

    /// Ends the cluster, and keeps its logs.
    pub fn give_up(mut self) -> std::path::PathBuf {
        self.lab.keep()
    }

    fn try_run(&mut self, fault: &Fault, outcome: &mut Outcome) -> Result<(), String> {
        let before = self.lab.heal()?;
        let first = self.next_number.load(Ordering::Relaxed);
        let helped = self.lab.helped();
        let load = {
            let runtime = self.runtime.as_ref().expect("it is there until the end");
            let _inside = runtime.enter();
            Load::start(&options(&self.lab.proxy()), SHAPE, &self.next_number)
        };
        let mut stage = Stage::new(&mut self.lab, &before, &self.next_number);
        stage.wait_for_writes();
        let began = Instant::now();
        (fault.act)(&mut stage);
        stage.lab.heal()?;
        outcome.whole_after_s = began.elapsed().as_secs_f64();
        stage.wait_for_writes();
        let account = self.stop(load)?;
        let held = self.rows(first, &account)?;
        let after = self.lab.heal()?;
        outcome.moves = after.epoch() - before.epoch();
        outcome.by_hand = self.lab.helped() - helped;
        let allowed = Allowed {
            moves: &fault.moves,
            errors: fault.errors,
        };
        outcome.judge(&allowed, &account, &held);
        Ok(())
    }

    fn stop(&self, load: Load) -> Result<Account, String> {
        let runtime = self.runtime.as_ref().expect("it is there until the end");
        runtime.block_on(async {
            tokio::time::timeout(PATIENCE, load.stop())
                .await
                .map_err(|_| format!("a client hangs for {} s", PATIENCE.as_secs()))
        })
    }

    /// The rows of all servers, when the cluster is whole and all have the same: what was not
    /// acknowledged may be on its way, and what is wrong with a replica may show only now. Or,
    /// after a while, as they are.
    fn rows(&mut self, first: u64, account: &Account) -> Result<BTreeMap<String, Rows>, String> {
        let wanted = account.acknowledged();
        let login = options(&self.lab.beside_the_proxy(1));
        let began = Instant::now();
        loop {
            let status = self.lab.heal()?;
            let servers: Vec<_> = status.servers().iter().map(server).collect();
            let runtime = self.runtime.as_ref().expect("it is there until the end");
            let rows = rows_of_all(&servers, &login, first, &wanted, MOMENT);
            let rows = runtime.block_on(rows).map_err(|error| error.to_string());
            let late = began.elapsed() > SETTLING;
            match rows {
                Ok(rows) if late || settled(&rows, &wanted) => return Ok(rows),
                Err(wrong) if late => return Err(wrong),
                Ok(_) | Err(_) => {}
            }
        }
    }
}

fn settled(rows: &BTreeMap<String, Rows>, wanted: &BTreeSet<u64>) -> bool {
    let mut each = rows.values();
    let Some(one) = each.next() else {
        return false;
    };
    each.all(|other| other == one) && wanted.iter().all(|id| one.contains_key(id))
}

impl Drop for Series {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // A client of a failed run may wait for ever.
            runtime.shutdown_background();
        }
    }
}

fn server(status: &serde_json::Value) -> ServerStatus {
    let name = status["name"].as_str().expect("a server has a name");
    let address = status["address"].as_str().expect("a server has an address");
    let (host, port) = address.rsplit_once(':').expect("an address has a port");
    ServerStatus {
        name: name.to_owned(),
        host: host.to_owned(),
        port: port.parse().expect("a port is a number"),
    }
}

fn options(login: &Login) -> ConnectOptions {
    let mut options = ConnectOptions::new(&login.host, login.port, &login.user, &login.password)
        .with_connect_timeout(PATIENCE);
    options.database.clone_from(&login.database);
    options
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("a panic without words").to_owned()
}
