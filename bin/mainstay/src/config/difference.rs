//! What differs between two texts of a settings file, key by key. Passwords are not shown.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use toml::de::{DeTable, DeValue};

/// A key that is not the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Difference {
    /// Such as `server[db1].weight`.
    pub(crate) key: String,
    /// The line of the file; 0 where the file does not have the key.
    pub(crate) line: usize,
    /// What is in force; `None` for the default.
    pub(crate) runtime: Option<String>,
    /// What the file says; `None` for the default.
    pub(crate) file: Option<String>,
}

/// Keys by which the tables of a list are told apart, the first that a table has.
const NAMES: [&str; 5] = ["name", "rule_id", "id", "username", "digest"];

/// What differs, in the order of the file; what the file has no more comes first.
pub(crate) fn differences(runtime: &str, file: &str) -> Vec<Difference> {
    let (before, after) = (flat(runtime), flat(file));
    let mut found = Vec::new();
    for (key, (_, value)) in &before {
        if !after.contains_key(key) {
            found.push(Difference {
                key: key.clone(),
                line: 0,
                runtime: Some(value.clone()),
                file: None,
            });
        }
    }
    for (key, (line, value)) in &after {
        let old = before.get(key).map(|(_, old)| old);
        if old != Some(value) {
            found.push(Difference {
                key: key.clone(),
                line: *line,
                runtime: old.cloned(),
                file: Some(value.clone()),
            });
        }
    }
    found.sort_by_key(|one| one.line);
    for one in &mut found {
        if is_secret(&one.key) {
            for value in [&mut one.runtime, &mut one.file].into_iter().flatten() {
                "(not shown)".clone_into(value);
            }
        }
    }
    found
}

fn is_secret(key: &str) -> bool {
    let name = key.rsplit('.').next().unwrap_or(key);
    name.contains("password") && !name.ends_with("_file")
}

type Flat = BTreeMap<String, (usize, String)>;

fn flat(text: &str) -> Flat {
    let mut flat = Flat::new();
    let (table, _) = DeTable::parse_recoverable(text);
    walk(text, "", table.get_ref(), &mut flat);
    flat
}

fn walk(text: &str, path: &str, table: &DeTable<'_>, flat: &mut Flat) {
    for (key, value) in table {
        let name = key.get_ref();
        let dot = if path.is_empty() { "" } else { "." };
        let key_path = format!("{path}{dot}{name}");
        match value.get_ref() {
            DeValue::Table(inner) => walk(text, &key_path, inner, flat),
            DeValue::Array(items) if items.iter().any(|item| item.get_ref().is_table()) => {
                for (place, item) in (1..).zip(items.iter()) {
                    let Some(inner) = item.get_ref().as_table() else {
                        continue;
                    };
                    let own = NAMES.iter().find_map(|name| inner.get(*name));
                    let own = own.and_then(|value| text.get(value.span()));
                    let own = own.map_or_else(|| place.to_string(), bare);
                    let mut item_path = format!("{key_path}[{own}]");
                    // A second one of a name is told by its place.
                    if flat.contains_key(&item_path) {
                        item_path = format!("{key_path}[{own} {place}]");
                    }
                    let at = line(text, item.span().start);
                    flat.insert(item_path.clone(), (at, "present".to_owned()));
                    walk(text, &item_path, inner, flat);
                }
            }
            _ => {
                let shown = text.get(value.span()).map(bare).unwrap_or_default();
                flat.insert(key_path, (line(text, value.span().start), shown));
            }
        }
    }
}

fn bare(text: &str) -> String {
    text.trim().trim_matches('"').to_owned()
}

fn line(text: &str, at: usize) -> usize {
    let before = text.get(..at).unwrap_or(text);
    before.bytes().filter(|byte| *byte == b'\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEFORE: &str = "[proxy]\nworkers = 2\n[[server]]\nname = \"db1\"\nweight = 1\n\
                          [api]\npassword = \"old\"\n";

    fn shown(file: &str) -> Vec<String> {
        let found = differences(BEFORE, file);
        found
            .into_iter()
            .map(|one| format!("{}: {} {:?} {:?}", one.line, one.key, one.runtime, one.file))
            .collect()
    }

    #[test]
    fn only_what_differs_is_shown_with_its_line() {
        assert!(shown(BEFORE).is_empty());
        assert!(shown(&BEFORE.replace("workers = 2", "workers=2 # two")).is_empty());
        let file = BEFORE
            .replace("weight = 1", "weight = 3")
            .replace("workers = 2\n", "");
        let wanted = [
            "0: proxy.workers Some(\"2\") None",
            "4: server[db1].weight Some(\"1\") Some(\"3\")",
        ];
        assert_eq!(shown(&file), wanted);
    }

    #[test]
    fn a_server_is_told_by_its_name_and_not_by_its_place() {
        let file = format!("[[server]]\nname = \"db0\"\n{BEFORE}");
        let wanted = [
            "1: server[db0] None Some(\"present\")",
            "2: server[db0].name None Some(\"db0\")",
        ];
        assert_eq!(shown(&file), wanted);
    }

    #[test]
    fn passwords_are_not_shown() {
        let all = shown(&BEFORE.replace("old", "new")).join("\n");
        assert!(all.contains("api.password") && !all.contains("old") && !all.contains("new"));
    }
}
