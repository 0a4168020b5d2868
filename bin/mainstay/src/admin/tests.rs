//! Rows and documents, there and back.

use std::path::Path;
use std::sync::{Arc, Mutex};

use mainstay_admin::{Cell, Refused, Runtime, Table};
use mainstay_command::{Control, Module};
use mainstay_settings::Settings;

use super::in_force::InForce;
use super::process::Process;

const FILE: &str = r#"
[[server]]
name = "db1"
address = "10.0.0.1:3306"
promotion = "prefer"
weight = 3

[[server]]
name = "db2"
address = "10.0.0.2:3306"
intent = "draining"
connections_max = 50
tls = "required"

[manager]
user = "mainstay"
password = "secret-m"
replication_user = "replication"
replication_password = "secret-r"

[proxy]
clients_max = 77

[[user]]
name = "app"
password = "secret-u"
transaction_replay = true
comment = "the shop"

[[query_rules]]
rule_id = 10
match_digest = "^SELECT"
destination_hostgroup = 1
apply = true

[[scheduler]]
id = 1
interval_ms = 5000
filename = "/bin/true"
arguments = ["--all"]
limit = "2s"

[api]
password = "secret-a"
"#;

/// Keeps what it is told.
#[derive(Default)]
struct Told(Mutex<Vec<Settings>>);

impl Process for Told {
    fn file(&self) -> Option<std::io::Result<String>> {
        None
    }

    fn apply(&self, settings: &Settings, members: bool) -> Result<Vec<String>, Refused> {
        if members {
            return Err(Refused::because("no servers"));
        }
        self.0
            .lock()
            .expect("no test panics")
            .push(settings.clone());
        Ok(Vec::new())
    }

    fn accounts(&self, _settings: &Settings) -> Result<Vec<(String, String)>, Refused> {
        Ok(Vec::new())
    }

    fn control(&self, _control: &Control) -> Result<String, Refused> {
        Ok(String::new())
    }

    fn kill(&self, _session: u64, _only_query: bool) -> Result<bool, Refused> {
        Ok(false)
    }

    fn explain(
        &self,
        _user: Option<&str>,
        _statement: &str,
    ) -> Result<Vec<(String, String)>, Refused> {
        Ok(Vec::new())
    }

    fn metrics(&self) -> String {
        String::new()
    }
}

fn parsed(text: &str) -> Settings {
    Settings::parse(text, Path::new("mainstay.toml")).unwrap_or_else(|error| panic!("{error}"))
}

fn in_force(text: &str) -> (InForce, Arc<Told>) {
    let told = Arc::new(Told::default());
    let process: Arc<dyn Process> = told.clone();
    let made = InForce::new(text, Path::new("mainstay.toml"), parsed(text), process);
    (made.expect("it is right"), told)
}

fn last(told: &Told) -> Settings {
    let told = told.0.lock().expect("no test panics");
    told.last().expect("settings were told").clone()
}

fn refused(runtime: &InForce, module: Module, tables: &[Table]) -> String {
    let refused = runtime.load(module, tables).expect_err("it is wrong");
    refused.to_string()
}

#[test]
fn what_the_file_says_is_loaded_again_without_a_change() {
    let (runtime, told) = in_force(FILE);
    for module in Module::ALL {
        let rows = runtime.rows(module);
        runtime
            .load(module, &rows)
            .unwrap_or_else(|error| panic!("{module:?}: {error}"));
        assert_eq!(runtime.rows(module), rows);
    }
    let (before, after) = (parsed(FILE), last(&told));
    assert_eq!(after.users, before.users);
    assert_eq!(after.servers, before.servers);
    assert_eq!(after.routing, before.routing);
    assert_eq!(after.scheduler, before.scheduler);
    assert_eq!(after.proxy, before.proxy);
}

#[test]
fn a_user_of_rows_becomes_a_user_of_the_proxy() {
    let (runtime, told) = in_force(FILE);
    let mut tables = runtime.rows(Module::Users);
    tables[0].push(&[
        ("username", "new".into()),
        ("password", "pw".into()),
        ("default_hostgroup", Cell::Integer(1)),
        ("max_connections", Cell::Integer(5)),
        ("use_ssl", Cell::Integer(1)),
    ]);
    tables[0].push(&[
        ("username", "idle".into()),
        ("password", "pw".into()),
        ("active", Cell::Integer(0)),
    ]);
    runtime
        .load(Module::Users, &tables)
        .expect("they are right");
    let users = last(&told).users;
    let names: Vec<_> = users.iter().map(|user| user.name.as_str()).collect();
    assert_eq!(names, ["app", "new"]);
    assert!(users[0].transaction_replay);
    assert_eq!(users[1].default_hostgroup, Some(1));
    assert_eq!(users[1].connections_max, Some(5));
}

#[test]
fn a_wrong_row_is_named_with_its_table_and_column() {
    let (runtime, told) = in_force(FILE);
    let mut tables = runtime.rows(Module::QueryRules);
    tables[0].push(&[
        ("rule_id", Cell::Integer(20)),
        ("active", Cell::Integer(1)),
        ("match_digest", "(".into()),
    ]);
    let error = refused(&runtime, Module::QueryRules, &tables);
    assert!(
        error.starts_with("mysql_query_rules rule_id=20: match_digest: "),
        "{error}"
    );
    let mut tables = runtime.rows(Module::QueryRules);
    tables[0].push(&[
        ("rule_id", Cell::Integer(30)),
        ("active", Cell::Integer(1)),
        ("destination_hostgroup", Cell::Integer(9)),
    ]);
    let error = refused(&runtime, Module::QueryRules, &tables);
    assert!(
        error.starts_with("mysql_query_rules rule_id=30: destination_hostgroup: "),
        "{error}"
    );
    assert!(
        error.contains("LOAD MYSQL SERVERS TO RUNTIME first"),
        "{error}"
    );
    let mut tables = runtime.rows(Module::Users);
    tables[0].push(&[
        ("username", "new".into()),
        ("password", "pw".into()),
        ("default_hostgroup", Cell::Integer(77)),
    ]);
    let error = refused(&runtime, Module::Users, &tables);
    let place = "mysql_users username=new, backend=1: default_hostgroup: ";
    assert!(error.starts_with(place), "{error}");
    let mut tables = runtime.rows(Module::Users);
    tables[0].push(&[("username", "new".into())]);
    let error = refused(&runtime, Module::Users, &tables);
    assert!(error.starts_with("mysql_users username=new"), "{error}");
    assert!(told.0.lock().expect("no test panics").is_empty());
}

#[test]
fn numbers_of_a_pair_of_hostgroups_are_the_writer_and_the_readers() {
    let (runtime, told) = in_force(FILE);
    let mut tables = runtime.rows(Module::Servers);
    let number = |table: &Table, column: &str| {
        let columns = mainstay_admin::columns(table.name);
        columns
            .iter()
            .position(|name| *name == column)
            .expect("it is there")
    };
    let at = number(&tables[0], "hostgroup_id");
    for row in &mut tables[0].rows {
        row[at] = Cell::Integer(20);
    }
    tables[1].rows[0][0] = Cell::Integer(10);
    tables[1].rows[0][1] = Cell::Integer(20);
    let pairs = tables[1].clone();
    let mut rules = runtime.rows(Module::QueryRules);
    let at = number(&rules[0], "destination_hostgroup");
    rules[0].rows[0][at] = Cell::Integer(20);
    // With the pair in memory only, and with the pair in force.
    let hinted: Vec<_> = rules.iter().cloned().chain([pairs]).collect();
    runtime
        .load(Module::QueryRules, &hinted)
        .expect("memory knows the pair");
    runtime
        .load(Module::Servers, &tables)
        .expect("they are right");
    runtime
        .load(Module::QueryRules, &rules)
        .expect("the pair is in force");
    let rule = &last(&told).routing.rules[0];
    assert_eq!(rule.actions.destination_hostgroup, Some(1));
    assert_eq!(
        runtime.rows(Module::QueryRules)[0].rows[0][at],
        Cell::Integer(20)
    );
}

#[test]
fn variables_are_keys_of_the_proxy() {
    let (runtime, told) = in_force(FILE);
    let set = |name: &str, value: &str| {
        let mut tables = runtime.rows(Module::MysqlVariables);
        let row = tables[0]
            .rows
            .iter_mut()
            .find(|row| row[0] == Cell::from(name));
        row.expect("it is there")[1] = value.into();
        runtime.load(Module::MysqlVariables, &tables)
    };
    set("mysql-wait_timeout", "60000").expect("it is right");
    let proxy = last(&told).proxy.expect("there is one");
    assert_eq!(proxy.idle_client_limit.as_secs(), 60);
    assert_eq!(proxy.clients_max, 77);
    let notes = set("mysql-poll_timeout", "7").expect("it is accepted");
    assert_eq!(notes, ["mysql-poll_timeout has no effect here"]);
    let error = set("mysql-max_connections", "many")
        .expect_err("no number")
        .to_string();
    assert!(
        error.contains("variable_name=mysql-max_connections: variable_value"),
        "{error}"
    );
    let error = set("mysql-max_connections", "0")
        .expect_err("too few")
        .to_string();
    assert!(
        error.contains("variable_name=mysql-max_connections"),
        "{error}"
    );
}

#[test]
fn variables_of_the_monitor_and_of_logs_are_keys_too() {
    let manager = FILE.find("[manager]").expect("a section");
    let proxy = FILE.find("[proxy]").expect("a section");
    let alone = "[monitor]\nuser = \"m\"\npassword = \"secret-m\"\n\n";
    let file = format!("{}{alone}{}", &FILE[..manager], &FILE[proxy..]);
    for (file, notes) in [(file.as_str(), 0), (FILE, 1)] {
        let (runtime, told) = in_force(file);
        let mut tables = runtime.rows(Module::MysqlVariables);
        for (name, value) in [
            ("mysql-monitor_ping_interval", "3000"),
            ("mysql-long_query_time", "250"),
            ("mysql-auditlog_filename", "audit.log"),
        ] {
            let mut rows = tables[0].rows.iter_mut();
            let row = rows.find(|row| row[0] == Cell::from(name));
            row.expect("it is there")[1] = value.into();
        }
        let told_of = runtime.load(Module::MysqlVariables, &tables);
        assert_eq!(told_of.expect("it is right").len(), notes);
        let settings = last(&told);
        assert_eq!(settings.logs.slow_after.as_millis(), 250);
        assert!(settings.logs.audit.is_some());
        let monitor = settings.control.monitor();
        let interval = monitor.map(|monitor| monitor.ping_interval.as_secs());
        assert_eq!(interval, (notes == 0).then_some(3));
    }
}

#[test]
fn the_status_of_a_row_is_what_is_wanted_with_the_server() {
    let (runtime, told) = in_force(FILE);
    let mut tables = runtime.rows(Module::Servers);
    let columns = mainstay_admin::columns("mysql_servers");
    let at = |column| {
        let mut columns = columns.iter();
        columns
            .position(|name| *name == column)
            .expect("it is there")
    };
    assert_eq!(tables[0].rows[1][at("status")], "OFFLINE_SOFT".into());
    tables[0].rows[0][at("status")] = "OFFLINE_HARD".into();
    tables[0].rows[1][at("status")] = "ONLINE".into();
    tables[0].rows[1][at("max_connections")] = Cell::Integer(60);
    tables[0].rows[1][at("compression")] = Cell::Integer(1);
    runtime
        .load(Module::Servers, &tables)
        .expect("they are right");
    let servers = last(&told).servers;
    assert_eq!(servers[0].intent, mainstay_topology::Intent::Out);
    assert_eq!(servers[1].intent, mainstay_topology::Intent::InService);
    assert_eq!(servers[1].connections_max, Some(60));
    assert!(servers[1].compression.is_some());
}

#[test]
fn an_edited_file_speaks_for_its_modules_and_no_others() {
    let (runtime, _) = in_force(FILE);
    let mut users = runtime.rows(Module::Users);
    users[0].push(&[("username", "new".into()), ("password", "pw".into())]);
    runtime.load(Module::Users, &users).expect("they are right");
    let edited = FILE.replace("^SELECT", "^SHOW");
    let read = runtime
        .reread(&edited, &parsed(&edited))
        .expect("it is right");
    assert_eq!(
        read.settings.users.len(),
        2,
        "the file did not speak of users"
    );
    let spoken = runtime.taken(read, &[]);
    assert_eq!(
        spoken.iter().map(|one| one.0).collect::<Vec<_>>(),
        [Module::QueryRules]
    );
    let edited = edited.replace("the shop", "another");
    let read = runtime
        .reread(&edited, &parsed(&edited))
        .expect("it is right");
    assert_eq!(read.settings.users.len(), 1, "now it did");
}

#[test]
fn the_text_for_everybody_has_no_passwords() {
    let (runtime, _) = in_force(FILE);
    assert!(runtime.text(true).contains("secret-u"));
    let shown = runtime.text(false);
    assert!(!shown.contains("secret"), "{shown}");
    assert!(shown.contains("clients_max = 77"));
}
