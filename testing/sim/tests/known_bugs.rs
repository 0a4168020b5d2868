//! Known bugs, put back: the simulator must name what they break, and find nothing in the same
//! lives without them.

use mainstay_failover::bugs::{Bug, Bugs};
use mainstay_sim::{Options, Scenario, simulate};
use mainstay_topology::Family;

const SEEDS_MAX: u64 = 600;

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
        scenario: None,
        at_step: None,
    }
}

/// Lives seeds until the bug shows itself as one of the invariants.
fn is_caught(bug: Bug, as_one_of: &[&str]) {
    for seed in 1..=SEEDS_MAX {
        let Some(violation) = simulate(options(seed, Bugs::only(bug))).violation else {
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
    panic!("{SEEDS_MAX} seeds did not show {bug:?}");
}

/// Plays a scenario, which holds without the bug.
fn is_caught_on_stage(bug: Bug, name: &str) {
    let path = format!("{}/scenarios/{name}.txt", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).expect("the scenario is there");
    let scenario = Scenario::read(&text).expect("the scenario is right");
    let played = scenario.play(Bugs::only(bug));
    assert!(played.is_err(), "{name} did not show {bug:?}");
}

/// One test for each bug: what must be caught, the bug, the invariants that it breaks in some of
/// the first seeds, or the scenario that it breaks.
macro_rules! each_is_caught {
    (in seeds { $($sentence:ident: $bug:ident, [$($invariant:literal),+];)+ }
     on stage { $($played:ident: $spoiler:ident, $scenario:literal;)+ }) => {
        $(
            #[test]
            fn $sentence() {
                is_caught(Bug::$bug, &[$($invariant),+]);
            }
        )+
        $(
            #[test]
            fn $played() {
                is_caught_on_stage(Bug::$spoiler, $scenario);
            }
        )+

        #[test]
        fn every_bug_has_its_test() {
            let tested = [$(Bug::$bug,)+ $(Bug::$spoiler,)+];
            assert!(Bug::ALL.iter().all(|bug| tested.contains(bug)));
        }
    };
}

each_is_caught! {
    in seeds {
        an_election_by_what_is_applied_is_caught:
            ElectByApplied, ["nothing_acknowledged_is_lost"];
        a_promotion_that_discards_relay_logs_is_caught:
            DiscardRelayLogs, ["nothing_acknowledged_is_lost"];
        a_promotion_without_asking_who_may_know_more_is_caught:
            IgnoreAbsent, ["nothing_acknowledged_is_lost"];
        a_promotion_that_counts_on_a_restarted_replica_is_caught:
            IgnoreForgetful, ["nothing_acknowledged_is_lost"];
        an_attachment_of_an_unrecorded_replica_is_caught:
            AttachUnrecorded, ["unjournaled_nothing"];
        writes_opened_before_the_reign_is_recorded_are_caught:
            OpenBeforeRecord, ["unjournaled_nothing"];
        routes_published_before_writes_are_open_are_caught:
            PublishBeforeOpen, ["routes_follow_roles"];
        writes_opened_before_commits_wait_are_caught:
            OpenBeforeWaiting, ["waits_before_it_opens", "nothing_acknowledged_is_lost"];
        a_demotion_that_does_not_wait_for_writes_in_flight_is_caught:
            SkipDrain, ["drained_before_demoted"];
        a_fence_in_the_wrong_order_is_caught:
            SourceOffFirst, ["one_writer", "nothing_acknowledged_is_lost"];
        a_fence_that_leaves_clients_connected_is_caught:
            SkipKill, ["one_writer", "nothing_acknowledged_is_lost", "it_heals"];
        an_attached_server_with_transactions_of_its_own_is_caught:
            AttachDiverged, ["saved_before_replaced", "no_silent_divergence"];
        an_epoch_that_is_given_twice_is_caught:
            RepeatEpoch, ["epochs_only_grow"];
        a_record_that_may_be_stored_and_is_forgotten_is_caught:
            IgnoreDoubtful, ["unjournaled_nothing"];
        a_step_that_ran_out_of_time_and_counts_as_done_is_caught:
            TimeoutIsSuccess,
            ["waits_before_it_opens", "drained_before_demoted", "nothing_acknowledged_is_lost"];
        an_operation_number_that_is_given_twice_is_caught:
            RepeatOperation, ["unjournaled_nothing"];
        data_that_are_replaced_before_they_are_saved_are_caught:
            ReseedUnsaved, ["saved_before_replaced"];
        an_attachment_in_the_middle_of_a_rewinding_is_caught:
            AttachHalfRewound, ["no_silent_divergence"];
    }
    on stage {
        // The old primary goes on acknowledging: what it acknowledges is on no new primary.
        a_promotion_before_the_old_primary_is_revoked_is_caught:
            GrantBeforeRevoke, "primary-and-replica-cut-off";
        a_server_that_lets_nobody_in_and_is_taken_for_dead_is_caught:
            ClosedIsGone, "too-many-connections";
        a_replica_that_is_stopped_and_taken_for_a_witness_is_caught:
            StoppedWitness, "nobody-can-testify";
        a_switchover_that_does_not_wait_for_the_last_transactions_is_caught:
            SkipCatchUp, "switchover-to-a-slow-applier";
        a_switchover_that_was_cut_off_and_is_taken_for_done_is_caught:
            TrustInterrupted, "manager-killed-in-a-switchover";
    }
}

/// The feature that puts bugs back is asked for by the simulator alone, so nothing that is
/// released has it.
#[test]
fn only_the_simulator_can_put_bugs_back() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let mut asking = Vec::new();
    for folder in ["bin", "core", "shell", "testing", "."] {
        let entries = std::fs::read_dir(format!("{root}/{folder}")).expect("a folder of the tree");
        for entry in entries {
            let path = entry.expect("a readable folder").path().join("Cargo.toml");
            let Ok(text) = std::fs::read_to_string(&path) else {
                continue;
            };
            if text.contains("\"bugs\"") || text.contains("failover/bugs") {
                asking.push(
                    path.parent()
                        .and_then(|at| at.file_name().map(ToOwned::to_owned)),
                );
            }
        }
    }
    assert_eq!(asking, [Some("sim".into())]);
}
