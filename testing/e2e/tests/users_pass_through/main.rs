//! With `passthrough`, accounts of the servers get in whose passwords are written nowhere here.

use std::fs;

use mainstay_e2e::{Client, Family, Login, Sandbox, on_both_families, server_client};

on_both_families!(accounts_of_the_servers_get_in_by_their_own_passwords);

fn accounts_of_the_servers_get_in_by_their_own_passwords(family: Family) {
    let folder = tempfile::tempdir().expect("a temporary directory can be made");
    let settings = folder.path().join("passthrough.toml");
    fs::write(&settings, "[proxy]\npassthrough = true\n").expect("a file can be written");
    let path = settings.to_str().expect("a path of letters");
    let sandbox = Sandbox::start_with(family, &["--settings", path]);
    let guest = account(&sandbox, "first-secret");
    for _ in 0..2 {
        let mut session = Client::connect(&guest);
        let who = session.value("SELECT CURRENT_USER()");
        assert_eq!(who, "guest@%");
    }
    let own = server_client(family, &guest, &[], "SELECT USER()").succeeded();
    assert_eq!(own.trim(), "guest@127.0.0.1");
    a_wrong_password_is_the_error_of_a_server(&sandbox, &guest);
    the_managers_account_never_passes(&sandbox);
    a_changed_password_is_taken_at_once(&sandbox, &guest);
    a_known_guest_gets_in_while_the_primary_is_replaced(&sandbox);
    let log = fs::read_to_string(sandbox.dir().join("mainstay.log")).expect("a log");
    assert!(!log.contains("-secret"), "a password in the log");
}

fn account(sandbox: &Sandbox, password: &str) -> Login {
    let mut server = Client::connect(&sandbox.manager_login(&sandbox.primary()));
    server.execute(&format!("CREATE USER guest@'%' IDENTIFIED BY '{password}'"));
    Login {
        user: "guest".to_owned(),
        password: password.to_owned(),
        database: None,
        ..sandbox.proxy()
    }
}

fn a_wrong_password_is_the_error_of_a_server(sandbox: &Sandbox, guest: &Login) {
    let wrong = Login {
        password: "guess".to_owned(),
        ..guest.clone()
    };
    let complaint = server_client(sandbox.family(), &wrong, &[], "SELECT 1").failed_with(1);
    assert!(complaint.contains("ERROR 1045 (28000)"), "{complaint}");
}

fn the_managers_account_never_passes(sandbox: &Sandbox) {
    let (user, password) = sandbox.account("manager");
    let manager = Login {
        user,
        password,
        database: None,
        ..sandbox.proxy()
    };
    let complaint = server_client(sandbox.family(), &manager, &[], "SELECT 1").failed_with(1);
    assert!(complaint.contains("ERROR 1045 (28000)"), "{complaint}");
}

fn a_changed_password_is_taken_at_once(sandbox: &Sandbox, guest: &Login) {
    let mut server = Client::connect(&sandbox.manager_login(&sandbox.primary()));
    server.execute("ALTER USER guest@'%' IDENTIFIED BY 'second-secret'");
    let newer = Login {
        password: "second-secret".to_owned(),
        ..guest.clone()
    };
    let mut session = Client::connect(&newer);
    assert_eq!(session.value("SELECT CURRENT_USER()"), "guest@%");
}

fn a_known_guest_gets_in_while_the_primary_is_replaced(sandbox: &Sandbox) {
    let guest = Login {
        user: "guest".to_owned(),
        password: "second-secret".to_owned(),
        database: None,
        ..sandbox.proxy()
    };
    sandbox.kill_server(&sandbox.primary());
    let mut session = Client::connect(&guest);
    assert_eq!(session.value("SELECT CURRENT_USER()"), "guest@%");
    sandbox.wait_until_whole();
    assert_eq!(Client::connect(&guest).value("SELECT 1"), "1");
}
