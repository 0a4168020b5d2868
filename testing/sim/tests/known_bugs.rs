//! Known bugs, put back: the simulator must name what they break, and find nothing in the same
//! lives without them.

use mainstay_failover::bugs::Bugs;
use mainstay_sim::{Options, simulate};
use mainstay_topology::Family;

const SEEDS_MAX: u64 = 400;
const LOST: &str = "nothing_acknowledged_is_lost";

fn options(seed: u64, bugs: Bugs) -> Options {
    Options {
        seed,
        servers: 3,
        family: if seed.is_multiple_of(2) {
            Family::Mysql
        } else {
            Family::Mariadb
        },
        bugs,
        verbose: false,
    }
}

/// Lives seeds until the bug shows itself as one of the invariants.
fn is_caught(bugs: Bugs, as_one_of: &[&str]) {
    for seed in 1..=SEEDS_MAX {
        let Some(violation) = simulate(options(seed, bugs)).violation else {
            continue;
        };
        if as_one_of.contains(&violation.invariant) {
            let healthy = simulate(options(seed, Bugs::default()));
            assert_eq!(
                healthy.violation, None,
                "seed {seed} fails without the bug too"
            );
            return;
        }
    }
    panic!("{SEEDS_MAX} seeds did not show {bugs:?}");
}

#[test]
fn a_promotion_before_the_old_primary_is_revoked_is_caught() {
    let bugs = Bugs {
        grant_before_revoke: true,
        ..Bugs::default()
    };
    // The old primary goes on acknowledging: what it acknowledges is on no new primary.
    is_caught(bugs, &["one_writer", LOST]);
}

#[test]
fn an_election_by_what_is_applied_is_caught() {
    let bugs = Bugs {
        elect_by_applied: true,
        ..Bugs::default()
    };
    is_caught(bugs, &[LOST]);
}

#[test]
fn a_promotion_that_discards_relay_logs_is_caught() {
    let bugs = Bugs {
        discard_relay_logs: true,
        ..Bugs::default()
    };
    is_caught(bugs, &[LOST]);
}

#[test]
fn a_promotion_without_asking_who_may_know_more_is_caught() {
    let bugs = Bugs {
        ignore_absent: true,
        ..Bugs::default()
    };
    is_caught(bugs, &[LOST]);
}
