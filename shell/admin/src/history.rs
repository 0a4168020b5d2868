//! Figures kept over time, in `stats_history`: a row each time somebody calls, of which one for
//! each hour and each day is made. Rows have an end: those of calls after a week, of status
//! variables after a day, those of hours after a year.

use crate::admin::Admin;
use crate::database::Database;
use crate::error::AdminError;
use crate::figures::{Cell, Row};
use crate::functions::unix_time;
use crate::schema;

const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;
const WEEK: i64 = 7 * DAY;
const YEAR: i64 = 365 * DAY;

/// A table, the one that it is made from, and the variables of columns with another name.
struct Kept {
    table: &'static str,
    from: &'static str,
    names: &'static [(&'static str, &'static str)],
}

const KEPT: [Kept; 4] = [
    Kept {
        table: "mysql_connections",
        from: "stats_mysql_global",
        names: &[],
    },
    Kept {
        table: "myhgm_connections",
        from: "stats_mysql_global",
        names: &[],
    },
    Kept {
        table: "mysql_query_cache",
        from: "stats_mysql_global",
        names: &[
            ("count_GET", "Query_Cache_count_GET"),
            ("count_GET_OK", "Query_Cache_count_GET_OK"),
            ("count_SET", "Query_Cache_count_SET"),
            ("bytes_IN", "Query_Cache_bytes_IN"),
            ("bytes_OUT", "Query_Cache_bytes_OUT"),
            ("Entries_Purged", "Query_Cache_Purged"),
            ("Entries_In_Cache", "Query_Cache_Entries"),
            ("Memory_Bytes", "Query_Cache_Memory_bytes"),
        ],
    },
    Kept {
        table: "system_memory",
        from: "stats_memory_metrics",
        names: &[
            ("allocated", "jemalloc_allocated"),
            ("resident", "jemalloc_resident"),
            ("active", "jemalloc_active"),
            ("mapped", "jemalloc_mapped"),
            ("metadata", "jemalloc_metadata"),
            ("retained", "jemalloc_retained"),
        ],
    },
];

/// The table of the processor's time, which is filled by a figure of its own.
const CPU: &str = "system_cpu";
/// `tms_utime`, `tms_stime`: one row.
const CPU_FIGURE: &str = "process_cpu";

/// What goes up and down: of an hour the average is kept. What only grows is kept as it was last.
const GAUGES: [&str; 10] = [
    "Client_Connections_connected",
    "Server_Connections_connected",
    "Entries_In_Cache",
    "Memory_Bytes",
    "allocated",
    "resident",
    "active",
    "mapped",
    "metadata",
    "retained",
];

impl Admin {
    /// Keeps the figures as they are now.
    pub fn keep_history(&self) -> Result<(), AdminError> {
        let now = unix_time();
        self.keep_history_at(now)
    }

    pub(crate) fn keep_history_at(&self, now: i64) -> Result<(), AdminError> {
        self.fill_named("stats_mysql_global stats_memory_metrics stats_mysql_connection_pool")?;
        let cpu = self.sources.figures.rows(CPU_FIGURE);
        let database = self.database();
        database.execute("BEGIN", &[])?;
        let kept = keep(&database, now, cpu.and_then(|rows| rows.into_iter().next()));
        let end = if kept.is_ok() { "COMMIT" } else { "ROLLBACK" };
        database.execute(end, &[])?;
        kept
    }
}

fn keep(database: &Database, now: i64, cpu: Option<Row>) -> Result<(), AdminError> {
    let at = [Cell::Integer(now)];
    for kept in &KEPT {
        database.execute(&kept.sql(), &at)?;
    }
    if let Some(row) = cpu {
        let sql = format!("INSERT OR REPLACE INTO stats_history.{CPU} VALUES (?1, ?2, ?3)");
        database.execute(&sql, &[&at[..], &row].concat())?;
    }
    database.execute(&pools(), &at)?;
    database.execute(NEW_VARIABLES, &[])?;
    database.execute(VARIABLES, &at)?;
    for table in KEPT.iter().map(|kept| kept.table).chain([CPU]) {
        let hours = rolled(table, ("", "_hour"), HOUR);
        database.execute(&hours, &[Cell::Integer(now - now % HOUR)])?;
        let days = rolled(table, ("_hour", "_day"), DAY);
        database.execute(&days, &[Cell::Integer(now - now % DAY)])?;
        forget(database, &format!("{table}_hour"), now - YEAR)?;
        forget(database, table, now - WEEK)?;
    }
    forget(database, "history_stats_mysql_connection_pool", now - WEEK)?;
    forget(database, "history_mysql_status_variables", now - DAY)
}

impl Kept {
    /// One row of the values that variables have.
    fn sql(&self) -> String {
        let columns = schema::columns(self.table).iter().skip(1);
        let values: Vec<_> = columns
            .map(|column| {
                let other = self.names.iter().find(|(name, _)| name == column);
                let variable = other.map_or(*column, |(_, variable)| variable);
                format!(
                    "COALESCE(MAX(CASE WHEN Variable_Name = '{variable}' \
                     THEN CAST(Variable_Value AS INTEGER) END), 0)"
                )
            })
            .collect();
        let (table, from, values) = (self.table, self.from, values.join(", "));
        format!(
            "INSERT OR REPLACE INTO stats_history.{table} SELECT ?1, {values} FROM stats.{from}"
        )
    }
}

fn pools() -> String {
    let columns = schema::columns("stats_mysql_connection_pool").join(", ");
    format!(
        "INSERT OR REPLACE INTO stats_history.history_stats_mysql_connection_pool \
         SELECT ?1, {columns} FROM stats.stats_mysql_connection_pool"
    )
}

/// Variables have a number each, so that their names are kept once.
const NEW_VARIABLES: &str = "INSERT INTO stats_history.history_mysql_status_variables_lookup \
     (variable_id, variable_name) \
     SELECT (SELECT COALESCE(MAX(variable_id), 0) \
             FROM stats_history.history_mysql_status_variables_lookup) + ROW_NUMBER() OVER (), \
            Variable_Name \
     FROM stats.stats_mysql_global WHERE Variable_Name NOT IN \
       (SELECT variable_name FROM stats_history.history_mysql_status_variables_lookup)";

const VARIABLES: &str = "INSERT OR REPLACE INTO stats_history.history_mysql_status_variables \
     SELECT ?1, lookup.variable_id, seen.Variable_Value FROM stats.stats_mysql_global AS seen \
     JOIN stats_history.history_mysql_status_variables_lookup AS lookup \
       ON lookup.variable_name = seen.Variable_Name";

/// One row for each `seconds` since ?1, made from finer ones.
fn rolled(table: &str, (from, to): (&str, &str), seconds: i64) -> String {
    let columns = schema::columns(table).iter().skip(1);
    let values: Vec<_> = columns
        .map(|column| {
            if GAUGES.contains(column) {
                format!("CAST(AVG({column}) AS INTEGER)")
            } else {
                format!("MAX({column})")
            }
        })
        .collect();
    let values = values.join(", ");
    format!(
        "INSERT OR REPLACE INTO stats_history.{table}{to} \
         SELECT timestamp / {seconds} * {seconds}, {values} FROM stats_history.{table}{from} \
         WHERE timestamp >= ?1 GROUP BY 1"
    )
}

fn forget(database: &Database, table: &str, before: i64) -> Result<(), AdminError> {
    let sql = format!("DELETE FROM stats_history.{table} WHERE timestamp < ?1");
    database.execute(&sql, &[Cell::Integer(before)])?;
    Ok(())
}
