//! Monitoring that was made for ProxySQL reads the tables of figures, and what it reads is true.

use mainstay_e2e::{Client, Family, Login, Sandbox, on_both_families};

mod statements;

on_both_families!(exporters_of_proxysql_read_true_figures);

fn admin(sandbox: &Sandbox) -> Login {
    let admin = &sandbox.announced()["admin"];
    let text = |key: &str| admin[key].as_str().unwrap_or_default().to_owned();
    Login {
        host: text("host"),
        port: admin["port"]
            .as_u64()
            .and_then(|port| port.try_into().ok())
            .expect("a port"),
        user: text("user"),
        password: text("password"),
        database: None,
    }
}

fn exporters_of_proxysql_read_true_figures(family: Family) {
    let sandbox = Sandbox::start(family);
    let mut app = Client::connect(&sandbox.proxy());
    let mut admin = Client::connect(&admin(&sandbox));
    app.execute("CREATE TABLE app.figures (id INT PRIMARY KEY)");
    for id in 1..=3 {
        app.execute(&format!("INSERT INTO app.figures VALUES ({id})"));
    }
    for _ in 0..5 {
        app.query("SELECT id FROM app.figures WHERE id = 2");
    }
    assert_eq!(app.error_of("SELECT nothing FROM app.figures"), 1054);

    what_was_asked_is_counted(&mut admin);
    what_the_servers_did_is_counted(&mut admin);
    every_exporter_gets_its_rows(&mut admin);
    a_session_is_seen_from_both_sides(&mut app, &mut admin);
    figures_begin_anew_when_they_are_read_with_reset(&mut app, &mut admin);
    drop((app, admin));
    sandbox.stop();
}

fn what_was_asked_is_counted(admin: &mut Client) {
    let reads = "SELECT SUM(count_star) FROM stats_mysql_query_digest WHERE hostgroup = 1 AND \
                 digest_text = 'SELECT id FROM app.figures WHERE id = ?'";
    assert_eq!(admin.value(reads), "5");
    let inserts = "SELECT SUM(count_star) FROM stats_mysql_query_digest WHERE digest_text LIKE \
                   'INSERT INTO app.figures%' AND hostgroup = 0";
    assert_eq!(admin.value(inserts), "3");
    let commands = "SELECT Total_cnt FROM stats_mysql_commands_counters WHERE Command = 'INSERT'";
    assert_eq!(admin.value(commands), "3");
    let error = "SELECT count_star FROM stats_mysql_errors WHERE errno = 1054 AND hostgroup = 1";
    assert_eq!(admin.value(error), "1");
    let global = |name: &str| {
        format!("SELECT Variable_Value FROM stats_mysql_global WHERE Variable_Name = '{name}'")
    };
    let questions: u64 = admin.value(&global("Questions")).parse().expect("a number");
    assert!(questions >= 10, "{questions}");
    assert_eq!(admin.value(&global("Client_Connections_connected")), "1");
}

fn what_the_servers_did_is_counted(admin: &mut Client) {
    let writer = "SELECT COUNT(*) FROM stats_mysql_connection_pool WHERE hostgroup = 0 AND \
                  status = 'ONLINE' AND Queries >= 4 AND ConnOK >= 1 AND Bytes_data_sent > 0";
    assert_eq!(admin.value(writer), "1");
    let readers = "SELECT SUM(Queries) >= 6 AND SUM(Bytes_data_recv) > 0 FROM \
                   stats_mysql_connection_pool WHERE hostgroup = 1";
    assert_eq!(admin.value(readers), "1");
    let servers = "SELECT COUNT(DISTINCT srv_port) FROM stats_mysql_connection_pool";
    assert_eq!(admin.value(servers), "3");
    assert_eq!(
        admin.value("SELECT COUNT(*) FROM stats_mysql_gtid_executed"),
        "3"
    );
}

fn every_exporter_gets_its_rows(admin: &mut Client) {
    for (exporter, statement) in statements::EXPORTERS {
        let rows = admin.try_query(statement);
        let rows = rows.unwrap_or_else(|error| panic!("{exporter}: {statement}: {error}"));
        assert!(rows.first().is_some(), "{exporter}: {statement}");
    }
    // Exporters written in Go take no NULL for a text.
    let missing = "SELECT COUNT(*) FROM stats_mysql_processlist WHERE user IS NULL OR db IS NULL \
                   OR cli_host IS NULL OR hostgroup IS NULL OR srv_host IS NULL OR info IS NULL";
    assert_eq!(admin.value(missing), "0");
}

fn a_session_is_seen_from_both_sides(app: &mut Client, admin: &mut Client) {
    app.execute("BEGIN");
    app.execute("INSERT INTO app.figures VALUES (9)");
    let seen = "SELECT extended_info FROM stats_mysql_processlist WHERE user = 'app' AND \
                hostgroup = 0 AND srv_port > 0";
    assert!(admin.value(seen).contains("an open transaction"));
    let own = app.value("PROXYSQL INTERNAL SESSION");
    for part in [
        "\"active_transactions\":1",
        "\"MultiplexDisabled\":true",
        "\"hostgroup_id\":0",
    ] {
        assert!(own.contains(part), "{part}: {own}");
    }
    let used = "SELECT ConnUsed FROM stats_mysql_connection_pool WHERE hostgroup = 0";
    assert_eq!(admin.value(used), "1");
    app.execute("ROLLBACK");
    assert_eq!(admin.value(used), "0");
}

fn figures_begin_anew_when_they_are_read_with_reset(app: &mut Client, admin: &mut Client) {
    let before = admin.column("SELECT digest_text FROM stats_mysql_query_digest_reset");
    assert!(before.len() > 3, "{before:?}");
    app.query("SELECT id FROM app.figures WHERE id = 3");
    let digests = "SELECT digest_text FROM stats_mysql_query_digest";
    assert_eq!(
        admin.column(digests),
        ["SELECT id FROM app.figures WHERE id = ?"]
    );
    // What was asked of servers is another table.
    let errors = "SELECT COUNT(*) FROM stats_mysql_errors WHERE errno = 1054";
    assert_eq!(admin.value(errors), "1");
    admin.query("SELECT * FROM stats_mysql_connection_pool_reset");
    let queries = "SELECT SUM(Queries) FROM stats_mysql_connection_pool";
    assert_eq!(admin.value(queries), "0");
}
