//! Every table, and variables.

use super::*;

#[test]
fn every_table_is_listed_and_shows_how_it_was_made() {
    let place = Place::new();
    for table in crate::tables() {
        let name = format!("{}.{}", table.schema.name(), table.name);
        let rows = place.rows(&format!("SHOW CREATE TABLE {name}"));
        assert!(
            rows[0].contains(&format!("CREATE TABLE {} (", table.name)),
            "{}",
            rows[0]
        );
        place.rows(&format!("SELECT * FROM {name}"));
        assert_eq!(
            place.rows(&format!("SHOW FIELDS FROM {name}")).len(),
            table.columns.len()
        );
    }
}

#[test]
fn what_tools_ask_of_the_information_schema_is_answered() {
    let place = Place::new();
    let columns = "select TABLE_NAME, COLUMN_NAME from information_schema.columns \
                   where table_schema = 'main' and table_name = 'mysql_servers' \
                   order by table_name,ordinal_position";
    let expected = crate::columns("mysql_servers").len();
    assert_eq!(place.rows(columns).len(), expected);
    let keys = "SELECT DISTINCT COLUMN_NAME FROM information_schema.STATISTICS \
                WHERE TABLE_SCHEMA = 'main' AND TABLE_NAME = 'mysql_query_rules' \
                AND SEQ_IN_INDEX = 1";
    assert_eq!(place.rows(keys), ["rule_id"]);
    for empty in [
        "SELECT name from mysql.help_topic WHERE name like \"SHOW %\"",
        "SELECT CONCAT(\"'\", user, \"'@'\",host,\"'\") FROM mysql.user",
        "SELECT ROUTINE_NAME FROM INFORMATION_SCHEMA.ROUTINES WHERE ROUTINE_TYPE=\"FUNCTION\"",
    ] {
        assert!(place.rows(empty).is_empty(), "{empty}");
    }
    assert!(place.ask("DELETE FROM information_schema.columns").is_err());
    assert!(
        place
            .ask("INSERT INTO mysql.user VALUES ('%', 'x')")
            .is_err()
    );
}

#[test]
fn variables_are_set_in_memory_and_wait_to_be_loaded() {
    let place = Place::new();
    place.done("SET mysql-threads='8'");
    assert_eq!(place.rows("SELECT @@mysql-threads"), ["8"]);
    place.done("LOAD MYSQL VARIABLES TO RUNTIME");
    let sql = "SELECT variable_value FROM runtime_global_variables \
               WHERE variable_name = 'mysql-threads'";
    assert_eq!(place.rows(sql), ["8"]);
    place.done("PROXYSQL READONLY");
    for text in [
        "SET mysql-threads='9'",
        "DELETE FROM mysql_users",
        "LOAD MYSQL USERS TO RUN",
    ] {
        assert!(place.ask(text).is_err(), "{text}");
    }
    place.done("PROXYSQL READWRITE");
    place.done("SET mysql-threads='9'");
}
