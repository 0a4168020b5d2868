//! The manager dies at steps of a switchover and of a failover, while its servers live on: the next
//! one finishes or undoes, and nothing that was acknowledged is missing.

use mainstay_e2e::{Client, Family, Paused, Sandbox, Status, on_both_families, wait_for};

use crate::served::{Served, addresses};

on_both_families!(
    a_switchover_is_finished_or_undone_whatever_step_the_manager_died_at,
    a_failover_is_finished_whatever_step_the_manager_died_at,
);

fn a_switchover_is_finished_or_undone_whatever_step_the_manager_died_at(family: Family) {
    let world = World::new(family);
    let mut served = Served::start(&world.sandbox, &addresses(&world.sandbox));
    let mut log = Log::new(&served, &world.sandbox);
    let plan = served.run(&["plan", "switchover", "--json"]).json();
    let steps = plan["steps"].as_array().expect("steps are a list").len();
    assert!(steps > 10, "{plan:#}");
    // The moments take turns, so that each pass stays short; the core plays all of them.
    for step in (1..=steps).step_by(2) {
        let moment = ["before", "after"][step / 2 % 2];
        served.start_again(Some(&format!("switchover {step} {moment}")));
        served.wait("a whole cluster", Status::is_whole);
        log.write(&served, &world.sandbox);
        // It dies with the answer; or the plan of another round is shorter.
        let _ = served.run(&["switchover"]);
        served.start_again(None);
        served.wait("a whole cluster", Status::is_whole);
        log.compare(&world.sandbox);
    }
}

fn a_failover_is_finished_whatever_step_the_manager_died_at(family: Family) {
    let world = World::new(family);
    let mut served = Served::start(&world.sandbox, &addresses(&world.sandbox));
    let mut log = Log::new(&served, &world.sandbox);
    for (step, moment) in [
        (2, "after"),
        (4, "before"),
        (6, "after"),
        (8, "before"),
        (10, "after"),
    ] {
        served.start_again(Some(&format!("failover {step} {moment}")));
        let whole = served.wait("a whole cluster", Status::is_whole);
        log.write(&served, &world.sandbox);
        let primary = whole.primary().expect("a whole cluster has one").to_owned();
        let pid = world.sandbox.pid_of(&primary).expect("it runs");
        let hung = Paused::new(pid);
        served.wait_for_death();
        served.start_again(None);
        served.wait("another primary", |status| {
            status.0["writes_held"] == false && status.primary().is_some_and(|now| now != primary)
        });
        log.write(&served, &world.sandbox);
        drop(hung);
        served.wait("a whole cluster", Status::is_whole);
        log.compare(&world.sandbox);
    }
}

/// Servers whose own manager stands still.
struct World {
    // Ends before the sandbox, which must be able to stop.
    _manager: Paused,
    sandbox: Sandbox,
}

impl World {
    fn new(family: Family) -> Self {
        let sandbox = Sandbox::start(family);
        sandbox.wait_until_whole();
        let manager = Paused::new(sandbox.pid());
        Self {
            _manager: manager,
            sandbox,
        }
    }
}

/// Rows that were acknowledged.
struct Log(u32);

impl Log {
    fn new(served: &Served, sandbox: &Sandbox) -> Self {
        served.wait("a whole cluster", Status::is_whole);
        let mut client = Client::connect(&served.login(sandbox));
        client.execute("CREATE TABLE app.log (id INT PRIMARY KEY)");
        Self(0)
    }

    fn write(&mut self, served: &Served, sandbox: &Sandbox) {
        self.0 += 1;
        let sql = format!("INSERT INTO app.log VALUES ({})", self.0);
        Client::connect(&served.login(sandbox)).execute(&sql);
    }

    fn compare(&self, sandbox: &Sandbox) {
        for server in sandbox.servers() {
            wait_for("every acknowledged row", || {
                let mut client = Client::try_connect(&server.login).map_err(|e| e.to_string())?;
                let rows = client.column("SELECT COUNT(*) FROM app.log");
                if rows == [self.0.to_string()] {
                    Ok(())
                } else {
                    Err(format!("{} of {} on {}", rows[0], self.0, server.name))
                }
            });
        }
    }
}
