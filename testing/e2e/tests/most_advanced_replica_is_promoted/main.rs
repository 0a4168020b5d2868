//! The replica that has received most is promoted, though another has applied more; and not before
//! it is known what every replica holds.

use mainstay_e2e::{Client, Family, NumberedWriters, Sandbox, on_both_families, processes};
use rustix::process::Signal;

on_both_families!(what_was_received_counts_and_not_what_was_applied);

/// More than the sockets between two servers can hold.
const ROWS: usize = 60;
const ROW_BYTES: usize = 400_000;

fn what_was_received_counts_and_not_what_was_applied(family: Family) {
    // The killed primary must stay away until its successor serves.
    let sandbox = Sandbox::start_with(family, &["--restart-after", "10s"]);
    let writers = NumberedWriters::start(&sandbox, "numbers", 2);
    let mut client = Client::connect(&sandbox.proxy());
    client.execute("CREATE TABLE app.ballast (id INT PRIMARY KEY, data LONGBLOB)");
    let old = sandbox.primary();
    let [receiver, applier] =
        <[String; 2]>::try_from(sandbox.status().named("replica")).expect("two replicas");

    // One replica receives and applies nothing of it: its applier waits for a lock.
    let mut lock = Client::connect(&sandbox.manager_login(&receiver));
    lock.execute("LOCK TABLES app.numbers READ");
    writers.wait_for_progress();
    // The other has applied that, and from now on receives nothing.
    let stopped = sandbox.pid_of(&applier).expect("it runs");
    processes::signal(stopped, Signal::STOP);
    let row = format!("REPEAT('x', {ROW_BYTES})");
    for id in 0..ROWS {
        client.execute(&format!("INSERT INTO app.ballast VALUES ({id}, {row})"));
    }
    writers.wait_for_progress();

    sandbox.kill_server(&old);
    let refused = sandbox.wait("a refusal while a replica cannot be asked", |status| {
        status.0["phase"] == "halted"
    });
    let reason = refused.0["reason"].as_str().unwrap_or_default();
    let sentence = "cannot exclude loss";
    assert!(
        reason.contains(sentence) && reason.contains(&applier),
        "{reason}"
    );
    assert_eq!(refused.primary(), Some(old.as_str()), "{refused}");
    processes::signal(stopped, Signal::CONT);
    sandbox.wait("the wait for what was received", |status| {
        let steps = status.0["operation"]["steps"].to_string();
        steps.contains(&receiver) && steps.contains("applied everything")
    });
    lock.execute("UNLOCK TABLES");

    writers.wait_for_progress();
    assert_eq!(sandbox.primary(), receiver);
    writers.stop_and_compare(&sandbox);
    sandbox.wait_until_whole();
    for server in sandbox.servers() {
        let count = Client::connect(&server.login).value("SELECT COUNT(*) FROM app.ballast");
        assert_eq!(count, ROWS.to_string(), "{}", server.name);
    }
}
