//! `mysql_servers_ssl_params` and `mysql_hostgroup_attributes`: what they say, column by column.

use super::known::AUTHORITY;
use super::row::Row;
use super::rows;
use super::variables::Variables;
use crate::libconfig::Group;
use crate::report::Report;
use crate::toml::quoted;

const TLS: &str = "mysql_servers_ssl_params";
const ATTRIBUTES: &str = "mysql_hostgroup_attributes";

/// What hostgroups have there, and what does it here.
const OF_HOSTGROUPS: [(&str, &str); 10] = [
    (
        "max_num_online_servers",
        "servers are used as probes find them, however many",
    ),
    ("autocommit", "each session has its own"),
    (
        "free_connections_pct",
        "idle_connections_max of [proxy] says how many are kept",
    ),
    (
        "init_connect",
        "sessions are set up as clients ask: let init_connect of the servers do it",
    ),
    (
        "multiplex",
        "connections are shared where that changes nothing",
    ),
    (
        "connection_warming",
        "server_connections_min of [proxy] keeps some open",
    ),
    (
        "throttle_connections_per_sec",
        "server_connections_max of [proxy] limits how many there are",
    ),
    (
        "ignore_session_variables",
        "what a client sets holds for all its statements",
    ),
    ("hostgroup_settings", "has no meaning here"),
    (
        "servers_defaults",
        "each server has its own weight, max_connections and use_ssl",
    ),
];

/// TLS is the same towards all servers here.
pub(super) fn of_servers(file: &Group, variables: &mut Variables, report: &mut Report) {
    const SECTION: &str = "proxy.server_tls";
    let mut first: Option<(String, String)> = None;
    let own = variables.has(SECTION, "certificate");
    for row in rows(file, TLS, report) {
        for column in ["ssl_ca", "ssl_capath", "ssl_crl", "ssl_crlpath"] {
            if row.some_text(column).is_some() {
                report.left_out(row.line, &format!("{TLS}.{column}"), AUTHORITY);
            }
        }
        for column in ["ssl_cipher", "tls_version"] {
            if row.some_text(column).is_some() {
                let sentence = "TLS 1.2 and 1.3 are spoken, with their strong ciphers";
                report.left_out(row.line, &format!("{TLS}.{column}"), sentence);
            }
        }
        let pair = row.some_text("ssl_cert").zip(row.some_text("ssl_key"));
        let Some(pair) = pair else { continue };
        if own || first.as_ref().is_some_and(|known| *known != pair) {
            let sentence = "is another one than before: all servers are shown the same";
            report.left_out(row.line, &format!("{TLS}.ssl_cert"), sentence);
        } else if first.is_none() {
            let sentence = "is certificate of [proxy.server_tls], for all servers";
            report.changed(row.line, &format!("{TLS}.ssl_cert"), sentence);
            variables.set(SECTION, "certificate", quoted(&pair.0));
            variables.set(SECTION, "key", quoted(&pair.1));
            first = Some(pair);
        }
    }
}

pub(super) fn of_hostgroups(file: &Group, report: &mut Report) {
    for row in rows(file, ATTRIBUTES, report) {
        let known: Vec<_> = OF_HOSTGROUPS.iter().map(|(column, _)| *column).collect();
        row.report_unknown(
            &[known.as_slice(), &["hostgroup_id", "comment"]].concat(),
            report,
        );
        for (column, why) in OF_HOSTGROUPS {
            if is_set(&row, column) {
                report.left_out(row.line, &format!("{ATTRIBUTES}.{column}"), why);
            }
        }
    }
}

fn is_set(row: &Row<'_>, column: &str) -> bool {
    row.text(column).is_some_and(|text| !text.is_empty()) || row.number(column).is_some()
}
