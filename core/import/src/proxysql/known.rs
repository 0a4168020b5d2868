//! Which variables of ProxySQL have a setting of the same meaning here, and why others have none.

/// How a value becomes one of ours.
#[derive(Debug, Clone, Copy)]
pub(super) enum How {
    Count,
    Truth,
    Text,
    Milliseconds,
    /// 0 and whole days are "off".
    Limit,
    Bytes,
    Mebibytes,
    /// `false` is this; `true` is the default.
    FalseIs(&'static str),
    /// `true` is this; `false` is the default.
    TrueIs(&'static str),
    Networks,
    Interfaces,
    /// It means nothing here, since …
    LeftOut(&'static str),
}

/// Name there, section and key here, and how. An empty key: nothing is written.
pub(super) const VARIABLES: [(&str, &str, &str, How); 67] = [
    ("threads", "proxy", "workers", How::Count),
    ("interfaces", "proxy", "listen", How::Interfaces),
    ("max_connections", "proxy", "clients_max", How::Count),
    (
        "wait_timeout",
        "proxy",
        "idle_client_limit",
        How::Milliseconds,
    ),
    (
        "connect_timeout_client",
        "proxy",
        "handshake_limit",
        How::Milliseconds,
    ),
    (
        "connect_timeout_server",
        "proxy",
        "connect_limit",
        How::Milliseconds,
    ),
    (
        "connect_timeout_server_max",
        "proxy",
        "pool_wait_limit",
        How::Milliseconds,
    ),
    (
        "connection_max_age_ms",
        "proxy",
        "connection_age_max",
        How::Limit,
    ),
    ("default_query_timeout", "proxy", "query_limit", How::Limit),
    (
        "max_allowed_packet",
        "proxy",
        "max_allowed_packet",
        How::Bytes,
    ),
    (
        "max_stmts_per_connection",
        "proxy",
        "connection_statements_max",
        How::Count,
    ),
    (
        "query_cache_size_MB",
        "proxy",
        "cache_bytes_max",
        How::Mebibytes,
    ),
    ("query_digests", "proxy", "digests_max", How::FalseIs("0")),
    (
        "query_digests_track_hostname",
        "proxy",
        "digest_client_address",
        How::Truth,
    ),
    ("mirror_max_concurrency", "proxy", "mirrors_max", How::Count),
    ("have_compress", "proxy", "compression", How::FalseIs("[]")),
    (
        "enable_load_data_local_infile",
        "proxy",
        "local_infile",
        How::Truth,
    ),
    (
        "proxy_protocol_networks",
        "proxy",
        "proxy_protocol_from",
        How::Networks,
    ),
    ("monitor_username", "monitor", "user", How::Text),
    ("monitor_password", "monitor", "password", How::Text),
    (
        "monitor_connect_interval",
        "monitor",
        "connect_interval",
        How::Milliseconds,
    ),
    (
        "monitor_connect_timeout",
        "monitor",
        "connect_limit",
        How::Milliseconds,
    ),
    (
        "monitor_ping_interval",
        "monitor",
        "ping_interval",
        How::Milliseconds,
    ),
    (
        "monitor_ping_timeout",
        "monitor",
        "ping_limit",
        How::Milliseconds,
    ),
    (
        "monitor_ping_max_failures",
        "monitor",
        "ping_failures_max",
        How::Count,
    ),
    (
        "monitor_read_only_interval",
        "monitor",
        "read_only_interval",
        How::Milliseconds,
    ),
    (
        "monitor_read_only_timeout",
        "monitor",
        "read_only_limit",
        How::Milliseconds,
    ),
    (
        "monitor_read_only_max_timeout_count",
        "monitor",
        "read_only_failures_max",
        How::Count,
    ),
    (
        "monitor_replication_lag_interval",
        "monitor",
        "lag_interval",
        How::Milliseconds,
    ),
    (
        "monitor_replication_lag_timeout",
        "monitor",
        "lag_limit",
        How::Milliseconds,
    ),
    ("monitor_history", "monitor", "history", How::Milliseconds),
    (
        "max_transaction_time",
        "proxy",
        "transaction_limit",
        How::Limit,
    ),
    (
        "max_transaction_idle_time",
        "proxy",
        "transaction_idle_limit",
        How::Limit,
    ),
    (
        "query_cache_stores_empty_result",
        "proxy",
        "cache_empty_results",
        How::Truth,
    ),
    ("long_query_time", "logs", "slow_after", How::Milliseconds),
    ("eventslog_filename", "logs", "queries", How::Text),
    (
        "eventslog_default_log",
        "logs",
        "queries_of",
        How::TrueIs("\"all\""),
    ),
    ("eventslog_filesize", "logs", "file_bytes_max", How::Bytes),
    ("auditlog_filename", "logs", "audit", How::Text),
    (
        "auditlog_filesize",
        "",
        "",
        How::LeftOut("file_bytes_max of [logs] holds for all logs"),
    ),
    (
        "eventslog_format",
        "",
        "",
        How::LeftOut("logs are lines of JSON, with ProxySQL's keys of format 2"),
    ),
    ("ssl_p2s_cert", "proxy.server_tls", "certificate", How::Text),
    ("ssl_p2s_key", "proxy.server_tls", "key", How::Text),
    ("ssl_p2s_ca", "", "", How::LeftOut(AUTHORITY)),
    ("ssl_p2s_capath", "", "", How::LeftOut(AUTHORITY)),
    ("default_max_latency_ms", "", "", How::Text),
    (
        "monitor_enabled",
        "",
        "",
        How::LeftOut("a proxy without a manager always probes"),
    ),
    (
        "monitor_writer_is_also_reader",
        "",
        "",
        How::LeftOut("the writer serves reads when no replica may: readers_none_left"),
    ),
    (
        "monitor_slave_lag_when_null",
        "",
        "",
        How::LeftOut("a replica whose lag is not known gets no reads"),
    ),
    (
        "server_version",
        "",
        "",
        How::LeftOut("clients are greeted as the servers greet"),
    ),
    (
        "default_schema",
        "",
        "",
        How::LeftOut("a client that names no schema has none"),
    ),
    ("stacksize", "", "", How::LeftOut(OWN_WAY)),
    ("poll_timeout", "", "", How::LeftOut(OWN_WAY)),
    ("sessions_sort", "", "", How::LeftOut(OWN_WAY)),
    ("session_idle_ms", "", "", How::LeftOut(OWN_WAY)),
    (
        "session_idle_show_processlist",
        "",
        "",
        How::LeftOut(OWN_WAY),
    ),
    (
        "commands_stats",
        "",
        "",
        How::LeftOut("commands are always counted"),
    ),
    ("ping_interval_server", "", "", How::LeftOut(PROBES)),
    ("ping_interval_server_msec", "", "", How::LeftOut(PROBES)),
    ("ping_timeout_server", "", "", How::LeftOut(PROBES)),
    ("connect_retries_on_failure", "", "", How::LeftOut(RETRIES)),
    ("connect_retries_delay", "", "", How::LeftOut(RETRIES)),
    ("query_retries_on_failure", "", "", How::LeftOut(RETRIES)),
    ("shun_on_failures", "", "", How::LeftOut(PROBES)),
    ("shun_recovery_time_sec", "", "", How::LeftOut(PROBES)),
    (
        "default_query_delay",
        "",
        "",
        How::LeftOut("rules may delay what they match"),
    ),
    (
        "multiplexing",
        "",
        "",
        How::LeftOut("connections are shared where that changes nothing"),
    ),
];

const OWN_WAY: &str = "has no meaning for these worker threads";
const PROBES: &str = "probes alone decide who is used, and who is used again";
const RETRIES: &str = "what may be run again is: reads, and what a server refused unrun";

/// A certificate that is shown is not one that is checked.
pub(super) const AUTHORITY: &str = "certificates of servers are checked with \
    mode = \"verify_ca\" or \"verify_identity\" and ca of [proxy.server_tls]: write them there";
