//! One thing that is wrong: what, where, and what to do.

use std::fmt;

use serde::Serialize;

/// How bad it is, the worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Grade {
    /// It does not work, or data can be lost.
    Error,
    /// It works otherwise than was probably meant.
    Warning,
    /// It could be better.
    Hint,
}

impl fmt::Display for Grade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Hint => "hint",
        })
    }
}

/// One thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Finding {
    /// How bad it is.
    pub(crate) grade: Grade,
    /// Where: a section of the file, a server, a file, a port.
    pub(crate) place: String,
    /// What is wrong.
    pub(crate) what: String,
    /// What to do.
    pub(crate) remedy: String,
}

impl Finding {
    pub(super) fn new(
        grade: Grade,
        place: impl Into<String>,
        what: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            grade,
            place: place.into(),
            what: what.into(),
            remedy: remedy.into(),
        }
    }
}

/// All of them, for people.
pub(super) fn text_of(findings: &[Finding]) -> String {
    if findings.is_empty() {
        return "nothing is wrong\n".to_owned();
    }
    let mut text = String::new();
    for finding in findings {
        let Finding {
            grade,
            place,
            what,
            remedy,
        } = finding;
        text.push_str(&format!("{grade:8} {place}: {what}\n         → {remedy}\n"));
    }
    text
}
