//! Statements of operators over a runtime that only keeps rows.

mod history;
mod tables;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use mainstay_command::{Control, Module};

use crate::admin::Who;
use crate::database::Answer;
use crate::functions::Asker;
use crate::guard::Role;
use crate::{Admin, Cell, Figures, Options, Refused, Row, Runtime, Sources, Table};

/// Keeps what it is given, and refuses weights of 13.
#[derive(Default)]
struct Kept {
    runtime: Mutex<BTreeMap<Module, Vec<Table>>>,
    file: Mutex<BTreeMap<Module, Vec<Table>>>,
}

impl Kept {
    fn of(layer: &Mutex<BTreeMap<Module, Vec<Table>>>, module: Module) -> Vec<Table> {
        let layer = layer.lock().expect("no test panics inside");
        if let Some(tables) = layer.get(&module) {
            return tables.clone();
        }
        let mut table = Table::empty("global_variables");
        if let Some(prefix) = module.prefix() {
            let known = crate::defaults()
                .iter()
                .filter(|(name, _)| name.starts_with(prefix));
            table.rows = known
                .map(|(name, value)| vec![(*name).into(), (*value).into()])
                .collect();
        }
        vec![table]
    }
}

impl Runtime for Kept {
    fn rows(&self, module: Module) -> Vec<Table> {
        Self::of(&self.runtime, module)
    }

    fn file(&self, module: Module) -> Result<Vec<Table>, Refused> {
        Ok(Self::of(&self.file, module))
    }

    fn load(&self, module: Module, tables: &[Table]) -> Result<Vec<String>, Refused> {
        let servers = tables.iter().filter(|table| table.name == "mysql_servers");
        for table in servers {
            for row in &table.rows {
                if *table.cell(row, "weight") == Cell::Integer(13) {
                    return Err(Refused {
                        table: table.name.to_owned(),
                        row: table.row_name(row),
                        column: "weight".to_owned(),
                        reason: "13 brings bad luck".to_owned(),
                    });
                }
            }
        }
        let mut runtime = self.runtime.lock().expect("no test panics inside");
        runtime.insert(module, tables.to_vec());
        Ok(Vec::new())
    }

    fn accounts(&self) -> Result<Vec<(String, String)>, Refused> {
        let native = "*14E65567ABDB5135D0CFD9A70B3032C179A49EE7";
        let accounts = [("same", native), ("other", native), ("new", native)];
        let owned = |(user, hash): (&str, &str)| (user.to_owned(), hash.to_owned());
        Ok(accounts.map(owned).to_vec())
    }

    fn control(&self, control: &Control) -> Result<String, Refused> {
        Ok(format!("{control:?}"))
    }

    fn kill(&self, session: u64, _only_query: bool) -> Result<bool, Refused> {
        Ok(session == 7)
    }

    fn text(&self, secrets: bool) -> String {
        format!("secrets = {secrets}\n")
    }

    fn explain(
        &self,
        user: Option<&str>,
        statement: &str,
    ) -> Result<Vec<(String, String)>, Refused> {
        Ok(vec![(
            user.unwrap_or("statement").to_owned(),
            statement.to_owned(),
        )])
    }

    fn metrics(&self) -> String {
        "up 1\n".to_owned()
    }
}

/// One counter.
#[derive(Default)]
struct Counted(Mutex<i64>);

impl Figures for Counted {
    fn rows(&self, table: &str) -> Option<Vec<Row>> {
        let count = *self.0.lock().expect("no test panics inside");
        let row = vec!["Questions".into(), Cell::Integer(count)];
        (table == "stats_mysql_global").then(|| vec![row])
    }

    fn take(&self, table: &str) -> Option<Vec<Row>> {
        let row = vec!["10.0.0.1".into(), Cell::Integer(3), Cell::Integer(0)];
        (table == "stats_mysql_client_host_cache").then(|| vec![row])
    }
}

struct Place {
    folder: tempfile::TempDir,
    kept: Arc<Kept>,
    admin: Arc<Admin>,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let kept = Arc::new(Kept::default());
        let admin = open(folder.path(), &kept);
        Self {
            folder,
            kept,
            admin,
        }
    }

    fn ask(&self, text: &str) -> Result<Answer, String> {
        self.ask_as(Role::Admin, text)
    }

    fn ask_as(&self, role: Role, text: &str) -> Result<Answer, String> {
        let mut who = who(role);
        let answer = self.admin.execute(&mut who, text, &[]);
        answer.map_err(|error| format!("{}: {error}", error.packet().code))
    }

    fn done(&self, text: &str) {
        self.ask(text)
            .unwrap_or_else(|error| panic!("{text}: {error}"));
    }

    /// Rows as text, with their cells between bars.
    fn rows(&self, text: &str) -> Vec<String> {
        match self.ask(text) {
            Ok(Answer::Rows { rows, .. }) => rows
                .iter()
                .map(|row| row.iter().map(Cell::shown).collect::<Vec<_>>().join("|"))
                .collect(),
            other => panic!("{text}: {other:?}"),
        }
    }
}

fn open(folder: &std::path::Path, kept: &Arc<Kept>) -> Arc<Admin> {
    let options = Options {
        folder: folder.to_owned(),
        version: "8.0.0-mainstay".to_owned(),
    };
    let runtime: Arc<dyn Runtime> = kept.clone();
    let figures: Arc<dyn Figures> = Arc::new(Counted::default());
    Admin::open(&options, Sources { runtime, figures }).expect("it opens")
}

fn who(role: Role) -> Who {
    Who {
        role,
        asker: Asker {
            user: "admin".to_owned(),
            address: "127.0.0.1".to_owned(),
            schema: "main".to_owned(),
            version: "8.0.0-mainstay".to_owned(),
            connection: 1,
            checksum: String::new(),
        },
        cipher: String::new(),
    }
}

const INSERT: &str = "INSERT INTO mysql_servers (hostgroup_id, hostname, weight) VALUES";

#[test]
fn rows_go_from_memory_to_the_runtime_and_back() {
    let place = Place::new();
    place.done(&format!("{INSERT} (0, 'db1', 1), ('1', \"db2\", '2')"));
    assert!(
        place
            .rows("SELECT hostname FROM runtime_mysql_servers")
            .is_empty()
    );
    place.done("LOAD MYSQL SERVERS TO RUN");
    let both = ["0|db1|3306|1", "1|db2|3306|2"];
    let sql = "SELECT hostgroup_id, hostname, port, weight FROM runtime_mysql_servers";
    assert_eq!(place.rows(sql), both);
    place.done("DELETE FROM mysql_servers");
    place.done("save mysql servers from runtime");
    let sql = "SELECT hostgroup_id, hostname, port, weight FROM mysql_servers";
    assert_eq!(place.rows(sql), both);
}

#[test]
fn rules_get_the_next_number_when_none_is_given() {
    let place = Place::new();
    let insert = "INSERT INTO mysql_query_rules (active, match_digest, apply) VALUES";
    place.done(&format!("{insert} (1, '^SELECT', 1), (1, '^INSERT', 1)"));
    let sql = "SELECT rule_id, re_modifiers FROM mysql_query_rules";
    assert_eq!(place.rows(sql), ["1|CASELESS", "2|CASELESS"]);
    place.done("DELETE FROM mysql_query_rules WHERE rule_id = 1");
}

#[test]
fn a_row_that_is_refused_is_named_and_nothing_is_loaded() {
    let place = Place::new();
    place.done(&format!("{INSERT} (0, 'db1', 1)"));
    place.done("LOAD MYSQL SERVERS TO RUNTIME");
    place.done(&format!("{INSERT} (0, 'db2', 13)"));
    let error = place.ask("LOAD MYSQL SERVERS TO RUNTIME").expect_err("13");
    assert_eq!(
        error,
        "1105: mysql_servers hostgroup_id=0, hostname=db2, port=3306: weight: 13 brings bad luck"
    );
    assert_eq!(
        place.rows("SELECT hostname FROM runtime_mysql_servers"),
        ["db1"]
    );
}

#[test]
fn a_wrong_statement_gets_the_number_that_a_server_would_send() {
    let place = Place::new();
    place.done(&format!("{INSERT} (0, 'db1', 1)"));
    for (text, code, part) in [
        ("SELEC 1", 1064, "near"),
        ("SELECT * FROM nowhere", 1146, "nowhere"),
        ("SELECT nowhere FROM mysql_users", 1054, "nowhere"),
        (
            "INSERT INTO mysql_servers (hostname) VALUES ('db1')",
            1062,
            "mysql_servers",
        ),
        (
            "INSERT INTO mysql_servers (nowhere) VALUES (1)",
            1054,
            "nowhere",
        ),
        (
            "UPDATE mysql_servers SET port = 'a'",
            1366,
            "mysql_servers.port",
        ),
        (
            "UPDATE mysql_servers SET weight = -1",
            3819,
            "mysql_servers",
        ),
        (
            "UPDATE mysql_servers SET hostname = NULL",
            1048,
            "mysql_servers.hostname",
        ),
        ("UPDATE runtime_mysql_servers SET weight = 1", 1227, "LOAD"),
        ("DELETE FROM stats_mysql_global", 1227, "figures"),
        (
            "DROP TABLE mysql_users",
            1227,
            "cannot be made, changed or dropped",
        ),
        ("ATTACH DATABASE '/tmp/x' AS x", 1227, "attached"),
        ("SELECT load_extension('x')", 1227, "extensions"),
        (
            "SELECT * FROM mysql_users INTO OUTFILE '/tmp/x'",
            1105,
            "OUTFILE",
        ),
        ("USE nothing", 1049, "nothing"),
        ("SELECT @@nothing", 1193, "nothing"),
        ("SET mysql-nothing = 1", 1193, "mysql-nothing"),
        ("KILL CONNECTION 8", 1094, "8"),
        ("SELECT 1; SELECT 2", 1105, "one statement"),
    ] {
        let error = place.ask(text).expect_err(text);
        assert!(error.starts_with(&code.to_string()), "{text}: {error}");
        assert!(error.contains(part), "{text}: {error}");
    }
}

#[test]
fn saved_rows_run_after_a_start_unless_the_file_was_edited() {
    let place = Place::new();
    place.done(&format!("{INSERT} (0, 'db1', 1)"));
    place.done("LOAD MYSQL SERVERS TO RUNTIME");
    place.done("SAVE MYSQL SERVERS TO DISK");
    let kept = Arc::new(Kept::default());
    let admin = open(place.folder.path(), &kept);
    assert_eq!(kept.rows(Module::Servers)[0].rows.len(), 1);
    drop(admin);
    let edited = Kept::default();
    let mut table = Table::empty("mysql_replication_hostgroups");
    table.push(&[
        ("writer_hostgroup", 0_i64.into()),
        ("reader_hostgroup", 1_i64.into()),
    ]);
    let layer = BTreeMap::from([(Module::Servers, vec![table])]);
    *edited.file.lock().expect("nobody else") = layer.clone();
    *edited.runtime.lock().expect("nobody else") = layer;
    let edited = Arc::new(edited);
    let place = Place {
        admin: open(place.folder.path(), &edited),
        kept: edited,
        folder: place.folder,
    };
    assert_eq!(place.kept.rows(Module::Servers).len(), 1, "the file runs");
    let drift = place.rows("SELECT table_name, row_key, comment FROM config_drift");
    assert_eq!(drift.len(), 2, "{drift:?}");
    assert!(
        drift[0].contains("what was saved does not run"),
        "{drift:?}"
    );
}

#[test]
fn what_differs_is_shown_by_column_and_without_passwords() {
    let place = Place::new();
    assert!(place.rows("SELECT * FROM config_drift").is_empty());
    place.done("INSERT INTO mysql_users (username, password) VALUES ('app', 'secret1')");
    place.done("LOAD MYSQL USERS TO RUNTIME");
    place.done("UPDATE mysql_users SET password = 'secret2', max_connections = 5");
    let drift = place.rows("SELECT * FROM config_drift");
    assert_eq!(drift.len(), 1, "the file has no such row: {drift:?}");
    place.done("SAVE MYSQL USERS TO MEMORY");
    *place.kept.file.lock().expect("nobody else") =
        BTreeMap::from([(Module::Users, place.kept.rows(Module::Users))]);
    assert!(place.rows("SELECT * FROM config_drift").is_empty());
    place.done("UPDATE mysql_users SET password = 'secret2', max_connections = 5");
    let drift = place.rows("SELECT * FROM config_drift ORDER BY column_name");
    assert_eq!(drift.len(), 2);
    assert!(drift[0].contains("max_connections|10000|5|10000|NULL|memory is not loaded"));
    assert!(!drift.concat().contains("secret"), "{drift:?}");
}

#[test]
fn figures_are_fresh_in_any_sql_that_names_them() {
    let place = Place::new();
    let sql = "SELECT g.Variable_Value + 1 FROM stats.stats_mysql_global AS g \
               WHERE Variable_Name = (SELECT 'Questions')";
    assert_eq!(place.rows(sql), ["1"]);
    assert_eq!(place.rows("SHOW MYSQL STATUS"), ["Questions|0"]);
    let taken = place.rows("SELECT client_address FROM stats_mysql_client_host_cache_reset");
    assert_eq!(taken, ["10.0.0.1"]);
    place.done("TRUNCATE TABLE stats_mysql_client_host_cache");
}

#[test]
fn an_account_for_figures_sees_no_password_and_changes_nothing() {
    let place = Place::new();
    let ask = |text: &str| place.ask_as(Role::Stats, text);
    for text in [
        "SELECT * FROM stats_mysql_global",
        "SHOW MYSQL STATUS",
        "SHOW TABLES FROM stats",
        "SELECT count(*) FROM runtime_mysql_servers",
        "WITH x AS (SELECT 1 AS a) SELECT * FROM x",
        "SELECT @@version, DATABASE()",
        "SET NAMES utf8",
    ] {
        ask(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    }
    for text in [
        "SELECT * FROM mysql_users",
        "SELECT * FROM (SELECT password FROM runtime_mysql_users)",
        "SELECT * FROM disk.mysql_users",
        "SELECT * FROM global_variables",
        "SELECT @@mysql-monitor_password",
        "SHOW VARIABLES LIKE 'mysql-monitor_password'",
        "SHOW MYSQL USERS",
        "SELECT * FROM config_drift",
        "DELETE FROM mysql_users",
        "LOAD MYSQL USERS TO RUNTIME",
        "SELECT CONFIG FILE",
        "PROXYSQL SHUTDOWN",
        "KILL CONNECTION 7",
        "SET mysql-threads = 1",
        "TRUNCATE stats_mysql_client_host_cache",
        "PRAGMA table_info(mysql_users)",
    ] {
        let error = ask(text).expect_err(text);
        assert!(error.starts_with("1227"), "{text}: {error}");
    }
}

#[test]
fn clients_are_answered_what_they_ask_of_a_server() {
    let place = Place::new();
    for (text, first) in [
        ("select @@version_comment limit 1", "Mainstay Admin Module"),
        ("SELECT DATABASE(), USER() LIMIT 1", "main|admin@127.0.0.1"),
        ("SELECT @@session.autocommit AS a, @@mysql-threads", "1|4"),
        (
            "SHOW VARIABLES LIKE 'lower_case_table_names'",
            "lower_case_table_names|0",
        ),
        (
            "SHOW GLOBAL VARIABLES WHERE Variable_name='mysql-threads'",
            "mysql-threads|4",
        ),
        ("SHOW STATUS LIKE 'Ssl_cipher'", "Ssl_cipher|"),
        ("SHOW DATABASES", "0|main|"),
        ("SHOW TABLES LIKE 'mysql\\_users'", ""),
        (
            "SHOW TABLES FROM monitor LIKE '%ping%'",
            "mysql_server_ping_log",
        ),
        (
            "SHOW COLLATION WHERE Charset = 'utf8mb4'",
            "utf8mb4_0900_ai_ci|utf8mb4|255||Yes|1",
        ),
        (
            "SHOW CHARACTER SET LIKE 'latin1'",
            "latin1|latin1|latin1_swedish_ci|4",
        ),
        ("DESCRIBE mysql_users", "username|TEXT|NO|PRI|NULL|"),
        (
            "SHOW TABLE STATUS LIKE 'mysql_users'",
            "mysql_users|SQLite|10|Dynamic|0",
        ),
        ("SHOW PROMETHEUS METRICS", "up 1\n"),
        (
            "HELP load mysql user",
            "LOAD MYSQL USER <name> TO RUNTIME|Puts one user of memory in force.",
        ),
        ("EXPLAIN ROUTE SELECT 1", "statement|SELECT 1"),
        ("explain route for app select 1", "app|select 1"),
        ("CHECKSUM MYSQL USERS", "mysql_users|0xDA39A3EE5E6B4B0D"),
        (
            "SELECT length(GLOBAL_CHECKSUM()), substr(global_checksum(), 1, 2)",
            "18|0x",
        ),
    ] {
        let rows = place.rows(text);
        assert_eq!(rows.first().map_or("", |row| row.as_str()), first, "{text}");
    }
    let Ok(Answer::Rows { columns, .. }) = place.ask("SELECT @@version, 1") else {
        panic!("no rows");
    };
    assert_eq!(columns, ["@@version", "1"]);
}

#[test]
fn accounts_of_servers_come_with_their_hashes_and_leave_known_passwords_alone() {
    let place = Place::new();
    let insert = "INSERT INTO mysql_users (username, password, max_connections) VALUES";
    place.done(&format!(
        "{insert} ('same', 'secret', 5), ('other', 'old', 6)"
    ));
    place.done("LOAD MYSQL USERS FROM SERVERS");
    let sql = "SELECT username, substr(password, 1, 6), max_connections, default_hostgroup \
               FROM mysql_users ORDER BY username";
    let rows = place.rows(sql);
    assert_eq!(
        rows,
        [
            "new|*14E65|10000|NULL",
            "other|*14E65|6|0",
            "same|secret|5|0"
        ]
    );
}
