//! Causal reads: whatever the replicas lag behind, a read through the proxy sees what its session
//! wrote before.

use mainstay_e2e::wait::wait_until;
use mainstay_e2e::{Client, Family, Sandbox, on_both_families};

on_both_families!(a_read_after_a_write_never_misses_it_although_replicas_lag);

fn a_read_after_a_write_never_misses_it_although_replicas_lag(family: Family) {
    let folder = tempfile::tempdir().expect("a folder");
    let settings = folder.path().join("proxy.toml");
    let text = "[proxy]\ncausal_reads = \"session\"\ncausal_wait = \"50ms\"\n";
    std::fs::write(&settings, text).expect("a file");
    let path = settings.to_str().expect("a path of letters");
    let sandbox = Sandbox::start_with(family, &["--settings", path]);
    let mut session = Client::connect(&sandbox.proxy());
    session.execute("CREATE TABLE app.t (id INT PRIMARY KEY)");
    let primary = sandbox.primary();
    let replicas: Vec<String> = sandbox
        .servers()
        .into_iter()
        .map(|server| server.name)
        .filter(|name| *name != primary)
        .collect();
    for name in &replicas {
        let login = sandbox.manager_login(name);
        wait_until("the table on a replica", || {
            Client::connect(&login)
                .try_query("SELECT id FROM app.t")
                .is_ok()
        });
    }

    // Its applier cannot write the table while a reader holds this lock.
    let mut locks: Vec<Client> = Vec::new();
    for name in &replicas {
        let mut lock = Client::connect(&sandbox.manager_login(name));
        lock.execute("LOCK TABLES app.t READ");
        locks.push(lock);
    }
    for id in 1..=10 {
        session.execute(&format!("INSERT INTO app.t VALUES ({id})"));
        let seen = session.value("SELECT MAX(id) FROM app.t");
        assert_eq!(seen, id.to_string());
    }
    session.execute("BEGIN");
    session.execute("INSERT INTO app.t VALUES (11)");
    session.execute("COMMIT");
    assert_eq!(session.value("SELECT MAX(id) FROM app.t"), "11");

    drop(locks);
    let mut own = Client::connect(&sandbox.manager_login(&primary));
    let own = own.value("SELECT @@server_id");
    wait_until("a read by a replica that has caught up", || {
        session.execute("UPDATE app.t SET id = id + 1 ORDER BY id DESC");
        let expected = session.value("SELECT MAX(id) FROM app.t FOR UPDATE");
        let row = session.value("SELECT CONCAT(@@server_id, ' ', MAX(id)) FROM app.t");
        let (server, seen) = row.split_once(' ').expect("two parts");
        assert_eq!(seen, expected);
        server != own
    });
}
