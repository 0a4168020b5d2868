//! Tells people: runs a command, posts to a webhook, or sends mail. What is worth telling is
//! decided elsewhere.
//!
//! Invariants: nothing here waits for longer than its limit; a receiver that is away costs nobody
//! else anything; a password is never printed.

mod channel;
mod command;
mod error;
mod mail;
mod message;
mod webhook;

#[cfg(test)]
mod tests;

pub use channel::{Channel, Means, deliver};
pub use command::Command;
pub use error::NotifyError;
pub use mail::{Encryption, Mail};
pub use message::{Kind, Message};
pub use webhook::Webhook;
