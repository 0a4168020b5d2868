//! What has to be known of SQL that is left to the embedded tables: which tables it may name, what
//! it asks of system variables, and how it is shown in a log.

use crate::command::Command;
use crate::words::{Word, split};

/// What stands for a secret in a log.
const MASK: &str = "'***'";

/// Words after which, in rows of a known table, secrets may stand.
const SECRET: [&str; 3] = ["password", "credentials", "identified"];

/// A text in which some places were replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replaced {
    /// The text.
    pub text: String,
    /// What was replaced, in the order of the text: before, and now.
    pub places: Vec<(String, String)>,
}

/// The first word, in capitals.
pub fn first_word(text: &str) -> String {
    let words = split(text).unwrap_or_default();
    let first = words.first();
    first.map_or_else(String::new, |word| word.text.to_ascii_uppercase())
}

/// All names in a statement, in small letters and without schema or quotes: any may be a table's.
pub fn names(text: &str) -> Vec<String> {
    let words = split(text).unwrap_or_default();
    let quoted = |word: &Word<'_>| matches!(word.quote(), Some('`' | '"'));
    let mut names: Vec<String> = words
        .iter()
        .filter(|word| word.is_name() || quoted(word))
        .flat_map(|word| {
            let value = word.value().to_ascii_lowercase();
            // `t.c` may be a column of a table, or a table of a schema.
            let parts: Vec<_> = value.split('.').map(str::to_owned).collect();
            parts
        })
        .collect();
    names.sort();
    names.dedup();
    names
}

/// The table that a statement writes to, if it writes.
pub fn written_table(text: &str) -> Option<String> {
    let words = split(text)?;
    let first = words.first()?;
    let at = if first.is("UPDATE") {
        1 + usize::from(words.get(1).is_some_and(|word| word.is("OR"))) * 2
    } else if first.is("INSERT") || first.is("REPLACE") || first.is("DELETE") {
        let before = |word: &Word<'_>| word.is("INTO") || word.is("FROM");
        words.iter().position(before)? + 1
    } else {
        return None;
    };
    let name = words.get(at)?.value();
    let last = name.rsplit('.').next().unwrap_or_default();
    Some(last.to_ascii_lowercase())
}

/// Replaces each `@@name` by the expression that `value` gives for it; `Err` is a name that has
/// none.
pub fn system_variables(
    text: &str,
    value: impl Fn(&str) -> Option<String>,
) -> Result<Replaced, String> {
    let mut replaced = Replaced {
        text: String::new(),
        places: Vec::new(),
    };
    let mut end = 0;
    for word in split(text).unwrap_or_default() {
        let Some(name) = word.text.strip_prefix("@@") else {
            continue;
        };
        let lower = name.to_ascii_lowercase();
        let name = ["global.", "session.", "local."]
            .iter()
            .find_map(|scope| lower.strip_prefix(scope))
            .unwrap_or(&lower);
        let expression = value(name).ok_or_else(|| name.to_owned())?;
        replaced.text.push_str(&text[end..word.at]);
        replaced.text.push_str(&expression);
        replaced.places.push((word.text.to_owned(), expression));
        end = word.end();
    }
    replaced.text.push_str(&text[end..]);
    Ok(replaced)
}

/// A statement as a log may show it: of one that may hold a secret, no quoted text is shown.
pub fn masked(text: &str) -> String {
    let Some(words) = split(text) else {
        return "(a text without an end)".to_owned();
    };
    let users = |name: &str| name.contains("mysql_users") || name.contains("restapi");
    let secret = words.iter().any(|word| {
        let lower = word.text.to_ascii_lowercase();
        users(&lower) || SECRET.iter().any(|part| lower.contains(part))
    });
    let mut shown = String::new();
    let mut end = None;
    for word in words {
        if end.is_some_and(|end| end < word.at) {
            shown.push(' ');
        }
        end = Some(word.end());
        let text = matches!(word.quote(), Some('\'' | '"'));
        shown.push_str(if secret && text { MASK } else { word.text });
    }
    shown
}

/// What a `SET` asks for, without the word itself.
pub(crate) fn assignments(text: &str) -> Command {
    let words = split(text).unwrap_or_default();
    let mut found = Vec::new();
    for item in words.split(|word| word.text == ",") {
        let (name, value) = match item {
            [scope, rest @ ..] if is_scope(scope) => (rest.first(), rest.get(1..)),
            [name, rest @ ..] => (Some(name), Some(rest)),
            [] => (None, None),
        };
        let (Some(name), Some(value)) = (name, value) else {
            continue;
        };
        let name = name.value();
        let name = name.trim_start_matches('@').to_ascii_lowercase();
        let name = name.strip_prefix("global.").unwrap_or(&name).to_owned();
        let ours = ["mysql-", "admin-"]
            .iter()
            .any(|prefix| name.starts_with(prefix));
        let [sign, value @ ..] = value else { continue };
        if !ours || sign.text != "=" {
            continue;
        }
        let value: Vec<String> = value.iter().map(Word::value).collect();
        found.push((name, value.join("")));
    }
    if found.is_empty() {
        // What a client sets of its own session: names, autocommit, sql_mode.
        return Command::Accepted;
    }
    Command::Set(found)
}

fn is_scope(word: &Word<'_>) -> bool {
    ["GLOBAL", "SESSION", "LOCAL"]
        .iter()
        .any(|scope| word.is(scope))
}
