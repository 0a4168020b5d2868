-- The configuration, with the columns, keys, defaults and value sets of ProxySQL 2.7.
-- One column a line: its name comes first. `runtime_` twins and `disk` are made from these.

CREATE TABLE global_variables (
    variable_name TEXT NOT NULL PRIMARY KEY,
    variable_value TEXT NOT NULL
) STRICT;

CREATE TABLE mysql_users (
    username TEXT NOT NULL,
    password TEXT,
    active INT NOT NULL DEFAULT 1 CHECK (active IN (0, 1)),
    use_ssl INT NOT NULL DEFAULT 0 CHECK (use_ssl IN (0, 1)),
    default_hostgroup INT DEFAULT 0 CHECK (default_hostgroup >= 0),
    default_schema TEXT,
    schema_locked INT NOT NULL DEFAULT 0 CHECK (schema_locked IN (0, 1)),
    transaction_persistent INT NOT NULL DEFAULT 1 CHECK (transaction_persistent IN (0, 1)),
    fast_forward INT NOT NULL DEFAULT 0 CHECK (fast_forward IN (0, 1)),
    backend INT NOT NULL DEFAULT 1 CHECK (backend IN (0, 1)),
    frontend INT NOT NULL DEFAULT 1 CHECK (frontend IN (0, 1)),
    max_connections INT NOT NULL DEFAULT 10000 CHECK (max_connections >= 0),
    attributes TEXT NOT NULL DEFAULT '' CHECK (attributes = '' OR json_valid(attributes)),
    comment TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (username, backend),
    UNIQUE (username, frontend)
) STRICT;

CREATE TABLE mysql_servers (
    hostgroup_id INT NOT NULL DEFAULT 0 CHECK (hostgroup_id >= 0),
    hostname TEXT NOT NULL,
    port INT NOT NULL DEFAULT 3306 CHECK (port BETWEEN 0 AND 65535),
    gtid_port INT NOT NULL DEFAULT 0 CHECK ((gtid_port <> port OR gtid_port = 0) AND gtid_port BETWEEN 0 AND 65535),
    status TEXT NOT NULL DEFAULT 'ONLINE' CHECK (upper(status) IN ('ONLINE', 'SHUNNED', 'OFFLINE_SOFT', 'OFFLINE_HARD')),
    weight INT NOT NULL DEFAULT 1 CHECK (weight BETWEEN 0 AND 10000000),
    compression INT NOT NULL DEFAULT 0 CHECK (compression IN (0, 1)),
    max_connections INT NOT NULL DEFAULT 1000 CHECK (max_connections >= 0),
    max_replication_lag INT NOT NULL DEFAULT 0 CHECK (max_replication_lag BETWEEN 0 AND 126144000),
    use_ssl INT NOT NULL DEFAULT 0 CHECK (use_ssl IN (0, 1)),
    max_latency_ms INT NOT NULL DEFAULT 0 CHECK (max_latency_ms >= 0),
    comment TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (hostgroup_id, hostname, port)
) STRICT;

CREATE TABLE mysql_servers_ssl_params (
    hostname TEXT NOT NULL,
    port INT NOT NULL DEFAULT 3306 CHECK (port BETWEEN 0 AND 65535),
    username TEXT NOT NULL DEFAULT '',
    ssl_ca TEXT NOT NULL DEFAULT '',
    ssl_cert TEXT NOT NULL DEFAULT '',
    ssl_key TEXT NOT NULL DEFAULT '',
    ssl_capath TEXT NOT NULL DEFAULT '',
    ssl_crl TEXT NOT NULL DEFAULT '',
    ssl_crlpath TEXT NOT NULL DEFAULT '',
    ssl_cipher TEXT NOT NULL DEFAULT '',
    tls_version TEXT NOT NULL DEFAULT '',
    comment TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (hostname, port, username)
) STRICT;

CREATE TABLE mysql_replication_hostgroups (
    writer_hostgroup INT NOT NULL PRIMARY KEY CHECK (writer_hostgroup >= 0),
    reader_hostgroup INT NOT NULL CHECK (reader_hostgroup <> writer_hostgroup AND reader_hostgroup >= 0),
    check_type TEXT NOT NULL DEFAULT 'read_only' CHECK (lower(check_type) IN ('read_only', 'innodb_read_only', 'super_read_only', 'read_only|innodb_read_only', 'read_only&innodb_read_only')),
    comment TEXT NOT NULL DEFAULT '',
    UNIQUE (reader_hostgroup)
) STRICT;

CREATE TABLE mysql_group_replication_hostgroups (
    writer_hostgroup INT NOT NULL PRIMARY KEY CHECK (writer_hostgroup >= 0),
    backup_writer_hostgroup INT NOT NULL CHECK (backup_writer_hostgroup >= 0 AND backup_writer_hostgroup <> writer_hostgroup),
    reader_hostgroup INT NOT NULL CHECK (reader_hostgroup > 0 AND reader_hostgroup NOT IN (writer_hostgroup, backup_writer_hostgroup)),
    offline_hostgroup INT NOT NULL CHECK (offline_hostgroup >= 0 AND offline_hostgroup NOT IN (writer_hostgroup, backup_writer_hostgroup, reader_hostgroup)),
    active INT NOT NULL DEFAULT 1 CHECK (active IN (0, 1)),
    max_writers INT NOT NULL DEFAULT 1 CHECK (max_writers >= 0),
    writer_is_also_reader INT NOT NULL DEFAULT 0 CHECK (writer_is_also_reader IN (0, 1, 2)),
    max_transactions_behind INT NOT NULL DEFAULT 0 CHECK (max_transactions_behind >= 0),
    comment TEXT,
    UNIQUE (reader_hostgroup),
    UNIQUE (offline_hostgroup),
    UNIQUE (backup_writer_hostgroup)
) STRICT;

CREATE TABLE mysql_galera_hostgroups (
    writer_hostgroup INT NOT NULL PRIMARY KEY CHECK (writer_hostgroup >= 0),
    backup_writer_hostgroup INT NOT NULL CHECK (backup_writer_hostgroup >= 0 AND backup_writer_hostgroup <> writer_hostgroup),
    reader_hostgroup INT NOT NULL CHECK (reader_hostgroup > 0 AND reader_hostgroup NOT IN (writer_hostgroup, backup_writer_hostgroup)),
    offline_hostgroup INT NOT NULL CHECK (offline_hostgroup >= 0 AND offline_hostgroup NOT IN (writer_hostgroup, backup_writer_hostgroup, reader_hostgroup)),
    active INT NOT NULL DEFAULT 1 CHECK (active IN (0, 1)),
    max_writers INT NOT NULL DEFAULT 1 CHECK (max_writers >= 0),
    writer_is_also_reader INT NOT NULL DEFAULT 0 CHECK (writer_is_also_reader IN (0, 1, 2)),
    max_transactions_behind INT NOT NULL DEFAULT 0 CHECK (max_transactions_behind >= 0),
    comment TEXT,
    UNIQUE (reader_hostgroup),
    UNIQUE (offline_hostgroup),
    UNIQUE (backup_writer_hostgroup)
) STRICT;

CREATE TABLE mysql_aws_aurora_hostgroups (
    writer_hostgroup INT NOT NULL PRIMARY KEY CHECK (writer_hostgroup >= 0),
    reader_hostgroup INT NOT NULL CHECK (reader_hostgroup <> writer_hostgroup AND reader_hostgroup > 0),
    active INT NOT NULL DEFAULT 1 CHECK (active IN (0, 1)),
    aurora_port INT NOT NULL DEFAULT 3306,
    domain_name TEXT NOT NULL CHECK (substr(domain_name, 1, 1) = '.'),
    max_lag_ms INT NOT NULL DEFAULT 600000 CHECK (max_lag_ms BETWEEN 10 AND 600000),
    check_interval_ms INT NOT NULL DEFAULT 1000 CHECK (check_interval_ms BETWEEN 100 AND 600000),
    check_timeout_ms INT NOT NULL DEFAULT 800 CHECK (check_timeout_ms BETWEEN 80 AND 3000),
    writer_is_also_reader INT NOT NULL DEFAULT 0 CHECK (writer_is_also_reader IN (0, 1)),
    new_reader_weight INT NOT NULL DEFAULT 1 CHECK (new_reader_weight BETWEEN 0 AND 10000000),
    add_lag_ms INT NOT NULL DEFAULT 30 CHECK (add_lag_ms BETWEEN 0 AND 600000),
    min_lag_ms INT NOT NULL DEFAULT 30 CHECK (min_lag_ms BETWEEN 0 AND 600000),
    lag_num_checks INT NOT NULL DEFAULT 1 CHECK (lag_num_checks BETWEEN 1 AND 16),
    comment TEXT,
    UNIQUE (reader_hostgroup)
) STRICT;

CREATE TABLE mysql_hostgroup_attributes (
    hostgroup_id INT NOT NULL PRIMARY KEY CHECK (hostgroup_id >= 0),
    max_num_online_servers INT NOT NULL DEFAULT 1000000 CHECK (max_num_online_servers BETWEEN 0 AND 1000000),
    autocommit INT NOT NULL DEFAULT -1 CHECK (autocommit IN (-1, 0, 1)),
    free_connections_pct INT NOT NULL DEFAULT 10 CHECK (free_connections_pct BETWEEN 0 AND 100),
    init_connect TEXT NOT NULL DEFAULT '',
    multiplex INT NOT NULL DEFAULT 1 CHECK (multiplex IN (0, 1)),
    connection_warming INT NOT NULL DEFAULT 0 CHECK (connection_warming IN (0, 1)),
    throttle_connections_per_sec INT NOT NULL DEFAULT 1000000 CHECK (throttle_connections_per_sec BETWEEN 1 AND 1000000),
    ignore_session_variables TEXT NOT NULL DEFAULT '' CHECK (ignore_session_variables = '' OR json_valid(ignore_session_variables)),
    hostgroup_settings TEXT NOT NULL DEFAULT '' CHECK (hostgroup_settings = '' OR json_valid(hostgroup_settings)),
    servers_defaults TEXT NOT NULL DEFAULT '' CHECK (servers_defaults = '' OR json_valid(servers_defaults)),
    comment TEXT NOT NULL DEFAULT ''
) STRICT;

CREATE TABLE mysql_query_rules (
    rule_id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    active INT NOT NULL DEFAULT 0 CHECK (active IN (0, 1)),
    username TEXT,
    schemaname TEXT,
    flagIN INT NOT NULL DEFAULT 0 CHECK (flagIN >= 0),
    client_addr TEXT,
    proxy_addr TEXT,
    proxy_port INT CHECK (proxy_port BETWEEN 0 AND 65535),
    digest TEXT,
    match_digest TEXT,
    match_pattern TEXT,
    negate_match_pattern INT NOT NULL DEFAULT 0 CHECK (negate_match_pattern IN (0, 1)),
    re_modifiers TEXT DEFAULT 'CASELESS',
    flagOUT INT CHECK (flagOUT >= 0),
    replace_pattern TEXT CHECK (replace_pattern IS NULL OR match_pattern IS NOT NULL),
    destination_hostgroup INT DEFAULT NULL CHECK (destination_hostgroup >= 0),
    cache_ttl INT CHECK (cache_ttl > 0),
    cache_empty_result INT DEFAULT NULL CHECK (cache_empty_result IN (0, 1)),
    cache_timeout INT CHECK (cache_timeout >= 0),
    reconnect INT DEFAULT NULL CHECK (reconnect IN (0, 1)),
    timeout INT CHECK (timeout >= 0),
    retries INT CHECK (retries BETWEEN 0 AND 1000),
    delay INT CHECK (delay >= 0),
    next_query_flagIN INT CHECK (next_query_flagIN >= 0),
    mirror_flagOUT INT CHECK (mirror_flagOUT >= 0),
    mirror_hostgroup INT CHECK (mirror_hostgroup >= 0),
    error_msg TEXT,
    OK_msg TEXT,
    sticky_conn INT CHECK (sticky_conn IN (0, 1)),
    multiplex INT CHECK (multiplex IN (0, 1, 2)),
    gtid_from_hostgroup INT CHECK (gtid_from_hostgroup >= 0),
    log INT CHECK (log IN (0, 1)),
    apply INT NOT NULL DEFAULT 0 CHECK (apply IN (0, 1)),
    attributes TEXT NOT NULL DEFAULT '' CHECK (attributes = '' OR json_valid(attributes)),
    comment TEXT
) STRICT;

CREATE TABLE mysql_query_rules_fast_routing (
    username TEXT NOT NULL,
    schemaname TEXT NOT NULL,
    flagIN INT NOT NULL DEFAULT 0,
    destination_hostgroup INT NOT NULL CHECK (destination_hostgroup >= 0),
    comment TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (username, schemaname, flagIN)
) STRICT;

CREATE TABLE mysql_firewall_whitelist_users (
    active INT NOT NULL DEFAULT 1 CHECK (active IN (0, 1)),
    username TEXT NOT NULL,
    client_address TEXT NOT NULL DEFAULT '',
    mode TEXT NOT NULL CHECK (mode IN ('OFF', 'DETECTING', 'PROTECTING')),
    comment TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (username, client_address)
) STRICT;

CREATE TABLE mysql_firewall_whitelist_rules (
    active INT NOT NULL DEFAULT 1 CHECK (active IN (0, 1)),
    username TEXT NOT NULL,
    client_address TEXT NOT NULL DEFAULT '',
    schemaname TEXT NOT NULL DEFAULT '',
    flagIN INT NOT NULL DEFAULT 0,
    digest TEXT NOT NULL,
    comment TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (username, client_address, schemaname, flagIN, digest)
) STRICT;

CREATE TABLE mysql_firewall_whitelist_sqli_fingerprints (
    active INT NOT NULL DEFAULT 1 CHECK (active IN (0, 1)),
    fingerprint TEXT NOT NULL,
    PRIMARY KEY (fingerprint)
) STRICT;

CREATE TABLE scheduler (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    active INT NOT NULL DEFAULT 1 CHECK (active IN (0, 1)),
    interval_ms INT NOT NULL CHECK (interval_ms BETWEEN 100 AND 100000000),
    filename TEXT NOT NULL,
    arg1 TEXT,
    arg2 TEXT,
    arg3 TEXT,
    arg4 TEXT,
    arg5 TEXT,
    comment TEXT NOT NULL DEFAULT ''
) STRICT;

CREATE TABLE restapi_routes (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    active INT NOT NULL DEFAULT 1 CHECK (active IN (0, 1)),
    timeout_ms INT NOT NULL CHECK (timeout_ms BETWEEN 100 AND 100000000),
    method TEXT NOT NULL CHECK (upper(method) IN ('GET', 'POST')),
    uri TEXT NOT NULL,
    script TEXT NOT NULL,
    comment TEXT NOT NULL DEFAULT ''
) STRICT;

CREATE TABLE proxysql_servers (
    hostname TEXT NOT NULL,
    port INT NOT NULL DEFAULT 6032,
    weight INT NOT NULL DEFAULT 0 CHECK (weight >= 0),
    comment TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (hostname, port)
) STRICT;

CREATE TABLE coredump_filters (
    filename TEXT NOT NULL,
    line INT NOT NULL,
    PRIMARY KEY (filename, line)
) STRICT;
