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
