//! The numbers of this process under the names, labels and types of ProxySQL's exposition, so that
//! its dashboards and alerts keep working. What is not known here is left out.

mod plain;

use std::time::Duration;

use mainstay_proxy::ProxyStats;
use mainstay_session::{Count, QueryStats, Stats};
use mainstay_telemetry::exposition::{Exposition, Kind};

use crate::figures::{Memory, PoolRow, digest_bytes, pools};

use Kind::{Counter, Gauge};

/// A name, what it means, and its value.
type Single = (&'static str, &'static str, u64);

/// All of them.
pub(super) fn write(
    out: &mut Exposition,
    proxy: &ProxyStats,
    asked: &QueryStats,
    uptime: Duration,
) {
    let stats = &proxy.sessions;
    for ((name, help), value) in plain::counters(stats) {
        out.single(name, Counter, help, value);
    }
    for (name, help, value) in gauges(proxy, asked) {
        out.single(name, Gauge, help, value);
    }
    let help = "How long ProxySQL has been up.";
    out.single(
        "proxysql_uptime_seconds_total",
        Counter,
        help,
        uptime.as_secs(),
    );
    let version = env!("CARGO_PKG_VERSION");
    out.family("proxysql_version_info", Gauge, "The version of Mainstay.")
        .sample(&[("version", version), ("product", "mainstay")], 1);
    times(out, stats);
    labelled(out, stats);
    cache(out, stats);
    connection_pools(out, &pools(stats));
    errors(out, stats, asked);
    commands(out, asked);
}

fn gauges(proxy: &ProxyStats, asked: &QueryStats) -> [Single; 12] {
    let stats = &proxy.sessions;
    let tally = &stats.tally;
    let open = stats.tied.get(&mainstay_session::TieReason::Transaction);
    [
        (
            "proxysql_active_transactions",
            "Client connections that are currently processing a transaction.",
            open.copied().unwrap_or(0) as u64,
        ),
        (
            "proxysql_client_connections_connected",
            "Client connections that are currently connected.",
            stats.sessions as u64,
        ),
        (
            "proxysql_client_connections_non_idle",
            "Client connections that are carrying out a command.",
            tally.busy as u64,
        ),
        (
            "proxysql_client_connections_hostgroup_locked",
            "Always 0: no session is locked on a hostgroup.",
            0,
        ),
        (
            "proxysql_server_connections_connected",
            "Backend connections that are currently connected.",
            tally.server_connections as u64,
        ),
        (
            "proxysql_mirror_concurrency",
            "Mirror current concurrency",
            tally.mirrors as u64,
        ),
        (
            "proxysql_mysql_thread_workers",
            "Number of worker threads.",
            proxy.clients.len() as u64,
        ),
        (
            "proxysql_query_cache_memory_bytes",
            "Memory currently used by the query cache.",
            stats.cache.bytes as u64,
        ),
        (
            "proxysql_query_cache_entries_total",
            "Results that are kept.",
            stats.cache.entries as u64,
        ),
        (
            "proxysql_query_digest_memory_bytes",
            "Memory used to store data related to the table of digests.",
            digest_bytes(asked),
        ),
        (
            "proxysql_stmt_client_active",
            "The total number of prepared statements that are in use by clients.",
            tally.prepared.clients as u64,
        ),
        (
            "proxysql_stmt_server_active",
            "The total number of prepared statements on server connections.",
            tally.prepared.servers as u64,
        ),
    ]
}

fn times(out: &mut Exposition, stats: &Stats) {
    let help = "Time spent making network calls to communicate with the backends.";
    let nanos = stats.tally.counts[Count::ServerNanos];
    let seconds = Duration::from_nanos(nanos).as_secs_f64();
    let name = "proxysql_backend_query_time_seconds_total";
    out.single(name, Counter, help, seconds);
    let memory = Memory::now();
    let help = "Memory of the process, as the kernel counts it.";
    let mut family = out.family("proxysql_jemalloc_bytes", Gauge, help);
    for (kind, bytes) in [
        ("resident", memory.resident),
        ("active", memory.heap),
        ("mapped", memory.mapped),
    ] {
        family.sample(&[("type", kind)], bytes);
    }
}

/// A family whose samples differ in one label: its name, its help, the label, the samples.
type Labelled = (
    &'static str,
    &'static str,
    &'static str,
    Vec<(&'static str, u64)>,
);

fn labelled(out: &mut Exposition, stats: &Stats) {
    let count = |one: Count| stats.tally.counts[one];
    let servers = || stats.servers.values();
    let groups = || stats.tally.groups.values();
    let families: [Labelled; 6] = [
        (
            "proxysql_client_connections_total",
            "Total number of client connections created or failed.",
            "status",
            vec![
                ("created", stats.accepted),
                ("aborted", count(Count::ClientsAborted)),
            ],
        ),
        (
            "proxysql_server_connections_total",
            "Total number of server connections (created|delayed|aborted).",
            "status",
            vec![
                ("created", servers().map(|one| one.opened).sum()),
                ("delayed", 0),
                ("aborted", servers().map(|one| one.lost).sum()),
            ],
        ),
        (
            "proxysql_queries_frontends_bytes_total",
            "Total number of bytes (sent|received) in frontend connections.",
            "traffic_flow",
            vec![
                ("received", count(Count::BytesFromClients)),
                ("sent", count(Count::BytesToClients)),
            ],
        ),
        (
            "proxysql_queries_backends_bytes_total",
            "Total number of bytes (sent|received) in backend connections.",
            "traffic_flow",
            vec![
                ("received", groups().map(|one| one.received).sum()),
                ("sent", groups().map(|one| one.sent).sum()),
            ],
        ),
        (
            "proxysql_com_frontend_stmt_total",
            "The number of statements (PREPARE|EXECUTE|CLOSE) executed by clients.",
            "op",
            vec![
                ("prepare", count(Count::ClientPrepare)),
                ("execute", count(Count::ClientExecute)),
                ("close", count(Count::ClientClose)),
            ],
        ),
        (
            "proxysql_com_backend_stmt_total",
            "The number of statements (PREPARE|EXECUTE|CLOSE) executed on servers.",
            "op",
            vec![
                ("prepare", count(Count::ServerPrepare)),
                ("execute", count(Count::ServerExecute)),
                ("close", count(Count::ServerClose)),
            ],
        ),
    ];
    for (name, help, label, samples) in families {
        let mut family = out.family(name, Counter, help);
        for (value, number) in samples {
            family.sample(&[(label, value)], number);
        }
    }
}

fn cache(out: &mut Exposition, stats: &Stats) {
    let count = |one: Count| stats.tally.counts[one];
    let help = "Number of read requests.";
    let mut asked = out.family("proxysql_query_cache_count_get_total", Counter, help);
    asked.sample(&[("status", "ok")], stats.cache.hits);
    asked.sample(&[("status", "err")], stats.cache.misses);
    let help = "Number of bytes (read|written) into the Query Cache.";
    let mut bytes = out.family("proxysql_query_cache_bytes_total", Counter, help);
    bytes.sample(&[("op", "written")], count(Count::CacheBytesIn));
    bytes.sample(&[("op", "read")], count(Count::CacheBytesOut));
}

/// A label and a value of one server in one hostgroup.
type PoolSample = (Option<(&'static str, &'static str)>, fn(&PoolRow) -> u64);

fn connection_pools(out: &mut Exposition, pools: &[PoolRow]) {
    let families: [(&str, Kind, &str, Vec<PoolSample>); 6] = [
        (
            "proxysql_connpool_conns",
            Gauge,
            "How many backend connections are currently (free|used).",
            vec![
                (Some(("status", "free")), |one| one.connections.idle as u64),
                (Some(("status", "used")), |one| one.group.used as u64),
            ],
        ),
        (
            "proxysql_connpool_conns_total",
            Counter,
            "How many connections have been tried to be established.",
            vec![
                (Some(("status", "ok")), |one| one.connections.opened),
                (Some(("status", "err")), |one| one.connections.failed),
            ],
        ),
        (
            "proxysql_connpool_conns_queries_total",
            Counter,
            "The number of queries routed towards this particular backend server.",
            vec![(None, |one| one.group.statements)],
        ),
        (
            "proxysql_connpool_data_bytes_total",
            Counter,
            "Amount of data (sent|recv) from the backend.",
            vec![
                (Some(("traffic_flow", "recv")), |one| one.group.received),
                (Some(("traffic_flow", "sent")), |one| one.group.sent),
            ],
        ),
        (
            "proxysql_connpool_conns_latency_us",
            Gauge,
            "The smoothed time of its answers, in microseconds.",
            vec![(None, |one| one.latency_us)],
        ),
        (
            "proxysql_connpool_conns_status",
            Gauge,
            "1 - ONLINE, 2 - SHUNNED, 3 - OFFLINE_SOFT, 4 - OFFLINE_HARD.",
            vec![(None, |one| one.status.number())],
        ),
    ];
    for (name, kind, help, samples) in families {
        let mut family = out.family(name, kind, help);
        for one in pools {
            let (endpoint, hostgroup) = (one.address.to_string(), one.hostgroup.to_string());
            for (label, value) in &samples {
                let mut labels = vec![("endpoint", &*endpoint), ("hostgroup", &*hostgroup)];
                labels.extend(*label);
                family.sample(&labels, value(one));
            }
        }
    }
}

fn errors(out: &mut Exposition, stats: &Stats, asked: &QueryStats) {
    let help = "Tracks the mysql errors encountered.";
    let mut family = out.family("mysql_error_total", Counter, help);
    for (key, row) in &asked.errors {
        let address = stats.tally.addresses.get(&key.server);
        let (host, port) = address.map_or((key.server.as_str(), 0), |one| (&*one.host, one.port));
        let labels = [
            ("address", host),
            ("code", &*key.code.to_string()),
            ("hostgroup", &*key.hostgroup.to_string()),
            ("port", &*port.to_string()),
        ];
        family.sample(&labels, row.count);
    }
    let help = "Tracks the mysql errors generated by proxysql.";
    let mut family = out.family("proxysql_mysql_error_total", Counter, help);
    for (code, count) in &stats.errors {
        family.sample(&[("code", &*code.to_string())], count);
    }
}

/// Times of statements by command: ProxySQL has them in SQL only, and dashboards want percentiles.
fn commands(out: &mut Exposition, asked: &QueryStats) {
    const LE: [&str; 12] = [
        "0.0001", "0.0005", "0.001", "0.005", "0.01", "0.05", "0.1", "0.5", "1", "5", "10", "+Inf",
    ];
    let help = "Statements by command, and how long they took.";
    let name = "mainstay_statement_seconds";
    let mut family = out.histogram(name, help);
    for (command, row) in &asked.commands {
        let mut total = 0;
        for (le, count) in LE.iter().zip(row.classes) {
            total += count;
            family.bucket(&[("command", command), ("le", le)], total);
        }
        family.sum(&[("command", command)], row.time_sum.as_secs_f64());
        family.count(&[("command", command)], row.count);
    }
}
