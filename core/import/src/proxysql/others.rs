//! `scheduler`, and what has no meaning here.

use super::rows;
use crate::libconfig::{Group, Value};
use crate::report::Report;
use crate::toml::Toml;

/// What is read elsewhere.
const READ: [&str; 12] = [
    "mysql_hostgroup_attributes",
    "mysql_servers_ssl_params",
    "mysql_variables",
    "admin_variables",
    "mysql_servers",
    "mysql_users",
    "mysql_query_rules",
    "mysql_query_rules_fast_routing",
    "mysql_replication_hostgroups",
    "mysql_firewall_whitelist_users",
    "mysql_firewall_whitelist_rules",
    "scheduler",
];

/// What is known, and why it is not here.
const LEFT_OUT: [(&str, &str); 9] = [
    ("datadir", "state is kept beside the settings file"),
    ("errorlog", "logs go to standard error"),
    ("proxysql_servers", "each proxy reads its own file"),
    ("restapi_routes", "the API has its own routes: docs/api.md"),
    ("mysql_group_replication_hostgroups", CLUSTERS),
    ("mysql_galera_hostgroups", CLUSTERS),
    ("mysql_aws_aurora_hostgroups", CLUSTERS),
    ("mysql_collations", "collations are the servers'"),
    (
        "mysql_firewall_whitelist_sqli_fingerprints",
        "fingerprints are not known",
    ),
];

const CLUSTERS: &str = "clusters that replicate by themselves are not known yet";

const ARGUMENTS: [&str; 5] = ["arg1", "arg2", "arg3", "arg4", "arg5"];

/// One row of `scheduler`.
#[derive(Debug)]
pub(super) struct Job {
    id: u64,
    active: bool,
    interval_ms: u64,
    filename: String,
    arguments: Vec<String>,
}

pub(super) fn scheduler(file: &Group, report: &mut Report) -> Vec<Job> {
    let mut jobs = Vec::new();
    for (number, row) in (1..).zip(rows(file, "scheduler", report)) {
        let id = row.count("id").unwrap_or(number);
        let what = format!("scheduler {id}");
        let filename = row
            .some_text("filename")
            .filter(|path| path.starts_with('/'));
        let Some((filename, interval_ms)) = filename.zip(row.count("interval_ms")) else {
            let sentence = "needs the whole path of a program as filename, and interval_ms";
            report.left_out(row.line, &what, sentence);
            continue;
        };
        // ProxySQL's own limits of the column.
        let interval_ms = interval_ms.clamp(100, 100_000_000);
        let arguments = ARGUMENTS.iter().map_while(|name| row.text(name)).collect();
        report.taken(
            row.line,
            &what,
            format!("runs {filename} every {interval_ms} ms"),
        );
        jobs.push(Job {
            id,
            active: row.truth("active", true),
            interval_ms,
            filename,
            arguments,
        });
    }
    jobs
}

pub(super) fn write_scheduler(jobs: &[Job], toml: &mut Toml) {
    for job in jobs {
        toml.item("scheduler");
        toml.raw("id", &job.id.to_string());
        if !job.active {
            toml.raw("active", "false");
        }
        toml.raw("interval_ms", &job.interval_ms.to_string());
        toml.text("filename", &job.filename);
        if !job.arguments.is_empty() {
            toml.texts("arguments", job.arguments.iter().map(String::as_str));
        }
    }
}

/// Says what is not read at all.
pub(super) fn left_out(file: &Group, report: &mut Report) {
    for (name, Value { line, .. }) in file.iter() {
        if READ.contains(&name) {
            continue;
        }
        let known = LEFT_OUT.iter().find(|(known, _)| *known == name);
        let sentence = match known {
            Some((_, why)) => why,
            None if name.starts_with("pgsql_") => "PostgreSQL is not spoken here",
            None => "is not known",
        };
        report.left_out(*line, name, sentence);
    }
}
