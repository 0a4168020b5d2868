//! A replica that has another source besides its cluster.

use mainstay_e2e::{Client, Family, Paused, Sandbox};

use crate::shaped::Shaped;
use crate::{Three, follows, serves, three};

/// The primary of a second sandbox is the other source.
pub(crate) fn only_the_channel_of_the_cluster_is_moved(family: Family) {
    let sandbox = Sandbox::start(family);
    let other = Sandbox::start(family);
    let source = other.primary();
    let mut reports = Client::connect(&other.manager_login(&source));
    // Its heartbeats would go on in the domain that its connection began with.
    let manager = Paused::new(other.pid());
    let Three {
        primary,
        first,
        second,
    } = three(&sandbox);
    if family == Family::MariaDb {
        reports.execute("SET GLOBAL gtid_domain_id = 7");
        // Sessions take it over when they begin.
        reports = Client::connect(&other.manager_login(&source));
    }
    let part = match family {
        Family::MariaDb => "foreign_domains = [7]".to_owned(),
        Family::MySql => {
            let uuid = reports.query("SELECT @@server_uuid");
            format!(
                "foreign_servers = [\"{}\"]",
                uuid.scalar().expect("it has one")
            )
        }
    };
    let shaped = Shaped::start(&sandbox, "", &[(&second, &part)]);
    follow_as_well(&sandbox, (&other, &source), &mut reports, &second);
    reports.execute("CREATE DATABASE reports");
    reports.execute("CREATE TABLE reports.t (id INT PRIMARY KEY)");
    let count = "SELECT COUNT(*) FROM reports.t";
    shaped.wait_for_rows(&second, count, "0");
    let seen = shaped.wait("a replica with two sources", |status| {
        serves(status, &primary)
            && follows(status, &second, &primary)
            && status.server(&second)["other_channels"] == serde_json::json!(["reports"])
    });
    let errant = seen
        .to_string()
        .contains("has transactions that the primary lacks");
    assert!(!errant, "{seen}");
    let refused = shaped.run(&["switchover", "--to", &second]);
    assert_ne!(refused.code, Some(0), "{refused}");
    shaped.run(&["switchover", "--to", &first]).succeeded();
    shaped.wait("it under the next primary", |status| {
        serves(status, &first) && follows(status, &second, &first)
    });
    reports.execute("INSERT INTO reports.t VALUES (1)");
    shaped.wait_for_rows(&second, count, "1");
    drop(manager);
}

/// Lets a server of one sandbox replicate from the primary of the other, from now on.
fn follow_as_well(
    sandbox: &Sandbox,
    (other, source): (&Sandbox, &str),
    reports: &mut Client,
    server: &str,
) {
    let (statement, follow, start) = match sandbox.family() {
        Family::MariaDb => (
            "SHOW MASTER STATUS",
            "CHANGE MASTER 'reports' TO MASTER_USE_GTID = no, MASTER",
            "START SLAVE 'reports'",
        ),
        Family::MySql => (
            "SHOW BINARY LOG STATUS",
            "CHANGE REPLICATION SOURCE TO SOURCE_AUTO_POSITION = 0, \
             GET_SOURCE_PUBLIC_KEY = 1, SOURCE",
            "START REPLICA FOR CHANNEL 'reports'",
        ),
    };
    let status = reports.query(statement);
    let row = status.first().expect("it has a binary log");
    let value = |column| row.get(column).expect("it is there").to_owned();
    let (file, position) = (value("File"), value("Position"));
    let source = other.server(source).login;
    let (user, password) = other.account("replication");
    let word = follow.rsplit(' ').next().expect("a word");
    let mut change = format!(
        "{follow}_HOST = '{}', {word}_PORT = {}, {word}_USER = '{user}', \
         {word}_PASSWORD = '{password}', {word}_LOG_FILE = '{file}', {word}_LOG_POS = {position}",
        source.host, source.port
    );
    if sandbox.family() == Family::MySql {
        change.push_str(" FOR CHANNEL 'reports'");
    }
    let mut client = Client::connect(&sandbox.manager_login(server));
    // Servers of both sandboxes have the same numbers, and a source drops one of two such replicas.
    client.execute("SET GLOBAL server_id = 33");
    client.execute(&change);
    // Both clusters have a row with the heartbeat of their manager.
    match sandbox.family() {
        Family::MariaDb => {
            client.execute("SET SESSION default_master_connection = 'reports'");
            client.execute("SET GLOBAL replicate_wild_ignore_table = 'mainstay.%'");
        }
        Family::MySql => {
            client.execute(
                "CHANGE REPLICATION FILTER REPLICATE_WILD_IGNORE_TABLE = ('mainstay.%') \
                 FOR CHANNEL 'reports'",
            );
        }
    }
    client.execute(start);
}
