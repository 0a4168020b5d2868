//! Sessions that share a few server connections see what each would see alone: the same random
//! schedule is run by sessions of the primary and by sessions of the proxy, and compared.

mod schedule;

use mainstay_e2e::{Client, Family, Login, Sandbox, SqlError, on_both_families};
use mainstay_mysql::Row;
use mainstay_wire::SessionChange;
use schedule::{Schedule, Step};

on_both_families!(a_random_schedule_gives_the_same_replies_directly_and_through_the_proxy);

/// Each is one schedule; a failure names its number.
const SEEDS: std::ops::Range<u64> = 0..8;
const STEPS: usize = 120;

fn a_random_schedule_gives_the_same_replies_directly_and_through_the_proxy(family: Family) {
    let folder = tempfile::tempdir().expect("a folder");
    let settings = folder.path().join("proxy.toml");
    std::fs::write(
        &settings,
        "[proxy]\nworkers = 1\nserver_connections_max = 5\n",
    )
    .expect("a file");
    let path = settings.to_str().expect("a path of letters");
    let sandbox = Sandbox::start_with(family, &["--settings", path]);
    let through = sandbox.proxy();
    let direct = Login {
        port: sandbox.server(&sandbox.primary()).login.port,
        ..through.clone()
    };
    let manager = sandbox.manager_login(&sandbox.primary());
    Client::connect(&manager).execute("SET GLOBAL log_bin_trust_function_creators = 1");
    set_up(&mut Client::connect(&direct));
    let mut differences = Vec::new();
    for seed in SEEDS {
        let schedule = Schedule::new(seed, STEPS);
        let expected = replies(&direct, &schedule);
        let found = replies(&through, &schedule);
        let pairs = schedule.steps.iter().zip(expected.iter().zip(&found));
        let differs = |(step, (expected, found)): (&Step, (&String, &String))| {
            (expected != found).then(|| {
                format!("seed {seed}, {step:?}:\n  directly {expected}\n  through  {found}")
            })
        };
        differences.extend(pairs.filter_map(differs).take(3));
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

fn set_up(client: &mut Client) {
    for sql in [
        "CREATE TABLE app.h (id INT PRIMARY KEY)",
        "INSERT INTO app.h VALUES (1), (2)",
        "CREATE PROCEDURE app.sets() BEGIN SET SESSION sort_buffer_size = 65536; END",
        "CREATE PROCEDURE app.makes() BEGIN CREATE TEMPORARY TABLE app.made (id INT); END",
        "CREATE PROCEDURE app.names() BEGIN SET @a = 'by a procedure'; END",
        "CREATE PROCEDURE app.nothing() BEGIN DO 1; END",
        "CREATE FUNCTION app.f() RETURNS INT NO SQL BEGIN SET @b = 8; RETURN 1; END",
    ] {
        client.execute(sql);
    }
}

/// What each step of the schedule was answered with.
fn replies(login: &Login, schedule: &Schedule) -> Vec<String> {
    let mut sessions: Vec<Client> = (0..schedule::SESSIONS)
        .map(|_| Client::connect(login))
        .collect();
    let steps = schedule.steps.iter();
    steps
        .map(|step| match step {
            Step::Run(who, sql) => reply(&mut sessions[*who], sql),
            Step::Leave(who) => {
                // The server frees what a connection held some time after its end.
                sessions[*who].value("SELECT RELEASE_ALL_LOCKS()");
                sessions[*who] = Client::connect(login);
                String::new()
            }
        })
        .collect()
}

fn reply(session: &mut Client, sql: &str) -> String {
    let rows = ["SELECT", "SHOW", "HANDLER h READ", "EXECUTE"]
        .iter()
        .any(|verb| sql.starts_with(verb));
    let told = |error: SqlError| format!("error {:?}", error.server_code());
    if rows {
        let query = session.try_query(sql);
        let row = |row: &Row| {
            (0..)
                .map_while(|at| row.get_index(at).map(sorted))
                .collect()
        };
        return query.map_or_else(told, |set| {
            let rows: Vec<Vec<String>> = set.rows.iter().map(row).collect();
            format!("{:?} {rows:?}", set.columns)
        });
    }
    let run = session.try_execute(sql);
    run.map_or_else(told, |ok| {
        let mut changes: Vec<String> = ok.changes.iter().map(change).collect();
        changes.sort();
        let (rows, warnings, status) = (ok.affected_rows, ok.warnings, ok.status);
        format!("{rows} rows, {warnings} warnings, {status:?}, {changes:?}")
    })
}

/// A list of variables, which servers keep in no order.
fn sorted(text: &str) -> String {
    let mut parts: Vec<&str> = text.split(',').collect();
    parts.sort_unstable();
    parts.join(",")
}

/// What was told, without the numbers of transactions.
fn change(change: &SessionChange) -> String {
    match change {
        SessionChange::SystemVariable { name, .. } if name == "last_gtid" => name.clone(),
        SessionChange::Gtids(_) => "a GTID".to_owned(),
        other => format!("{other:?}"),
    }
}
