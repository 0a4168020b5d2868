//! The embedded database: one connection with all schemas attached, and what guards it.
//!
//! Every statement is a transaction of its own: sessions share the connection, as in `ProxySQL`.

use std::fs::{OpenOptions, Permissions};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, Statement, ToSql, params_from_iter};

use crate::error::AdminError;
use crate::figures::{Cell, Row};
use crate::functions::{self, Asker, Present};
use crate::guard::{Guard, Role};
use crate::information;
use crate::runtime::Table;
use crate::schema::{self, Schema};

/// A statement that takes longer is ended: it would keep all others waiting.
const STATEMENT_LIMIT: Duration = Duration::from_secs(30);

/// Steps of the database between two looks at the clock.
const STEPS: i32 = 100_000;

/// Bytes of a result: more is kept from eating the memory of the proxy.
const RESULT_MAX: usize = 256 << 20;

/// What a statement gives.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Answer {
    /// Done; so many rows changed.
    Done {
        /// How many.
        affected: u64,
        /// A sentence for people.
        info: String,
    },
    /// Rows.
    Rows {
        /// Names of the columns.
        columns: Vec<String>,
        /// The rows.
        rows: Vec<Row>,
    },
}

impl Answer {
    pub(crate) fn done() -> Self {
        Self::told(String::new())
    }

    pub(crate) fn told(info: impl Into<String>) -> Self {
        Self::Done {
            affected: 0,
            info: info.into(),
        }
    }
}

/// The database.
pub(crate) struct Database {
    connection: Connection,
    guard: Guard,
    present: Present,
    /// When the running statement is ended, in milliseconds since `begun`.
    limit: Arc<AtomicU64>,
    begun: Instant,
}

impl Database {
    /// Opens the files in a folder, made if they are not there.
    pub(crate) fn open(disk: &Path, history: &Path) -> Result<Self, AdminError> {
        for path in [disk, history] {
            make_private(path)?;
        }
        let mut connection = Connection::open_in_memory().map_err(AdminError::sql)?;
        let (guard, present) = (Guard::default(), Present::default());
        let (limit, begun) = (Arc::new(AtomicU64::new(u64::MAX)), Instant::now());
        set_up(&mut connection, [disk, history], &present).map_err(AdminError::sql)?;
        let asked = guard.clone();
        let authorize =
            connection.authorizer(Some(move |context: rusqlite::hooks::AuthContext<'_>| {
                asked.decide(&context)
            }));
        authorize.map_err(AdminError::sql)?;
        let until = Arc::clone(&limit);
        let over = move || begun.elapsed().as_millis() > u128::from(until.load(Ordering::Relaxed));
        let progress = connection.progress_handler(STEPS, Some(over));
        progress.map_err(AdminError::sql)?;
        Ok(Self {
            connection,
            guard,
            present,
            limit,
            begun,
        })
    }

    /// Runs a statement of a session.
    pub(crate) fn run(
        &self,
        role: (Role, bool),
        asker: &Asker,
        sql: &str,
        params: &[Cell],
    ) -> Result<Answer, AdminError> {
        if let Ok(mut present) = self.present.lock() {
            present.clone_from(asker);
        }
        let until = self.begun.elapsed() + STATEMENT_LIMIT;
        let until = u64::try_from(until.as_millis()).unwrap_or(u64::MAX);
        self.limit.store(until, Ordering::Relaxed);
        self.guard.admit(role.0, role.1);
        let done = self.answer(sql, params);
        self.guard.admit(Role::Internal, false);
        self.limit.store(u64::MAX, Ordering::Relaxed);
        done
    }

    fn answer(&self, sql: &str, params: &[Cell]) -> Result<Answer, AdminError> {
        let failed = |reason| match self.guard.denied() {
            Some(denied) => AdminError::Denied(denied),
            None => AdminError::Sql {
                table: mainstay_command::written_table(sql),
                reason,
            },
        };
        let mut statement = self.connection.prepare(sql).map_err(failed)?;
        if statement.column_count() == 0 {
            let affected = statement
                .execute(params_from_iter(params))
                .map_err(failed)?;
            return Ok(Answer::Done {
                affected: affected as u64,
                info: String::new(),
            });
        }
        let names = statement.column_names().map(str::to_owned);
        let columns = names.collect();
        let rows = collect(&mut statement, params).map_err(failed)?;
        let Some(rows) = rows else {
            let text = "the result is too large: ask for fewer rows".to_owned();
            return Err(AdminError::Impossible(text));
        };
        Ok(Answer::Rows { columns, rows })
    }

    /// How many parameters and which columns a statement has.
    pub(crate) fn describe(
        &self,
        role: (Role, bool),
        sql: &str,
    ) -> Result<(usize, Vec<String>), AdminError> {
        self.guard.admit(role.0, role.1);
        let prepared = self.connection.prepare(sql);
        let denied = self.guard.denied();
        self.guard.admit(Role::Internal, false);
        let statement = match (prepared, denied) {
            (Err(_), Some(denied)) => return Err(AdminError::Denied(denied)),
            (prepared, _) => prepared.map_err(AdminError::sql)?,
        };
        let names = statement.column_names().map(str::to_owned);
        Ok((statement.parameter_count(), names.collect()))
    }

    /// All rows of a table, in the order of its key.
    pub(crate) fn rows(&self, schema: Schema, table: &str) -> Result<Vec<Row>, AdminError> {
        let info = schema::table(table);
        let key = info.map(|info| info.key.join(", "));
        let key = key.filter(|key| !key.is_empty());
        let key = key.unwrap_or_else(|| "1".to_owned());
        let sql = format!("SELECT * FROM {}.{table} ORDER BY {key}", schema.name());
        let mut statement = self.connection.prepare(&sql).map_err(AdminError::sql)?;
        let rows = collect(&mut statement, &[]).map_err(AdminError::sql)?;
        Ok(rows.unwrap_or_default())
    }

    /// Puts other rows in the place of those of some tables: all, or nothing. Of a shared table,
    /// only rows whose key begins with `prefix` are replaced.
    pub(crate) fn replace(
        &self,
        schema: Schema,
        tables: &[Table],
        prefix: Option<&str>,
    ) -> Result<(), AdminError> {
        let replaced = self.connection.unchecked_transaction().and_then(|change| {
            for table in tables {
                let name = format!("{}.{}", schema.name(), table.name);
                match prefix {
                    Some(prefix) => change.execute(
                        &format!("DELETE FROM {name} WHERE variable_name LIKE ?1 || '%'"),
                        [prefix],
                    )?,
                    None => change.execute(&format!("DELETE FROM {name}"), [])?,
                };
                insert(&change, &name, &table.rows)?;
            }
            change.commit()
        });
        replaced.map_err(AdminError::sql)
    }

    /// Runs a statement of this crate's own.
    pub(crate) fn execute(&self, sql: &str, params: &[Cell]) -> Result<usize, AdminError> {
        let done = self.connection.execute(sql, params_from_iter(params));
        done.map_err(AdminError::sql)
    }

    /// Asks a question of this crate's own.
    pub(crate) fn ask(&self, sql: &str, params: &[Cell]) -> Result<Vec<Row>, AdminError> {
        let mut statement = self.connection.prepare(sql).map_err(AdminError::sql)?;
        let rows = collect(&mut statement, params).map_err(AdminError::sql)?;
        Ok(rows.unwrap_or_default())
    }
}

fn set_up(
    connection: &mut Connection,
    files: [&Path; 2],
    present: &Present,
) -> rusqlite::Result<()> {
    // "text" is a text in `MySQL`, and in what people paste.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, true)?;
    connection.busy_timeout(Duration::from_secs(5))?;
    functions::add(connection, present)?;
    let [disk, history] = files.map(|path| path.to_string_lossy().into_owned());
    for (name, file) in [
        ("disk", disk.as_str()),
        ("stats", ":memory:"),
        ("monitor", ":memory:"),
        ("stats_history", history.as_str()),
    ] {
        connection.execute(&format!("ATTACH DATABASE ?1 AS {name}"), [file])?;
    }
    for table in schema::tables() {
        connection.execute_batch(&table.create())?;
    }
    information::add(connection)
}

fn insert(connection: &Connection, table: &str, rows: &[Row]) -> rusqlite::Result<()> {
    let Some(first) = rows.first() else {
        return Ok(());
    };
    let places = vec!["?"; first.len()].join(", ");
    let sql = format!("INSERT OR REPLACE INTO {table} VALUES ({places})");
    let mut statement = connection.prepare(&sql)?;
    for row in rows {
        statement.execute(params_from_iter(row))?;
    }
    Ok(())
}

/// `None` when there is too much.
fn collect(statement: &mut Statement<'_>, params: &[Cell]) -> rusqlite::Result<Option<Vec<Row>>> {
    let columns = statement.column_count();
    let mut found = statement.query(params_from_iter(params))?;
    let (mut rows, mut bytes) = (Vec::new(), 0);
    while let Some(row) = found.next()? {
        let mut cells = Vec::with_capacity(columns);
        for column in 0..columns {
            let cell = cell(row.get_ref(column)?);
            bytes += size_of::<Cell>() + cell.filled().map_or(0, str::len);
            cells.push(cell);
        }
        if bytes > RESULT_MAX {
            return Ok(None);
        }
        rows.push(cells);
    }
    Ok(Some(rows))
}

fn cell(value: ValueRef<'_>) -> Cell {
    match value {
        ValueRef::Null => Cell::Null,
        ValueRef::Integer(number) => Cell::Integer(number),
        ValueRef::Real(number) => Cell::Real(number),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => {
            Cell::Text(String::from_utf8_lossy(bytes).into_owned())
        }
    }
}

impl ToSql for Cell {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Integer(number) => ValueRef::Integer(*number),
            Self::Real(number) => ValueRef::Real(*number),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
        }))
    }
}

/// The files hold passwords.
fn make_private(path: &Path) -> Result<(), AdminError> {
    let options = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(path);
    let done = options.and_then(|file| file.set_permissions(Permissions::from_mode(0o600)));
    done.map_err(|reason| AdminError::File {
        path: path.display().to_string(),
        reason,
    })
}
