//! The formats that can be read, and how they are told apart.
//!
//! A new one: a variant, its words in `NAMES`, what only its files hold in `detect`, and a module
//! with a function from text to [`Imported`].

use crate::keepalived;
use crate::mha;
use crate::mmm;
use crate::proxysql;
use crate::report::Remark;

/// A format that can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// `proxysql.cnf`.
    ProxySql,
    /// `keepalived.conf`.
    Keepalived,
    /// `app1.cnf` and `masterha_default.cnf` of MHA.
    Mha,
    /// `mmm_common.conf` and `mmm_mon.conf` of MMM.
    Mmm,
}

/// What each is called.
const NAMES: [(&str, Format); 4] = [
    ("proxysql", Format::ProxySql),
    ("keepalived", Format::Keepalived),
    ("mha", Format::Mha),
    ("mmm", Format::Mmm),
];

/// What became of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// The settings, as text of `mainstay.toml`.
    pub toml: String,
    /// What happened to each part of the file, in its order.
    pub remarks: Vec<Remark>,
}

/// Why a file cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// It breaks the grammar of its format.
    #[error("line {line}: {sentence}")]
    Grammar {
        /// The line, from 1.
        line: usize,
        /// What was expected, and what was found.
        sentence: String,
    },
    /// It is of no format that is known.
    #[error("the format is not recognised; known are: {}", Format::names().join(", "))]
    Unknown,
}

impl Format {
    /// All names, for messages.
    pub fn names() -> Vec<&'static str> {
        NAMES.iter().map(|(name, _)| *name).collect()
    }

    /// By its name.
    pub fn named(name: &str) -> Option<Self> {
        let found = NAMES.iter().find(|(known, _)| *known == name);
        found.map(|(_, format)| *format)
    }

    /// What it is called.
    pub fn name(self) -> &'static str {
        let found = NAMES.iter().find(|(_, known)| *known == self);
        found.map_or("?", |(name, _)| name)
    }

    /// The format of a file, by what only its files hold.
    pub fn detect(text: &str) -> Option<Self> {
        let mut formats = NAMES.iter().map(|(_, format)| *format);
        formats.find(|format| match format {
            Self::ProxySql => proxysql::is_one(text),
            Self::Keepalived => keepalived::is_one(text),
            Self::Mha => mha::is_one(text),
            Self::Mmm => mmm::is_one(text),
        })
    }
}

/// Reads a file. Where the result needs a password that the file does not have, it is `password`.
pub fn import(format: Format, text: &str, password: &str) -> Result<Imported, ImportError> {
    match format {
        Format::ProxySql => proxysql::import(text, password),
        Format::Keepalived => keepalived::import(text, password),
        Format::Mha => mha::import(text, password),
        Format::Mmm => mmm::import(text, password),
    }
}
