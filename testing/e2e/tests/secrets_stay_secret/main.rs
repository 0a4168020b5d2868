//! No password is in a command line, in a log, in what is shown, or in a file that others may read.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use mainstay_e2e::{Family, NumberedWriters, Sandbox, on_both_families, processes};

on_both_families!(no_password_is_seen_while_a_cluster_starts_fails_over_and_heals);

fn no_password_is_seen_while_a_cluster_starts_fails_over_and_heals(family: Family) {
    let stop = AtomicBool::new(false);
    let (sandbox, seen) = thread::scope(|scope| {
        let watcher = scope.spawn(|| command_lines(&stop));
        let stopper = Stopper(&stop);
        let sandbox = live(family);
        drop(stopper);
        (sandbox, watcher.join().expect("a watcher does not panic"))
    });
    let passwords = sandbox.passwords();
    assert!(passwords.iter().all(|password| password.len() >= 16));
    let servers = seen.iter().filter(|line| line.contains("/my.cnf"));
    assert!(servers.count() >= 3, "the watcher was asleep: {seen:?}");
    for line in &seen {
        without(line, &passwords, "a command line");
    }
    for log in [
        "mainstay.log",
        "db1/mysqld.log",
        "db2/mysqld.log",
        "db3/mysqld.log",
    ] {
        let text = fs::read(sandbox.dir().join(log)).expect("a log");
        without(&String::from_utf8_lossy(&text), &passwords, log);
    }
    let shown: [&[&str]; 5] = [
        &["status"],
        &["status", "--json"],
        &["status", "--history", "--json"],
        &["plan", "failover", "--json"],
        &["plan", "switchover"],
    ];
    for command in shown {
        let text = sandbox.run(command).succeeded();
        without(&text, &passwords, &command.join(" "));
    }
    only_for_their_owner(sandbox.dir(), &passwords);
}

/// Starts, writes, loses its primary, and is whole again.
fn live(family: Family) -> Sandbox {
    let sandbox = Sandbox::start(family);
    let writers = NumberedWriters::start(&sandbox, "numbers", 2);
    sandbox.kill_server(&sandbox.primary());
    writers.wait_for_progress();
    sandbox.wait_until_whole();
    writers.stop_and_compare(&sandbox);
    sandbox
}

struct Stopper<'a>(&'a AtomicBool);

impl Drop for Stopper<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Every command line that the machine had meanwhile.
fn command_lines(stop: &AtomicBool) -> BTreeSet<String> {
    let mut seen = BTreeSet::new();
    while !stop.load(Ordering::Relaxed) {
        let now = processes::all().into_iter();
        seen.extend(now.map(|process| process.command_line));
        thread::sleep(Duration::from_millis(20));
    }
    seen
}

fn without(text: &str, passwords: &[String], place: &str) {
    for password in passwords {
        assert!(
            !text.contains(password.as_str()),
            "a password is in {place}"
        );
    }
}

/// The files of the sandbox itself; servers keep their data to themselves.
fn only_for_their_owner(dir: &Path, passwords: &[String]) {
    let mode = |path: &Path| {
        fs::metadata(path)
            .expect("it is there")
            .permissions()
            .mode()
    };
    assert_eq!(
        mode(dir) & 0o077,
        0,
        "others may look into {}",
        dir.display()
    );
    for entry in fs::read_dir(dir).expect("a directory") {
        let path = entry.expect("an entry").path();
        let Ok(bytes) = fs::read(&path) else { continue };
        let text = String::from_utf8_lossy(&bytes);
        if passwords
            .iter()
            .any(|password| text.contains(password.as_str()))
        {
            assert_eq!(mode(&path) & 0o077, 0, "others may read {}", path.display());
        }
    }
}
