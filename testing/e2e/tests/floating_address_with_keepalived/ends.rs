//! What becomes of the address when Mainstay ends: killed, with its guard or without, hung, or
//! replaced by a new process of itself.

use std::fs;
use std::path::Path;

use mainstay_e2e::wait_until;
use rustix::process::{Pid, Signal, kill_process};

use crate::lab::{ADDRESS, Lab, Manner, Router, Told};

/// Of each way to end.
const ROUNDS: usize = 3;

#[test]
fn a_mainstay_that_hangs_loses_its_address() {
    let lab = Lab::new(Manner::V3);
    let _keepalived = lab.keepalived(2, &Told::priority(100));
    let told = Told {
        before: "lease = \"2s\"".to_owned(),
        ..Told::priority(110)
    };
    let mainstay = lab.mainstay(1, &told);
    lab.only(1);
    mainstay.signal(Signal::STOP);
    lab.only(2);
    mainstay.signal(Signal::CONT);
    lab.only(1);
}

#[test]
fn what_a_crashed_run_has_left_is_removed_at_the_next_start() {
    let lab = Lab::new(Manner::V3);
    let told = Told {
        before: "lease = \"1h\"".to_owned(),
        ..Told::priority(100)
    };
    let mainstay = lab.mainstay(1, &told);
    lab.only(1);
    for guard in mainstay.children() {
        kill_process(guard, Signal::KILL).expect("the guard runs");
    }
    mainstay.kill();
    assert!(lab.holds(1), "nobody was left to remove it");
    let never = Told {
        more: "[[vip.track]]\nkind = \"manager\"".to_owned(),
        ..told
    };
    let mainstay = lab.mainstay(1, &never);
    mainstay.says("that it is not allowed", |vip| vip["state"] == "fault");
    assert!(!lab.holds(1));
    mainstay.stop();

    // Nor is what was handed over to a process that never came believed by a later one.
    lab.give_address(1);
    let text =
        format!("address eth0 {ADDRESS}/24\nverdict\tfloating\tmanager\tok\t0\nhanded over\n");
    fs::write(lab.path("1.vip"), text).expect("it can be written");
    let mainstay = lab.mainstay(1, &never);
    mainstay.says("that it is not allowed", |vip| vip["state"] == "fault");
    assert!(!lab.holds(1));
}

#[test]
fn whatever_of_a_mainstay_is_killed_its_address_does_not_stay() {
    let lab = Lab::new(Manner::V3);
    let _keepalived = lab.keepalived(2, &Told::priority(100));
    let told = Told {
        before: "lease = \"2s\"".to_owned(),
        ..Told::priority(110)
    };
    let start = || {
        let mainstay = lab.mainstay(1, &told);
        lab.only(1);
        mainstay
    };
    for _ in 0..ROUNDS {
        // Its guard takes the address off.
        start().kill();
        lab.only(2);

        // Without a guard another one is started, and the address stays.
        let mainstay = start();
        let guard = guard_of(&mainstay, None);
        kill_process(guard, Signal::KILL).expect("it runs");
        guard_of(&mainstay, Some(guard));
        lab.only(1);
        mainstay.kill();
        lab.only(2);

        // With both gone at once, the kernel does, at the end of the lease.
        let mainstay = start();
        let guard = guard_of(&mainstay, None);
        kill_process(guard, Signal::KILL).expect("it runs");
        mainstay.kill();
        lab.only(2);
    }
}

/// The guard of a Mainstay, which is none that has ended.
fn guard_of(mainstay: &Router<'_>, ended: Option<Pid>) -> Pid {
    let mut found = None;
    wait_until("the guard", || {
        let mut children = mainstay.children().into_iter();
        found = children.find(|child| Some(*child) != ended);
        found.is_some()
    });
    found.expect("it was found")
}

#[test]
fn a_new_process_goes_on_with_the_address_which_never_goes() {
    let mut lab = Lab::new(Manner::V2);
    let down = lab.path("down");
    let watched = lab.watch_addresses(1);
    let lab = lab;
    let _keepalived = lab.keepalived(2, &Told::priority(100));
    // What was not looked at yet counts as failed: the new process believes the one before it.
    let told = Told {
        more: format!(
            "[[vip.track]]\nkind = \"file\"\nfile = {down:?}\ninterval = \"100ms\"\n\
             retry_interval = \"100ms\"\nfall = 1\nrise = 1\n"
        ),
        ..Told::priority(110)
    };
    let mut mainstay = lab.mainstay(1, &told);
    lab.only(1);
    // Both begin at the same time, so that keepalived may have been Active before.
    let read = |path: &Path| fs::read_to_string(path).expect("it is written");
    let log = lab.path("2.log");
    let before = (read(&watched).len(), read(&log).len());
    for _ in 0..ROUNDS {
        mainstay.upgrade();
        let vip = mainstay.says("that it is Active", |vip| vip["state"] == "active");
        assert_eq!(vip["became_active"], 1, "{vip}");
        lab.only(1);
    }
    let (changes, log) = (read(&watched), read(&log));
    let (changes, log) = (&changes[before.0..], &log[before.1..]);
    let gone = |line: &&str| line.contains("Deleted") && line.contains(ADDRESS);
    assert_eq!(changes.lines().find(gone), None, "{changes}");
    assert!(!log.contains("Entering MASTER STATE"), "{log}");
    // It goes on with all of it: the track, the guard, the end.
    fs::write(&down, "").expect("it can be written");
    lab.only(2);
    fs::remove_file(&down).expect("it is there");
    lab.only(1);
    mainstay.kill();
    lab.only(2);
}
