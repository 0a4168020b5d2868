//! What runs: the document of the file, in which modules that were loaded by SQL take the place of
//! the file's (docs/decisions/0012).

use std::collections::BTreeMap;

use mainstay_admin::{Refused, Table};
use mainstay_command::Module;
use mainstay_settings::Settings;

use super::document::Document;
use super::groups::Groups;
use super::{firewall, rules, scheduler, servers, users, variables};

/// Modules that were loaded, with all their tables.
pub(super) type Loaded = BTreeMap<Module, Vec<Table>>;

/// What is to run.
pub(super) struct Composed {
    pub(super) document: Document,
    pub(super) settings: Settings,
    /// Of the module that was loaded last: what has no effect.
    pub(super) notes: Vec<String>,
}

/// The rows of a module as a document has them.
pub(super) fn rows(module: Module, document: &Document, settings: &Settings) -> Vec<Table> {
    match module {
        Module::Users => vec![users::rows(document)],
        Module::Servers => servers::rows(document),
        Module::QueryRules => rules::rows(document).to_vec(),
        Module::Firewall => firewall::rows(document),
        Module::MysqlVariables | Module::AdminVariables => {
            vec![variables::rows(module, document, settings)]
        }
        Module::Scheduler => vec![scheduler::rows(document)],
        // Only ever loaded by SQL.
        Module::RestApi | Module::Proxies | Module::Absent(_) => {
            let tables = module.tables().iter();
            tables.map(|name| Table::empty(name)).collect()
        }
    }
}

/// Puts loaded modules in the place of the file's. `hints` are pairs of hostgroups that are not
/// loaded yet; `latest` is the module whose notes are wanted.
pub(super) fn compose(
    file: &Document,
    loaded: &Loaded,
    hints: &[Table],
    latest: Option<Module>,
) -> Result<Composed, Refused> {
    let mut document = file.clone();
    let mut groups = Groups::default();
    if let Some(tables) = loaded.get(&Module::Servers) {
        Groups::check(tables)?;
        groups = Groups::of(tables);
    } else {
        groups.add(Groups::of(hints));
    }
    let before = file.settings()?;
    let mut told = Vec::new();
    for (module, tables) in loaded {
        let mut notes = Vec::new();
        match module {
            Module::Users => {
                for table in tables {
                    users::write(&mut document, table, &groups, &mut notes)?;
                }
            }
            Module::Servers => servers::write(&mut document, tables, &groups, &mut notes),
            Module::QueryRules => rules::write(&mut document, tables, &groups),
            Module::Firewall => {
                let said = loaded.get(&Module::MysqlVariables);
                let said = said.and_then(|tables| variables::value(tables, variables::FIREWALL));
                let said = said.and_then(variables::is_true);
                let is_on = said.unwrap_or(firewall::is_on(file));
                firewall::write(&mut document, tables, is_on, &mut notes);
            }
            Module::MysqlVariables | Module::AdminVariables => {
                let usual = variables::rows(*module, file, &before);
                for table in tables {
                    variables::write(&mut document, table, &usual, &mut notes)?;
                }
            }
            Module::Scheduler => scheduler::write(&mut document, tables),
            Module::RestApi | Module::Proxies | Module::Absent(_) => {
                if tables.iter().any(|table| !table.rows.is_empty()) {
                    notes.push(format!("{} has no effect here", module.name()));
                }
            }
        }
        if latest == Some(*module) {
            told = notes;
        }
    }
    let settings = document
        .settings()
        .map_err(|refused| with_hint(refused, latest))?;
    Ok(Composed {
        document,
        settings,
        notes: told,
    })
}

/// What to do about it, where the settings speak of the file.
fn with_hint(mut refused: Refused, latest: Option<Module>) -> Refused {
    let hostgroup = refused.reason.contains("there is no hostgroup");
    if hostgroup && matches!(latest, Some(Module::Users | Module::QueryRules)) {
        refused
            .reason
            .push_str("; or give it rows in mysql_servers and LOAD MYSQL SERVERS TO RUNTIME first");
    }
    let key = refused.reason.split(':').next().unwrap_or_default();
    let variable = variables::of_key(key);
    if let (Some(name), true) = (variable, refused.table.is_empty()) {
        variables::NAME.clone_into(&mut refused.table);
        refused.row = format!("variable_name={name}");
    }
    refused
}
