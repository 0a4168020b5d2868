//! Metrics without labels that are plain counters here.

use mainstay_session::{Count, Stats};

/// A name, and what it means.
type Named = (&'static str, &'static str);

/// What a metric says.
type Value = fn(&Stats) -> u64;

const COUNTS: [(Named, Count); 25] = [
    (
        (
            "proxysql_questions_total",
            "The total number of client requests / statements executed.",
        ),
        Count::Questions,
    ),
    (
        (
            "proxysql_slow_queries_total",
            "The total number of queries that took longer than slow_after.",
        ),
        Count::Slow,
    ),
    (
        (
            "proxysql_max_connect_timeouts_total",
            "Sessions that waited too long for a connection to a server.",
        ),
        Count::PoolTimeouts,
    ),
    (
        (
            "proxysql_backend_offline_during_query_total",
            "Server connections lost in the middle of a statement.",
        ),
        Count::LostInStatement,
    ),
    (
        (
            "proxysql_mysql_killed_backend_queries_total",
            "Statements interrupted because they took too long.",
        ),
        Count::Interrupted,
    ),
    (
        (
            "proxysql_connpool_get_conn_success_total",
            "The session is able to get a connection.",
        ),
        Count::PoolGiven,
    ),
    (
        (
            "proxysql_connpool_get_conn_success_immediate_total",
            "The session got a connection at once.",
        ),
        Count::PoolAtOnce,
    ),
    (
        (
            "proxysql_connpool_get_conn_failure_total",
            "The connection pool cannot provide any connection.",
        ),
        Count::PoolTimeouts,
    ),
    (
        (
            "proxysql_myhgm_myconnpool_get_total",
            "The number of requests made to the connection pool.",
        ),
        Count::PoolAsked,
    ),
    (
        (
            "proxysql_myhgm_myconnpool_get_ok_total",
            "The number of successful requests to the connection pool.",
        ),
        Count::PoolGiven,
    ),
    (
        (
            "proxysql_myhgm_myconnpool_push_total",
            "The number of connections returned to the connection pool.",
        ),
        Count::PoolReturned,
    ),
    (
        (
            "proxysql_myhgm_myconnpool_reset_total",
            "The number of connections that have been reset.",
        ),
        Count::ServerReset,
    ),
    (
        (
            "proxysql_myhgm_myconnpool_destroy_total",
            "The number of connections closed.",
        ),
        Count::PoolClosed,
    ),
    (
        (
            "proxysql_com_autocommit_total",
            "Total queries autocommited.",
        ),
        Count::SetAutocommit,
    ),
    (
        ("proxysql_com_commit_cnt_total", "Total queries commit."),
        Count::Commit,
    ),
    (
        ("proxysql_com_rollback_total", "Total queries rollbacked."),
        Count::Rollback,
    ),
    (
        (
            "proxysql_com_backend_change_user_total",
            "Server connections reset.",
        ),
        Count::ServerReset,
    ),
    (
        (
            "proxysql_com_backend_init_db_total",
            "Total queries backend INIT DB.",
        ),
        Count::ServerInitDb,
    ),
    (
        (
            "proxysql_com_backend_set_names_total",
            "SET statements that bring a server connection to its session's state.",
        ),
        Count::ServerSet,
    ),
    (
        (
            "proxysql_com_frontend_init_db_total",
            "Total INIT DB queries frontend.",
        ),
        Count::ClientInitDb,
    ),
    (
        (
            "proxysql_com_frontend_set_names_total",
            "Total SET NAMES frontend queries.",
        ),
        Count::ClientSetNames,
    ),
    (
        (
            "proxysql_com_frontend_use_db_total",
            "Total USE DB queries frontend.",
        ),
        Count::ClientUse,
    ),
    (
        (
            "proxysql_access_denied_wrong_password_total",
            "Total access denied \"wrong password\".",
        ),
        Count::DeniedPassword,
    ),
    (
        (
            "proxysql_access_denied_max_connections_total",
            "Total access denied \"max connections\".",
        ),
        Count::DeniedFull,
    ),
    (
        (
            "proxysql_access_denied_max_user_connections_total",
            "Total access denied \"max user connections\".",
        ),
        Count::DeniedUserFull,
    ),
];

/// Those that are no [`Count`].
const OTHERS: [(Named, Value); 4] = [
    (
        (
            "proxysql_generated_error_packets_total",
            "Total generated error packets.",
        ),
        |stats| stats.errors.values().sum(),
    ),
    (
        (
            "proxysql_gtid_consistent_queries_total",
            "Total queries with GTID consistent read.",
        ),
        |stats| stats.causal_waits,
    ),
    (
        (
            "proxysql_query_cache_count_set_total",
            "Number of write requests.",
        ),
        |stats| stats.cache.stored,
    ),
    (
        (
            "proxysql_query_cache_purged_total",
            "Number of entries purged.",
        ),
        |stats| stats.cache.outdated + stats.cache.evicted,
    ),
];

/// All of them, with their values.
pub(super) fn counters(stats: &Stats) -> impl Iterator<Item = (Named, u64)> {
    let counts = COUNTS.iter();
    let counts = counts.map(|(named, count)| (*named, stats.tally.counts[*count]));
    counts.chain(OTHERS.iter().map(|(named, value)| (*named, value(stats))))
}
