//! Prepared statements.

use mainstay_wire::statement::Param;

/// A statement prepared on one connection, and of use on that one only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    pub(crate) id: u32,
    pub(crate) params: u16,
}

impl Statement {
    /// Number of parameters it takes.
    pub fn params(&self) -> usize {
        usize::from(self.params)
    }
}

/// A parameter of a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// NULL.
    Null,
    /// A signed integer.
    Int(i64),
    /// An unsigned integer.
    UInt(u64),
    /// Text.
    Text(String),
}

impl Value {
    pub(crate) fn as_param(&self) -> Param<'_> {
        match self {
            Self::Null => Param::Null,
            Self::Int(value) => Param::Int(*value),
            Self::UInt(value) => Param::UInt(*value),
            Self::Text(text) => Param::Bytes(text.as_bytes()),
        }
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<u64> for Value {
    fn from(value: u64) -> Self {
        Self::UInt(value)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}
