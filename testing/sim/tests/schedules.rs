//! A few hundred lives of each family; `make sim` lives many more.

use mainstay_failover::bugs::Bugs;
use mainstay_sim::{Options, simulate};
use mainstay_topology::Family;

const SCHEDULES: u64 = 300;

fn options(seed: u64, family: Family) -> Options {
    Options {
        seed,
        servers: 3,
        family,
        bugs: Bugs::default(),
        verbose: false,
        scenario: None,
        at_step: None,
    }
}

fn live(family: Family) {
    for seed in 1..=SCHEDULES {
        if let Some(violation) = simulate(options(seed, family)).violation {
            let story = simulate(Options {
                verbose: true,
                ..options(seed, family)
            });
            let family = format!("{family}").to_lowercase();
            panic!(
                "{}\nseed {seed}: {violation}\nreplay: cargo run --release -p mainstay-sim -- \
                 --seed {seed} --family {family} --verbose",
                story.trace.join("\n")
            );
        }
    }
}

#[test]
fn every_invariant_holds_in_the_lives_of_mysql_clusters() {
    live(Family::Mysql);
}

#[test]
fn every_invariant_holds_in_the_lives_of_mariadb_clusters() {
    live(Family::Mariadb);
}

#[test]
fn one_seed_is_one_life() {
    for seed in [3, 4, 5] {
        let live = || {
            simulate(Options {
                verbose: true,
                ..options(seed, Family::Mariadb)
            })
        };
        assert_eq!(live().trace, live().trace);
    }
}
