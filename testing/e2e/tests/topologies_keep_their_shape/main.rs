//! Cascades, delayed replicas, pairs of primaries and replicas with several sources keep their
//! shape whatever happens to the primary.

mod several;
mod shaped;

use mainstay_e2e::{Client, Family, Sandbox, Status, on_both_families, processes};
use rustix::process::Signal;
use serde_json::Value;

use shaped::Shaped;

on_both_families!(
    a_cascade_moves_to_the_primary_when_its_source_dies,
    the_source_of_a_cascade_takes_over_with_its_replica,
    a_delayed_replica_keeps_its_delay_and_is_never_promoted,
    two_primaries_replicate_from_each_other_whichever_is_active,
    only_the_channel_of_the_cluster_is_moved,
);

/// The primary and the two others of a sandbox.
struct Three {
    primary: String,
    first: String,
    second: String,
}

fn three(sandbox: &Sandbox) -> Three {
    let primary = sandbox.primary();
    let mut others = sandbox.servers().into_iter().map(|server| server.name);
    let mut next = || others.by_ref().find(|name| *name != primary);
    let (first, second) = (next(), next());
    Three {
        first: first.expect("a replica"),
        second: second.expect("another"),
        primary,
    }
}

/// Whether a server replicates from another, and both threads run.
fn follows(status: &Status, replica: &str, source: &str) -> bool {
    let replica = status.server(replica);
    replica["source"] == status.server(source)["address"]
        && replica["receiver"] == "running"
        && replica["applier"] == "running"
}

fn serves(status: &Status, primary: &str) -> bool {
    status.primary() == Some(primary)
        && status.server(primary)["writer"] == true
        && status.0["writes_held"] == false
        && status.0["operation"].is_null()
}

fn kill(sandbox: &Sandbox, server: &str) {
    let pid = sandbox.pid_of(server).expect("it runs");
    processes::signal(pid, Signal::KILL);
}

fn a_cascade_moves_to_the_primary_when_its_source_dies(family: Family) {
    let sandbox = Sandbox::start(family);
    Client::connect(&sandbox.proxy()).execute("CREATE TABLE app.t (id INT PRIMARY KEY)");
    let Three {
        primary,
        first,
        second,
    } = three(&sandbox);
    let part = format!("source = \"{first}\"");
    let shaped = Shaped::start(&sandbox, "", &[(&second, &part)]);
    let placed = shaped.wait("a cascade", |status| {
        follows(status, &second, &first) && status.server(&second)["semi_sync_replica"] == false
    });
    assert_eq!(
        placed.server(&second)["follows"],
        Value::from(first.as_str())
    );
    let mut client = Client::connect(&shaped.login());
    client.execute("INSERT INTO app.t VALUES (1)");
    kill(&sandbox, &first);
    // Nobody else is left to acknowledge, so it stands in.
    shaped.wait("the replica under the primary", |status| {
        follows(status, &second, &primary) && status.server(&second)["semi_sync_replica"] == true
    });
    client.execute("INSERT INTO app.t VALUES (2)");
    shaped.wait_for_rows(&second, "SELECT COUNT(*) FROM app.t", "2");
    shaped.supervise_again(&first);
    shaped.wait("the configured shape", |status| {
        follows(status, &first, &primary) && follows(status, &second, &first)
    });
    client.execute("INSERT INTO app.t VALUES (3)");
    shaped.wait_for_rows(&second, "SELECT COUNT(*) FROM app.t", "3");
}

fn the_source_of_a_cascade_takes_over_with_its_replica(family: Family) {
    let sandbox = Sandbox::start(family);
    Client::connect(&sandbox.proxy()).execute("CREATE TABLE app.t (id INT PRIMARY KEY)");
    let Three {
        primary,
        first,
        second,
    } = three(&sandbox);
    let part = format!("source = \"{first}\"");
    let shaped = Shaped::start(&sandbox, "", &[(&second, &part)]);
    shaped.wait("a cascade", |status| follows(status, &second, &first));
    let mut client = Client::connect(&shaped.login());
    client.execute("INSERT INTO app.t VALUES (1)");
    kill(&sandbox, &primary);
    let after = shaped.wait("the source as primary", |status| {
        serves(status, &first) && follows(status, &second, &first)
    });
    assert_eq!(after.server(&second)["semi_sync_replica"], true, "{after}");
    let mut client = Client::connect(&shaped.login());
    client.execute("INSERT INTO app.t VALUES (2)");
    shaped.wait_for_rows(&second, "SELECT COUNT(*) FROM app.t", "2");
}

fn a_delayed_replica_keeps_its_delay_and_is_never_promoted(family: Family) {
    const HOUR_MS: u64 = 3_600_000;
    let sandbox = Sandbox::start(family);
    Client::connect(&sandbox.proxy()).execute("CREATE TABLE app.t (id INT PRIMARY KEY)");
    let Three {
        primary,
        first,
        second,
    } = three(&sandbox);
    let shaped = Shaped::start(&sandbox, "", &[(&second, "delay = \"1h\"")]);
    let delayed = |status: &Status, source: &str| {
        follows(status, &second, source) && status.server(&second)["delay_ms"] == HOUR_MS
    };
    let set = shaped.wait("a delayed replica", |status| {
        delayed(status, &primary) && status.server(&second)["semi_sync_replica"] == false
    });
    assert_eq!(set.server(&second)["reader"], false, "{set}");
    let refused = shaped.run(&["switchover", "--to", &second]);
    assert_ne!(refused.code, Some(0), "{refused}");
    assert!(
        refused.to_string().contains("behind on purpose"),
        "{refused}"
    );
    Client::connect(&shaped.login()).execute("INSERT INTO app.t VALUES (1)");
    kill(&sandbox, &primary);
    let after = shaped.wait("the other replica as primary", |status| {
        serves(status, &first) && delayed(status, &first)
    });
    assert_eq!(after.primary(), Some(first.as_str()));
    Client::connect(&shaped.login()).execute("INSERT INTO app.t VALUES (2)");
}

fn two_primaries_replicate_from_each_other_whichever_is_active(family: Family) {
    let sandbox = Sandbox::start(family);
    Client::connect(&sandbox.proxy()).execute("CREATE TABLE app.t (id INT PRIMARY KEY)");
    let Three {
        primary,
        first,
        second,
    } = three(&sandbox);
    let pair = format!("dual_primary = [\"{primary}\", \"{first}\"]\n");
    let shaped = Shaped::start(&sandbox, &pair, &[]);
    let ring = |status: &Status, active: &str, passive: &str| {
        serves(status, active)
            && follows(status, active, passive)
            && follows(status, passive, active)
            && follows(status, &second, active)
            && status.server(active)["semi_sync_replica"] == false
    };
    shaped.wait("a ring", |status| ring(status, &primary, &first));
    let mut client = Client::connect(&shaped.login());
    for id in 1..=20 {
        client.execute(&format!("INSERT INTO app.t VALUES ({id})"));
    }
    shaped.wait("the ring under writes", |status| {
        ring(status, &primary, &first)
    });
    shaped.run(&["switchover"]).succeeded();
    shaped.wait("the ring the other way round", |status| {
        ring(status, &first, &primary)
    });
    for id in 21..=40 {
        client.execute(&format!("INSERT INTO app.t VALUES ({id})"));
    }
    shaped.wait_for_rows(&primary, "SELECT COUNT(*) FROM app.t", "40");
    kill(&sandbox, &first);
    shaped.wait("the passive one as primary", |status| {
        serves(status, &primary)
    });
    let mut client = Client::connect(&shaped.login());
    client.execute("INSERT INTO app.t VALUES (41)");
    shaped.supervise_again(&first);
    shaped.wait("the ring once more", |status| {
        ring(status, &primary, &first)
    });
    client.execute("INSERT INTO app.t VALUES (42)");
    shaped.wait_for_rows(&first, "SELECT COUNT(*) FROM app.t", "42");
}

fn only_the_channel_of_the_cluster_is_moved(family: Family) {
    several::only_the_channel_of_the_cluster_is_moved(family);
}
