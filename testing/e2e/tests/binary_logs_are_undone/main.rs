//! `mainstay binlog` takes a server's own binary logs: what it undoes is gone without a trace, and
//! what it redoes is there with the same rows, under the same GTIDs.

use std::fs;
use std::path::PathBuf;

use mainstay_e2e::{Client, Family, Home, Sandbox, on_both_families};

on_both_families!(transactions_are_undone_on_their_server_and_redone_on_another);

const TABLES: &str = "CHECKSUM TABLE shop.stock, shop.orders";

fn transactions_are_undone_on_their_server_and_redone_on_another(family: Family) {
    let kept = Home::new();
    let script = kept.join("redo.sql");
    let (before, after, gtids) = {
        let sandbox = Sandbox::start(family);
        let mut client = administrator(&sandbox);
        let begin = executed(&mut client, family);
        client.execute(own_stream(family));
        fill(&mut client);
        let before = checksums(&mut client);
        let filled = executed(&mut client, family);
        change(&mut client);
        let after = checksums(&mut client);
        assert_ne!(before, after);

        let redo = binlog(&sandbox, "redo", &begin);
        fs::write(&script, redo).expect("a file can be written");
        let undo = binlog(&sandbox, "undo", &filled);
        run(&mut client, &undo);
        assert_eq!(checksums(&mut client), before);
        (before, after, own_gtids(&mut client, family))
    };
    assert_ne!(before, after);

    let sandbox = Sandbox::start(family);
    let mut client = administrator(&sandbox);
    run(&mut client, &fs::read_to_string(&script).expect("a file"));
    assert_eq!(checksums(&mut client), after);
    let redone = own_gtids(&mut client, family);
    assert!(
        redone.contains(&gtids),
        "{gtids} is not among what the other server has executed: {redone}"
    );
}

fn fill(client: &mut Client) {
    client.execute("CREATE DATABASE shop");
    client.execute(
        "CREATE TABLE shop.stock (item INT PRIMARY KEY, name VARCHAR(300), price DECIMAL(12,4), \
         since DATETIME(3), picture BLOB)",
    );
    client.execute(
        "CREATE TABLE shop.orders (id INT AUTO_INCREMENT PRIMARY KEY, item INT, note CHAR(9))",
    );
    client.execute(
        "INSERT INTO shop.stock VALUES (1, 'apple', 1.5, '2026-01-02 03:04:05.678', x'00ff27'), \
         (2, REPEAT('é', 200), -0.0001, NULL, NULL), (3, '', 99999999.9999, NOW(3), '')",
    );
    client.execute("INSERT INTO shop.orders (item, note) VALUES (1, 'a'), (2, NULL), (3, 'c')");
}

fn change(client: &mut Client) {
    client.execute("START TRANSACTION");
    client.execute("UPDATE shop.stock SET price = price - 1, item = item + 10");
    client.execute("DELETE FROM shop.orders WHERE item > 1");
    client.execute("INSERT INTO shop.orders (item, note) VALUES (11, 'new')");
    client.execute("COMMIT");
    client.execute("UPDATE shop.stock SET picture = NULL, since = NULL, name = 'gone'");
    client.execute("DELETE FROM shop.stock WHERE item = 12");
    client.execute("INSERT INTO shop.stock (item) VALUES (2)");
}

/// A GTID stream that the other sandbox does not have.
fn own_stream(family: Family) -> &'static str {
    match family {
        Family::MariaDb => "SET SESSION gtid_domain_id = 9",
        Family::MySql => "DO 1",
    }
}

fn administrator(sandbox: &Sandbox) -> Client {
    Client::connect(&sandbox.manager_login(&sandbox.primary()))
}

fn executed(client: &mut Client, family: Family) -> String {
    match family {
        Family::MariaDb => client.value("SELECT @@gtid_binlog_pos"),
        Family::MySql => client.value("SELECT @@gtid_executed"),
    }
}

/// What the stream of the test holds: `MariaDB` numbers it by its domain, `MySQL` by its server.
fn own_gtids(client: &mut Client, family: Family) -> String {
    let all = executed(client, family);
    match family {
        Family::MySql => all,
        Family::MariaDb => {
            let own = all.split(',').find(|gtid| gtid.starts_with("9-"));
            own.expect("the stream of the test").to_owned()
        }
    }
}

fn checksums(client: &mut Client) -> Vec<String> {
    let result = client.query(TABLES);
    result.rows.iter().map(|row| format!("{row:?}")).collect()
}

/// The SQL for what is in the primary's logs and not in this set.
fn binlog(sandbox: &Sandbox, action: &str, without: &str) -> String {
    let data = sandbox.dir().join(sandbox.primary()).join("data");
    let mut logs: Vec<PathBuf> = fs::read_dir(data)
        .expect("the server's data")
        .map(|entry| entry.expect("a file").path())
        .filter(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.starts_with("binlog.0")
        })
        .collect();
    logs.sort();
    let mut arguments = vec!["binlog".into(), action.into()];
    arguments.extend(logs.into_iter().map(PathBuf::into_os_string));
    arguments.extend(["--without".into(), without.into()]);
    if action == "undo" {
        arguments.push("--unlogged".into());
    }
    mainstay_e2e::mainstay(arguments).succeeded()
}

/// Runs the statements of a script as a client does.
fn run(client: &mut Client, script: &str) {
    let body = script.strip_prefix("DELIMITER /*!*/;\n");
    let body = body.expect("the script begins with its delimiter");
    for statement in body.split("\n/*!*/;\n") {
        let lines = statement.lines().filter(|line| !line.starts_with("-- "));
        let statement = lines.collect::<Vec<_>>().join("\n");
        if !statement.is_empty() {
            client.execute(&statement);
        }
    }
}
