//! What happened to each part of a file.

use std::fmt;

/// What became of a part of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// It means the same now.
    Taken,
    /// It is something else now, and why is said.
    Changed,
    /// It has no meaning here, or not yet.
    LeftOut,
}

impl fmt::Display for Fate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Taken => "taken",
            Self::Changed => "changed",
            Self::LeftOut => "left out",
        })
    }
}

/// One line of the report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// The line of the file, from 1.
    pub line: usize,
    /// What became of it.
    pub fate: Fate,
    /// Which part, in the words of the file.
    pub what: String,
    /// What it is now, and why.
    pub sentence: String,
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            line,
            fate,
            what,
            sentence,
        } = self;
        write!(f, "{line:>5}  {fate:8}  {what}: {sentence}")
    }
}

/// The remarks of one file, as they are made.
#[derive(Debug, Default)]
pub(crate) struct Report(Vec<Remark>);

impl Report {
    pub(crate) fn taken(&mut self, line: usize, what: &str, sentence: impl Into<String>) {
        self.add(Fate::Taken, line, what, sentence.into());
    }

    pub(crate) fn changed(&mut self, line: usize, what: &str, sentence: impl Into<String>) {
        self.add(Fate::Changed, line, what, sentence.into());
    }

    pub(crate) fn left_out(&mut self, line: usize, what: &str, sentence: impl Into<String>) {
        self.add(Fate::LeftOut, line, what, sentence.into());
    }

    fn add(&mut self, fate: Fate, line: usize, what: &str, sentence: String) {
        self.0.push(Remark {
            line,
            fate,
            what: what.to_owned(),
            sentence,
        });
    }

    /// In the order of the file.
    pub(crate) fn into_remarks(mut self) -> Vec<Remark> {
        self.0.sort_by_key(|remark| remark.line);
        self.0
    }
}
