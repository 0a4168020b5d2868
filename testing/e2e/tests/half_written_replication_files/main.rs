//! A replica that was killed while it wrote its replication files is a replica again after the
//! next start, whatever is left of them.

use std::fs;
use std::path::{Path, PathBuf};

use mainstay_e2e::{Client, Family, Login, NumberedWriters, Sandbox, on_both_families};

on_both_families!(a_replica_whose_replication_files_are_unreadable_heals);

/// What is done to the files of a data directory.
type Damage = fn(&Path);

fn a_replica_whose_replication_files_are_unreadable_heals(family: Family) {
    let mut sandbox = Sandbox::start(family);
    let writers = NumberedWriters::start(&sandbox, "numbers", 2);
    for damages in kinds(family) {
        let replicas = sandbox.status().named("replica");
        sandbox.kill();
        for (replica, damage) in replicas.iter().zip(damages) {
            damage(&sandbox.dir().join(replica).join("data"));
        }
        sandbox.start_again();
        sandbox.wait_until_whole();
        writers.wait_for_progress();
    }
    writers.stop_and_compare(&sandbox);
}

/// `SET GLOBAL gtid_slave_pos` empties the table of the position before it writes the new one: a
/// server that is killed in between does not know any more what it has applied.
#[test]
fn mariadb_replicas_that_have_lost_their_position_heal() {
    let mut sandbox = Sandbox::start(Family::MariaDb);
    let writers = NumberedWriters::start(&sandbox, "numbers", 2);
    writers.wait_for_progress();
    let (user, password) = sandbox.account("manager");
    for replica in sandbox.status().named("replica") {
        let mut client = Client::connect(&Login {
            user: user.clone(),
            password: password.clone(),
            ..sandbox.server(&replica).login
        });
        client.execute("STOP SLAVE");
        client.execute("SET GLOBAL gtid_slave_pos = ''");
    }
    sandbox.kill();
    sandbox.start_again();
    sandbox.wait_until_whole();
    writers.wait_for_progress();
    writers.stop_and_compare(&sandbox);
}

/// For one replica and the other of each round. MySQL keeps in its tables what MariaDB keeps in
/// `master.info` and `relay-log.info`.
fn kinds(family: Family) -> Vec<[Damage; 2]> {
    match family {
        Family::MariaDb => vec![
            [
                |data| empty(&data.join("master.info")),
                |data| empty(&data.join("relay-log.info")),
            ],
            [
                |data| empty(&data.join("relay.index")),
                |data| relay_logs(data).iter().for_each(|log| empty(log)),
            ],
        ],
        Family::MySql => vec![[
            |data| empty(&data.join("relay.index")),
            |data| relay_logs(data).iter().for_each(|log| remove(log)),
        ]],
    }
}

fn empty(file: &Path) {
    assert!(file.is_file(), "there is no {}", file.display());
    fs::write(file, "").expect("a file of the sandbox can be written");
}

fn remove(file: &Path) {
    fs::remove_file(file).expect("a file of the sandbox can be removed");
}

/// `relay.000001` and so on.
fn relay_logs(data: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(data).expect("a data directory can be read");
    let paths = entries.map(|entry| entry.expect("an entry can be read").path());
    let is_log = |path: &PathBuf| {
        path.file_stem() == Some("relay".as_ref()) && path.extension() != Some("index".as_ref())
    };
    let logs: Vec<_> = paths.filter(is_log).collect();
    assert!(!logs.is_empty(), "no relay log in {}", data.display());
    logs
}
