//! The proxy is to a client what one server is: every case runs against one sandbox per family.

mod commands;
mod logins;
mod results;
mod routing;
mod session_state;
mod switchovers;

use std::panic::{AssertUnwindSafe, catch_unwind};

use mainstay_e2e::{Client, Family, Sandbox, on_both_families};

on_both_families!(the_proxy_is_to_a_client_what_one_server_is);

type Case = (&'static str, fn(&Sandbox));

fn the_proxy_is_to_a_client_what_one_server_is(family: Family) {
    // A switchover that waits for a transaction must not give way before it is seen to wait.
    let sandbox = Sandbox::start_with(family, &["--drain-limit", "30s"]);
    let groups: [&[Case]; 6] = [
        logins::CASES,
        routing::CASES,
        session_state::CASES,
        results::CASES,
        commands::CASES,
        switchovers::CASES,
    ];
    let mut failed = Vec::new();
    for (name, case) in groups.into_iter().flatten() {
        // Each makes its own tables and sessions, so one that fails does not disturb the next.
        if catch_unwind(AssertUnwindSafe(|| case(&sandbox))).is_err() {
            failed.push(*name);
        }
    }
    assert!(failed.is_empty(), "failed: {failed:#?}");
}

/// A session at the proxy.
fn session(sandbox: &Sandbox) -> Client {
    Client::connect(&sandbox.proxy())
}

/// The `server_id` of the present primary.
fn primary_id(sandbox: &Sandbox) -> String {
    let status = sandbox.status();
    let primary = status.primary().expect("a primary");
    status.server(primary)["server_id"].to_string()
}
