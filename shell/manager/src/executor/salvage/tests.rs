//! What decides which logs are copied, and under which names. The copying itself is tested with
//! real servers.

use mainstay_gtid::Family;
use mainstay_topology::ServerName;

use super::*;

const UUID: &str = "2a69640a-e4e5-11f1-81ef-02fc00000001";

fn missing(family: Family, from: &str, of: &str) -> Difference {
    let set = |text| GtidSet::parse(family, text).expect("a set");
    set(of).missing_from(&set(from))
}

#[test]
fn a_log_is_the_first_when_none_of_the_transactions_is_in_earlier_ones() {
    let mysql = missing(
        Family::Mysql,
        &format!("{UUID}:1-10"),
        &format!("{UUID}:1-13"),
    );
    assert!(!holds_any(&format!("{UUID}:1-10"), &mysql));
    assert!(holds_any(&format!("{UUID}:1-11"), &mysql));
    assert!(!holds_any("", &mysql));
    let mariadb = missing(Family::Mariadb, "0-1-10", "0-1-13");
    assert!(!holds_any("[0-1-10]", &mariadb));
    assert!(holds_any("[0-1-11]", &mariadb));
    assert!(!holds_any("[]", &mariadb));
}

#[test]
fn what_is_not_understood_may_hold_them() {
    let mysql = missing(Family::Mysql, "", &format!("{UUID}:1"));
    assert!(holds_any("something else", &mysql));
}

#[test]
fn a_name_never_leads_out_of_the_folder() {
    for (name, file) in [
        (&b"binlog.000007"[..], "binlog.000007"),
        (b"/var/log/binlog.000007", "binlog.000007"),
        (b"../..", ""),
        (b"../../etc/passwd", "passwd"),
    ] {
        assert_eq!(file_name(name), file);
    }
}

#[test]
fn each_salvage_has_a_folder_of_its_own() {
    let dir = tempfile::tempdir().expect("a folder");
    let server = ServerName::new("db1");
    let folders = [1, 2].map(|_| new_folder(dir.path(), &server).expect("made"));
    let names = ["db1-1", "db1-2"].map(|name| dir.path().join(name));
    assert_eq!(folders, names);
}
