//! What can be wrong with the text of a GTID set, told to a person.

use crate::Family;

/// How much of a faulty text an error quotes; a set can be megabytes long.
const QUOTE_CHARS: usize = 60;

/// Why a text is not a GTID set, or why two sets cannot be joined.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GtidError {
    /// The text does not follow the family's grammar.
    #[error("\"{text}\" is not part of a {family} GTID set: expected {expected}")]
    Syntax {
        /// The family whose grammar was tried.
        family: Family,
        /// The first faulty part, shortened.
        text: String,
        /// What should have stood there.
        expected: &'static str,
    },
    /// A union of sets of two families.
    #[error(
        "a {left} GTID set cannot be joined with a {right} one: \
         check that all servers of the cluster are of one family"
    )]
    Families {
        /// The family of the first set.
        left: Family,
        /// The family of the second set.
        right: Family,
    },
}

impl GtidError {
    pub(crate) fn syntax(family: Family, text: &str, expected: &'static str) -> Self {
        let text = match text.char_indices().nth(QUOTE_CHARS) {
            Some((end, _)) => format!("{}…", &text[..end]),
            None => text.to_owned(),
        };
        Self::Syntax {
            family,
            text,
            expected,
        }
    }
}
