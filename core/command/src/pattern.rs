//! Syntax as it is shown to people, and as it is matched.
//!
//! `WORD` stands for itself, `(A|B)` for one of several, `[A]` for what may be left out, `<kind>`
//! for what is filled in. A syntax is spread out into all its spellings, which are tried in turn.

use crate::module::Module;
use crate::words::Word;

/// One spelling: each item is a word or a `<kind>`.
pub(crate) type Spelling<'s> = Vec<&'s str>;

/// What was said where the syntax leaves room.
#[derive(Debug, Default)]
pub(crate) struct Captured<'t> {
    keywords: Vec<&'t str>,
    pub(crate) module: Option<Module>,
    pub(crate) values: Vec<String>,
}

impl Captured<'_> {
    pub(crate) fn has(&self, keyword: &str) -> bool {
        self.keywords
            .iter()
            .any(|word| word.eq_ignore_ascii_case(keyword))
    }

    pub(crate) fn value(&self) -> Option<String> {
        self.values.first().cloned()
    }
}

/// All spellings of a syntax.
pub(crate) fn spellings(syntax: &str) -> Vec<Spelling<'_>> {
    let mut all = vec![Vec::new()];
    let mut rest = syntax.trim_start();
    while let Some(first) = rest.chars().next() {
        let (choices, after) = match first {
            '(' | '[' => {
                let end = closing(rest);
                let mut choices: Vec<Spelling<'_>> = alternatives(&rest[1..end])
                    .into_iter()
                    .flat_map(spellings)
                    .collect();
                if first == '[' {
                    choices.push(Vec::new());
                }
                (choices, &rest[(end + 1).min(rest.len())..])
            }
            _ => {
                let end = rest.find(' ').unwrap_or(rest.len());
                (vec![vec![&rest[..end]]], &rest[end..])
            }
        };
        all = all
            .iter()
            .flat_map(|start| choices.iter().map(move |end| [&start[..], end].concat()))
            .collect();
        rest = after.trim_start();
    }
    all
}

/// Where the bracket that opens the text closes.
fn closing(text: &str) -> usize {
    let mut depth = 0;
    for (at, c) in text.char_indices() {
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at;
        }
    }
    text.len()
}

fn alternatives(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut depth, mut start) = (0, 0);
    for (at, c) in text.char_indices() {
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => depth -= 1,
            '|' if depth == 0 => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

/// Whether the words are this spelling.
pub(crate) fn fits<'t>(spelling: &[&str], words: &[Word<'t>]) -> Option<Captured<'t>> {
    let mut captured = Captured::default();
    let mut rest = words;
    for item in spelling {
        let (word, after) = rest.split_first()?;
        rest = match *item {
            "<module>" => {
                let (module, count) = Module::read(rest)?;
                captured.module = Some(module);
                &rest[count..]
            }
            "<number>" => {
                captured
                    .values
                    .push(word.text.parse::<u64>().ok()?.to_string());
                after
            }
            "<text>" => {
                word.quote().filter(|quote| *quote != '`')?;
                captured.values.push(word.value());
                after
            }
            "<name>" | "<path>" => {
                // A path may have symbols that are words of their own: it is the rest.
                let (value, count) = joined(rest);
                captured.values.push(value);
                &rest[count..]
            }
            "<statement>" => {
                captured.values.push(rest_of(words, word));
                &[]
            }
            keyword if word.is(keyword) => {
                captured.keywords.push(word.text);
                after
            }
            _ => return None,
        };
    }
    rest.is_empty().then_some(captured)
}

/// Words that touch each other, as one: `/var/lib/x.cnf`, `main.mysql_users`.
fn joined(words: &[Word<'_>]) -> (String, usize) {
    let mut value = words[0].value();
    let mut count = 1;
    while let Some(next) = words.get(count)
        && next.at == words[count - 1].end()
    {
        value.push_str(&next.value());
        count += 1;
    }
    (value, count)
}

/// The text from this word to the last, as it was written.
fn rest_of(words: &[Word<'_>], from: &Word<'_>) -> String {
    let after = words.iter().filter(|word| word.at >= from.at);
    let mut text = String::new();
    let mut end = from.at;
    for word in after {
        // Comments between words are not a part of what is said.
        if word.at > end {
            text.push(' ');
        }
        text.push_str(word.text);
        end = word.end();
    }
    text
}
