//! `information_schema`, and what clients read of `mysql`: tools look there for the names that they
//! offer while one types, and complain when it is missing. The tables never change, so neither
//! does this; what servers have there and we do not is there, and empty.

use rusqlite::Connection;

use crate::schema::{self, Schema};

const SCHEMAS: [&str; 2] = ["information_schema", "mysql"];

/// Whether it is one of these, which nobody writes.
pub(crate) fn is_ours(schema: Option<&str>) -> bool {
    schema.is_some_and(|schema| SCHEMAS.contains(&schema))
}

/// Makes and fills them; all other tables are there.
pub(crate) fn add(connection: &Connection) -> rusqlite::Result<()> {
    for name in SCHEMAS {
        connection.execute_batch(&format!("ATTACH DATABASE ':memory:' AS {name}"))?;
    }
    connection.execute_batch(include_str!("schema/information.sql"))?;
    for schema in Schema::ALL {
        let sql = "INSERT INTO information_schema.schemata VALUES \
                   ('def', ?1, 'utf8mb4', 'utf8mb4_general_ci', NULL)";
        connection.execute(sql, [schema.name()])?;
    }
    for table in schema::tables() {
        let of = [table.schema.name(), table.name.as_str()];
        connection.execute(TABLE, of)?;
        connection.execute(COLUMNS, of)?;
        connection.execute(KEY, of)?;
    }
    Ok(())
}

const TABLE: &str = "INSERT INTO information_schema.tables \
    (TABLE_CATALOG, TABLE_SCHEMA, TABLE_NAME, TABLE_TYPE, ENGINE, TABLE_COMMENT) \
    VALUES ('def', ?1, ?2, 'BASE TABLE', 'SQLite', '')";

const COLUMNS: &str = "INSERT INTO information_schema.columns \
    (TABLE_CATALOG, TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME, ORDINAL_POSITION, COLUMN_DEFAULT, \
     IS_NULLABLE, DATA_TYPE, COLUMN_TYPE, COLUMN_KEY, EXTRA, PRIVILEGES, COLUMN_COMMENT) \
    SELECT 'def', ?1, ?2, name, cid + 1, trim(dflt_value, ''''), iif(\"notnull\", 'NO', 'YES'), \
     lower(type), lower(type), iif(pk, 'PRI', ''), '', '', '' FROM pragma_table_info(?2, ?1)";

const KEY: &str = "INSERT INTO information_schema.statistics \
    SELECT 'def', ?1, ?2, 0, ?1, 'PRIMARY', pk, name FROM pragma_table_info(?2, ?1) WHERE pk > 0";
