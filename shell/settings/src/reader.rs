//! Takes a table of the file apart, key by key: a key that is missing, unknown or of the wrong type
//! becomes a problem with its line, and reading goes on.

use std::ops::Range;
use std::time::Duration;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::error::Problem;
use crate::suggestion::nearest;
use crate::value;

/// All problems of one file.
pub(crate) struct Report<'t> {
    text: &'t str,
    problems: Vec<Problem>,
}

impl<'t> Report<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        let problems = Vec::new();
        Self { text, problems }
    }

    pub(crate) fn add(&mut self, at: usize, key: impl Into<String>, sentence: impl Into<String>) {
        let before = self.text.get(..at).unwrap_or(self.text);
        self.problems.push(Problem {
            line: before.bytes().filter(|byte| *byte == b'\n').count() + 1,
            key: key.into(),
            sentence: sentence.into(),
        });
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.problems.is_empty()
    }

    /// The problems in the order of their lines.
    pub(crate) fn into_problems(mut self) -> Vec<Problem> {
        self.problems.sort();
        self.problems
    }
}

/// One table of the file, such as `[cluster]`.
pub(crate) struct Section<'a, 'd, 't> {
    name: &'static str,
    table: &'a DeTable<'d>,
    at: usize,
    known: Vec<&'static str>,
    report: &'a mut Report<'t>,
}

impl<'a, 'd, 't> Section<'a, 'd, 't> {
    pub(crate) fn new(
        name: &'static str,
        (table, span): (&'a DeTable<'d>, Range<usize>),
        report: &'a mut Report<'t>,
    ) -> Self {
        Self {
            name,
            table,
            at: span.start,
            known: Vec::new(),
            report,
        }
    }

    /// A value that its reader understands; `None` when it is missing or wrong.
    pub(crate) fn value<T>(
        &mut self,
        key: &'static str,
        expected: &str,
        read: impl FnOnce(&DeValue<'d>) -> Option<T>,
    ) -> Option<T> {
        self.known.push(key);
        let value = self.table.get(key)?;
        let understood = read(value.get_ref());
        if understood.is_none() {
            let found = shown(key, value.get_ref());
            let sentence = format!("expected {expected}, found {found}");
            self.problem(value.span().start, key, sentence);
        }
        understood
    }

    pub(crate) fn text(&mut self, key: &'static str, expected: &str) -> Option<String> {
        self.value(key, expected, |value| {
            let text = value.as_str().filter(|text| !text.is_empty());
            text.map(str::to_owned)
        })
    }

    /// A list of texts; empty when it is missing.
    pub(crate) fn texts(&mut self, key: &'static str, example: &str) -> Vec<String> {
        let expected = format!("a list of texts, such as {example}");
        self.value(key, &expected, |value| {
            let items = value.as_array()?.iter();
            let texts = items.map(|item| item.get_ref().as_str().filter(|text| !text.is_empty()));
            texts.map(|text| text.map(str::to_owned)).collect()
        })
        .unwrap_or_default()
    }

    pub(crate) fn boolean(&mut self, key: &'static str, default: bool) -> bool {
        self.value(key, "true or false", DeValue::as_bool)
            .unwrap_or(default)
    }

    /// A whole number from `least`.
    pub(crate) fn count(&mut self, key: &'static str, default: usize, least: usize) -> usize {
        let expected = format!("a whole number from {least}");
        self.value(key, &expected, |value| {
            let number = value.as_integer()?;
            let number = usize::from_str_radix(number.as_str(), number.radix()).ok()?;
            (number >= least).then_some(number)
        })
        .unwrap_or(default)
    }

    /// A duration within the limits.
    pub(crate) fn duration(
        &mut self,
        key: &'static str,
        default: Duration,
        least: Duration,
    ) -> Duration {
        let least_text = value::written(least);
        let default_text = value::written(default);
        let expected = format!("a duration from \"{least_text}\", such as \"{default_text}\"");
        self.value(key, &expected, |value| {
            let duration = value.as_str().and_then(value::duration)?;
            (duration >= least).then_some(duration)
        })
        .unwrap_or(default)
    }

    /// One of some words.
    pub(crate) fn choice<T: Copy>(
        &mut self,
        key: &'static str,
        choices: &[(&'static str, T)],
    ) -> Option<T> {
        let words: Vec<_> = choices
            .iter()
            .map(|(word, _)| format!("\"{word}\""))
            .collect();
        let expected = format!("one of {}", words.join(", "));
        self.value(key, &expected, |value| {
            let found = value.as_str()?;
            let choice = choices.iter().find(|(word, _)| *word == found);
            choice.map(|(_, choice)| *choice)
        })
    }

    /// Reads a table inside this one; an empty one when it is missing.
    pub(crate) fn sub<R>(
        &mut self,
        key: &'static str,
        name: &'static str,
        read: impl FnOnce(Section<'_, 'd, 't>) -> R,
    ) -> R {
        self.known.push(key);
        let empty = DeTable::new();
        let value = self.table.get(key);
        let table = value.and_then(|value| value.get_ref().as_table());
        let at = value.map_or(self.at, |value| value.span().start);
        if value.is_some() && table.is_none() {
            self.report
                .add(at, name, format!("is a section: write it as [{name}]"));
        }
        read(Section {
            name,
            table: table.unwrap_or(&empty),
            at,
            known: Vec::new(),
            report: &mut *self.report,
        })
    }

    /// Reads the tables of a list inside this one.
    pub(crate) fn subs<R>(
        &mut self,
        key: &'static str,
        name: &'static str,
        mut read: impl FnMut(Section<'_, 'd, 't>) -> R,
    ) -> Vec<R> {
        self.known.push(key);
        let Some(value) = self.table.get(key) else {
            return Vec::new();
        };
        let array = value.get_ref().as_array();
        let tables: Option<Vec<_>> = array.and_then(|array| {
            let tables = array.iter();
            let tables = tables.map(|item| Some((item.get_ref().as_table()?, item.span())));
            tables.collect()
        });
        let Some(tables) = tables else {
            let sentence = format!("is a list of sections: write each as [[{name}]]");
            self.report.add(value.span().start, name, sentence);
            return Vec::new();
        };
        let tables = tables.into_iter();
        let found = tables.map(|found| read(Section::new(name, found, self.report)));
        found.collect()
    }

    /// Notes keys that are known here but not read.
    pub(crate) fn knows(&mut self, keys: &[&'static str]) {
        self.known.extend(keys);
    }

    /// Whether the file has the key, whatever its value.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// A problem with the section as a whole: something is missing from it.
    pub(crate) fn missing(&mut self, key: &str, sentence: &str) {
        self.problem(self.at, key, format!("is missing: {sentence}"));
    }

    /// A problem with the value of a key.
    pub(crate) fn wrong(&mut self, key: &str, sentence: String) {
        let at = self
            .table
            .get(key)
            .map_or(self.at, |value| value.span().start);
        self.problem(at, key, sentence);
    }

    fn problem(&mut self, at: usize, key: &str, sentence: String) {
        let name = self.name;
        self.report.add(at, format!("{name}.{key}"), sentence);
    }

    /// All keys have been asked for: what is left is unknown.
    pub(crate) fn end(self) {
        for key in self.table.keys() {
            let name = key.get_ref().as_ref();
            if !self.known.contains(&name) {
                unknown(self.report, self.name, key, &self.known);
            }
        }
    }
}

/// Reports an unknown key; `section` is empty at the top of the file.
pub(crate) fn unknown(
    report: &mut Report<'_>,
    section: &str,
    key: &Spanned<std::borrow::Cow<'_, str>>,
    known: &[&str],
) {
    let name = key.get_ref().as_ref();
    let sentence = match nearest(name, known) {
        Some(near) => format!("is not known; did you mean `{near}`?"),
        None => format!("is not known; known are {}", known.join(", ")),
    };
    let dot = if section.is_empty() { "" } else { "." };
    report.add(key.span().start, format!("{section}{dot}{name}"), sentence);
}

/// A wrong value as it is shown; that of a secret is not.
fn shown(key: &str, value: &DeValue<'_>) -> String {
    let kind = match value {
        DeValue::String(text) if text.is_empty() => return "an empty text".to_owned(),
        _ if key.contains("password") => "something else",
        DeValue::String(text) => return format!("\"{text}\""),
        DeValue::Integer(number) => return format!("the number {number}"),
        DeValue::Float(number) => return format!("the number {number}"),
        DeValue::Boolean(truth) => return truth.to_string(),
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    };
    kind.to_owned()
}
