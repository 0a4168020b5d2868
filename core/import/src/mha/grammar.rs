//! The grammar of MHA's files: sections in brackets, and a parameter with its value on each line.
//!
//! `#` and `;` begin a comment only at the beginning of a line: passwords may hold them
//! (`Config::Tiny`, with which MHA reads its files).

use crate::format::ImportError;

/// `[name]` and what follows it.
#[derive(Debug)]
pub(super) struct Section<'f> {
    pub(super) name: &'f str,
    /// From 1.
    pub(super) line: usize,
    pub(super) parameters: Vec<Parameter<'f>>,
}

/// `key = value`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Parameter<'f> {
    pub(super) key: &'f str,
    pub(super) value: &'f str,
    /// From 1.
    pub(super) line: usize,
}

impl<'f> Section<'f> {
    /// The last of this key, which is in force.
    pub(super) fn get(&self, key: &str) -> Option<&Parameter<'f>> {
        let mut found = self.parameters.iter().rev();
        found.find(|parameter| parameter.key == key)
    }
}

/// Reads a file.
pub(super) fn parse(text: &str) -> Result<Vec<Section<'_>>, ImportError> {
    let mut sections: Vec<Section<'_>> = Vec::new();
    for (line, words) in (1..).zip(text.lines().map(str::trim)) {
        if words.is_empty() || words.starts_with(['#', ';']) {
            continue;
        }
        let wrong = |sentence: String| ImportError::Grammar { line, sentence };
        if let Some(rest) = words.strip_prefix('[') {
            let name = rest.split_once(']').map(|(name, _)| name.trim());
            let name = name.ok_or_else(|| wrong(format!("`{words}` has no `]`")))?;
            sections.push(Section {
                name,
                line,
                parameters: Vec::new(),
            });
            continue;
        }
        // A line that is none may hold a password: it is not shown.
        let (key, value) = words
            .split_once('=')
            .ok_or_else(|| wrong("`parameter = value` was expected".to_owned()))?;
        let section = sections.last_mut();
        let section = section.ok_or_else(|| wrong("it stands before any [section]".to_owned()))?;
        section.parameters.push(Parameter {
            key: key.trim(),
            value: value.trim(),
            line,
        });
    }
    Ok(sections)
}
