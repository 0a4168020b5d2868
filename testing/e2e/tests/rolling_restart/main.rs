//! `mainstay rolling restart` ends the process of every server once, and no client sees an error.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use mainstay_e2e::{Client, Family, Login, NumberedWriters, Sandbox, on_both_families};

on_both_families!(every_server_is_restarted_and_no_client_sees_an_error);

fn every_server_is_restarted_and_no_client_sees_an_error(family: Family) {
    let sandbox = Sandbox::start_with(family, &["--restart-after", "200ms"]);
    let before = pids(&sandbox);
    let first = sandbox.primary();
    let writers = NumberedWriters::start(&sandbox, "numbers", 3);
    let readers = Readers::start(&sandbox.proxy(), 3);
    sandbox.run(&["rolling", "restart"]).succeeded();
    let whole = sandbox.wait_until_whole();
    assert_ne!(whole.primary(), Some(first.as_str()), "{whole}");
    for (server, pid) in pids(&sandbox) {
        assert_ne!(before[&server], pid, "{server} has its old process");
    }
    writers.wait_for_progress();
    let account = writers.stop_and_compare(&sandbox);
    assert!(account.errors.is_empty(), "{:?}", account.errors);
    assert_eq!(readers.stop(), Vec::<String>::new());
}

fn pids(sandbox: &Sandbox) -> BTreeMap<String, Option<u32>> {
    let servers = sandbox.servers().into_iter().map(|server| server.name);
    servers
        .map(|name| (name.clone(), sandbox.pid_of(&name)))
        .collect()
}

/// Clients that read without a pause.
struct Readers {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<Vec<String>>>,
}

impl Readers {
    fn start(proxy: &Login, clients: usize) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let threads = (0..clients).map(|_| {
            let (proxy, stop) = (proxy.clone(), Arc::clone(&stop));
            thread::spawn(move || read(&proxy, &stop))
        });
        let threads = threads.collect();
        Self { stop, threads }
    }

    /// The errors that they saw.
    fn stop(self) -> Vec<String> {
        self.stop.store(true, Ordering::Relaxed);
        let ended = self.threads.into_iter().map(JoinHandle::join);
        ended
            .flat_map(|errors| errors.expect("a reader does not panic"))
            .collect()
    }
}

fn read(proxy: &Login, stop: &AtomicBool) -> Vec<String> {
    let mut errors = Vec::new();
    let mut session = None;
    while !stop.load(Ordering::Relaxed) {
        let client = match session.take() {
            Some(client) => Ok(client),
            None => Client::try_connect(proxy),
        };
        let read = client.and_then(|mut client| {
            let rows = client.try_query("SELECT COUNT(*) FROM app.numbers WHERE number < 100");
            rows.map(|_| client)
        });
        match read {
            Ok(client) => session = Some(client),
            Err(error) => errors.push(error.to_string()),
        }
        thread::sleep(std::time::Duration::from_millis(2));
    }
    errors
}
