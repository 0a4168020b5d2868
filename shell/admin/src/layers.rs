//! Modules between file, memory, runtime and disk (docs/decisions/0012).

use mainstay_command::{Layer, Module};

use crate::admin::Admin;
use crate::checksum;
use crate::database::Answer;
use crate::dialect::KEEP_ACCOUNT;
use crate::error::{AdminError, Refused};
use crate::figures::{Cell, Row};
use crate::functions::{is_password, unix_time};
use crate::runtime::Table;
use crate::schema::Schema;

/// What a module's saved rows are compared with.
struct Saved {
    tables: Vec<Table>,
    /// Of the file's module when it was saved.
    file_checksum: String,
}

impl Admin {
    pub(crate) fn move_module(
        &self,
        module: Module,
        from: Layer,
        to: Layer,
    ) -> Result<Answer, AdminError> {
        if let Module::Absent(name) = module {
            return Ok(Answer::told(format!(
                "{name} does not exist here: nothing was done"
            )));
        }
        let _one_at_a_time = self.moving.lock();
        match (from, to) {
            (Layer::Memory, Layer::Runtime) => self.load(module, &self.memory(module)?),
            (Layer::Memory, Layer::Disk) => self.save(module),
            (Layer::Disk, _) => {
                let Some(saved) = self.saved(module)? else {
                    return Err(Refused::because(format!(
                        "{} was never saved to disk",
                        module.name()
                    ))
                    .into());
                };
                self.take(module, &saved.tables)
            }
            (Layer::Runtime, _) => self.take(module, &self.sources.runtime.rows(module)),
            (Layer::File, _) => self.take(module, &self.sources.runtime.file(module)?),
            (Layer::Memory, Layer::Memory | Layer::File) => Ok(Answer::done()),
        }
    }

    /// At the start: memory is what runs.
    pub(crate) fn fill(&self, module: Module) -> Result<(), AdminError> {
        let tables = whole(module, &self.sources.runtime.rows(module));
        self.database()
            .replace(Schema::Main, &tables, module.prefix())
    }

    /// At the start: saved modules run, of which the file has not spoken since.
    pub(crate) fn restore(&self) -> Result<(), AdminError> {
        for module in Module::ALL {
            let Some(saved) = self.saved(module)? else {
                continue;
            };
            let Ok(file) = self.sources.runtime.file(module) else {
                continue;
            };
            let name = module.name();
            if same(&saved.tables, &whole(module, &file)) {
                continue;
            }
            if sum(&whole(module, &file)) != saved.file_checksum {
                tracing::warn!(
                    module = name,
                    "the settings file was edited after rows were saved: the file runs; \
                     SELECT * FROM config_drift shows what differs"
                );
                continue;
            }
            let loaded = self.sources.runtime.load(module, &saved.tables);
            match loaded {
                Ok(_) => {
                    tracing::info!(module = name, "rows that were saved to disk run");
                    self.database()
                        .replace(Schema::Main, &saved.tables, module.prefix())?;
                }
                Err(error) => {
                    tracing::error!(
                        module = name,
                        "saved rows do not run, the file does: {error}"
                    );
                }
            }
        }
        Ok(())
    }

    /// What runs has changed by the file: memory follows, unless it holds changes of its own.
    pub fn follow(&self, module: Module, before: &[Table]) -> Result<(), AdminError> {
        let _one_at_a_time = self.moving.lock();
        let memory = self.memory(module)?;
        if same(&memory, &whole(module, before)) {
            return self.fill(module);
        }
        tracing::warn!(
            module = module.name(),
            "the settings file was edited while rows in memory had been changed: memory stays as \
             it is; SELECT * FROM config_drift shows what differs"
        );
        Ok(())
    }

    pub(crate) fn load_user(&self, user: &str) -> Result<Answer, AdminError> {
        let _one_at_a_time = self.moving.lock();
        let is_user = |row: &Row| row.first().is_some_and(|name| name.shown() == user);
        let memory = self.memory(Module::Users)?;
        let mut tables = whole(Module::Users, &self.sources.runtime.rows(Module::Users));
        for (table, newer) in tables.iter_mut().zip(memory) {
            table.rows.retain(|row| !is_user(row));
            table.rows.extend(newer.rows.into_iter().filter(is_user));
        }
        self.load(Module::Users, &tables)
    }

    /// `LOAD MYSQL USERS FROM SERVERS`: a clear password that is still right stays.
    pub(crate) fn sync_users(&self) -> Result<Answer, AdminError> {
        let accounts = self.sources.runtime.accounts()?;
        let _one_at_a_time = self.moving.lock();
        let database = self.database();
        let mut affected = 0;
        for (user, hash) in accounts {
            let sql = "SELECT password FROM main.mysql_users WHERE username = ?1";
            let known = database.ask(sql, &[user.as_str().into()])?;
            let known = known
                .first()
                .and_then(|row| row.first())
                .and_then(Cell::text);
            if known.is_some_and(|known| known == hash || is_password(&known, &hash)) {
                continue;
            }
            affected += database.execute(KEEP_ACCOUNT, &[user.into(), hash.into()])? as u64;
        }
        let info = "in memory: LOAD MYSQL USERS TO RUNTIME puts them in force".to_owned();
        Ok(Answer::Done { affected, info })
    }

    fn load(&self, module: Module, tables: &[Table]) -> Result<Answer, AdminError> {
        let mut tables = tables.to_vec();
        if matches!(module, Module::Users | Module::QueryRules) {
            // Numbers of hostgroups mean something only with the pairs, loaded yet or not.
            let servers = self.memory(Module::Servers)?;
            let pairs = |table: &Table| table.name == "mysql_replication_hostgroups";
            tables.extend(servers.into_iter().filter(pairs));
        }
        let notes = self.sources.runtime.load(module, &tables)?;
        for note in &notes {
            tracing::warn!(module = module.name(), "{note}");
        }
        tracing::info!(module = module.name(), "rows of memory are in force");
        Ok(Answer::told(notes.join("; ")))
    }

    fn take(&self, module: Module, tables: &[Table]) -> Result<Answer, AdminError> {
        let tables = whole(module, tables);
        let database = self.database();
        database.replace(Schema::Main, &tables, module.prefix())?;
        Ok(Answer::done())
    }

    fn save(&self, module: Module) -> Result<Answer, AdminError> {
        let tables = self.memory(module)?;
        let file = self.sources.runtime.file(module)?;
        let file_checksum = sum(&whole(module, &file));
        let database = self.database();
        database.replace(Schema::Disk, &tables, module.prefix())?;
        let params = [
            module.name().into(),
            unix_time().into(),
            file_checksum.into(),
        ];
        let sql = "INSERT OR REPLACE INTO disk.saved_modules VALUES (?1, ?2, ?3)";
        database.execute(sql, &params)?;
        Ok(Answer::done())
    }

    /// `PROXYSQL FLUSH CONFIGDB`.
    pub(crate) fn empty_disk(&self) -> Result<Answer, AdminError> {
        let _one_at_a_time = self.moving.lock();
        let database = self.database();
        for module in Module::ALL {
            database.replace(Schema::Disk, &whole(module, &[]), None)?;
        }
        database.execute("DELETE FROM disk.saved_modules", &[])?;
        Ok(Answer::done())
    }

    /// A module's rows of memory.
    pub(crate) fn memory(&self, module: Module) -> Result<Vec<Table>, AdminError> {
        self.stored(Schema::Main, module)
    }

    /// A module's rows of the disk, and whether there are any, with the file's checksum.
    fn saved(&self, module: Module) -> Result<Option<Saved>, AdminError> {
        let sql = "SELECT file_checksum FROM disk.saved_modules WHERE module = ?1";
        let found = self.database().ask(sql, &[module.name().into()])?;
        let Some(file_checksum) = found
            .first()
            .and_then(|row| row.first())
            .and_then(Cell::text)
        else {
            return Ok(None);
        };
        let tables = self.stored(Schema::Disk, module)?;
        Ok(Some(Saved {
            tables,
            file_checksum,
        }))
    }

    /// A module's rows of the disk; `None` when it was never saved.
    pub(crate) fn on_disk(&self, module: Module) -> Result<Option<Vec<Table>>, AdminError> {
        Ok(self.saved(module)?.map(|saved| saved.tables))
    }

    fn stored(&self, schema: Schema, module: Module) -> Result<Vec<Table>, AdminError> {
        let database = self.database();
        let prefix = module.prefix().unwrap_or_default();
        let table = |name: &&'static str| {
            let mut rows = database.rows(schema, name)?;
            rows.retain(|row| {
                prefix.is_empty()
                    || row
                        .first()
                        .is_some_and(|key| key.shown().starts_with(prefix))
            });
            Ok(Table { name, rows })
        };
        module.tables().iter().map(table).collect()
    }
}

/// All tables of a module in their order, those that are not given without rows.
pub(crate) fn whole(module: Module, tables: &[Table]) -> Vec<Table> {
    let table = |name: &&'static str| {
        let given = tables.iter().find(|table| table.name == *name);
        given.cloned().unwrap_or(Table::empty(name))
    };
    module.tables().iter().map(table).collect()
}

/// Whether these are the same rows, in whatever order.
fn same(one: &[Table], other: &[Table]) -> bool {
    sum(one) == sum(other)
}

fn sum(tables: &[Table]) -> String {
    let mut sums = Vec::new();
    for table in tables {
        let mut rows = table.rows.clone();
        rows.sort_by_key(|row| row.iter().map(Cell::shown).collect::<Vec<_>>());
        sums.push(vec![checksum::of(&rows).into()]);
    }
    checksum::of(&sums)
}
