//! The balancer spreads connections with nftables: by turns, weight and source; it remembers
//! clients, notices who is gone, says sorry, and leaves nothing behind.

mod balanced;

use std::collections::BTreeMap;

use mainstay_e2e::{wait_for, wait_until};

use balanced::Balanced;

#[test]
fn connections_come_by_turns_and_a_dead_server_gets_none() {
    let mut balanced = Balanced::start("rr", "scheduler = \"rr\"", &["", ""]);
    assert_eq!(balanced.counts(20), of(&[("r1", 10), ("r2", 10)]));
    balanced.kill("r1");
    balanced.wait_for_only("r2");
    balanced.revive("r1");
    wait_until("the return of r1", || balanced.counts(4).contains_key("r1"));
}

#[test]
fn weights_are_kept_to_and_the_host_itself_is_a_client_too() {
    let balanced = Balanced::start("wrr", "scheduler = \"wrr\"", &["weight = 3", "weight = 1"]);
    assert_eq!(balanced.counts(20), of(&[("r1", 15), ("r2", 5)]));
    let own = balanced.asked("lb", 4, None);
    assert_eq!(count(&own), of(&[("r1", 3), ("r2", 1)]));
}

#[test]
fn a_source_keeps_its_server_and_sources_are_spread() {
    let balanced = Balanced::start("sh", "scheduler = \"sh\"", &["", ""]);
    let mut servers = BTreeMap::new();
    for last in 50..60 {
        let answers = count(&balanced.asked("cl", 3, Some(&format!("10.77.0.{last}"))));
        assert_eq!(answers.len(), 1, "{answers:?}");
        servers.extend(answers);
    }
    assert_eq!(servers.len(), 2, "ten sources at one server: {servers:?}");
}

#[test]
fn a_client_comes_back_until_its_server_is_gone() {
    let options = "scheduler = \"rr\"\npersistence = \"10min\"";
    let mut balanced = Balanced::start("pers", options, &["", ""]);
    let first = balanced.counts(10);
    assert_eq!(first.len(), 1, "{first:?}");
    let (server, other) = if first.contains_key("r1") {
        ("r1", "r2")
    } else {
        ("r2", "r1")
    };
    balanced.kill(server);
    balanced.wait_for_only(other);
    balanced.revive(server);
    wait_until("its return", || {
        let chain = balanced.nft(&["list", "chain", "inet", "mainstay", "mysql"]);
        chain.contains("10_77_0_21_3306_clients") && chain.contains("10_77_0_22_3306_clients")
    });
    assert_eq!(balanced.counts(10), of(&[(other, 10)]));
}

#[test]
fn the_sorry_server_serves_when_nobody_else_does() {
    let mut balanced = Balanced::start("sor", "sorry_server = \"10.77.0.23:3306\"", &["", ""]);
    balanced.kill("r1");
    balanced.kill("r2");
    balanced.wait_for_only("r3");
    balanced.wait_for_status("a lost quorum", |status| {
        let real = &status["real_servers"][0];
        status["quorum"] == false
            && status["sorry"] == true
            && status["in_force"] == true
            && real["state"] == "down"
            && real["reason"].to_string().contains("refused")
    });
    balanced.revive("r2");
    balanced.wait_for_only("r2");
    balanced.wait_for_status("the quorum", |status| {
        let real = &status["real_servers"][1];
        status["quorum"] == true
            && status["sorry"] == false
            && real["state"] == "up"
            && real["reason"].is_null()
    });
}

#[test]
fn direct_routing_reaches_servers_that_answer_the_client_themselves() {
    let options = "forwarding = \"dr\"\ndevice = \"eth0\"\nscheduler = \"rr\"";
    let balanced = Balanced::start("dr", options, &["", ""]);
    wait_for("both servers", || {
        let counts = balanced.counts(10);
        let spread = counts == of(&[("r1", 5), ("r2", 5)]);
        if spread {
            Ok(())
        } else {
            Err(format!("{counts:?}"))
        }
    });
}

#[test]
fn rules_that_another_hand_removes_come_back_and_none_stay_at_the_end() {
    let mut balanced = Balanced::start("end", "scheduler = \"rr\"", &["", ""]);
    balanced.nft(&["flush", "ruleset"]);
    wait_until("the rules", || {
        balanced.counts(2) == of(&[("r1", 1), ("r2", 1)])
    });
    balanced.stop();
    assert_eq!(balanced.nft(&["list", "ruleset"]).trim(), "");
}

#[test]
fn a_reload_changes_weights_and_keeps_balancing() {
    let mut balanced = Balanced::start("rel", "scheduler = \"wrr\"", &["", ""]);
    assert_eq!(balanced.counts(4), of(&[("r1", 2), ("r2", 2)]));
    balanced.rewrite("scheduler = \"wrr\"", &["weight = 0", "weight = 1"]);
    balanced.wait_for_only("r2");
}

fn of(counts: &[(&str, usize)]) -> BTreeMap<String, usize> {
    let counts = counts
        .iter()
        .map(|(name, count)| ((*name).to_owned(), *count));
    counts.collect()
}

fn count(answers: &[String]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for answer in answers {
        *counts.entry(answer.clone()).or_default() += 1;
    }
    counts
}
