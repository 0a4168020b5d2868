//! The manager's account with the rights that the documents name, and no others.

use mainstay_e2e::{Client, Family, Paused, Sandbox, Status, on_both_families, wait_for};

use crate::served::{Served, addresses};

on_both_families!(the_rights_of_the_documents_are_enough_for_a_switchover_and_a_failover);

/// Where the rights are told, for each family.
const DOCUMENT: &str = include_str!("../../../../docs/safety.md");
const USER: &str = "keeper";
const PASSWORD: &str = "Keeper-0123456789";

fn the_rights_of_the_documents_are_enough_for_a_switchover_and_a_failover(family: Family) {
    let sandbox = Sandbox::start(family);
    let first = sandbox.primary();
    let mut on_first = Client::connect(&sandbox.manager_login(&first));
    on_first.execute(&format!(
        "CREATE USER '{USER}'@'%' IDENTIFIED BY '{PASSWORD}'"
    ));
    for statement in grants(family) {
        on_first.execute(&statement);
    }
    sandbox.wait_until_whole();
    let manager = Paused::new(sandbox.pid());
    let account = (USER.to_owned(), PASSWORD.to_owned());
    let served = Served::start_as(&sandbox, &addresses(&sandbox), &account);
    served.wait("a whole cluster", Status::is_whole);
    let checked = served.run(&["check"]).succeeded();
    assert!(
        checked.contains("A failover would succeed now"),
        "{checked}"
    );

    served.run(&["switchover"]).succeeded();
    let moved = served.wait("a whole cluster", Status::is_whole);
    let second = moved.primary().expect("a primary").to_owned();
    assert_ne!(second, first);
    sandbox.kill_server(&second);
    let replaced = served.wait("another primary", |status| {
        let moved = status.primary().is_some_and(|primary| primary != second);
        moved && status.0["writes_held"] == false
    });
    let third = replaced.primary().expect("a primary").to_owned();

    let mut on_third = Client::connect(&sandbox.manager_login(&third));
    on_third.execute(&format!("REVOKE RELOAD ON *.* FROM '{USER}'@'%'"));
    wait_for("a right that is missing is told", || {
        let refused = served.run(&["check"]);
        let told = refused.to_string();
        if refused.code == Some(1) && told.contains("GRANT RELOAD ON *.* TO") {
            Ok(())
        } else {
            Err(told)
        }
    });
    drop(served);
    drop(manager);
}

/// The statements of the document, for the account of this test.
fn grants(family: Family) -> Vec<String> {
    let title = match family {
        Family::MySql => "on MySQL 8.0 and later:",
        Family::MariaDb => "on MariaDB 10.5 and later:",
    };
    let (_, after) = DOCUMENT.split_once(title).expect("it stands there");
    let (_, after) = after.split_once("```sql").expect("statements");
    let (statements, _) = after.split_once("```").expect("their end");
    let statements = statements.split(';').map(str::trim);
    let own = statements.filter(|statement| statement.contains("'mainstay'@'%'"));
    let own: Vec<_> = own
        .map(|one| one.replace("'mainstay'@'%'", &format!("'{USER}'@'%'")))
        .collect();
    assert!(own.len() > 2, "{own:?}");
    own
}
