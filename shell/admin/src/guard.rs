//! Who may do what to which table: asked by the embedded database for each statement it prepares.

use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::hooks::{AuthAction, AuthContext, Authorization};

use crate::schema::{self, Schema};

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Role {
    /// This crate itself.
    #[default]
    Internal,
    /// The account of `[admin]`.
    Admin,
    /// The account that sees figures only.
    Stats,
}

/// What stats accounts see beside `stats`, `monitor` and `stats_history`: nothing with a password.
const SHOWN_TO_STATS: [&str; 7] = [
    "runtime_mysql_servers",
    "runtime_mysql_replication_hostgroups",
    "runtime_mysql_query_rules",
    "runtime_checksums_values",
    "runtime_proxysql_servers",
    "mysql_collations",
    "sqlite_schema",
];

/// The tables are what they are.
const FIXED: &str = "tables cannot be made, changed or dropped here";

/// The present asker, and why it was refused something.
#[derive(Debug, Clone, Default)]
pub(crate) struct Guard(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    role: Role,
    read_only: bool,
    denied: Option<String>,
}

impl Guard {
    /// From now on this is who asks.
    pub(crate) fn admit(&self, role: Role, read_only: bool) {
        let mut state = self.state();
        *state = State {
            role,
            read_only,
            denied: None,
        };
    }

    /// Why the last statement was denied.
    pub(crate) fn denied(&self) -> Option<String> {
        self.state().denied.take()
    }

    pub(crate) fn decide(&self, context: &AuthContext<'_>) -> Authorization {
        let mut state = self.state();
        let verdict = match state.role {
            Role::Internal => Ok(()),
            Role::Admin => admin(context, state.read_only),
            Role::Stats => stats(context),
        };
        match verdict {
            Ok(()) => Authorization::Allow,
            Err(reason) => {
                state.denied.get_or_insert(reason);
                Authorization::Deny
            }
        }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        // Whoever panicked left a whole value behind.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn stats(context: &AuthContext<'_>) -> Result<(), String> {
    let table = match context.action {
        AuthAction::Read { table_name, .. } => table_name,
        AuthAction::Select | AuthAction::Recursive => return Ok(()),
        AuthAction::Function { function_name } => return function(function_name),
        _ => return Err("this account can only read figures".to_owned()),
    };
    let open = match context.database_name.and_then(Schema::named) {
        Some(Schema::Stats | Schema::StatsHistory | Schema::Monitor) | None => true,
        Some(Schema::Main) => SHOWN_TO_STATS.contains(&table),
        Some(Schema::Disk) => false,
    };
    // A table without a schema is one that the statement itself defines.
    if open || context.database_name == Some("temp") {
        return Ok(());
    }
    Err(format!("this account cannot read {table}"))
}

fn admin(context: &AuthContext<'_>, read_only: bool) -> Result<(), String> {
    match context.action {
        AuthAction::Select | AuthAction::Recursive | AuthAction::Read { .. } => Ok(()),
        AuthAction::Function { function_name } => function(function_name),
        AuthAction::Insert { table_name }
        | AuthAction::Update { table_name, .. }
        | AuthAction::Delete { table_name } => {
            if read_only {
                return Err("the admin interface is read-only: PROXYSQL READWRITE".to_owned());
            }
            writable(table_name, context.database_name)
        }
        AuthAction::Pragma {
            pragma_name,
            pragma_value,
        } => pragma(pragma_name, pragma_value),
        AuthAction::Attach { .. } | AuthAction::Detach { .. } => {
            Err("other databases cannot be attached".to_owned())
        }
        _ => Err(FIXED.to_owned()),
    }
}

fn function(name: &str) -> Result<(), String> {
    if name.eq_ignore_ascii_case("load_extension") {
        return Err("extensions cannot be loaded".to_owned());
    }
    Ok(())
}

fn pragma(name: &str, value: Option<&str>) -> Result<(), String> {
    let about_tables = name.ends_with("_info") || name.ends_with("_list");
    if about_tables || value.is_none() {
        return Ok(());
    }
    Err(format!("PRAGMA {name} cannot be set here"))
}

fn writable(table: &str, schema: Option<&str>) -> Result<(), String> {
    if table.starts_with("sqlite_") || crate::information::is_ours(schema) {
        return Err(FIXED.to_owned());
    }
    if let Some(module) = table.strip_prefix("runtime_") {
        return Err(format!(
            "{table} shows what is in force: change {module}, then LOAD … TO RUNTIME"
        ));
    }
    let configured = schema::table(&format!("runtime_{table}")).is_some();
    match schema.and_then(Schema::named) {
        Some(Schema::Main | Schema::Disk) if configured => Ok(()),
        // Without a schema it is what a statement needs for itself.
        Some(Schema::StatsHistory) | None => Ok(()),
        Some(Schema::Stats | Schema::Monitor) => {
            Err(format!("{table} holds figures and cannot be written"))
        }
        Some(Schema::Main | Schema::Disk) => Err(format!("{table} cannot be written")),
    }
}
