//! `SHOW …`, `HELP` and system variables: questions of clients, as SQL over the tables.

use mainstay_command::{COMMANDS, Filter, Show};

use crate::admin::{Admin, Who, one};
use crate::database::{Answer, Database};
use crate::error::{AdminError, Unknown};
use crate::figures::{Cell, Row};
use crate::guard::Role;
use crate::runtime::Table;
use crate::schema::{self, Schema};

/// What clients ask a server about itself, and what is true here.
const SYSTEM: [(&str, &str); 38] = [
    ("auto_increment_increment", "1"),
    ("autocommit", "1"),
    ("character_set_client", "utf8mb4"),
    ("character_set_connection", "utf8mb4"),
    ("character_set_database", "utf8mb4"),
    ("character_set_results", "utf8mb4"),
    ("character_set_server", "utf8mb4"),
    ("collation_connection", "utf8mb4_general_ci"),
    ("collation_database", "utf8mb4_general_ci"),
    ("collation_server", "utf8mb4_general_ci"),
    ("default_storage_engine", "SQLite"),
    ("have_ssl", "YES"),
    ("hostname", "mainstay"),
    ("init_connect", ""),
    ("interactive_timeout", "28800"),
    ("license", "Apache-2.0"),
    ("lower_case_table_names", "0"),
    ("max_allowed_packet", "16777216"),
    ("max_execution_time", "0"),
    ("net_buffer_length", "16384"),
    ("net_read_timeout", "30"),
    ("net_write_timeout", "60"),
    ("performance_schema", "0"),
    ("port", "6032"),
    ("protocol_version", "10"),
    ("query_cache_size", "0"),
    ("query_cache_type", "OFF"),
    ("read_only", "0"),
    ("socket", ""),
    ("sql_mode", ""),
    ("sql_safe_updates", "0"),
    ("system_time_zone", "UTC"),
    ("time_zone", "SYSTEM"),
    ("transaction_isolation", "SERIALIZABLE"),
    ("transaction_read_only", "0"),
    ("tx_isolation", "SERIALIZABLE"),
    ("version_comment", "Mainstay Admin Module"),
    ("wait_timeout", "28800"),
];

/// SQL that a `SHOW` stands for. What holds a condition of the user runs as the user.
struct Question {
    sql: String,
    params: Vec<Cell>,
    role: Option<Role>,
}

impl Question {
    fn of(sql: impl Into<String>) -> Self {
        Self {
            sql: sql.into(),
            params: Vec::new(),
            role: None,
        }
    }

    fn internal(self) -> Self {
        Self {
            role: Some(Role::Internal),
            ..self
        }
    }

    fn with(mut self, param: impl Into<Cell>) -> Self {
        self.params.push(param.into());
        self
    }
}

impl Admin {
    pub(crate) fn show(&self, who: &Who, show: &Show) -> Result<Answer, AdminError> {
        let question = match show {
            Show::Metrics => return Ok(one("Data", self.sources.runtime.metrics())),
            Show::CreateTable(name) => return create_table(name),
            Show::Empty(columns) => {
                return Ok(Answer::Rows {
                    columns: columns.iter().map(|name| (*name).to_owned()).collect(),
                    rows: Vec::new(),
                });
            }
            Show::Databases(filter) => databases(filter),
            Show::Tables {
                schema,
                filter,
                full,
            } => tables(schema.as_deref(), &who.asker.schema, filter, *full)?,
            Show::TableStatus(filter) => table_status(filter),
            Show::Fields(name) => fields(name)?,
            Show::Variables { prefix, filter } => self.variables(prefix, filter),
            Show::Status(filter) => status(filter, &who.cipher),
            Show::MysqlStatus => Question::of(
                "SELECT Variable_Name AS Variable_name, Variable_Value AS Value \
                 FROM stats.stats_mysql_global ORDER BY Variable_Name",
            ),
            Show::Users => Question::of("SELECT * FROM main.mysql_users ORDER BY username"),
            Show::Servers => Question::of(
                "SELECT * FROM main.mysql_servers ORDER BY hostgroup_id, hostname, port",
            ),
            Show::Processlist { full: true } => {
                Question::of("SELECT * FROM stats.stats_mysql_processlist ORDER BY SessionID")
            }
            Show::Processlist { full: false } => Question::of(
                "SELECT SessionID, user, db, hostgroup, command, time_ms, \
                 substr(info, 1, 100) AS info FROM stats.stats_mysql_processlist \
                 ORDER BY SessionID",
            ),
            Show::Charsets(filter) => filtered(
                "SELECT Charset AS Charset, Charset AS Description, \
                 Collation AS \"Default collation\", 4 AS Maxlen FROM main.mysql_collations \
                 WHERE \"Default\" = 'Yes'",
                "Charset",
                filter,
            ),
            Show::Collations(filter) => filtered(
                "SELECT Collation, Charset, Id, \"Default\", 'Yes' AS Compiled, 1 AS Sortlen \
                 FROM main.mysql_collations",
                "Collation",
                filter,
            ),
        };
        let asker = Who {
            role: question.role.unwrap_or(who.role),
            ..who.clone()
        };
        self.sql(&asker, &question.sql, &question.params)
    }

    /// Our variables; when something is asked for, also what a server would have.
    fn variables(&self, prefix: &str, filter: &Filter) -> Question {
        let mut inner = "SELECT variable_name AS Variable_name, variable_value AS Value \
                         FROM main.global_variables"
            .to_owned();
        if *filter != Filter::All && prefix.is_empty() {
            for (name, value) in SYSTEM.iter().copied().chain([("version", &*self.version)]) {
                let value = literal(value);
                inner.push_str(&format!(" UNION ALL VALUES ('{name}', {value})"));
            }
        }
        let sql = format!(
            "SELECT * FROM ({inner}) WHERE Variable_name LIKE '{prefix}%'{}",
            condition("Variable_name", filter)
        );
        let mut question = like(Question::of(sql), filter);
        question.sql.push_str(" ORDER BY Variable_name");
        question
    }
}

/// What `@@name` stands for, as an expression of SQL.
pub(crate) fn system_variable(version: &str, name: &str) -> Option<String> {
    if name == "version" {
        return Some(literal(version));
    }
    if crate::variables::defaults().contains_key(name) {
        return Some(format!(
            "(SELECT variable_value FROM main.global_variables WHERE variable_name = '{name}')"
        ));
    }
    let known = SYSTEM.iter().find(|(known, _)| *known == name);
    known.map(|(_, value)| match value.parse::<i64>() {
        Ok(number) => number.to_string(),
        Err(_) => literal(value),
    })
}

fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// What a filter adds to a query that has a WHERE already.
fn condition(column: &str, filter: &Filter) -> String {
    match filter {
        Filter::All => String::new(),
        Filter::Like(_) => format!(" AND {column} LIKE ?1"),
        Filter::Where(condition) => format!(" AND ({condition})"),
    }
}

fn like(question: Question, filter: &Filter) -> Question {
    match filter {
        Filter::Like(pattern) => question.with(pattern.as_str()),
        Filter::All | Filter::Where(_) => question,
    }
}

fn filtered(inner: &str, column: &str, filter: &Filter) -> Question {
    let condition = condition(column, filter);
    let sql = format!("SELECT * FROM ({inner}) WHERE 1{condition} ORDER BY {column}");
    like(Question::of(sql), filter)
}

fn databases(filter: &Filter) -> Question {
    let schemas = Schema::ALL.iter().enumerate();
    let values: Vec<_> = schemas
        .map(|(at, schema)| format!("({}, '{}', '')", at, schema.name()))
        .collect();
    let inner = format!(
        "SELECT column1 AS seq, column2 AS name, column3 AS file FROM (VALUES {})",
        values.join(", ")
    );
    let condition = condition("name", filter);
    let sql = format!("SELECT * FROM ({inner}) WHERE 1{condition} ORDER BY seq");
    like(Question::of(sql), filter)
}

fn schema_named(name: &str) -> Result<Schema, AdminError> {
    if let Some(schema) = Schema::named(name) {
        return Ok(schema);
    }
    if name.eq_ignore_ascii_case("admin") {
        return Ok(Schema::Main);
    }
    Err(AdminError::Unknown(Unknown::Schema(name.to_owned())))
}

fn tables(
    schema: Option<&str>,
    in_use: &str,
    filter: &Filter,
    full: bool,
) -> Result<Question, AdminError> {
    let schema = schema_named(schema.unwrap_or(in_use))?.name();
    let kind = if full {
        ", 'BASE TABLE' AS Table_type"
    } else {
        ""
    };
    let sql = format!(
        "SELECT name AS tables{kind} FROM {schema}.sqlite_schema \
         WHERE type = 'table' AND name NOT LIKE 'sqlite_%'{} ORDER BY name",
        condition("name", filter)
    );
    Ok(like(Question::of(sql), filter).internal())
}

fn table_status(filter: &Filter) -> Question {
    let tables = schema::tables().iter();
    let counts: Vec<_> = tables
        .filter(|table| table.schema == Schema::Main)
        .map(|table| {
            let name = &table.name;
            format!(
                "SELECT '{name}' AS Name, 'SQLite' AS Engine, 10 AS Version, \
                 'Dynamic' AS Row_format, (SELECT count(*) FROM main.{name}) AS Rows"
            )
        })
        .collect();
    filtered(&counts.join(" UNION ALL "), "Name", filter).internal()
}

fn fields(name: &str) -> Result<Question, AdminError> {
    let table = found(name)?;
    let sql = "SELECT name AS Field, type AS Type, iif(\"notnull\", 'NO', 'YES') AS \"Null\", \
               iif(pk, 'PRI', '') AS \"Key\", dflt_value AS \"Default\", '' AS Extra \
               FROM pragma_table_info(?1, ?2)";
    let question = Question::of(sql).with(table.name.as_str());
    Ok(question.with(table.schema.name()).internal())
}

/// A table by its name, with or without its schema.
fn found(name: &str) -> Result<&'static schema::TableInfo, AdminError> {
    let (schema, table) = match name.split_once('.') {
        Some((schema, table)) => (Some(schema_named(schema)?), table),
        None => (None, name),
    };
    let mut tables = schema::tables().iter();
    let found = tables.find(|known| {
        known.name.eq_ignore_ascii_case(table) && schema.is_none_or(|schema| schema == known.schema)
    });
    found.ok_or_else(|| AdminError::Unknown(Unknown::Table(name.to_owned())))
}

fn create_table(name: &str) -> Result<Answer, AdminError> {
    let table = found(name)?;
    let schema = format!("{}.", table.schema.name());
    let sql = table.create().replace("IF NOT EXISTS ", "");
    let sql = sql.replacen(&schema, "", 1);
    Ok(Answer::Rows {
        columns: ["table", "Create Table"].map(str::to_owned).to_vec(),
        rows: vec![vec![table.name.as_str().into(), sql.into()]],
    })
}

fn status(filter: &Filter, cipher: &str) -> Question {
    let version = if cipher.is_empty() { "" } else { "TLSv1.3" };
    let inner = format!(
        "SELECT column1 AS Variable_name, column2 AS Value FROM (VALUES \
         ('Ssl_cipher', {}), ('Ssl_version', '{version}'), ('Threads_connected', '1'))",
        literal(cipher)
    );
    filtered(&inner, "Variable_name", filter)
}

/// The commands whose syntax has all these words.
pub(crate) fn help(topic: &str) -> Answer {
    let words: Vec<_> = topic.split_whitespace().map(str::to_uppercase).collect();
    let fits = |syntax: &str| {
        words
            .iter()
            .all(|word| syntax.to_uppercase().contains(word))
    };
    let found = COMMANDS.iter().filter(|entry| fits(entry.syntax));
    let row = |entry: &mainstay_command::Entry| vec![entry.syntax.into(), entry.help.into()];
    Answer::Rows {
        columns: ["Syntax", "Help"].map(str::to_owned).to_vec(),
        rows: found.map(row).collect(),
    }
}

/// Collations that clients choose, with the numbers that all servers give them.
pub(crate) fn fill_collations(database: &Database) -> Result<(), AdminError> {
    let lines = include_str!("collations.txt").lines();
    let rows = lines.filter_map(|line| {
        let mut parts = line.split(' ');
        let id: i64 = parts.next()?.parse().ok()?;
        let collation = parts.next()?;
        let (charset, _) = collation.split_once('_').unwrap_or((collation, ""));
        let default = parts.next().map_or("", |_| "Yes");
        Some(vec![
            id.into(),
            collation.into(),
            charset.into(),
            default.into(),
        ])
    });
    let rows: Vec<Row> = rows.collect();
    let name = "mysql_collations";
    database.replace(Schema::Main, &[Table { name, rows }], None)
}
