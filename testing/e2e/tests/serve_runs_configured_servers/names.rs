//! The names of the cluster, asked by a resolver that others wrote (`dig`).

use std::process::Command;

use mainstay_e2e::{Family, Paused, Sandbox, Status, on_both_families, run, wait_until};

use crate::served::{Served, addresses};

on_both_families!(the_names_of_the_cluster_are_answered_over_udp_and_tcp);

fn the_names_of_the_cluster_are_answered_over_udp_and_tcp(family: Family) {
    let sandbox = Sandbox::start(family);
    let _manager = Paused::new(sandbox.pid());
    let served = Served::start(&sandbox, &addresses(&sandbox));
    served.wait("a whole cluster", Status::is_whole);
    for (name, transport) in [
        ("primary", "+notcp"),
        ("replica", "+tcp"),
        ("db1", "+notcp"),
    ] {
        let asked = format!("{name}.db.example");
        wait_until(&asked, || {
            dig(&served, &["+short", transport, &asked]).trim() == "127.0.0.1"
        });
    }
    let missing = dig(&served, &["nosuch.db.example"]);
    assert!(missing.contains("status: NXDOMAIN"), "{missing}");
    let transfer = dig(&served, &["AXFR", "db.example"]);
    assert!(transfer.contains("Transfer failed"), "{transfer}");
    let other = dig(&served, &["www.example.net"]);
    assert!(other.contains("status: REFUSED"), "{other}");
}

fn dig(served: &Served, question: &[&str]) -> String {
    let port = served.dns.to_string();
    let mut command = Command::new("dig");
    command.args(["@127.0.0.1", "-p", &port, "+tries=1", "+time=5"]);
    run(command.args(question)).stdout
}
