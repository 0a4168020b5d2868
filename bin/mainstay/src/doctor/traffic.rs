//! What runs: whether all traffic is in one hostgroup, and what the process itself finds.

use mainstay_dashboard::views::{QueriesView, StatusView};
use mainstay_routing::hostgroups::WRITERS;
use mainstay_settings::Settings;

use super::finding::{Finding, Grade};
use crate::api::Api;

/// Fewer statements say nothing.
const STATEMENTS_MIN: u64 = 100;

/// `None` when nothing runs there.
pub(super) fn look(api: &Api, settings: &Settings) -> Option<Vec<Finding>> {
    let status: StatusView = api.get("/api/v1/status").ok()?;
    let mut found = Vec::new();
    for finding in &status.findings {
        found.push(Finding::new(
            Grade::Warning,
            &finding.subject,
            &finding.sentence,
            "mainstay status, docs/runbooks",
        ));
    }
    if let Ok(queries) = api.get::<QueriesView>("/api/v1/queries") {
        found.extend(one_hostgroup(&queries, settings));
    }
    Some(found)
}

/// Reads by the hostgroup that ran them.
fn one_hostgroup(queries: &QueriesView, settings: &Settings) -> Option<Finding> {
    let reads = queries.queries.iter().filter(|query| {
        let text = query.digest_text.trim_start().as_bytes();
        text.get(..6)
            .is_some_and(|word| word.eq_ignore_ascii_case(b"SELECT"))
    });
    let (mut all, mut at_writer) = (0, 0);
    for query in reads {
        all += query.count_star;
        if query.hostgroup == i64::from(WRITERS) {
            at_writer += query.count_star;
        }
    }
    let alone = settings.servers.len() < 2;
    if alone || all < STATEMENTS_MIN || at_writer < all {
        return None;
    }
    Some(Finding::new(
        Grade::Warning,
        "traffic",
        format!("all {all} SELECTs ran on the writer, and replicas idle"),
        "look for default_hostgroup = 0, split_reads = false, transactions around reads, or \
         replicas that may not serve reads: mainstay status, mainstay queries",
    ))
}
