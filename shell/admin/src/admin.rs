//! What a statement of a session does: a command, or SQL over tables that are filled when named.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mainstay_command::{self as command, Checksummed, Command, Control, Layer, Module};

use crate::attempts::Attempts;
use crate::database::{Answer, Database};
use crate::error::{AdminError, Refused, Unknown};
use crate::figures::{Cell, Figures, Row};
use crate::functions::{Asker, unix_time};
use crate::guard::Role;
use crate::runtime::{Event, Happened, Runtime, Table};
use crate::schema::{self, Schema};
use crate::states;
use crate::{checksum, drift, show, variables};

/// Beside the state: `disk`, and `stats_history`.
const FILES: [&str; 2] = ["mainstay-admin.db", "mainstay-stats.db"];

/// Where the admin interface keeps its files, and what it says it is.
#[derive(Debug, Clone)]
pub struct Options {
    /// The folder of the state.
    pub folder: PathBuf,
    /// The version that clients are greeted with.
    pub version: String,
}

/// Who knows what runs.
#[derive(Clone)]
pub struct Sources {
    /// What runs.
    pub runtime: Arc<dyn Runtime>,
    /// Who counts.
    pub figures: Arc<dyn Figures>,
}

/// The admin interface, without its listener.
pub struct Admin {
    pub(crate) database: Mutex<Database>,
    pub(crate) sources: Sources,
    pub(crate) version: String,
    pub(crate) attempts: Attempts,
    /// One module is moved at a time.
    pub(crate) moving: Mutex<()>,
    read_only: AtomicBool,
}

/// Whose statement it is.
#[derive(Debug, Clone)]
pub(crate) struct Who {
    pub(crate) role: Role,
    pub(crate) asker: Asker,
    /// The cipher of the connection; empty without TLS.
    pub(crate) cipher: String,
}

impl Admin {
    /// Opens the files, and fills memory from what runs.
    pub fn open(options: &Options, sources: Sources) -> Result<Arc<Self>, AdminError> {
        let [disk, history] = FILES.map(|file| options.folder.join(file));
        let database = Database::open(&disk, &history)?;
        let admin = Self {
            database: Mutex::new(database),
            sources,
            version: options.version.clone(),
            attempts: Attempts::default(),
            moving: Mutex::new(()),
            read_only: AtomicBool::new(false),
        };
        show::fill_collations(&admin.database())?;
        for module in Module::ALL {
            admin.fill(module)?;
        }
        admin.restore()?;
        Ok(Arc::new(admin))
    }

    /// Every statement is logged; those of exporters, several a second, only on demand.
    fn log(&self, who: &Who, text: &str) {
        let statement = command::masked(text);
        let (user, address) = (&who.asker.user, &who.asker.address);
        if who.role == Role::Admin {
            tracing::info!(user, address, statement, "an admin statement");
        } else {
            tracing::debug!(user, address, statement, "an admin statement");
        }
        self.note(Happened::Statement, (user, address), &statement);
    }

    /// Tells whoever keeps an audit log.
    pub(crate) fn note(&self, what: Happened, (user, address): (&str, &str), statement: &str) {
        self.sources.runtime.note(&Event {
            what,
            user,
            address,
            statement,
        });
    }

    pub(crate) fn database(&self) -> MutexGuard<'_, Database> {
        // A statement that panicked has changed nothing: it was a transaction.
        self.database.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does what a text asks for.
    pub(crate) fn execute(
        &self,
        who: &mut Who,
        text: &str,
        params: &[Cell],
    ) -> Result<Answer, AdminError> {
        self.log(who, text);
        let asked = command::parse(text);
        if who.role != Role::Admin && !for_all(&asked) {
            let text = "this account can only read figures".to_owned();
            return Err(AdminError::Denied(text));
        }
        let changes = matches!(
            asked,
            Command::Move { .. } | Command::Set(_) | Command::LoadUser(_) | Command::SyncUsers
        );
        if changes && self.is_read_only() {
            let text = "the admin interface is read-only: PROXYSQL READWRITE".to_owned();
            return Err(AdminError::Denied(text));
        }
        match asked {
            Command::Nothing | Command::Accepted => Ok(Answer::done()),
            Command::Sql => self.sql(who, text, params),
            Command::Show(what) => self.show(who, &what),
            Command::Move { module, from, to } => self.move_module(module, from, to),
            Command::LoadUser(user) => self.load_user(&user),
            Command::SyncUsers => self.sync_users(),
            Command::SaveDigests => self.save_digests(),
            Command::ConfigToFile(path) => self.config_to_file(&path),
            Command::ConfigText => Ok(one("Config", self.sources.runtime.text(false))),
            Command::Control(control) => self.control(&control),
            Command::Kill {
                session,
                only_query,
            } => {
                if self.sources.runtime.kill(session, only_query)? {
                    return Ok(Answer::done());
                }
                Err(AdminError::Unknown(Unknown::Session(session)))
            }
            Command::Checksum { layer, of } => self.checksum(layer, of),
            Command::Set(values) => self.set(&values),
            Command::Truncate(table) => self.truncate(who, &table),
            Command::ExplainRoute { user, statement } => {
                let runtime = &self.sources.runtime;
                let facts = runtime.explain(user.as_deref(), &statement)?;
                let row = |(fact, value): (String, String)| vec![fact.into(), value.into()];
                Ok(Answer::Rows {
                    columns: ["step", "found"].map(str::to_owned).to_vec(),
                    rows: facts.into_iter().map(row).collect(),
                })
            }
            Command::LogEntry(text) => {
                tracing::info!(
                    user = who.asker.user,
                    entry = text,
                    "an entry by the operator"
                );
                Ok(Answer::done())
            }
            Command::Use(name) => {
                let schema = Schema::named(&name);
                if schema.is_none() && !name.eq_ignore_ascii_case("admin") {
                    return Err(AdminError::Unknown(Unknown::Schema(name)));
                }
                let schema = schema.map_or("main", Schema::name);
                schema.clone_into(&mut who.asker.schema);
                Ok(Answer::done())
            }
            Command::Help(topic) => Ok(show::help(&topic)),
            Command::Refused(reason) => Err(AdminError::Impossible(reason.to_owned())),
        }
    }

    /// How many parameters and which columns a text has that is prepared.
    pub(crate) fn describe(
        &self,
        who: &Who,
        text: &str,
    ) -> Result<(usize, Vec<String>), AdminError> {
        match command::parse(text) {
            Command::Sql => {
                let replaced = self.without_variables(text)?;
                let (params, mut columns) = self
                    .database()
                    .describe((who.role, self.is_read_only()), &replaced.text)?;
                rename(&mut columns, &replaced);
                Ok((params, columns))
            }
            Command::Show(_) => match self.execute(&mut who.clone(), text, &[])? {
                Answer::Rows { columns, .. } => Ok((0, columns)),
                Answer::Done { .. } => Ok((0, Vec::new())),
            },
            _ => Ok((0, Vec::new())),
        }
    }

    pub(crate) fn is_read_only(&self) -> bool {
        self.read_only.load(Ordering::Relaxed)
    }

    /// SQL: what it names is filled before it runs.
    pub(crate) fn sql(&self, who: &Who, text: &str, params: &[Cell]) -> Result<Answer, AdminError> {
        self.fill_named(text)?;
        let replaced = self.without_variables(text)?;
        let role = (who.role, self.is_read_only());
        let mut asker = who.asker.clone();
        if text.to_ascii_lowercase().contains("global_checksum") {
            asker.checksum = checksum::of(&self.runtime_checksums());
        }
        let mut answer = self.database().run(role, &asker, &replaced.text, params)?;
        if let Answer::Rows { columns, .. } = &mut answer {
            rename(columns, &replaced);
        }
        Ok(answer)
    }

    fn without_variables(&self, text: &str) -> Result<command::Replaced, AdminError> {
        let value = |name: &str| show::system_variable(&self.version, name);
        command::system_variables(text, value)
            .map_err(|name| AdminError::Unknown(Unknown::Variable(name)))
    }

    /// Fills the tables that a text names: of figures, and of what runs.
    pub(crate) fn fill_named(&self, text: &str) -> Result<(), AdminError> {
        for name in command::names(text) {
            let Some(table) = schema::table(&name) else {
                continue;
            };
            let Some(rows) = self.present_rows(table.name.as_str())? else {
                continue;
            };
            let name = table.name.as_str();
            let table_of = Table { name, rows };
            self.database().replace(table.schema, &[table_of], None)?;
        }
        Ok(())
    }

    /// What a table holds now that nobody writes by SQL; `None` of any other.
    fn present_rows(&self, name: &str) -> Result<Option<Vec<Row>>, AdminError> {
        if name == "config_drift" {
            return drift::rows(self).map(Some);
        }
        if name == "runtime_checksums_values" {
            return Ok(Some(self.runtime_checksums()));
        }
        let figures = &self.sources.figures;
        let counted = match name.strip_suffix("_reset") {
            Some(counted) => figures.take(counted),
            None => figures.rows(name),
        };
        if counted.is_some() {
            return Ok(counted);
        }
        let Some(configured) = name.strip_prefix("runtime_") else {
            return Ok(None);
        };
        let modules = Module::ALL
            .into_iter()
            .filter(|module| module.tables().contains(&configured));
        let tables: Vec<_> = modules
            .flat_map(|module| self.sources.runtime.rows(module))
            .collect();
        let rows = tables.iter().filter(|table| table.name == configured);
        let mut rows = rows.flat_map(|table| table.rows.clone()).collect();
        if configured == "mysql_servers" {
            states::overlay(&mut rows, states::pair(&tables).as_ref(), &**figures);
        }
        Ok(Some(rows))
    }

    fn runtime_checksums(&self) -> Vec<Row> {
        let row = |module: Module| {
            let tables = self.sources.runtime.rows(module);
            let rows: Vec<_> = tables.into_iter().flat_map(|table| table.rows).collect();
            let name = module.name().to_lowercase().replace(' ', "_");
            let sum = checksum::of(&rows);
            vec![name.into(), Cell::Integer(1), Cell::Integer(0), sum.into()]
        };
        Module::ALL.into_iter().map(row).collect()
    }

    fn checksum(&self, layer: Layer, of: Checksummed) -> Result<Answer, AdminError> {
        let schema = if layer == Layer::Disk {
            Schema::Disk
        } else {
            Schema::Main
        };
        let mut rows = self.database().rows(schema, of.table)?;
        let prefix = of.prefix.unwrap_or_default();
        rows.retain(|row| {
            row.first()
                .is_some_and(|key| key.shown().starts_with(prefix))
                || prefix.is_empty()
        });
        let row = vec![Cell::from(of.table), checksum::of(&rows).into()];
        Ok(Answer::Rows {
            columns: ["table", "checksum"].map(str::to_owned).to_vec(),
            rows: vec![row],
        })
    }

    /// `SET`: memory only, as an UPDATE would.
    fn set(&self, values: &[(String, String)]) -> Result<Answer, AdminError> {
        let known = |name: &str| variables::defaults().contains_key(name);
        if let Some((name, _)) = values.iter().find(|(name, _)| !known(name)) {
            return Err(AdminError::Unknown(Unknown::Variable(name.clone())));
        }
        let database = self.database();
        let mut affected = 0;
        for (name, value) in values {
            let sql = "UPDATE main.global_variables SET variable_value = ?2 \
                       WHERE variable_name = ?1";
            let params = [name.as_str().into(), value.as_str().into()];
            affected += database.execute(sql, &params)? as u64;
        }
        let info = "in memory: LOAD MYSQL|ADMIN VARIABLES TO RUNTIME puts it in force".to_owned();
        Ok(Answer::Done { affected, info })
    }

    fn truncate(&self, who: &Who, table: &str) -> Result<Answer, AdminError> {
        let name = table.rsplit('.').next().unwrap_or(table);
        let counted = name.strip_suffix("_reset").unwrap_or(name);
        if let Some(rows) = self.sources.figures.take(counted) {
            return Ok(Answer::Done {
                affected: rows.len() as u64,
                info: String::new(),
            });
        }
        if schema::table(name).is_none() {
            return Err(AdminError::Unknown(Unknown::Table(name.to_owned())));
        }
        self.sql(who, &format!("DELETE FROM {table}"), &[])
    }

    fn control(&self, control: &Control) -> Result<Answer, AdminError> {
        match control {
            Control::ReadOnly | Control::ReadWrite => {
                let read_only = *control == Control::ReadOnly;
                self.read_only.store(read_only, Ordering::Relaxed);
                Ok(Answer::done())
            }
            Control::FlushConfigDb => self.empty_disk(),
            Control::FlushClientHosts => {
                self.attempts.forget();
                self.sources.runtime.forget_hosts();
                Ok(Answer::done())
            }
            Control::Inert => Ok(Answer::told("this has no effect here")),
            Control::Start
            | Control::Stop
            | Control::Restart
            | Control::Pause
            | Control::Resume
            | Control::Shutdown { .. }
            | Control::Kill
            | Control::FlushLogs
            | Control::FlushQueryCache
            | Control::ReloadTls => Ok(Answer::told(self.sources.runtime.control(control)?)),
        }
    }

    /// `SAVE MYSQL DIGEST TO DISK`.
    fn save_digests(&self) -> Result<Answer, AdminError> {
        self.fill_named("stats_mysql_query_digest")?;
        let columns = schema::columns("stats_mysql_query_digest").join(", ");
        let sql = format!(
            "INSERT INTO stats_history.history_mysql_query_digest (dump_time, {columns}) \
             SELECT ?1, {columns} FROM stats.stats_mysql_query_digest"
        );
        let affected = self.database().execute(&sql, &[unix_time().into()])? as u64;
        let info = String::new();
        Ok(Answer::Done { affected, info })
    }

    fn config_to_file(&self, path: &str) -> Result<Answer, AdminError> {
        use std::io::Write;
        use std::os::unix::fs::OpenOptionsExt;
        if !path.starts_with('/') {
            return Err(Refused::because("a path begins with /").into());
        }
        let text = self.sources.runtime.text(true);
        // A file that is there may be anybody's: it is never written over.
        let file = std::fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path);
        let written = file.and_then(|mut file| file.write_all(text.as_bytes()));
        written.map_err(|reason| AdminError::File {
            path: path.to_owned(),
            reason,
        })?;
        Ok(Answer::told(format!("written to {path}")))
    }
}

/// What accounts may do that only see figures.
fn for_all(command: &Command) -> bool {
    matches!(
        command,
        Command::Nothing
            | Command::Accepted
            | Command::Sql
            | Command::Show(_)
            | Command::Use(_)
            | Command::Help(_)
            | Command::Refused(_)
    )
}

/// A column has the name that was asked for, not that of what stands for it.
fn rename(columns: &mut [String], replaced: &command::Replaced) {
    for (before, now) in &replaced.places {
        for column in columns.iter_mut().filter(|column| *column == now) {
            column.clone_from(before);
        }
    }
}

pub(crate) fn one(column: &str, value: String) -> Answer {
    Answer::Rows {
        columns: vec![column.to_owned()],
        rows: vec![vec![value.into()]],
    }
}
