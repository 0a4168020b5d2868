//! The loss of a replica is nobody's pause and nobody's error.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use mainstay_e2e::{Client, Family, NumberedWriters, Sandbox, SqlError, on_both_families};

on_both_families!(clients_see_no_error_while_a_replica_dies_and_comes_back);

fn clients_see_no_error_while_a_replica_dies_and_comes_back(family: Family) {
    let sandbox = Sandbox::start(family);
    let before = sandbox.status();
    let replica = before.named("replica")[0].clone();
    let writers = NumberedWriters::start(&sandbox, "numbers", 3);
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let stopper = Stopper(&stop);
        let reader = scope.spawn(|| read(&sandbox, &stop));
        sandbox.kill_server(&replica);
        sandbox.wait("a replica that is seen to be gone", |status| {
            status.server(&replica)["reachability"] == "gone"
        });
        writers.wait_for_progress();
        let whole = sandbox.wait_until_whole();
        assert_eq!(whole.primary(), before.primary(), "{whole}");
        assert_eq!(whole.epoch(), before.epoch(), "{whole}");
        drop(stopper);
        let reads = reader.join().expect("a reader does not panic");
        assert!(reads.expect("no read fails") > 0);
    });
    let account = writers.stop_and_compare(&sandbox);
    assert!(account.errors.is_empty(), "{:?}", account.errors);
}

/// Ends the reader, also when the test fails.
struct Stopper<'a>(&'a AtomicBool);

impl Drop for Stopper<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Reads until told to stop, or until the first error.
fn read(sandbox: &Sandbox, stop: &AtomicBool) -> Result<u64, SqlError> {
    let mut client = Client::try_connect(&sandbox.proxy())?;
    let mut reads = 0;
    while !stop.load(Ordering::Relaxed) {
        client.try_query("SELECT MAX(number) FROM app.numbers")?;
        reads += 1;
    }
    Ok(reads)
}
