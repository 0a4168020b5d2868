//! The option files and first statements, whole: every line of them was decided.

use std::path::PathBuf;

use super::*;
use crate::credentials::Login;

fn program(flavor: Flavor, version: &str) -> ServerProgram {
    let in_prefix = (flavor == Flavor::MySql).then(|| PathBuf::from("/opt/p/usr"));
    ServerProgram {
        path: PathBuf::from("/usr/sbin/mysqld"),
        flavor,
        version: version.parse().expect("a version"),
        base: PathBuf::from("/usr"),
        plugins: in_prefix.as_ref().map(|base| base.join("lib/mysql/plugin")),
        messages: in_prefix.as_ref().map(|base| base.join("share/mysql")),
    }
}

fn expect_text(actual: &str, file: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("src/dialect/snapshots")
        .join(file);
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(&path, actual).expect("the snapshot is writable");
    }
    let expected = std::fs::read_to_string(&path).expect("the snapshot exists");
    assert_eq!(
        actual,
        expected,
        "UPDATE_EXPECT=1 rewrites {}",
        path.display()
    );
}

fn options_of(flavor: Flavor, version: &str) -> String {
    option_file(&ServerFiles {
        program: &program(flavor, version),
        directory: Path::new("/srv/with space/db2"),
        port: 23312,
        server_id: 2,
        as_root: flavor == Flavor::MySql,
    })
}

fn credentials() -> Credentials {
    let login = |user: &str| Login {
        user: user.to_owned(),
        password: format!("{user}-password"),
    };
    Credentials {
        manager: login("manager"),
        replication: login("replication"),
        app: login("app"),
    }
}

#[test]
fn the_option_file_of_mariadb_is_as_decided() {
    expect_text(
        &options_of(Flavor::MariaDb, "10.11.6-MariaDB"),
        "mariadb.cnf",
    );
}

#[test]
fn the_option_file_of_mysql_is_as_decided() {
    expect_text(&options_of(Flavor::MySql, "9.7.4"), "mysql.cnf");
}

#[test]
fn the_first_statements_of_mariadb_are_as_decided() {
    expect_text(
        &first_statements(Flavor::MariaDb, &credentials()),
        "mariadb.sql",
    );
}

#[test]
fn the_first_statements_of_mysql_are_as_decided() {
    expect_text(
        &first_statements(Flavor::MySql, &credentials()),
        "mysql.sql",
    );
}

#[test]
fn nothing_is_logged_and_the_manager_is_made_last() {
    for flavor in [Flavor::MariaDb, Flavor::MySql] {
        let text = first_statements(flavor, &credentials());
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.first(), Some(&"SET sql_log_bin=0;"));
        assert!(lines.last().expect("lines").contains("'manager'@'%'"));
    }
}
