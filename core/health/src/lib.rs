//! What is probed, and when a streak of answers makes it up or down.
//!
//! Balanced servers and the tracks of a floating address are judged in the same way: a [`Probe`]
//! says what to look at, a [`Streak`] counts the answers, [`Facts`] of a server are held against
//! the [`Role`] that it must have. Looking itself is left to the shell.
//!
//! **Invariant:** what nobody has looked at is [`Verdict::Unknown`], never up.

mod probe;
mod role;
mod streak;

pub use probe::{HttpProbe, Login, MySqlProbe, Probe, Script};
pub use role::{Facts, Link, Role, Unfit};
pub use streak::{Streak, Timing, Verdict};
