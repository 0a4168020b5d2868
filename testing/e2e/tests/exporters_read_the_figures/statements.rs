//! The statements that monitoring programs send to ProxySQL's admin port, as they send them.

/// Program, and statement.
pub(crate) const EXPORTERS: [(&str, &str); 26] = [
    (
        "percona/proxysql_exporter",
        "SELECT Variable_Name, Variable_Value FROM stats_mysql_global",
    ),
    (
        "percona/proxysql_exporter",
        "SELECT hostgroup, srv_host, srv_port, * FROM stats_mysql_connection_pool",
    ),
    (
        "percona/proxysql_exporter",
        "SELECT COUNT(cli_host) as connection_count, cli_host FROM stats_mysql_processlist \
         GROUP BY cli_host",
    ),
    (
        "percona/proxysql_exporter",
        "SELECT username, frontend_connections FROM stats_mysql_users",
    ),
    (
        "percona/proxysql_exporter",
        "SELECT user, db, cli_host, hostgroup, COUNT(*) as count from stats_mysql_processlist \
         group by user, db, cli_host, hostgroup",
    ),
    (
        "percona/proxysql_exporter",
        "select Variable_Name, Variable_Value  from stats_memory_metrics",
    ),
    (
        "percona/proxysql_exporter",
        "SELECT Command, Total_Time_us, Total_cnt, cnt_100us, cnt_500us, cnt_1ms, cnt_5ms, \
         cnt_10ms, cnt_50ms, cnt_100ms, cnt_500ms, cnt_1s, cnt_5s, cnt_10s, cnt_INFs FROM \
         stats_mysql_commands_counters",
    ),
    (
        "percona/proxysql_exporter",
        "SELECT hostgroup_id, hostname, port, status FROM runtime_mysql_servers",
    ),
    ("netdata", "select version();"),
    ("netdata", "SELECT * FROM stats_mysql_global;"),
    ("netdata", "SELECT * FROM stats_memory_metrics;"),
    ("netdata", "SELECT * FROM stats_mysql_commands_counters;"),
    ("netdata", "SELECT * FROM stats_mysql_users;"),
    ("netdata", "SELECT * FROM stats_mysql_connection_pool;"),
    ("datadog", "SELECT * FROM stats.stats_mysql_global"),
    (
        "datadog",
        "SELECT SUM(Total_Time_us) AS query_sum_time_us, SUM(Total_cnt) AS query_count FROM \
         stats.stats_mysql_commands_counters",
    ),
    (
        "datadog",
        "SELECT * FROM stats.stats_mysql_commands_counters",
    ),
    ("datadog", "SELECT * FROM stats.stats_mysql_connection_pool"),
    ("datadog", "SELECT * FROM stats.stats_mysql_users"),
    ("datadog", "SELECT * FROM stats_memory_metrics"),
    (
        "telegraf",
        "SELECT hostgroup, srv_host, srv_port, status, connused, connfree, connok, connerr, \
         queries, bytes_data_sent, bytes_data_recv, latency_us FROM \
         stats.stats_mysql_connection_pool",
    ),
    (
        "telegraf",
        "SELECT command, total_time_us, total_cnt, cnt_100us, cnt_500us, cnt_1ms, cnt_5ms, \
         cnt_10ms, cnt_50ms, cnt_100ms, cnt_500ms, cnt_1s, cnt_5s, cnt_10s, cnt_infs FROM \
         stats.stats_mysql_commands_counters",
    ),
    (
        "telegraf",
        "SELECT Variable_Name, Variable_Value FROM stats.stats_mysql_global",
    ),
    ("mysqld_exporter", "SHOW MYSQL STATUS"),
    (
        "operators",
        "SELECT hostgroup hg, sum_time, count_star, digest_text FROM stats_mysql_query_digest \
         ORDER BY sum_time DESC",
    ),
    (
        "operators",
        "SELECT Command, Total_cnt, ROUND(Total_Time_us/1000000.0/Total_cnt, 6) FROM \
         stats_mysql_commands_counters WHERE Total_cnt > 0 ORDER BY Total_cnt DESC LIMIT 20",
    ),
];
