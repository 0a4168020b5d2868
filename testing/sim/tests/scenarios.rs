//! The scenarios of `testing/sim/scenarios`, one test each; a story is printed when it goes wrong.

use mainstay_failover::bugs::Bugs;
use mainstay_sim::Scenario;

fn folder() -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios")
}

fn live(name: &str) {
    let path = folder().join(format!("{name}.txt"));
    let text = std::fs::read_to_string(&path).expect("the scenario is there");
    let scenario = Scenario::read(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
    if let Err((life, summary)) = scenario.play(Bugs::default()) {
        let story = summary.trace.join("\n");
        let violation = summary.violation.expect("it went wrong");
        panic!(
            "{story}\n{name}, {life}: {violation}\nreplay: cargo run --release -p mainstay-sim -- \
             --scenario {}",
            path.display()
        );
    }
}

macro_rules! scenarios {
    ($($sentence:ident: $file:literal;)+) => {
        $(
            #[test]
            fn $sentence() {
                live($file);
            }
        )+

        #[test]
        fn every_scenario_has_its_test() {
            let tested = [$($file),+];
            for entry in std::fs::read_dir(folder()).expect("the folder of scenarios") {
                let path = entry.expect("a readable folder").path();
                let name = path.file_stem().and_then(|name| name.to_str()).expect("a name");
                assert!(tested.contains(&name), "{name} has no test");
            }
        }
    };
}

scenarios! {
    a_killed_primary_is_replaced_at_once: "killed-primary";
    a_primary_that_is_back_at_once_serves_or_follows: "quick-restart";
    a_dead_primary_returns_as_a_replica: "returns-after-failover";
    a_primary_that_hangs_is_replaced: "hung-primary";
    a_replaced_primary_that_wakes_acknowledges_nothing: "hung-primary-wakes";
    a_primary_without_power_is_replaced: "power-off";
    a_disk_that_hangs_is_named: "disk-hangs";
    a_slow_disk_is_not_death: "slow-disk";
    a_primary_alone_on_its_side_is_replaced: "primary-alone";
    a_primary_that_may_still_acknowledge_is_not_replaced: "primary-and-replica-cut-off";
    what_only_the_manager_does_not_see_lives: "manager-cut-off-from-primary";
    a_primary_without_its_replicas_stays: "replicas-cut-off";
    a_primary_that_only_the_proxies_do_not_see_stays: "proxies-cut-off";
    a_primary_whose_words_are_lost_stays: "one-way-cut";
    the_site_with_enough_replicas_goes_on: "two-sites";
    a_link_that_comes_and_goes_moves_the_primary_once: "flapping-link";
    a_slow_network_is_not_death: "slow-network";
    writes_go_on_without_a_manager: "no-manager";
    a_death_without_a_manager_is_repaired_once_there_is_one: "no-manager-when-the-primary-dies";
    a_failover_survives_its_manager_after_each_step: "manager-killed-in-a-failover";
    a_switchover_survives_its_manager_after_each_step: "manager-killed-in-a-switchover";
    a_failover_survives_a_pause_of_its_manager_after_each_step: "manager-hangs-in-a-failover";
    a_switchover_survives_its_managers_pause_at_each_step: "manager-hangs-in-a-switchover";
    clocks_decide_nothing: "clocks-jump";
    what_was_received_is_applied_before_writes_open: "appliers-behind";
    the_best_receiver_is_promoted_though_its_applier_is_blocked: "received-and-not-applied";
    a_replica_with_transactions_of_its_own_is_not_promoted: "errant-candidate";
    a_human_chooses_when_every_replica_has_transactions_of_its_own: "errant-on-all";
    a_replica_that_was_stopped_testifies_nothing: "receiver-stopped-before-the-crash";
    a_replica_whose_logs_are_gone_gets_new_data: "logs-purged";
    a_wait_that_was_switched_off_is_switched_on_again: "waiting-switched-off";
    a_switchover_without_acknowledgements_is_refused: "two-acknowledgements-one-replica-lost";
    a_full_server_is_not_dead: "too-many-connections";
    a_wrong_password_is_not_death: "password-is-wrong";
    a_replica_that_accepts_writes_is_fenced: "replica-made-writable";
    a_primary_that_returns_writable_is_fenced: "returns-writable";
    nobody_is_promoted_when_the_dead_may_know_more: "primary-and-replica-die";
    a_second_failover_is_not_held_back: "second-failover";
    a_primary_that_returns_in_its_failover_does_no_harm: "returns-in-the-failover";
    servers_that_died_together_come_back_in_any_order: "full-outage";
    servers_and_manager_that_died_together_come_back_in_any_order: "full-outage-with-the-manager";
    of_two_operators_one_is_refused: "two-operators";
    proxies_without_news_write_to_nobody_who_acknowledges: "proxies-cut-off-from-the-manager";
    an_empty_server_in_a_replicas_place_gets_the_data: "replica-replaced-by-an-empty-server";
    an_empty_server_in_the_primarys_place_does_not_serve: "primary-replaced-by-an-empty-server";
    a_copy_with_anothers_identity_is_named: "replica-replaced-by-a-copy";
    a_replica_that_holds_less_than_before_is_not_counted_on: "relay-log-lost";
    a_primary_that_is_stopped_as_a_service_is_replaced: "stopped-as-a-service";
    a_switchover_waits_for_a_slow_applier: "switchover-to-a-slow-applier";
    without_a_witness_nobody_is_dead: "nobody-can-testify";
    an_attachment_cut_short_loses_nothing: "attached-again-as-the-primary-dies";
    a_return_cut_short_loses_nothing: "rejoined-as-the-primary-dies";
    a_new_primary_that_dies_in_its_failover_is_replaced: "new-primary-dies-in-the-failover";
}
