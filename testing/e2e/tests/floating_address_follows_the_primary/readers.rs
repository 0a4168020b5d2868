//! The readers' addresses: spread over the replicas that may serve reads, and moved by hand.

use mainstay_e2e::wait_until;

use crate::story::Story;

#[test]
fn readers_addresses_are_on_replicas_that_run_and_keep_up() {
    let mut story = Story::start_with_readers();
    let primary = story.holder();
    let replicas = replicas(primary);
    let [one, other] = replicas;
    story.wait_until_spread(&replicas);

    story.stop_server(one);
    story.wait_for_readers(&[other, other]);
    story.start_server(one);
    story.wait_until_spread(&replicas);

    let lock = story.lock_table(other);
    let row = story.insert(1, "while one cannot apply it");
    story.wait_for_readers(&[one, one]);
    drop(lock);
    story.wait_for_rows(other, &[row]);
    story.wait_until_spread(&replicas);

    // Without a replica the primary has them, as long as it is alone.
    story.stop_server(one);
    story.stop_server(other);
    story.wait_for_readers(&[primary, primary]);
    story.start_server(one);
    story.start_server(other);
    story.wait_until_spread(&replicas);
    assert!(story.holds(primary));
}

#[test]
fn a_readers_address_is_moved_by_hand_and_stays_there() {
    let story = Story::start_with_readers();
    let primary = story.holder();
    let [one, other] = replicas(primary);
    let first = story.wait_until_spread(&[one, other])[0];
    let second = one + other - first;
    for (to, back) in [(second, first), (first, second)] {
        story.mainstay(&["role", "move", "reader-1", "--to", &format!("db{to}")]);
        story.wait_for_readers(&[to, back]);
    }
    story.mainstay(&["role", "move", "reader-2", "--to", &format!("db{first}")]);
    story.wait_for_readers(&[second, first]);
    // It shows what was found when they were looked at last, which may be a second ago.
    wait_until("the hosts in the list", || {
        let shown = story.mainstay(&["role", "show"]);
        shown.contains(&format!("db{first} active"))
    });

    for (name, to) in [("reader-1", primary), ("writer", first)] {
        let refused = story.refused(&["role", "move", name, "--to", &format!("db{to}")]);
        assert!(refused.contains(&format!("`{name}`")), "{refused}");
    }

    // A replica that becomes the primary gives its own to those that are still replicas.
    story.mainstay(&["switchover", "--to", &format!("db{first}")]);
    assert!(story.holds(first) && !story.holds(primary));
    let replicas = replicas(first);
    story.wait_until_spread(&replicas);
}

#[test]
fn a_manager_that_restarts_leaves_every_address_where_it_is() {
    let mut story = Story::start_with_readers();
    let primary = story.holder();
    let [one, other] = replicas(primary);
    let first = story.wait_until_spread(&[one, other])[0];
    let second = one + other - first;
    // Not where it would put them itself, had it the choice.
    story.mainstay(&["role", "move", "reader-1", "--to", &format!("db{second}")]);
    story.wait_for_readers(&[second, first]);
    let before = story.drops();
    assert!(before > 0, "the one that was moved");
    for _ in 0..3 {
        story.restart_manager();
        story.wait_until_whole();
        story.wait_for_readers(&[second, first]);
        wait_until("the roles in the list", || {
            let shown = story.mainstay(&["role", "show"]);
            shown.contains(&format!("db{first} active"))
        });
        assert_eq!(
            story.drops(),
            before,
            "none is moved, not even for a moment"
        );
        assert!(story.holds(primary));
    }
    // What has changed while there was no manager is set right by the next one.
    story.stop_manager();
    story.stop_server(first);
    story.start_manager();
    story.wait_for_readers(&[second, second]);
    story.start_server(first);
    story.wait_until_spread(&[one, other]);
    assert!(story.holds(primary));
}

#[test]
fn when_the_primary_is_killed_each_address_is_where_it_belongs() {
    let mut story = Story::start_with_readers();
    let mut written = Vec::new();
    for round in 1..=3 {
        let primary = story.holder();
        let before = replicas(primary);
        story.wait_until_spread(&before);
        written.push(story.insert(round, "before"));
        for replica in before {
            story.wait_for_rows(replica, &written);
        }
        story.kill_server(primary);
        wait_until("the writer's address on another host", || {
            !story.holds(primary) && before.iter().any(|host| story.holds(*host))
        });
        let promoted = story.holder();
        let left = before[0] + before[1] - promoted;
        // The promoted one gives its reader's address to the one that still is a replica.
        story.wait_for_readers(&[left, left]);
        written.push(story.insert(round, "after"));
        story.start_server(primary);
        story.wait_for_rows(primary, &written);
        story.wait_until_whole();
        assert_eq!(story.holder(), promoted);
        story.wait_until_spread(&replicas(promoted));
    }
}

/// Those that are not the primary.
fn replicas(primary: usize) -> [usize; 2] {
    match primary {
        1 => [2, 3],
        2 => [1, 3],
        _ => [1, 2],
    }
}
