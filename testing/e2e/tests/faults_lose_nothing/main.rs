//! The faults that matter most, one after the other on one cluster under load, on hosts of its
//! own: nothing that was acknowledged is lost, never do two servers acknowledge, and the cluster is
//! whole again after each of them. `make e2e-failover` does all of docs/faults.md.
//!
//! Needs root, for network namespaces.

use mainstay_e2e::faults::{Series, catalogue};
use mainstay_e2e::{Family, on_both_families};

const CHOSEN: [&str; 3] = [
    "kill-primary-best-receiver-blocked",
    "cut-primary-off",
    "kill-primary-then-manager",
];

on_both_families!(a_cluster_goes_through_the_worst_of_the_catalogue);

fn a_cluster_goes_through_the_worst_of_the_catalogue(family: Family) {
    let mut series = Series::start(family);
    for name in CHOSEN {
        let fault = catalogue().into_iter().find(|fault| fault.name == name);
        let outcome = series.run(&fault.expect("the catalogue has it"));
        if !outcome.wrong.is_empty() {
            let logs = series.give_up();
            panic!("{outcome:#?}\nlogs: {}", logs.display());
        }
    }
}
