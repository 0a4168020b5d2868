//! What the file says of addresses that a cloud moves.

#[cfg(test)]
mod tests;

use std::fmt;
use std::time::Duration;

/// `[[cloud_address]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CloudSettings {
    /// `name`.
    pub name: String,
    /// `address`: what is moved, in the words of the cloud.
    pub address: String,
    /// `follows`, or `vip`.
    pub follows: CloudFollows,
    /// `command`, or `url`.
    pub means: CloudMeans,
    /// `limit` of one call; default 30 s.
    pub limit: Duration,
    /// `retry_interval`: after the first failure, then twice as long each time; default 2 s.
    pub retry_interval: Duration,
}

/// Where it belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CloudFollows {
    /// To the server that may be written to.
    Primary,
    /// To this host, while it is Active for this `[[vip]]`.
    Vip(String),
}

/// How the cloud is told.
#[derive(Clone, PartialEq, Eq)]
pub enum CloudMeans {
    /// A program and its arguments.
    Command(Vec<String>),
    /// An address that takes JSON.
    Webhook(String),
}

impl fmt::Debug for CloudMeans {
    /// The address of a webhook often is a secret, and so may be arguments.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Command(command) => write!(f, "Command({:?})", command.first()),
            Self::Webhook(_) => f.write_str("Webhook"),
        }
    }
}
