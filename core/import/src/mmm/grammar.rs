//! The grammar of MMM's files: `key value`, and sections between `<kind name>` and `</kind>`.
//!
//! `#` begins a comment at the beginning of a line and after white space (MMM's manual, section
//! "Configuration syntax").

use crate::format::ImportError;

/// `key value`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Variable<'f> {
    pub(super) key: &'f str,
    pub(super) value: &'f str,
    /// From 1.
    pub(super) line: usize,
}

/// `<kind name>` … `</kind>`; what stands outside of any is of the kind "".
#[derive(Debug)]
pub(super) struct Section<'f> {
    pub(super) kind: &'f str,
    pub(super) name: &'f str,
    /// From 1.
    pub(super) line: usize,
    pub(super) variables: Vec<Variable<'f>>,
}

impl<'f> Section<'f> {
    fn new(kind: &'f str, name: &'f str, line: usize) -> Self {
        Self {
            kind,
            name,
            line,
            variables: Vec::new(),
        }
    }

    /// The last of this key, which is in force.
    pub(super) fn get(&self, key: &str) -> Option<&Variable<'f>> {
        let mut found = self.variables.iter().rev();
        found.find(|variable| variable.key == key)
    }

    pub(super) fn value(&self, key: &str) -> Option<&'f str> {
        self.get(key).map(|variable| variable.value)
    }
}

/// `a, b`: the values of a list.
pub(super) fn items(value: &str) -> impl Iterator<Item = &str> {
    value
        .split(',')
        .map(str::trim)
        .filter(|one| !one.is_empty())
}

/// Reads a file.
pub(super) fn parse(text: &str) -> Result<Vec<Section<'_>>, ImportError> {
    let mut done = vec![Section::new("", "", 1)];
    let mut open: Option<Section<'_>> = None;
    for (line, words) in (1..).zip(text.lines().map(without_comment)) {
        let wrong = |sentence: String| ImportError::Grammar { line, sentence };
        if words.is_empty() {
            continue;
        }
        let Some(tag) = words.strip_prefix('<') else {
            let (key, value) = words.split_once(char::is_whitespace).unwrap_or((words, ""));
            let variable = Variable {
                key,
                value: value.trim(),
                line,
            };
            open.as_mut()
                .unwrap_or(&mut done[0])
                .variables
                .push(variable);
            continue;
        };
        let tag = tag.strip_suffix('>');
        let tag = tag
            .ok_or_else(|| wrong(format!("`{words}` has no `>`")))?
            .trim();
        if let Some(kind) = tag.strip_prefix('/') {
            match open.take() {
                Some(section) if section.kind == kind.trim() => done.push(section),
                Some(section) => {
                    let (kind, line) = (section.kind, section.line);
                    return Err(wrong(format!(
                        "`{words}` ends <{kind}> of line {line}: `</{kind}>` was expected"
                    )));
                }
                None => return Err(wrong(format!("`{words}` ends nothing"))),
            }
        } else if let Some(section) = &open {
            let (kind, line) = (section.kind, section.line);
            return Err(wrong(format!(
                "`{words}` stands in <{kind}> of line {line}: `</{kind}>` was expected"
            )));
        } else {
            let (kind, name) = tag.split_once(char::is_whitespace).unwrap_or((tag, ""));
            open = Some(Section::new(kind, name.trim(), line));
        }
    }
    match open {
        Some(Section { kind, line, .. }) => Err(ImportError::Grammar {
            line,
            sentence: format!("<{kind}> is not ended: `</{kind}>` was expected"),
        }),
        None => Ok(done),
    }
}

fn without_comment(line: &str) -> &str {
    let line = line.trim();
    if line.starts_with('#') {
        return "";
    }
    let begins = line.find(" #").into_iter().chain(line.find("\t#")).min();
    begins.map_or(line, |at| line[..at].trim_end())
}
