//! Clients that write numbers through the proxy and keep account of what was acknowledged.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use mainstay_mysql::Error;

use crate::wait::{wait_for, wait_until};
use crate::{Client, Login, Sandbox};

/// Between two statements of one client.
const PAUSE: Duration = Duration::from_millis(2);
/// Code of a connection that ended in the middle of a statement.
const LOST: u16 = 2013;

/// What the clients saw.
#[derive(Debug, Default)]
pub struct Account {
    /// Numbers that were answered with OK.
    pub acknowledged: BTreeSet<u64>,
    /// Errors by code.
    pub errors: BTreeMap<u16, u64>,
}

/// Clients at work. Each number is written once, with autocommit.
pub struct NumberedWriters {
    table: String,
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<Account>>,
}

#[derive(Default)]
struct Shared {
    stop: AtomicBool,
    acknowledged: AtomicU64,
}

impl NumberedWriters {
    /// Makes the table, and starts this many clients.
    #[track_caller]
    pub fn start(sandbox: &Sandbox, table: &str, clients: u64) -> Self {
        let proxy = sandbox.proxy();
        let table = format!("app.{table}");
        let sql = format!("CREATE TABLE {table} (number BIGINT UNSIGNED PRIMARY KEY)");
        Client::connect(&proxy).execute(&sql);
        let shared = Arc::new(Shared::default());
        let threads = (0..clients).map(|client| {
            let (proxy, table, shared) = (proxy.clone(), table.clone(), Arc::clone(&shared));
            let numbers = (client..).step_by(usize::try_from(clients).expect("a few"));
            thread::spawn(move || write(&proxy, &table, numbers, &shared))
        });
        let threads = threads.collect();
        let writers = Self {
            table,
            shared,
            threads,
        };
        writers.wait_for_progress();
        writers
    }

    /// Waits until more numbers have been acknowledged: writes flow.
    #[track_caller]
    pub fn wait_for_progress(&self) {
        let enough = self.shared.acknowledged.load(Ordering::Relaxed) + 50;
        wait_until("acknowledged writes", || {
            self.shared.acknowledged.load(Ordering::Relaxed) >= enough
        });
    }

    /// Ends the clients, and checks that every server holds every acknowledged number.
    #[track_caller]
    pub fn stop_and_compare(mut self, sandbox: &Sandbox) -> Account {
        self.shared.stop.store(true, Ordering::Relaxed);
        let mut sum = Account::default();
        for thread in std::mem::take(&mut self.threads) {
            let account = thread.join().expect("a writer does not panic");
            sum.acknowledged.extend(account.acknowledged);
            for (code, count) in account.errors {
                *sum.errors.entry(code).or_default() += count;
            }
        }
        for server in sandbox.servers() {
            let what = format!("every acknowledged write on {}", server.name);
            wait_for(&what, || missing(&server.login, &self.table, &sum));
        }
        sum
    }
}

/// The clients of a failed test end too.
impl Drop for NumberedWriters {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
    }
}

fn missing(server: &Login, table: &str, account: &Account) -> Result<(), String> {
    let failed = |error: Error| error.to_string();
    let mut client = Client::try_connect(server).map_err(failed)?;
    let rows = client
        .try_query(&format!("SELECT number FROM {table}"))
        .map_err(failed)?;
    let held: BTreeSet<u64> = rows
        .rows
        .iter()
        .filter_map(|row| row.get_index(0)?.parse().ok())
        .collect();
    let missing: Vec<_> = account.acknowledged.difference(&held).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let of = account.acknowledged.len();
    Err(format!(
        "{} of {of} are missing: {missing:?}",
        missing.len()
    ))
}

fn write(
    proxy: &Login,
    table: &str,
    numbers: impl Iterator<Item = u64>,
    shared: &Shared,
) -> Account {
    let mut account = Account::default();
    let mut session = None;
    for number in numbers {
        if shared.stop.load(Ordering::Relaxed) {
            break;
        }
        let client = match session.take() {
            Some(client) => Ok(client),
            None => Client::try_connect(proxy),
        };
        let written = client.and_then(|mut client| {
            let sql = format!("INSERT INTO {table} VALUES ({number})");
            client.try_execute(&sql).map(|_| client)
        });
        match written {
            Ok(client) => {
                session = Some(client);
                account.acknowledged.insert(number);
                shared.acknowledged.fetch_add(1, Ordering::Relaxed);
            }
            Err(error) => {
                let code = error.server_code().unwrap_or(LOST);
                *account.errors.entry(code).or_default() += 1;
            }
        }
        thread::sleep(PAUSE);
    }
    account
}
