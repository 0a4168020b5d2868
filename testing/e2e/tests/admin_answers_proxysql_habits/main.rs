//! Port 6032, as operators and exporters of ProxySQL use it: with the client that comes with the
//! servers, and with prepared statements.

use mainstay_e2e::{Client, Family, Login, Sandbox, SqlValue, on_both_families, server_client};

on_both_families!(operators_of_proxysql_are_at_home);

/// What exporters read, several times a minute.
const EXPORTED: [&str; 8] = [
    "SHOW MYSQL STATUS",
    "SELECT Variable_Name, Variable_Value FROM stats_mysql_global",
    "SELECT hostgroup, srv_host, srv_port, status, ConnUsed, ConnFree, ConnOK, ConnERR, Queries, \
     Bytes_data_sent, Bytes_data_recv, Latency_us FROM stats_mysql_connection_pool",
    "SELECT Variable_Name, Variable_Value FROM stats_memory_metrics",
    "SELECT Command, Total_Time_us, Total_cnt FROM stats_mysql_commands_counters",
    "SELECT user, COUNT(*) FROM stats_mysql_processlist GROUP BY user",
    "SELECT hostgroup_id, hostname, port, status FROM main.runtime_mysql_servers",
    "SELECT * FROM stats.stats_mysql_users",
];

fn operators_of_proxysql_are_at_home(family: Family) {
    let mut sandbox = Sandbox::start(family);
    clients_are_greeted(&sandbox);
    rows_decide_where_statements_go(&sandbox);
    wrong_rows_change_nothing(&sandbox);
    accounts_of_the_servers_become_users(&sandbox);
    an_exporter_sees_figures_and_no_passwords(&sandbox);
    drift_is_shown(&sandbox);
    the_proxy_takes_no_clients_for_a_while(&sandbox);
    sandbox.stop();
    sandbox.start_again();
    saved_rows_run_again(&sandbox);
}

fn ask(sandbox: &Sandbox, sql: &str) -> String {
    let answer = server_client(sandbox.family(), &sandbox.admin(), &[], sql);
    answer.succeeded()
}

fn refused(sandbox: &Sandbox, sql: &str) -> String {
    server_client(sandbox.family(), &sandbox.admin(), &[], sql).failed_with(1)
}

fn clients_are_greeted(sandbox: &Sandbox) {
    let version = ask(sandbox, "SELECT @@version_comment, DATABASE()");
    assert!(version.contains("Mainstay"), "{version}");
    let tables = ask(sandbox, "USE stats; SHOW TABLES LIKE '%digest%'");
    assert_eq!(
        tables.trim(),
        "stats_mysql_query_digest\nstats_mysql_query_digest_reset"
    );
    let stranger = Login {
        password: "guess".to_owned(),
        ..sandbox.admin()
    };
    let error = server_client(sandbox.family(), &stranger, &[], "SELECT 1").failed_with(1);
    assert!(error.contains("1045"), "{error}");

    let mut session = Client::connect(&sandbox.admin());
    let sql = "SELECT ? + 1, hostname FROM runtime_mysql_servers WHERE port = ? LIMIT 1";
    let port = u64::from(sandbox.servers()[0].login.port);
    let statement = session.prepare(sql);
    let rows = session.run(&statement, &[SqlValue::Int(41), SqlValue::UInt(port)]);
    assert_eq!(rows.rows.len(), 1);
}

fn rows_decide_where_statements_go(sandbox: &Sandbox) {
    let status = sandbox.status();
    let primary = status.server(status.primary().expect("a primary"))["server_id"].to_string();
    let mut session = Client::connect(&sandbox.proxy());
    assert_ne!(
        session.value("SELECT @@server_id"),
        primary,
        "reads are split"
    );
    ask(
        sandbox,
        "INSERT INTO mysql_query_rules (rule_id, active, match_digest, destination_hostgroup, \
         apply) VALUES (1, 1, '^SELECT @@server_id', 0, 1); LOAD MYSQL QUERY RULES TO RUNTIME; \
         SAVE MYSQL QUERY RULES TO DISK",
    );
    let mut session = Client::connect(&sandbox.proxy());
    assert_eq!(session.value("SELECT @@server_id"), primary);
    let hits = ask(
        sandbox,
        "SELECT hits > 0 FROM stats_mysql_query_rules WHERE rule_id = 1",
    );
    assert_eq!(hits.trim(), "1");
    let joined = "SELECT count(*) > 0 FROM stats_mysql_query_digest AS d \
                  JOIN runtime_mysql_query_rules AS r ON d.digest_text LIKE 'SELECT @@server_id%'";
    assert_eq!(ask(sandbox, joined).trim(), "1");
    let why = ask(sandbox, "EXPLAIN ROUTE SELECT @@server_id");
    assert!(why.contains("rules"), "{why}");
}

fn the_proxy_takes_no_clients_for_a_while(sandbox: &Sandbox) {
    let connects = || {
        let login = sandbox.proxy();
        server_client(sandbox.family(), &login, &[], "SELECT 1").code == Some(0)
    };
    let mut session = Client::connect(&sandbox.proxy());
    assert_eq!(session.value("SELECT 1"), "1");
    ask(sandbox, "PROXYSQL PAUSE");
    assert!(!connects(), "paused");
    assert_eq!(session.value("SELECT 2"), "2", "who is there goes on");
    ask(sandbox, "PROXYSQL RESUME");
    assert!(connects());
    let sessions = "SELECT count(*) FROM stats_mysql_processlist";
    assert_ne!(ask(sandbox, sessions).trim(), "0");
    ask(sandbox, "MAINSTAY STOP");
    assert_eq!(ask(sandbox, sessions).trim(), "0");
    assert!(!connects(), "stopped");
    ask(sandbox, "MAINSTAY START");
    assert!(connects());
}

fn wrong_rows_change_nothing(sandbox: &Sandbox) {
    let before = ask(sandbox, "SELECT * FROM runtime_mysql_query_rules");
    let error = refused(
        sandbox,
        "INSERT INTO mysql_query_rules (rule_id, active, match_pattern) VALUES (2, 1, '('); \
         LOAD MYSQL QUERY RULES TO RUNTIME",
    );
    assert!(
        error.contains("mysql_query_rules rule_id=2: match_pattern"),
        "{error}"
    );
    let error = refused(
        sandbox,
        "UPDATE mysql_query_rules SET match_pattern = NULL, destination_hostgroup = 77 \
         WHERE rule_id = 2; LOAD MYSQL QUERY RULES TO RUN",
    );
    assert!(error.contains("there is no hostgroup 77"), "{error}");
    ask(sandbox, "DELETE FROM mysql_query_rules WHERE rule_id = 2");
    assert_eq!(
        ask(sandbox, "SELECT * FROM runtime_mysql_query_rules"),
        before
    );
    for (sql, number) in [
        ("UPDATE mysql_servers SET port = 70000", "3819"),
        ("UPDATE mysql_servers SET port = 'x'", "1366"),
        ("UPDATE runtime_mysql_servers SET port = 1", "1227"),
        ("SELECT * FROM nowhere", "1146"),
        ("SELECT 1 INTO OUTFILE '/tmp/x'", "1105"),
    ] {
        let error = refused(sandbox, sql);
        assert!(error.contains(number), "{sql}: {error}");
    }
}

fn accounts_of_the_servers_become_users(sandbox: &Sandbox) {
    let mut server = Client::connect(&sandbox.manager_login(&sandbox.primary()));
    server.execute("CREATE USER 'shop'@'%' IDENTIFIED BY 'shop-secret'");
    sandbox.wait("the account on all servers", |_| {
        sandbox.servers().iter().all(|one| {
            let mut server = Client::connect(&sandbox.manager_login(&one.name));
            server.value("SELECT COUNT(*) FROM mysql.user WHERE User = 'shop'") == "1"
        })
    });
    ask(
        sandbox,
        "LOAD MYSQL USERS FROM SERVERS; LOAD MYSQL USERS TO RUNTIME",
    );
    let users = ask(
        sandbox,
        "SELECT username FROM runtime_mysql_users ORDER BY username",
    );
    assert_eq!(users.trim(), "app\nshop");
    let shop = Login {
        user: "shop".to_owned(),
        password: "shop-secret".to_owned(),
        database: None,
        ..sandbox.proxy()
    };
    assert_eq!(Client::connect(&shop).value("SELECT 1"), "1");
}

fn an_exporter_sees_figures_and_no_passwords(sandbox: &Sandbox) {
    let exporter = Login {
        user: "stats".to_owned(),
        ..sandbox.admin()
    };
    let family = sandbox.family();
    for sql in EXPORTED {
        server_client(family, &exporter, &[], sql).succeeded();
    }
    for sql in [
        "SELECT * FROM mysql_users",
        "SHOW VARIABLES",
        "LOAD MYSQL USERS TO RUNTIME",
    ] {
        let error = server_client(family, &exporter, &[], sql).failed_with(1);
        assert!(error.contains("1227"), "{sql}: {error}");
    }
}

fn drift_is_shown(sandbox: &Sandbox) {
    ask(sandbox, "SET mysql-wait_timeout='600000'");
    let drift = "SELECT row_key, in_memory, in_runtime, comment FROM config_drift \
                 WHERE table_name = 'global_variables'";
    let shown = ask(sandbox, drift);
    assert!(
        shown.contains("mysql-wait_timeout\t600000\t28800000"),
        "{shown}"
    );
    ask(sandbox, "LOAD MYSQL VARIABLES TO RUNTIME");
    assert!(
        ask(sandbox, drift).contains("not saved"),
        "what runs is not in the file"
    );
    ask(
        sandbox,
        "LOAD MYSQL VARIABLES FROM CONFIG; LOAD MYSQL VARIABLES TO RUNTIME",
    );
    assert_eq!(ask(sandbox, drift), "");
}

fn saved_rows_run_again(sandbox: &Sandbox) {
    let rules = "SELECT rule_id, match_digest FROM runtime_mysql_query_rules";
    assert_eq!(ask(sandbox, rules).trim(), "1\t^SELECT @@server_id");
    let drift = ask(
        sandbox,
        "SELECT comment FROM config_drift WHERE table_name LIKE '%rules'",
    );
    assert!(
        drift.contains("what runs is not what the file says"),
        "{drift}"
    );
}
