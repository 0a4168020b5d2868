//! The SQL files as they are read.

use super::*;

#[test]
fn tables_have_the_columns_and_keys_of_their_statements() {
    let users = table("mysql_users").expect("it is there");
    assert_eq!(users.columns.len(), 14);
    assert_eq!(users.key, ["username", "backend"]);
    assert_eq!(users.defaults[11], Cell::Integer(10_000));
    assert_eq!(users.defaults[12], Cell::Text(String::new()));
    let rules = table("runtime_mysql_query_rules").expect("it is there");
    assert_eq!(rules.columns.len(), 35);
    assert_eq!(rules.key, ["rule_id"]);
    assert_eq!(columns("stats_mysql_connection_pool_reset").len(), 14);
    assert_eq!(columns("stats_mysql_free_connections")[5], "schema");
    assert!(columns("nothing").is_empty());
}

#[test]
fn every_module_has_its_tables() {
    for module in mainstay_command::Module::ALL {
        for name in module.tables() {
            assert_eq!(table(name).map(|table| table.schema), Some(Schema::Main));
            assert!(table(&format!("runtime_{name}")).is_some(), "{name}");
        }
    }
}
