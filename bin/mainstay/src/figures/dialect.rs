//! `stats_mysql_global`, and other names that are ProxySQL's: only what is known here is told.

use std::time::Duration;

use mainstay_proxy::ProxyStats;
use mainstay_session::{Count, Stats};

/// A counter's name, and its value.
pub(crate) type Global = (&'static str, u64);

/// As ProxySQL calls a command.
pub(super) fn command(name: &'static str) -> &'static str {
    match name {
        "CALL_PROCEDURE" => "CALL",
        "CHANGE_REPLICATION" => "CHANGE_MASTER",
        same => same,
    }
}

/// All counters, in ProxySQL's order as far as it has them; ours are at the end.
pub(crate) fn globals(proxy: &ProxyStats, uptime: Duration) -> Vec<Global> {
    let stats = &proxy.sessions;
    let mut found = vec![("ProxySQL_Uptime", uptime.as_secs())];
    found.extend(connections(stats));
    found.extend(commands(stats));
    found.extend(pools(stats));
    found.extend(refusals(stats));
    found.extend(cache(stats));
    found.push(("MySQL_Thread_Workers", proxy.clients.len() as u64));
    found.extend(own(proxy));
    found
}

fn connections(stats: &Stats) -> Vec<Global> {
    let tally = &stats.tally;
    let count = |one: Count| tally.counts[one];
    let servers = stats.servers.values();
    let opened: u64 = servers.clone().map(|one| one.opened).sum();
    let lost: u64 = servers.map(|one| one.lost).sum();
    let groups = || tally.groups.values();
    let sent: u64 = groups().map(|one| one.sent).sum();
    let received: u64 = groups().map(|one| one.received).sum();
    let open = stats.tied.get(&mainstay_session::TieReason::Transaction);
    vec![
        ("Active_Transactions", open.copied().unwrap_or(0) as u64),
        ("Client_Connections_aborted", count(Count::ClientsAborted)),
        ("Client_Connections_connected", stats.sessions as u64),
        ("Client_Connections_created", stats.accepted),
        ("Server_Connections_aborted", lost),
        (
            "Server_Connections_connected",
            tally.server_connections as u64,
        ),
        ("Server_Connections_created", opened),
        ("Server_Connections_delayed", 0),
        ("Client_Connections_non_idle", tally.busy as u64),
        // Sessions are never locked on a hostgroup here.
        ("Client_Connections_hostgroup_locked", 0),
        ("Queries_backends_bytes_recv", received),
        ("Queries_backends_bytes_sent", sent),
        (
            "Queries_frontends_bytes_recv",
            count(Count::BytesFromClients),
        ),
        ("Queries_frontends_bytes_sent", count(Count::BytesToClients)),
        ("Backend_query_time_nsec", count(Count::ServerNanos)),
        ("Mirror_concurrency", tally.mirrors as u64),
        ("Mirror_queue_length", 0),
        ("Questions", count(Count::Questions)),
        ("Slow_queries", count(Count::Slow)),
        ("GTID_consistent_queries", stats.causal_waits),
    ]
}

fn commands(stats: &Stats) -> Vec<Global> {
    let count = |one: Count| stats.tally.counts[one];
    let prepared = &stats.tally.prepared;
    vec![
        ("Com_autocommit", count(Count::SetAutocommit)),
        ("Com_autocommit_filtered", 0),
        ("Com_commit", count(Count::Commit)),
        ("Com_commit_filtered", 0),
        ("Com_rollback", count(Count::Rollback)),
        ("Com_rollback_filtered", 0),
        ("Com_backend_change_user", count(Count::ServerReset)),
        ("Com_backend_init_db", count(Count::ServerInitDb)),
        ("Com_backend_set_names", count(Count::ServerSet)),
        ("Com_backend_stmt_prepare", count(Count::ServerPrepare)),
        ("Com_backend_stmt_execute", count(Count::ServerExecute)),
        ("Com_backend_stmt_close", count(Count::ServerClose)),
        ("Com_frontend_init_db", count(Count::ClientInitDb)),
        ("Com_frontend_set_names", count(Count::ClientSetNames)),
        ("Com_frontend_use_db", count(Count::ClientUse)),
        ("Com_frontend_stmt_prepare", count(Count::ClientPrepare)),
        ("Com_frontend_stmt_execute", count(Count::ClientExecute)),
        ("Com_frontend_stmt_close", count(Count::ClientClose)),
        ("Selects_for_update__autocommit0", count(Count::LockingRead)),
        ("Stmt_Client_Active_Total", prepared.clients as u64),
        (
            "Stmt_Client_Active_Unique",
            prepared.client_texts.len() as u64,
        ),
        ("Stmt_Server_Active_Total", prepared.servers as u64),
        (
            "Stmt_Server_Active_Unique",
            prepared.server_texts.len() as u64,
        ),
    ]
}

fn pools(stats: &Stats) -> Vec<Global> {
    let count = |one: Count| stats.tally.counts[one];
    vec![
        ("ConnPool_get_conn_immediate", count(Count::PoolAtOnce)),
        ("ConnPool_get_conn_success", count(Count::PoolGiven)),
        ("ConnPool_get_conn_failure", count(Count::PoolTimeouts)),
        ("ConnPool_get_conn_latency_awareness", 0),
        ("MyHGM_myconnpoll_get", count(Count::PoolAsked)),
        ("MyHGM_myconnpoll_get_ok", count(Count::PoolGiven)),
        ("MyHGM_myconnpoll_push", count(Count::PoolReturned)),
        ("MyHGM_myconnpoll_reset", count(Count::ServerReset)),
        ("MyHGM_myconnpoll_destroy", count(Count::PoolClosed)),
        ("max_connect_timeouts", count(Count::PoolTimeouts)),
        (
            "backend_offline_during_query",
            count(Count::LostInStatement),
        ),
        ("hostgroup_locked_set_cmds", 0),
        ("hostgroup_locked_queries", 0),
        ("mysql_killed_backend_queries", count(Count::Interrupted)),
        ("client_host_error_killed_connections", 0),
    ]
}

fn refusals(stats: &Stats) -> Vec<Global> {
    let count = |one: Count| stats.tally.counts[one];
    vec![
        (
            "generated_error_packets",
            stats.errors.values().sum::<u64>(),
        ),
        ("Access_Denied_Wrong_Password", count(Count::DeniedPassword)),
        ("Access_Denied_Max_Connections", count(Count::DeniedFull)),
        (
            "Access_Denied_Max_User_Connections",
            count(Count::DeniedUserFull),
        ),
    ]
}

fn cache(stats: &Stats) -> Vec<Global> {
    let cache = &stats.cache;
    let count = |one: Count| stats.tally.counts[one];
    vec![
        ("Query_Cache_Memory_bytes", cache.bytes as u64),
        ("Query_Cache_count_GET", cache.hits + cache.misses),
        ("Query_Cache_count_GET_OK", cache.hits),
        ("Query_Cache_count_SET", cache.stored),
        ("Query_Cache_bytes_IN", count(Count::CacheBytesIn)),
        ("Query_Cache_bytes_OUT", count(Count::CacheBytesOut)),
        ("Query_Cache_Purged", cache.outdated + cache.evicted),
        ("Query_Cache_Entries", cache.entries as u64),
    ]
}

/// What ProxySQL has no name for.
fn own(proxy: &ProxyStats) -> Vec<Global> {
    let stats = &proxy.sessions;
    let tied = stats.tied.values().sum::<usize>();
    vec![
        ("Mainstay_statements_writer", stats.statements_writer),
        ("Mainstay_statements_reader", stats.statements_reader),
        ("Mainstay_statements_held", stats.statements_held),
        ("Mainstay_sessions_held", stats.held as u64),
        ("Mainstay_ties", tied as u64),
        ("Mainstay_reads_retried", stats.reads_retried),
        ("Mainstay_refusals_retried", stats.refusals_retried),
        (
            "Mainstay_transactions_replayed",
            stats.transactions_replayed,
        ),
        ("Mainstay_replays_failed", stats.replays_failed),
        ("Mainstay_causal_to_writer", stats.causal_to_writer),
        ("Mainstay_worker_restarts", proxy.restarts),
    ]
}
