//! A new process takes the place of the old one, or the old one ends: what clients see of it.

use mainstay_e2e::{
    Client, Family, Paused, Sandbox, Status, on_both_families, processes, wait_for, wait_until,
};
use rustix::process::Signal;

use crate::served::{Served, addresses};

on_both_families!(
    a_new_process_takes_over_with_all_its_clients,
    a_process_that_ends_lets_transactions_finish,
    a_new_process_that_cannot_start_leaves_the_old_one_alone,
);

/// The servers of the sandbox in the care of a `mainstay serve`, while the sandbox's own manager
/// stands still.
fn whole(sandbox: &Sandbox) -> (Paused, Served) {
    let manager = Paused::new(sandbox.pid());
    let served = Served::start(sandbox, &addresses(sandbox));
    served.wait("a whole cluster", Status::is_whole);
    (manager, served)
}

fn a_new_process_takes_over_with_all_its_clients(family: Family) {
    let sandbox = Sandbox::start(family);
    let (_manager, mut served) = whole(&sandbox);
    let login = served.login(&sandbox);
    let (mut resting, mut writing) = (Client::connect(&login), Client::connect(&login));
    resting.execute("CREATE TABLE app.t (id INT PRIMARY KEY)");
    resting.execute("SET time_zone = '+03:00'");
    let prepared = resting.prepare("INSERT INTO app.t VALUES (1)");
    writing.execute("BEGIN");
    writing.execute("INSERT INTO app.t VALUES (2)");
    let old = served.pid();
    processes::signal(old, Signal::USR2);
    wait_until("a second process", || served.pids().len() == 2);
    // Answered by the new one, or by the old one a moment before.
    resting.run(&prepared, &[]);
    let mut newcomer = Client::connect(&login);
    newcomer.execute("INSERT INTO app.t VALUES (3)");
    writing.execute("INSERT INTO app.t VALUES (4)");
    writing.execute("COMMIT");
    assert!(served.wait_for_end().success());
    assert!(!served.pids().contains(&old));
    assert_eq!(resting.value("SELECT @@time_zone"), "+03:00");
    resting.execute("INSERT INTO app.t VALUES (5)");
    writing.execute("INSERT INTO app.t VALUES (6)");
    let rows = writing.column("SELECT id FROM app.t ORDER BY id FOR UPDATE");
    assert_eq!(rows, ["1", "2", "3", "4", "5", "6"]);
    served.wait("a whole cluster", Status::is_whole);
}

fn a_process_that_ends_lets_transactions_finish(family: Family) {
    let sandbox = Sandbox::start(family);
    let (_manager, mut served) = whole(&sandbox);
    let login = served.login(&sandbox);
    let (mut resting, mut writing) = (Client::connect(&login), Client::connect(&login));
    resting.execute("CREATE TABLE app.t (id INT PRIMARY KEY)");
    writing.execute("BEGIN");
    writing.execute("INSERT INTO app.t VALUES (1)");
    processes::signal(served.pid(), Signal::TERM);
    wait_until("a closed port", || Client::try_connect(&login).is_err());
    // Another worker may still have had its port, and its clients, for a moment.
    let code = wait_for("the end of a session at rest", || {
        match resting.try_execute("SELECT 1") {
            Ok(_) => Err("it is served as before".to_owned()),
            Err(error) => Ok(error.server_code()),
        }
    });
    assert_eq!(code, Some(1053));
    writing.execute("INSERT INTO app.t VALUES (2)");
    writing.execute("COMMIT");
    assert!(served.wait_for_end().success());
}

fn a_new_process_that_cannot_start_leaves_the_old_one_alone(family: Family) {
    let sandbox = Sandbox::start(family);
    let (_manager, served) = whole(&sandbox);
    let mut client = Client::connect(&served.login(&sandbox));
    std::fs::write(&served.file, "[cluster]\nnam = 1\n").expect("it can be written");
    processes::signal(served.pid(), Signal::USR2);
    served.wait_for_log("no upgrade");
    client.execute("CREATE TABLE app.t (id INT PRIMARY KEY)");
    assert_eq!(served.pids(), [served.pid()]);
}
