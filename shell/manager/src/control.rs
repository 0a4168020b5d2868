//! What the manager cannot do itself: tell proxies, and act on the hosts of servers.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use mainstay_failover::Hooks;
use mainstay_failover::hook::Call;
use mainstay_topology::{Epoch, Routes, ServerName, Target};

/// An answer that is still being made.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The proxies of the cluster.
pub trait ProxyControl: Send + Sync + 'static {
    /// Tells them these routes. Does not wait.
    fn publish(&self, routes: &Routes);

    /// Waits until every proxy has the routes published last and none has a write or a transaction
    /// in flight on a server that those do not let it write to; false when that did not happen
    /// within the limit.
    fn drained(&self, limit: Duration) -> Pending<'_, bool>;
}

/// The hooks of the operator's.
pub trait HookControl: Send + Sync + 'static {
    /// Runs one with these variables in its environment, and answers with what it has printed. It
    /// is ended at its limit, and when nobody waits for the answer any more.
    fn run(
        &self,
        call: &Call,
        variables: Vec<(&'static str, String)>,
    ) -> Pending<'_, Result<String, String>>;
}

/// The hosts of the servers, where something can be done on them.
///
/// Errors are sentences for people.
pub trait HostControl: Send + Sync + 'static {
    /// What can be done for this server.
    fn hooks(&self, server: &ServerName) -> Hooks;

    /// Ends the server's process, and answers when it is gone.
    fn end_process(&self, server: &ServerName) -> Pending<'_, Result<(), String>>;

    /// Lets the host of this server give the writer's address up, and answers when it has.
    fn drop_address(&self, server: &ServerName, epoch: Epoch) -> Pending<'_, Result<(), String>> {
        let sentence = format!("the host of {server} has no address to drop (epoch {epoch})");
        Box::pin(async move { Err(sentence) })
    }

    /// Lets the host of this server take the writer's address, and answers when it has.
    fn take_address(&self, server: &ServerName, epoch: Epoch) -> Pending<'_, Result<(), String>> {
        let sentence = format!("the host of {server} cannot take an address (epoch {epoch})");
        Box::pin(async move { Err(sentence) })
    }

    /// Replaces the data of a server by a copy of the donor's, where its family has no statement
    /// for that.
    fn reseed(&self, server: &ServerName, donor: &Target) -> Pending<'_, Result<(), String>> {
        let sentence = format!(
            "{server} cannot be reseeded from {} by itself: restore a backup of {} on it",
            donor.name, donor.name
        );
        Box::pin(async move { Err(sentence) })
    }
}
