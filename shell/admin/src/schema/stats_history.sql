-- Figures kept over time, in a file of their own.

CREATE TABLE IF NOT EXISTS history_mysql_query_digest (
    dump_time INT,
    hostgroup INT,
    schemaname TEXT,
    username TEXT,
    client_address TEXT,
    digest TEXT,
    digest_text TEXT,
    count_star INT,
    first_seen INT,
    last_seen INT,
    sum_time INT,
    min_time INT,
    max_time INT,
    sum_rows_affected INT,
    sum_rows_sent INT
);

CREATE TABLE IF NOT EXISTS history_mysql_status_variables (
    timestamp INT,
    variable_id INT,
    variable_value TEXT,
    PRIMARY KEY (timestamp, variable_id)
);

CREATE TABLE IF NOT EXISTS history_mysql_status_variables_lookup (
    variable_id INT,
    variable_name TEXT,
    PRIMARY KEY (variable_id),
    UNIQUE (variable_name)
);

CREATE TABLE IF NOT EXISTS history_stats_mysql_connection_pool (
    timestamp INT,
    hostgroup INT,
    srv_host TEXT,
    srv_port INT,
    status TEXT,
    ConnUsed INT,
    ConnFree INT,
    ConnOK INT,
    ConnERR INT,
    MaxConnUsed INT,
    Queries INT,
    Queries_GTID_sync INT,
    Bytes_data_sent INT,
    Bytes_data_recv INT,
    Latency_us INT,
    PRIMARY KEY (timestamp, hostgroup, srv_host, srv_port)
);

CREATE TABLE IF NOT EXISTS myhgm_connections (
    timestamp INT,
    MyHGM_myconnpoll_destroy INT,
    MyHGM_myconnpoll_get INT,
    MyHGM_myconnpoll_get_ok INT,
    MyHGM_myconnpoll_push INT,
    MyHGM_myconnpoll_reset INT,
    PRIMARY KEY (timestamp)
);

CREATE TABLE IF NOT EXISTS myhgm_connections_hour (
    timestamp INT,
    MyHGM_myconnpoll_destroy INT,
    MyHGM_myconnpoll_get INT,
    MyHGM_myconnpoll_get_ok INT,
    MyHGM_myconnpoll_push INT,
    MyHGM_myconnpoll_reset INT,
    PRIMARY KEY (timestamp)
);

CREATE TABLE IF NOT EXISTS myhgm_connections_day (
    timestamp INT,
    MyHGM_myconnpoll_destroy INT,
    MyHGM_myconnpoll_get INT,
    MyHGM_myconnpoll_get_ok INT,
    MyHGM_myconnpoll_push INT,
    MyHGM_myconnpoll_reset INT,
    PRIMARY KEY (timestamp)
);

CREATE TABLE IF NOT EXISTS mysql_connections (
    timestamp INT,
    Client_Connections_aborted INT,
    Client_Connections_connected INT,
    Client_Connections_created INT,
    Server_Connections_aborted INT,
    Server_Connections_connected INT,
    Server_Connections_created INT,
    ConnPool_get_conn_failure INT,
    ConnPool_get_conn_immediate INT,
    ConnPool_get_conn_success INT,
    Questions INT,
    Slow_queries INT,
    GTID_consistent_queries INT,
    PRIMARY KEY (timestamp)
);

CREATE TABLE IF NOT EXISTS mysql_connections_hour (
    timestamp INT,
    Client_Connections_aborted INT,
    Client_Connections_connected INT,
    Client_Connections_created INT,
    Server_Connections_aborted INT,
    Server_Connections_connected INT,
    Server_Connections_created INT,
    ConnPool_get_conn_failure INT,
    ConnPool_get_conn_immediate INT,
    ConnPool_get_conn_success INT,
    Questions INT,
    Slow_queries INT,
    GTID_consistent_queries INT,
    PRIMARY KEY (timestamp)
);

CREATE TABLE IF NOT EXISTS mysql_connections_day (
    timestamp INT,
    Client_Connections_aborted INT,
    Client_Connections_connected INT,
    Client_Connections_created INT,
    Server_Connections_aborted INT,
    Server_Connections_connected INT,
    Server_Connections_created INT,
    ConnPool_get_conn_failure INT,
    ConnPool_get_conn_immediate INT,
    ConnPool_get_conn_success INT,
    Questions INT,
    Slow_queries INT,
    GTID_consistent_queries INT,
    PRIMARY KEY (timestamp)
);

CREATE TABLE IF NOT EXISTS mysql_query_cache (
    timestamp INT,
    count_GET INT,
    count_GET_OK INT,
    count_SET INT,
    bytes_IN INT,
    bytes_OUT INT,
    Entries_Purged INT,
    Entries_In_Cache INT,
    Memory_Bytes INT,
    PRIMARY KEY (timestamp)
);

CREATE TABLE IF NOT EXISTS mysql_query_cache_hour (
    timestamp INT,
    count_GET INT,
    count_GET_OK INT,
    count_SET INT,
    bytes_IN INT,
    bytes_OUT INT,
    Entries_Purged INT,
    Entries_In_Cache INT,
    Memory_Bytes INT,
    PRIMARY KEY (timestamp)
);

CREATE TABLE IF NOT EXISTS mysql_query_cache_day (
    timestamp INT,
    count_GET INT,
    count_GET_OK INT,
    count_SET INT,
    bytes_IN INT,
    bytes_OUT INT,
    Entries_Purged INT,
    Entries_In_Cache INT,
    Memory_Bytes INT,
    PRIMARY KEY (timestamp)
);

CREATE TABLE IF NOT EXISTS system_cpu (
    timestamp INT,
    tms_utime INT,
    tms_stime INT,
    PRIMARY KEY (timestamp)
);

CREATE TABLE IF NOT EXISTS system_cpu_hour (
    timestamp INT,
    tms_utime INT,
    tms_stime INT,
    PRIMARY KEY (timestamp)
);

CREATE TABLE IF NOT EXISTS system_cpu_day (
    timestamp INT,
    tms_utime INT,
    tms_stime INT,
    PRIMARY KEY (timestamp)
);

CREATE TABLE IF NOT EXISTS system_memory (
    timestamp INT,
    allocated INT,
    resident INT,
    active INT,
    mapped INT,
    metadata INT,
    retained INT,
    PRIMARY KEY (timestamp)
);

CREATE TABLE IF NOT EXISTS system_memory_hour (
    timestamp INT,
    allocated INT,
    resident INT,
    active INT,
    mapped INT,
    metadata INT,
    retained INT,
    PRIMARY KEY (timestamp)
);

CREATE TABLE IF NOT EXISTS system_memory_day (
    timestamp INT,
    allocated INT,
    resident INT,
    active INT,
    mapped INT,
    metadata INT,
    retained INT,
    PRIMARY KEY (timestamp)
);
