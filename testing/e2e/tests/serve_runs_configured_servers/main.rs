//! `mainstay serve` takes care of servers that somebody else started, and refuses servers that
//! cannot be told apart.

mod deaths;
mod names;
mod pauses;
mod rights;
mod served;
mod upgrade;

use mainstay_e2e::{Client, Family, Paused, Sandbox, Status, on_both_families, wait_until};

use served::{Served, addresses};

on_both_families!(
    one_server_under_two_names_is_refused,
    the_servers_of_a_file_get_a_proxy_and_commands_find_them_by_the_file,
);

fn one_server_under_two_names_is_refused(family: Family) {
    let sandbox = Sandbox::start(family);
    let primary = sandbox.server(&sandbox.primary()).login;
    let addresses = ["127.0.0.1", "localhost"].map(|host| format!("{host}:{}", primary.port));
    let served = Served::start(&sandbox, &addresses);
    let refused = served.wait("a refusal", |status| {
        let reason = status.0["reason"].as_str().unwrap_or_default();
        status.0["phase"] == "halted" && reason.contains("server_id")
    });
    assert_eq!(refused.epoch(), 0, "{refused}");
    served.wait_until_told("began same-identity served");
    // The sandbox's own manager was not disturbed.
    assert!(sandbox.wait_until_whole().epoch() > 0);
}

/// The sandbox's own manager is stopped for as long as another takes its place.
fn the_servers_of_a_file_get_a_proxy_and_commands_find_them_by_the_file(family: Family) {
    let sandbox = Sandbox::start(family);
    Client::connect(&sandbox.proxy()).execute("CREATE TABLE app.t (id INT PRIMARY KEY)");
    let first = sandbox.primary();
    let manager = Paused::new(sandbox.pid());
    let served = Served::start(&sandbox, &addresses(&sandbox));
    let whole = served.wait("a whole cluster", Status::is_whole);
    assert_eq!(whole.primary(), Some(first.as_str()), "{whole}");
    let mut client = Client::connect(&served.login(&sandbox));
    client.execute("INSERT INTO app.t VALUES (1)");
    served.run(&["switchover"]).succeeded();
    served.wait_until_told("operation switchover served");
    client.execute("INSERT INTO app.t VALUES (2)");
    let moved = served.wait("a whole cluster", Status::is_whole);
    let second = moved.primary().expect("a whole cluster has one");
    assert_ne!(second, first, "{moved}");
    for word in ["asked", "done"] {
        let said = format!("It said: {word} {first} {second}");
        wait_until("the words of a hook", || {
            let history = served.run(&["status", "--history"]).succeeded();
            history.contains(&said)
        });
    }
    assert!(!served.run(&["plan", "failover"]).succeeded().is_empty());
    drop(served);
    drop(manager);
}
