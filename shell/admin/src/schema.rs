//! The tables: read from the SQL files beside this one, in which a column is a line.

use std::sync::OnceLock;

use crate::figures::Cell;

/// Where a table is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Schema {
    /// Configuration in memory, and views of what runs.
    Main,
    /// Configuration as it was saved.
    Disk,
    /// Figures.
    Stats,
    /// Figures kept over time.
    StatsHistory,
    /// What probes saw.
    Monitor,
}

impl Schema {
    /// In the order of `SHOW DATABASES`.
    pub const ALL: [Self; 5] = [
        Self::Main,
        Self::Disk,
        Self::Stats,
        Self::Monitor,
        Self::StatsHistory,
    ];

    /// As it is named in SQL.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Main => "main",
            Self::Disk => "disk",
            Self::Stats => "stats",
            Self::StatsHistory => "stats_history",
            Self::Monitor => "monitor",
        }
    }

    /// The schema of this name.
    pub fn named(name: &str) -> Option<Self> {
        let mut all = Self::ALL.into_iter();
        all.find(|schema| schema.name().eq_ignore_ascii_case(name))
    }
}

/// One table.
#[derive(Debug, Clone)]
pub struct TableInfo {
    /// Where it is.
    pub schema: Schema,
    /// Its name.
    pub name: String,
    /// Its columns, in order.
    pub columns: Vec<&'static str>,
    /// What each column holds when nothing is said.
    pub defaults: Vec<Cell>,
    /// Those of the primary key.
    pub key: Vec<&'static str>,
    /// The statement that makes it.
    sql: &'static str,
}

impl TableInfo {
    /// The statement that makes it, in its schema.
    pub(crate) fn create(&self) -> String {
        let (_, body) = self.sql.split_once('(').unwrap_or_default();
        let guard = if matches!(self.schema, Schema::Disk | Schema::StatsHistory) {
            "IF NOT EXISTS "
        } else {
            ""
        };
        let schema = self.schema.name();
        format!("CREATE TABLE {guard}{schema}.{} ({body}", self.name)
    }
}

/// All tables.
pub fn tables() -> &'static [TableInfo] {
    static TABLES: OnceLock<Vec<TableInfo>> = OnceLock::new();
    TABLES.get_or_init(|| {
        let configured = read(Schema::Main, include_str!("schema/main.sql"));
        let mut all = configured.clone();
        for table in &configured {
            let name = format!("runtime_{}", table.name);
            all.push(TableInfo {
                name,
                ..table.clone()
            });
            all.push(TableInfo {
                schema: Schema::Disk,
                ..table.clone()
            });
        }
        all.extend(read(Schema::Main, include_str!("schema/alone.sql")));
        all.extend(read(Schema::Disk, include_str!("schema/disk.sql")));
        all.extend(read(Schema::Stats, include_str!("schema/stats.sql")));
        all.extend(read(Schema::Monitor, include_str!("schema/monitor.sql")));
        let history = include_str!("schema/stats_history.sql");
        all.extend(read(Schema::StatsHistory, history));
        all
    })
}

/// A table of `main`, or the first of this name elsewhere.
pub fn table(name: &str) -> Option<&'static TableInfo> {
    tables()
        .iter()
        .find(|table| table.name.eq_ignore_ascii_case(name))
}

/// The columns of a table; none of an unknown one.
pub fn columns(name: &str) -> &'static [&'static str] {
    table(name).map_or(&[], |table| &table.columns)
}

fn read(schema: Schema, text: &'static str) -> Vec<TableInfo> {
    let statements = text.split("CREATE TABLE ").skip(1);
    let tables = statements.map(|statement| {
        let end = statement.find(';').unwrap_or(statement.len());
        let sql = &statement[..end];
        let (head, _) = sql.split_once('(').unwrap_or_default();
        let name = head.trim().trim_start_matches("IF NOT EXISTS ");
        let lines = sql.lines().skip(1).map(str::trim);
        let (mut columns, mut defaults, mut key) = (Vec::new(), Vec::new(), Vec::new());
        for line in lines {
            let first = line.split([' ', '(']).next().unwrap_or_default();
            match first {
                "PRIMARY" => key = listed(line),
                "UNIQUE" | "" | ")" => {}
                column => {
                    let column = column.trim_matches('"');
                    columns.push(column);
                    defaults.push(default(line));
                    if line.contains("PRIMARY KEY") {
                        key = vec![column];
                    }
                }
            }
        }
        TableInfo {
            schema,
            name: name.to_owned(),
            columns,
            defaults,
            key,
            sql,
        }
    });
    tables.collect()
}

/// What stands after `DEFAULT` in the line of a column.
fn default(line: &str) -> Cell {
    let (_, value) = line.split_once(" DEFAULT ").unwrap_or_default();
    if let Some(text) = value.strip_prefix('\'') {
        let (text, _) = text.split_once('\'').unwrap_or((text, ""));
        return Cell::Text(text.to_owned());
    }
    let end = value.find([' ', ',']).unwrap_or(value.len());
    value[..end].parse().map_or(Cell::Null, Cell::Integer)
}

/// The names between the brackets of a line.
fn listed(line: &'static str) -> Vec<&'static str> {
    let (_, names) = line.split_once('(').unwrap_or_default();
    let (names, _) = names.split_once(')').unwrap_or((names, ""));
    names.split(',').map(str::trim).collect()
}

#[cfg(test)]
mod tests;
