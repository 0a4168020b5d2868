//! Bad input: one sentence with the remedy, exit code 2, and nothing started or deleted.

mod configuration;
mod directories;
mod help;

use std::net::TcpListener;
use std::process::Command;

use mainstay_e2e::start_command;
use mainstay_e2e::{Family, Finished, Home, mainstay_binary, on_both_families, processes, run};

on_both_families!(a_server_program_of_the_other_family_is_refused);

/// A start that must fail, in a directory of its own.
fn refused(family: Family, more: &[&str]) -> String {
    let home = Home::new();
    let mut command = start_command(family, Some(&home.join("sandbox")));
    let sentence = run(command.args(["--detach", "--json"]).args(more)).failed_with(2);
    assert_eq!(processes::naming(home.path()), []);
    one_sentence(&sentence);
    sentence
}

/// A person reads one line, without the traces of a program.
fn one_sentence(complaint: &str) {
    assert_eq!(complaint.trim_end().lines().count(), 1, "{complaint}");
    assert!(complaint.starts_with("mainstay: "), "{complaint}");
    assert!(
        !complaint.contains("Error {") && !complaint.contains("Err("),
        "{complaint}"
    );
}

fn contains_all(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part} is not in: {text}");
    }
}

#[test]
fn a_port_in_use_is_named_with_the_option_that_chooses_another() {
    let taken = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let port = taken.local_addr().expect("an address").port().to_string();
    for option in PORT_OPTIONS {
        let home = Home::new();
        let mut command = start_with_port(&home, option, &port);
        let sentence = run(&mut command).failed_with(2);
        one_sentence(&sentence);
        contains_all(&sentence, &[&port, option]);
        assert_eq!(processes::naming(home.path()), []);
    }
}

const PORT_OPTIONS: [&str; 4] = ["--proxy-port", "--admin-port", "--api-port", "--base-port"];

/// This port for one of them, any free ones for the others.
fn start_with_port(home: &Home, option: &str, port: &str) -> Command {
    let mut command = Command::new(mainstay_binary());
    command.args(["sandbox", "--flavor=mariadb", "--detach", "--dir"]);
    command.arg(home.join("sandbox"));
    for name in PORT_OPTIONS {
        let port = if name == option { port } else { "0" };
        command.args([name, port]);
    }
    command
}

#[test]
fn a_missing_server_program_is_named() {
    let sentence = refused(Family::MariaDb, &["--mysqld", "/nowhere/mysqld"]);
    contains_all(&sentence, &["/nowhere/mysqld", "--mysqld"]);
}

#[test]
fn a_program_that_is_no_server_is_named() {
    let sentence = refused(Family::MariaDb, &["--mysqld", "/bin/true"]);
    contains_all(&sentence, &["/bin/true", "--mysqld"]);
}

fn a_server_program_of_the_other_family_is_refused(family: Family) {
    let other = match family {
        Family::MariaDb => Family::MySql,
        Family::MySql => Family::MariaDb,
    };
    let program = other.server_program();
    let program = program.to_str().expect("a path of text");
    let sentence = refused(family, &["--mysqld", program]);
    let (wanted, found) = (family.to_string(), other.to_string());
    contains_all(&sentence, &[&wanted, &found, "--mysqld"]);
}

/// The start gets past the choice of the server, as far as the next mistake.
#[test]
fn a_mysql_in_the_environment_does_not_disturb_a_mariadb_sandbox() {
    let taken = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let port = taken.local_addr().expect("an address").port().to_string();
    let home = Home::new();
    let mut command = start_with_port(&home, "--proxy-port", &port);
    let sentence = run(command.env("MAINSTAY_MYSQLD", "/nowhere/mysqld")).failed_with(2);
    contains_all(&sentence, &[&port]);
}

#[test]
fn detaching_needs_a_directory() {
    let sentence = mainstay(&["sandbox", "--detach"]).failed_with(2);
    contains_all(&sentence, &["--dir"]);
}

#[test]
fn an_unknown_argument_is_exit_code_2() {
    mainstay(&["sandbox", "--no-such-thing"]).failed_with(2);
    mainstay(&["drill", "earthquake"]).failed_with(2);
    mainstay(&["frobnicate"]).failed_with(2);
    let duration = mainstay(&["sandbox", "--hang-after", "soon"]).failed_with(2);
    contains_all(&duration, &["soon", "300ms"]);
}

/// With a directory for its notes that no other test uses.
fn mainstay(arguments: &[&str]) -> Finished {
    let home = Home::new();
    let mut command = Command::new(mainstay_binary());
    run(command.args(arguments).env("XDG_RUNTIME_DIR", home.path()))
}
