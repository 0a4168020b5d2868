//! Two MariaDB servers that take turns as the primary, and one address that clients write to,
//! which is always where the primary is: round after round the server that has it is stopped, and
//! comes back as a replica. Nothing that was inserted is ever missing. With three servers, the
//! addresses of readers are where replicas are.
//!
//! Needs root, for network namespaces.

mod cloud;
mod readers;
mod story;

use std::time::Instant;

use mainstay_e2e::wait_until;

use story::Story;

const ROUNDS: usize = 10;

#[test]
fn the_writers_address_follows_the_primary_through_ten_rounds() {
    let mut story = Story::start();
    let mut written = Vec::new();
    for round in 1..=ROUNDS {
        let primary = story.holder();
        written.push(story.insert(round, "before"));
        let other = 3 - primary;
        story.wait_for_rows(other, &written);
        let stopped = Instant::now();
        story.stop_server(primary);
        let ended = stopped.elapsed();
        written.push(story.insert(round, "after"));
        let back = stopped.elapsed();
        assert!(story.holds(other) && !story.holds(primary));
        // For people, with --nocapture: the client is a new process each time.
        eprintln!(
            "round {round}: db{primary} had ended after {ended:?}, written through the address on \
             db{other} after {back:?}"
        );
        story.start_server(primary);
        // It comes back as a replica, and catches up.
        story.wait_for_rows(primary, &written);
        story.wait_until_whole();
        assert!(story.holds(other) && !story.holds(primary));
    }
    for host in [1, 2] {
        story.wait_for_rows(host, &written);
    }
}

#[test]
fn a_switchover_takes_the_address_along_and_a_manager_that_restarts_leaves_it() {
    let mut story = Story::start();
    let primary = story.holder();
    let other = 3 - primary;
    story.insert(1, "before");
    story.mainstay(&["switchover"]);
    assert!(story.holds(other) && !story.holds(primary));
    story.insert(2, "after");
    let shown = story.mainstay(&["role", "show"]);
    assert!(shown.contains(&format!("db{other} active")), "{shown}");
    story.restart_manager();
    story.wait_until_whole();
    assert!(story.holds(other) && !story.holds(primary));
    story.insert(3, "after a restart");
    // A host that has forgotten what it was told is told again.
    story.restart_host(other);
    wait_until("the address again", || story.holds(other));
    story.insert(4, "after another");
}
