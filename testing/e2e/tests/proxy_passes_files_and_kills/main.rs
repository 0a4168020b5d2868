//! What streams past the proxy, and what crosses its workers: a client's file, a KILL.

mod dialect;

use std::fmt::Write;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use mainstay_e2e::{Client, Family, Login, Sandbox, on_both_families, run, server_client};

on_both_families!(files_and_kills_pass);

type Case = (&'static str, fn(&Sandbox));

const CASES: [Case; 4] = [
    ("a file of the client is loaded through the proxy", file),
    (
        "a file is refused where the client does not allow it",
        no_file,
    ),
    ("a binary log is read through the proxy", binlog),
    (
        "a statement is killed by the number that its session is told",
        kill,
    ),
];

const INTERRUPTED: u16 = 1317;
const NO_SUCH_THREAD: u16 = 1094;

fn files_and_kills_pass(family: Family) {
    let folder = tempfile::tempdir().expect("a temporary directory can be made");
    let settings = folder.path().join("proxy.toml");
    let text = "[proxy]\nlocal_infile = true\nworkers = 2\nbinlog_from = \"writer\"\n\
                [[user]]\nname = \"reader\"\npassword = \"reader's secret\"\n";
    fs::write(&settings, text).expect("a file can be written");
    let path = settings.to_str().expect("a path of letters");
    let sandbox = Sandbox::start_with(family, &["--settings", path]);
    let mut failed = Vec::new();
    for (name, case) in CASES {
        if catch_unwind(AssertUnwindSafe(|| case(&sandbox))).is_err() {
            failed.push(name);
        }
    }
    assert!(failed.is_empty(), "failed: {failed:#?}");
}

/// The proxy, and the present primary for the same user.
fn both(sandbox: &Sandbox) -> [Login; 2] {
    let primary = sandbox.server(&sandbox.primary()).login;
    [sandbox.proxy(), primary.with_database("app")]
}

fn file(sandbox: &Sandbox) {
    for server in sandbox.servers() {
        let mut manager = Client::connect(&sandbox.manager_login(&server.name));
        manager.execute("SET GLOBAL local_infile = ON");
    }
    let folder = tempfile::tempdir().expect("a temporary directory can be made");
    let rows = 50_000;
    let mut text = String::new();
    for row in 1..=rows {
        writeln!(text, "{row}\tword {row}").expect("a string takes any text");
    }
    let path = folder.path().join("rows");
    fs::write(&path, text).expect("a file can be written");
    let path = path.display();
    let mut seen = Vec::new();
    for (number, login) in (1..).zip(both(sandbox)) {
        let sql = format!(
            "CREATE TABLE loaded_{number} (id INT PRIMARY KEY, word VARCHAR(20)); \
             LOAD DATA LOCAL INFILE '{path}' INTO TABLE loaded_{number}; \
             BEGIN; SELECT COUNT(*), SUM(CRC32(word)) FROM loaded_{number}; COMMIT"
        );
        let done = server_client(sandbox.family(), &login, &["--local-infile=1"], &sql);
        seen.push(done.succeeded());
    }
    assert!(seen[0].starts_with(&rows.to_string()), "{seen:?}");
    assert_eq!(seen[0], seen[1]);
}

fn no_file(sandbox: &Sandbox) {
    let mut said = Vec::new();
    for login in both(sandbox) {
        let mut client = Client::connect(&login);
        client.execute("CREATE TABLE IF NOT EXISTS not_loaded (id INT PRIMARY KEY)");
        said.push(client.error_of("LOAD DATA LOCAL INFILE '/etc/hostname' INTO TABLE not_loaded"));
    }
    assert_eq!(said[0], said[1]);
}

fn binlog(sandbox: &Sandbox) {
    let mut manager = Client::connect(&sandbox.manager_login(&sandbox.primary()));
    manager.execute("CREATE USER reader@'%' IDENTIFIED BY \"reader's secret\"");
    manager.execute(dialect::reader_of_binlogs(sandbox.family()));
    manager.execute("FLUSH PRIVILEGES");
    manager.execute("CREATE TABLE app.told_by_the_binlog (id INT PRIMARY KEY)");
    let log = manager.column("SHOW BINARY LOGS").pop().expect("a log");
    // No more events are added to that one.
    manager.execute("FLUSH BINARY LOGS");
    let told = both(sandbox).map(|login| {
        let mut command = Command::new(sandbox.family().binlog_program());
        command.args([
            "--no-defaults",
            "--read-from-remote-server",
            "--user=reader",
            "--password=reader's secret",
        ]);
        command.args([
            format!("--host={}", login.host),
            format!("--port={}", login.port),
        ]);
        run(command.arg(&log)).succeeded()
    });
    assert!(told[0].contains("CREATE TABLE app.told_by_the_binlog"));
    assert_eq!(told[0], told[1]);
}

fn kill(sandbox: &Sandbox) {
    let [login, _] = both(sandbox);
    // On several sessions, so that they are on both workers.
    for _ in 0..4 {
        let mut victim = Client::connect(&login);
        let id = victim.value("SELECT CONNECTION_ID()");
        let over = AtomicBool::new(false);
        thread::scope(|scope| {
            let victim = scope.spawn(|| {
                let sql = "SELECT COUNT(*) FROM information_schema.columns a, \
                           information_schema.columns b, information_schema.columns c";
                let code = victim.error_of(sql);
                over.store(true, Ordering::SeqCst);
                (victim, code)
            });
            let mut killer = Client::connect(&login);
            // As on a server, it has no effect before the statement has begun.
            while !over.load(Ordering::SeqCst) {
                killer.execute(&format!("KILL QUERY {id}"));
            }
            let (mut victim, code) = victim.join().expect("no panic");
            assert_eq!(code, INTERRUPTED);
            assert_eq!(victim.value("SELECT 'still here'"), "still here");
            killer.execute(&format!("KILL {id}"));
            assert_eq!(killer.error_of(&format!("KILL {id}")), NO_SUCH_THREAD);
            assert!(victim.try_query("SELECT 1").is_err());
        });
    }
}
