//! The settings as a document whose sections may be replaced by rows, and back to text, so that the
//! reader of the file is the judge of rows too.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use mainstay_admin::Refused;
use mainstay_settings::{Problem, Settings, SettingsError};
use toml::{Table, Value};

/// A row that became a section: its table and its key.
pub(super) type Origin = (&'static str, String);

/// Settings as they are written.
#[derive(Debug, Clone)]
pub(crate) struct Document {
    table: Table,
    /// Where relative paths begin.
    pub(super) path: PathBuf,
    /// Of each list, which row each section was.
    origins: BTreeMap<&'static str, Vec<Origin>>,
}

impl Document {
    /// Reads the text of a file.
    pub(crate) fn parse(text: &str, path: &Path) -> Result<Self, String> {
        let table: Table = text.parse().map_err(|error| format!("{error}"))?;
        Ok(Self {
            table,
            path: path.to_owned(),
            origins: BTreeMap::new(),
        })
    }

    /// Whether there is a section of this name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.table.contains_key(name)
    }

    /// The sections of a list, such as `[[user]]`.
    pub(super) fn list(&self, name: &str) -> impl Iterator<Item = &Table> {
        let items = self.table.get(name).and_then(Value::as_array);
        items.into_iter().flatten().filter_map(Value::as_table)
    }

    /// Puts other sections in the place of a list.
    pub(super) fn set_list(&mut self, name: &'static str, sections: Vec<(Table, Origin)>) {
        self.table.remove(name);
        self.origins.remove(name);
        if sections.is_empty() {
            return;
        }
        let (tables, origins): (Vec<_>, Vec<_>) = sections.into_iter().unzip();
        let tables = tables.into_iter().map(Value::Table).collect();
        self.table.insert(name.to_owned(), Value::Array(tables));
        self.origins.insert(name, origins);
    }

    /// Sets a key, such as `proxy.tls.mode`; sections on its way are made.
    pub(super) fn set(&mut self, key: &str, value: Value) {
        let mut table = &mut self.table;
        let mut parts: Vec<_> = key.split('.').collect();
        let Some(last) = parts.pop() else { return };
        for part in parts {
            let inner = table
                .entry(part)
                .or_insert_with(|| Value::Table(Table::new()));
            let Value::Table(inner) = inner else { return };
            table = inner;
        }
        table.insert(last.to_owned(), value);
    }

    /// Takes a key away.
    pub(super) fn unset(&mut self, key: &str) {
        let mut table = &mut self.table;
        let mut parts: Vec<_> = key.split('.').collect();
        let Some(last) = parts.pop() else { return };
        for part in parts {
            let Some(Value::Table(inner)) = table.get_mut(part) else {
                return;
            };
            table = inner;
        }
        table.remove(last);
    }

    /// As the text of a file.
    pub(super) fn text(&self) -> String {
        let text = toml::to_string(&self.table);
        text.expect("a document that was read can be written")
    }

    /// The same without what nobody else may know.
    pub(super) fn without_secrets(&self) -> Self {
        let mut shown = self.clone();
        hide(&mut shown.table);
        shown
    }

    /// What it means, or the row that is wrong.
    pub(super) fn settings(&self) -> Result<Settings, Refused> {
        let text = self.text();
        Settings::parse(&text, &self.path).map_err(|error| match error {
            SettingsError::Invalid { problems, .. } => match problems.first() {
                Some(problem) => self.refused(&text, problem),
                None => Refused::because("the settings are wrong"),
            },
            unreadable @ SettingsError::Unreadable { .. } => {
                Refused::because(unreadable.to_string())
            }
        })
    }

    /// The row that a problem is about, found by the section that its line is in.
    fn refused(&self, text: &str, problem: &Problem) -> Refused {
        let (section, key) = problem.key.split_once('.').unwrap_or((&problem.key, ""));
        let header = format!("[[{section}]]");
        let before = text.lines().take(problem.line);
        let number = before.filter(|line| *line == header).count();
        let origins = self.origins.get(section);
        // What is seen across sections has no line, but a name.
        let named = problem
            .sentence
            .split('`')
            .nth(1)
            .filter(|_| problem.line == 1);
        let origin = origins.and_then(|origins| match named {
            Some(name) => {
                let part = format!("={name},");
                origins.iter().find(|(_, row)| row.contains(&part))
            }
            None => origins.get(number.checked_sub(1)?),
        });
        if problem.key == "server" && origins.is_none_or(Vec::is_empty) {
            // A whole section that is missing has no row.
            return Refused {
                table: "mysql_servers".to_owned(),
                row: String::new(),
                column: String::new(),
                reason: "has no rows: there is nothing to route to".to_owned(),
            };
        }
        let Some((table, row)) = origin else {
            return Refused::because(format!("{}: {}", problem.key, problem.sentence));
        };
        Refused {
            table: (*table).to_owned(),
            row: row.clone(),
            column: column(section, key).to_owned(),
            reason: problem.sentence.clone(),
        }
    }
}

/// The column that a key of a section is made from.
fn column<'k>(section: &str, key: &'k str) -> &'k str {
    match (section, key) {
        ("user", "name") => "username",
        ("user", "connections_max") => "max_connections",
        ("user", "password_hash" | "password_file") => "password",
        ("user", "require") => "use_ssl",
        ("server", "address") => "hostname",
        ("hostgroups", "id") => "hostgroup_id",
        (_, key) => key,
    }
}

fn hide(table: &mut Table) {
    for (key, value) in table.iter_mut() {
        match value {
            Value::Table(inner) => hide(inner),
            Value::Array(items) => {
                for item in items {
                    if let Value::Table(inner) = item {
                        hide(inner);
                    }
                }
            }
            _ if key.contains("password") && !key.ends_with("_file") => {
                *value = Value::String("***".to_owned());
            }
            _ => {}
        }
    }
}
