-- What the probes of servers saw. Filled when a statement names them.

CREATE TABLE mysql_server_aws_aurora_check_status (
    writer_hostgroup INT,
    hostname TEXT,
    port INT DEFAULT 3306,
    last_checked_at INT,
    checks_tot INT DEFAULT 0,
    checks_ok INT DEFAULT 0,
    last_error TEXT,
    PRIMARY KEY (writer_hostgroup, hostname, port)
);

CREATE TABLE mysql_server_aws_aurora_failovers (
    writer_hostgroup INT,
    hostname TEXT,
    inserted_at INT
);

CREATE TABLE mysql_server_aws_aurora_log (
    hostname TEXT,
    port INT DEFAULT 3306,
    time_start_us INT DEFAULT 0,
    success_time_us INT DEFAULT 0,
    error TEXT,
    SERVER_ID TEXT DEFAULT '',
    SESSION_ID TEXT,
    LAST_UPDATE_TIMESTAMP TEXT,
    replica_lag_in_milliseconds REAL DEFAULT 0,
    estimated_lag_ms INT DEFAULT 0,
    CPU REAL DEFAULT 0,
    PRIMARY KEY (hostname, port, time_start_us, SERVER_ID)
);

CREATE TABLE mysql_server_connect_log (
    hostname TEXT,
    port INT DEFAULT 3306,
    time_start_us INT DEFAULT 0,
    connect_success_time_us INT DEFAULT 0,
    connect_error TEXT,
    PRIMARY KEY (hostname, port, time_start_us)
);

CREATE TABLE mysql_server_galera_log (
    hostname TEXT,
    port INT DEFAULT 3306,
    time_start_us INT DEFAULT 0,
    success_time_us INT DEFAULT 0,
    primary_partition TEXT DEFAULT 'NO',
    read_only TEXT DEFAULT 'YES',
    wsrep_local_recv_queue INT DEFAULT 0,
    wsrep_local_state INT DEFAULT 0,
    wsrep_desync TEXT DEFAULT 'NO',
    wsrep_reject_queries TEXT DEFAULT 'NO',
    wsrep_sst_donor_rejects_queries TEXT DEFAULT 'NO',
    pxc_maint_mode TEXT DEFAULT 'NO',
    error TEXT,
    PRIMARY KEY (hostname, port, time_start_us)
);

CREATE TABLE mysql_server_group_replication_log (
    hostname TEXT,
    port INT DEFAULT 3306,
    time_start_us INT DEFAULT 0,
    success_time_us INT DEFAULT 0,
    viable_candidate TEXT DEFAULT 'NO',
    read_only TEXT DEFAULT 'YES',
    transactions_behind INT DEFAULT 0,
    error TEXT,
    PRIMARY KEY (hostname, port, time_start_us)
);

CREATE TABLE mysql_server_ping_log (
    hostname TEXT,
    port INT DEFAULT 3306,
    time_start_us INT DEFAULT 0,
    ping_success_time_us INT DEFAULT 0,
    ping_error TEXT,
    PRIMARY KEY (hostname, port, time_start_us)
);

CREATE TABLE mysql_server_read_only_log (
    hostname TEXT,
    port INT DEFAULT 3306,
    time_start_us INT DEFAULT 0,
    success_time_us INT DEFAULT 0,
    read_only INT DEFAULT 1,
    error TEXT,
    PRIMARY KEY (hostname, port, time_start_us)
);

CREATE TABLE mysql_server_replication_lag_log (
    hostname TEXT,
    port INT DEFAULT 3306,
    time_start_us INT DEFAULT 0,
    success_time_us INT DEFAULT 0,
    repl_lag INT DEFAULT 0,
    error TEXT,
    PRIMARY KEY (hostname, port, time_start_us)
);
