//! What the manager tells the proxies: who may be written to, who may be read from.

use crate::server::{Address, Epoch, Intent, ServerName};

/// One server that the proxy may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Its name.
    pub name: ServerName,
    /// Where it listens.
    pub address: Address,
}

/// The routes of one epoch. A proxy ignores routes that are not newer than those it has:
/// they are ordered by `(epoch, version)`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Routes {
    /// The reign these routes belong to.
    pub epoch: Epoch,
    /// Grows with each publication within an epoch.
    pub version: u64,
    /// The only server that may be written to; `None` while there is none: writes are held.
    pub writer: Option<Target>,
    /// Servers that may be read from, besides the writer. When it is empty the writer serves reads.
    pub readers: Vec<Target>,
    /// Servers that finish what they have begun: open transactions go on, nothing new is sent.
    pub draining: Vec<Target>,
    /// Hold new writes and new transactions although there is a writer: a switchover drains it.
    pub hold_writes: bool,
}

impl Routes {
    /// The same, as the operator wants it: who drains gets nothing new, who is out is not there.
    #[must_use]
    pub fn under(mut self, intent: impl Fn(&ServerName) -> Intent) -> Self {
        let draining = &mut self.draining;
        let mut stays = |target: &Target| {
            let intent = intent(&target.name);
            if intent == Intent::Draining {
                draining.push(target.clone());
            }
            intent == Intent::InService
        };
        self.writer = self.writer.take().filter(&mut stays);
        self.readers.retain(stays);
        self
    }

    /// True when these routes replace `other`.
    pub fn is_newer_than(&self, other: &Self) -> bool {
        (self.epoch, self.version) > (other.epoch, other.version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(name: &str) -> Target {
        Target {
            name: ServerName::new(name),
            address: Address {
                host: name.to_owned(),
                port: 3306,
            },
        }
    }

    #[test]
    fn what_the_operator_takes_out_is_neither_written_to_nor_read_from() {
        let routes = Routes {
            writer: Some(target("db1")),
            readers: vec![target("db2"), target("db3")],
            ..Routes::default()
        };
        let under = routes.under(|name| match name.as_str() {
            "db1" => Intent::Draining,
            "db2" => Intent::Out,
            _ => Intent::InService,
        });
        assert_eq!(under.writer, None);
        assert_eq!(under.readers, [target("db3")]);
        assert_eq!(under.draining, [target("db1")]);
    }
}
