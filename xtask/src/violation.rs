//! One broken rule, told so that it can be mended without reading this tool.

use std::fmt;

/// Where a rule is broken, what is wrong, why it is a rule, and the remedy.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Violation {
    /// Relative to the root of the workspace.
    pub(crate) path: String,
    /// Counts from 1.
    pub(crate) line: usize,
    pub(crate) what: String,
    pub(crate) why: &'static str,
    pub(crate) remedy: String,
}

/// The `file:line:` at the start is what editors make a link of.
impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            path,
            line,
            what,
            why,
            remedy,
        } = self;
        write!(f, "{path}:{line}: {what}; {why}; {remedy}")
    }
}
