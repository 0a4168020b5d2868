-- Figures of the proxy. Filled when a statement names them; `_reset` begins to count again.

CREATE TABLE stats_memory_metrics (
    Variable_Name TEXT,
    Variable_Value TEXT,
    PRIMARY KEY (Variable_Name)
);

CREATE TABLE stats_mysql_client_host_cache (
    client_address TEXT,
    error_count INT,
    last_updated INT
);

CREATE TABLE stats_mysql_client_host_cache_reset (
    client_address TEXT,
    error_count INT,
    last_updated INT
);

CREATE TABLE stats_mysql_commands_counters (
    Command TEXT,
    Total_Time_us INT,
    Total_cnt INT,
    cnt_100us INT,
    cnt_500us INT,
    cnt_1ms INT,
    cnt_5ms INT,
    cnt_10ms INT,
    cnt_50ms INT,
    cnt_100ms INT,
    cnt_500ms INT,
    cnt_1s INT,
    cnt_5s INT,
    cnt_10s INT,
    cnt_INFs INT,
    PRIMARY KEY (Command)
);

CREATE TABLE stats_mysql_connection_pool (
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
    Latency_us INT
);

CREATE TABLE stats_mysql_connection_pool_reset (
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
    Latency_us INT
);

CREATE TABLE stats_mysql_errors (
    hostgroup INT,
    hostname TEXT,
    port INT,
    username TEXT,
    client_address TEXT,
    schemaname TEXT,
    errno INT,
    count_star INT,
    first_seen INT,
    last_seen INT,
    last_error TEXT DEFAULT '',
    PRIMARY KEY (hostgroup, hostname, port, username, schemaname, errno)
);

CREATE TABLE stats_mysql_errors_reset (
    hostgroup INT,
    hostname TEXT,
    port INT,
    username TEXT,
    client_address TEXT,
    schemaname TEXT,
    errno INT,
    count_star INT,
    first_seen INT,
    last_seen INT,
    last_error TEXT DEFAULT '',
    PRIMARY KEY (hostgroup, hostname, port, username, schemaname, errno)
);

CREATE TABLE stats_mysql_free_connections (
    fd INT,
    hostgroup INT,
    srv_host TEXT,
    srv_port INT,
    user TEXT,
    "schema" TEXT,
    init_connect TEXT,
    time_zone TEXT,
    sql_mode TEXT,
    autocommit INT,
    idle_ms INT,
    statistics TEXT,
    mysql_info TEXT
);

CREATE TABLE stats_mysql_global (
    Variable_Name TEXT,
    Variable_Value TEXT,
    PRIMARY KEY (Variable_Name)
);

CREATE TABLE stats_mysql_gtid_executed (
    hostname TEXT,
    port INT DEFAULT 3306,
    gtid_executed TEXT,
    events INT
);

CREATE TABLE stats_mysql_prepared_statements_info (
    global_stmt_id INT,
    schemaname TEXT,
    username TEXT,
    digest TEXT,
    ref_count_client INT,
    ref_count_server INT,
    num_columns INT,
    num_params INT,
    query TEXT
);

CREATE TABLE stats_mysql_processlist (
    ThreadID INT,
    SessionID INT,
    user TEXT,
    db TEXT,
    cli_host TEXT,
    cli_port TEXT,
    hostgroup INT,
    l_srv_host TEXT,
    l_srv_port TEXT,
    srv_host TEXT,
    srv_port TEXT,
    command TEXT,
    time_ms INT,
    info TEXT,
    status_flags TEXT,
    extended_info TEXT,
    PRIMARY KEY (SessionID)
);

CREATE TABLE stats_mysql_query_digest (
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
    sum_rows_sent INT,
    PRIMARY KEY (hostgroup, schemaname, username, client_address, digest)
);

CREATE TABLE stats_mysql_query_digest_reset (
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
    sum_rows_sent INT,
    PRIMARY KEY (hostgroup, schemaname, username, client_address, digest)
);

CREATE TABLE stats_mysql_query_rules (
    rule_id INT,
    hits INT,
    PRIMARY KEY (rule_id)
);

CREATE TABLE stats_mysql_users (
    username TEXT,
    frontend_connections INT,
    frontend_max_connections INT,
    PRIMARY KEY (username)
);

CREATE TABLE stats_proxysql_message_metrics (
    message_id TEXT,
    filename TEXT,
    line INT DEFAULT 0,
    func TEXT,
    count_star INT,
    first_seen INT,
    last_seen INT,
    PRIMARY KEY (filename, line, func)
);

CREATE TABLE stats_proxysql_message_metrics_reset (
    message_id TEXT,
    filename TEXT,
    line INT DEFAULT 0,
    func TEXT,
    count_star INT,
    first_seen INT,
    last_seen INT,
    PRIMARY KEY (filename, line, func)
);

CREATE TABLE stats_proxysql_servers_checksums (
    hostname TEXT,
    port INT DEFAULT 6032,
    name TEXT,
    version INT,
    epoch INT,
    checksum TEXT,
    changed_at INT,
    updated_at INT,
    diff_check INT,
    PRIMARY KEY (hostname, port, name)
);

CREATE TABLE stats_proxysql_servers_clients_status (
    uuid TEXT,
    hostname TEXT,
    port INT,
    admin_mysql_ifaces TEXT,
    last_seen_at INT,
    PRIMARY KEY (uuid, hostname, port)
);

CREATE TABLE stats_proxysql_servers_metrics (
    hostname TEXT,
    port INT DEFAULT 6032,
    weight INT DEFAULT 0,
    comment TEXT DEFAULT '',
    response_time_ms INT,
    Uptime_s INT,
    last_check_ms INT,
    Queries INT,
    Client_Connections_connected INT,
    Client_Connections_created INT,
    PRIMARY KEY (hostname, port)
);

CREATE TABLE stats_proxysql_servers_status (
    hostname TEXT,
    port INT DEFAULT 6032,
    weight INT DEFAULT 0,
    master TEXT,
    global_version INT,
    check_age_us INT,
    ping_time_us INT,
    checks_OK INT,
    checks_ERR INT,
    PRIMARY KEY (hostname, port)
);
