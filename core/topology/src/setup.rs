//! How a server is set up, as far as that decides what it is fit for.

use std::time::Duration;

/// What a server says about its own settings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Setup {
    /// What its binary log holds.
    pub logging: Logging,
    /// What it leaves out of what it is sent or logs, as in `replicate-do-db=app`; sorted.
    pub filters: Vec<String>,
    /// Which numbers it gives to rows.
    pub auto_increment: AutoIncrement,
    /// How far behind it stays on purpose.
    pub delay: Duration,
    /// Its other channels, none of which is this cluster's.
    pub other_channels: Vec<String>,
}

/// What a server's binary log holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Logging {
    /// Its own writes and those that it replicates: others can replicate from it.
    #[default]
    All,
    /// Only its own writes.
    Own,
    /// Nothing: there is none.
    Nothing,
}

/// `auto_increment_offset` and `auto_increment_increment`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AutoIncrement {
    /// The first number.
    pub offset: u32,
    /// The distance between two numbers.
    pub increment: u32,
}

impl Default for AutoIncrement {
    fn default() -> Self {
        Self {
            offset: 1,
            increment: 1,
        }
    }
}

impl AutoIncrement {
    /// Whether two servers that number rows so never give the same number.
    pub fn is_apart_from(self, other: Self) -> bool {
        self.increment == other.increment
            && self.increment > 1
            && self.offset % self.increment != other.offset % other.increment
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_apart_only_with_one_increment_and_different_offsets() {
        let numbers = |offset, increment| AutoIncrement { offset, increment };
        assert!(numbers(1, 2).is_apart_from(numbers(2, 2)));
        assert!(!numbers(1, 2).is_apart_from(numbers(1, 2)));
        assert!(!numbers(1, 2).is_apart_from(numbers(2, 3)));
        assert!(!numbers(1, 1).is_apart_from(numbers(2, 1)));
        assert!(!numbers(1, 2).is_apart_from(numbers(3, 2)));
    }
}
