//! One command gives a whole cluster, and takes everything away that it brought.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

use mainstay_e2e::start_command;
use mainstay_e2e::{
    Client, Family, Home, Sandbox, on_both_families, processes, server_client, wait::wait_until,
};
use rustix::process::Signal;

on_both_families!(
    the_announcement_names_a_whole_cluster_that_is_lossless_and_works,
    a_second_start_picks_the_data_up_even_after_the_sandbox_was_killed,
    ctrl_c_stops_everything_and_removes_a_temporary_directory,
);

fn the_announcement_names_a_whole_cluster_that_is_lossless_and_works(family: Family) {
    let sandbox = Sandbox::start(family);
    let announced = sandbox.announced();
    assert_eq!(announced["flavor"], family.flavor());
    for place in ["proxy", "admin", "api"] {
        assert_eq!(announced[place]["host"], "127.0.0.1", "{announced}");
        assert!(announced[place]["port"].is_u64(), "{announced}");
    }
    for place in ["proxy", "api"] {
        assert!(announced[place]["user"].is_string(), "{announced}");
        let password = announced[place]["password"].as_str().unwrap_or_default();
        assert!(password.len() >= 16, "{announced}");
    }
    let servers = sandbox.servers();
    let names: Vec<_> = servers.iter().map(|server| server.name.as_str()).collect();
    assert_eq!(names, ["db1", "db2", "db3"]);
    assert!(servers.iter().all(|server| processes::runs(server.pid)));
    let mut roles: Vec<_> = servers.iter().map(|server| server.role.as_str()).collect();
    roles.sort_unstable();
    assert_eq!(roles, ["primary", "replica", "replica"]);
    sandbox.wait_until_whole();

    the_user_of_the_proxy_works_everywhere(&sandbox);
    commits_wait_for_a_replica(&sandbox);
    replicas_refuse_writes(&sandbox);
    let tree = sandbox.run(&["status"]).succeeded();
    assert!(names.iter().all(|name| tree.contains(name)), "{tree}");
    sandbox.stop();
}

fn the_user_of_the_proxy_works_everywhere(sandbox: &Sandbox) {
    let proxy = sandbox.proxy();
    let version = server_client(sandbox.family(), &proxy, &[], "SELECT @@version").succeeded();
    let announced = sandbox.announced()["version"].as_str();
    assert!(
        version.starts_with(announced.expect("a version")),
        "{version}"
    );
    for server in sandbox.servers() {
        let user = Client::connect(&server.login).value("SELECT CURRENT_USER()");
        assert_eq!(user, format!("{}@%", proxy.user));
    }
}

fn commits_wait_for_a_replica(sandbox: &Sandbox) {
    let status = |name: &str, pattern: &str| {
        let mut client = Client::connect(&sandbox.server(name).login);
        let rows = client.query(&format!("SHOW GLOBAL STATUS LIKE '{pattern}'"));
        let value = rows.first().and_then(|row| row.get_index(1));
        value
            .expect("semi-synchronous replication is there")
            .to_owned()
    };
    let (source, replica, timeout) = match sandbox.family() {
        Family::MariaDb => ("master", "slave", "rpl_semi_sync_master_timeout"),
        Family::MySql => ("source", "replica", "rpl_semi_sync_source_timeout"),
    };
    let primary = sandbox.primary();
    assert_eq!(
        status(&primary, &format!("Rpl_semi_sync_{source}_status")),
        "ON"
    );
    // One is enough for the start; a receiver that runs may not have asked for events yet.
    wait_until("two replicas that acknowledge", || {
        status(&primary, &format!("Rpl_semi_sync_{source}_clients")) == "2"
    });
    for name in sandbox.status().named("replica") {
        wait_until("a replica that acknowledges", || {
            status(&name, &format!("Rpl_semi_sync_{replica}_status")) == "ON"
        });
        assert_eq!(
            status(&name, &format!("Rpl_semi_sync_{source}_status")),
            "OFF"
        );
    }
    let mut client = Client::connect(&sandbox.server(&primary).login);
    // Never: a commit that nobody acknowledges is not answered.
    let milliseconds = client.value(&format!("SELECT @@GLOBAL.{timeout}"));
    assert_eq!(milliseconds, "4294967295");
    let acknowledged = || -> u64 {
        let count = status(&primary, &format!("Rpl_semi_sync_{source}_yes_tx"));
        count.parse().expect("a count")
    };
    let before = acknowledged();
    Client::connect(&sandbox.proxy()).execute("CREATE TABLE app.first (id INT PRIMARY KEY)");
    assert!(acknowledged() > before);
}

fn replicas_refuse_writes(sandbox: &Sandbox) {
    const READ_ONLY: u16 = 1290;
    for name in sandbox.status().named("replica") {
        let mut replica = Client::connect(&sandbox.server(&name).login);
        wait_until("the table on a replica", || {
            replica.try_query("SELECT * FROM app.first").is_ok()
        });
        assert_eq!(
            replica.error_of("INSERT INTO app.first VALUES (1)"),
            READ_ONLY
        );
    }
}

fn a_second_start_picks_the_data_up_even_after_the_sandbox_was_killed(family: Family) {
    let mut sandbox = Sandbox::start(family);
    let (proxy, first) = (sandbox.proxy(), sandbox.announced().clone());
    let mut client = Client::connect(&proxy);
    client.execute("CREATE TABLE app.kept (id INT PRIMARY KEY)");
    client.execute("INSERT INTO app.kept VALUES (1)");
    sandbox.stop();

    sandbox.start_again();
    for same in ["dir", "flavor", "version", "proxy", "admin", "api"] {
        assert_eq!(sandbox.announced()[same], first[same]);
    }
    let mut client = Client::connect(&proxy);
    client.execute("INSERT INTO app.kept VALUES (2)");
    sandbox.kill();

    sandbox.start_again();
    let mut client = Client::connect(&proxy);
    client.execute("INSERT INTO app.kept VALUES (3)");
    let sql = "SELECT id FROM app.kept ORDER BY id FOR UPDATE";
    assert_eq!(client.column(sql), ["1", "2", "3"]);
}

fn ctrl_c_stops_everything_and_removes_a_temporary_directory(family: Family) {
    let home = Home::new();
    let mut command = start_command(family, None);
    command.env("TMPDIR", home.path()).stdin(Stdio::null());
    let child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
    let mut foreground = Foreground(child.expect("it can be started"));

    let output = foreground.0.stdout.take().expect("its output is ours");
    let mut told = String::new();
    for line in BufReader::new(output).lines() {
        let line = line.expect("it prints text");
        told.push_str(&line);
        told.push('\n');
        if line.contains("Ctrl-C") {
            break;
        }
    }
    for part in [
        "db1",
        "db2",
        "db3",
        "primary",
        "replica",
        "kill -9 ",
        "status --history",
    ] {
        assert!(told.contains(part), "{part} is not in: {told}");
    }
    let client = format!("{} -h 127.0.0.1 -P ", client_name(family));
    assert!(told.contains(&client), "{client} is not in: {told}");
    let below = processes::naming(home.path());
    assert_eq!(below.len(), 3, "three servers: {below:?}");

    processes::signal(foreground.0.id(), Signal::INT);
    let status = foreground.0.wait().expect("it ends");
    assert!(status.success(), "{status}");
    assert_eq!(processes::naming(home.path()), []);
    let entries = std::fs::read_dir(home.path()).expect("a directory");
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let left: Vec<_> = names
        .filter(|name| name.starts_with("mainstay-sandbox-"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

/// Dies with its test.
struct Foreground(Child);

impl Drop for Foreground {
    fn drop(&mut self) {
        // Already gone is what is wanted.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn client_name(family: Family) -> &'static str {
    match family {
        Family::MariaDb => "mariadb",
        Family::MySql => "mysql",
    }
}
