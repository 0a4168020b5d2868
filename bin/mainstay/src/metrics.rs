//! The numbers of this process for Prometheus. The list with their meanings: `docs/metrics.md`.

mod dialect;

use std::time::Duration;

use mainstay_dashboard::views::StatusView;
use mainstay_proxy::{LogReport, ProxyStats};
use mainstay_session::{Count, QueryStats, ServerStats, Stats};
use mainstay_telemetry::exposition::{Exposition, Kind};

use Kind::{Counter, Gauge};

/// What the proxy of this process has counted.
pub(crate) struct Numbers {
    /// Its counters.
    pub(crate) proxy: ProxyStats,
    /// What was asked of it.
    pub(crate) asked: QueryStats,
    /// Since when.
    pub(crate) uptime: Duration,
    /// What its logs have done.
    pub(crate) logs: Vec<LogReport>,
}

/// All of them, as text.
pub(crate) fn text(status: &StatusView, numbers: Option<&Numbers>) -> String {
    let mut out = Exposition::default();
    cluster(&mut out, status);
    crate::floating::metrics(&mut out, &status.vips);
    crate::balancing::metrics(&mut out, &status.virtual_servers);
    if let Some(numbers) = numbers {
        let proxy = &numbers.proxy;
        let help = "Times that a defect ended the sessions of a worker.";
        out.single(
            "mainstay_worker_restarts_total",
            Counter,
            help,
            proxy.restarts,
        );
        sessions(&mut out, &proxy.sessions);
        statements(&mut out, &proxy.sessions);
        by_reason(&mut out, &proxy.sessions);
        cache(&mut out, &proxy.sessions);
        servers(&mut out, &proxy.sessions);
        logs(&mut out, numbers);
        dialect::write(&mut out, proxy, &numbers.asked, numbers.uptime);
    }
    out.into_text()
}

fn cluster(out: &mut Exposition, status: &StatusView) {
    out.single(
        "mainstay_epoch",
        Gauge,
        "The reign of the primary.",
        status.epoch,
    );
    let held = u8::from(status.writes_held);
    out.single(
        "mainstay_writes_held",
        Gauge,
        "1 while writes wait for a primary.",
        held,
    );
    let findings = status.findings.len();
    out.single(
        "mainstay_findings",
        Gauge,
        "Findings of the manager.",
        findings,
    );
    let mut phases = out.family("mainstay_phase", Gauge, "1 for the manager's phase.");
    phases.sample(&[("phase", &status.phase)], 1);
    let mut reachable = out.family("mainstay_server_reachable", Gauge, "1 if it answers.");
    for server in &status.servers {
        let labels = [("server", &*server.name), ("role", &server.role)];
        reachable.sample(&labels, u8::from(server.reachability == "reachable"));
    }
    let mut lag = out.family("mainstay_server_lag_seconds", Gauge, "Behind its source.");
    for server in &status.servers {
        if let Some(lag_ms) = server.facts.as_ref().and_then(|facts| facts.lag_ms) {
            lag.sample(&[("server", &server.name)], lag_ms as f64 / 1_000.0);
        }
    }
}

fn sessions(out: &mut Exposition, stats: &Stats) {
    let gauges = [
        ("mainstay_sessions", "Clients connected.", stats.sessions),
        (
            "mainstay_sessions_held",
            "Sessions that wait for a primary.",
            stats.held,
        ),
        (
            "mainstay_held_bytes",
            "Bytes of the statements that wait.",
            stats.held_bytes,
        ),
    ];
    for (name, help, value) in gauges {
        out.single(name, Gauge, help, value);
    }
    let counters = [
        (
            "mainstay_clients_accepted_total",
            "Clients accepted.",
            stats.accepted,
        ),
        (
            "mainstay_logins_refused_total",
            "Logins refused.",
            stats.logins_refused,
        ),
        (
            "mainstay_clients_tls_total",
            "Clients with TLS.",
            stats.clients_secured,
        ),
        (
            "mainstay_tls_failed_total",
            "TLS not established, or broken.",
            stats.tls_failed,
        ),
        (
            "mainstay_garbled_total",
            "Connections that broke their protocol.",
            stats.garbled,
        ),
    ];
    for (name, help, value) in counters {
        out.single(name, Counter, help, value);
    }
}

fn statements(out: &mut Exposition, stats: &Stats) {
    let counters = [
        (
            "mainstay_statements_held_total",
            "Statements held.",
            stats.statements_held,
        ),
        (
            "mainstay_reads_retried_total",
            "Reads run again elsewhere.",
            stats.reads_retried,
        ),
        (
            "mainstay_refusals_retried_total",
            "Refused writes run again.",
            stats.refusals_retried,
        ),
        (
            "mainstay_causal_waits_total",
            "Reads that made a replica wait.",
            stats.causal_waits,
        ),
        (
            "mainstay_causal_to_writer_total",
            "Causal reads on the writer.",
            stats.causal_to_writer,
        ),
        (
            "mainstay_mirrored_total",
            "Queries copied to a mirror.",
            stats.mirrored,
        ),
        (
            "mainstay_mirrors_dropped_total",
            "Copies not sent, or given up.",
            stats.mirrors_dropped,
        ),
        (
            "mainstay_replayed_total",
            "Transactions replayed.",
            stats.transactions_replayed,
        ),
        (
            "mainstay_replays_failed_total",
            "Replays with other results.",
            stats.replays_failed,
        ),
        (
            "mainstay_readers_hung_total",
            "Readers that gave no sign of life.",
            stats.readers_hung,
        ),
        (
            "mainstay_transactions_expired_total",
            "Clients closed for a transaction's time.",
            stats.transactions_expired,
        ),
    ];
    for (name, help, value) in counters {
        out.single(name, Counter, help, value);
    }
    let help = "Statements sent to servers, by what they were for.";
    let mut sent = out.family("mainstay_statements_total", Counter, help);
    sent.sample(&[("to", "writer")], stats.statements_writer);
    sent.sample(&[("to", "reader")], stats.statements_reader);
}

fn by_reason(out: &mut Exposition, stats: &Stats) {
    let mut errors = out.family(
        "mainstay_errors_total",
        Counter,
        "Errors of the proxy itself.",
    );
    for (code, count) in &stats.errors {
        errors.sample(&[("code", &code.to_string())], count);
    }
    let help = "Times that a session was tied to its server connection.";
    let mut ties = out.family("mainstay_ties_total", Counter, help);
    for (reason, count) in &stats.ties {
        ties.sample(&[("reason", &format!("{reason:?}"))], count);
    }
    let help = "Sessions that are tied to their server connection.";
    let mut sessions = out.family("mainstay_sessions_tied", Gauge, help);
    for (reason, count) in &stats.tied {
        sessions.sample(&[("reason", &format!("{reason:?}"))], count);
    }
}

fn cache(out: &mut Exposition, stats: &Stats) {
    let cache = &stats.cache;
    out.single(
        "mainstay_cache_entries",
        Gauge,
        "Results kept.",
        cache.entries,
    );
    out.single(
        "mainstay_cache_bytes",
        Gauge,
        "Bytes of the results kept.",
        cache.bytes,
    );
    let counters = [
        (
            "mainstay_cache_hits_total",
            "Reads answered from the cache.",
            cache.hits,
        ),
        (
            "mainstay_cache_misses_total",
            "Reads not found in the cache.",
            cache.misses,
        ),
        (
            "mainstay_cache_outdated_total",
            "Results made old by a write.",
            cache.outdated,
        ),
        (
            "mainstay_cache_evicted_total",
            "Results dropped for want of room.",
            cache.evicted,
        ),
    ];
    for (name, help, value) in counters {
        out.single(name, Counter, help, value);
    }
}

fn logs(out: &mut Exposition, numbers: &Numbers) {
    let help = "Lines written to a log.";
    let mut written = out.family("mainstay_log_lines_total", Counter, help);
    for log in &numbers.logs {
        written.sample(&[("log", log.name)], log.written);
    }
    let help = "Entries that a log had no room for.";
    let mut dropped = out.family("mainstay_log_dropped_total", Counter, help);
    for log in &numbers.logs {
        dropped.sample(&[("log", log.name)], log.dropped);
    }
    let lost = numbers.proxy.sessions.tally.counts[Count::RecordsDropped];
    dropped.sample(&[("log", "worker")], lost);
}

/// What a family says of one server.
type Value = fn(&ServerStats) -> f64;

fn servers(out: &mut Exposition, stats: &Stats) {
    let help = "Connections to a server, by what they do.";
    let mut connections = out.family("mainstay_server_connections", Gauge, help);
    for (name, server) in &stats.servers {
        let uses = [
            ("idle", server.idle),
            ("used", server.used),
            ("connecting", server.connecting),
        ];
        for (state, count) in uses {
            connections.sample(&[("server", name.as_str()), ("state", state)], count);
        }
    }
    let families: [(&str, Kind, &str, Value); 6] = [
        (
            "mainstay_server_waiting",
            Gauge,
            "Sessions in its queue.",
            |one| one.waiting as f64,
        ),
        (
            "mainstay_server_statements_total",
            Counter,
            "Statements sent.",
            |one| one.statements as f64,
        ),
        (
            "mainstay_server_lost_total",
            Counter,
            "Connections lost.",
            |one| one.lost as f64,
        ),
        (
            "mainstay_server_queued_total",
            Counter,
            "Sessions that waited.",
            |one| one.queued as f64,
        ),
        (
            "mainstay_server_queue_seconds_total",
            Counter,
            "Time they waited.",
            |one| one.queue_time.as_secs_f64(),
        ),
        (
            "mainstay_server_queue_seconds_max",
            Gauge,
            "The longest wait.",
            |one| one.queue_time_max.as_secs_f64(),
        ),
    ];
    for (name, kind, help, value) in families {
        let mut family = out.family(name, kind, help);
        for (server, stats) in &stats.servers {
            family.sample(&[("server", server.as_str())], value(stats));
        }
    }
}

#[cfg(test)]
mod tests;
