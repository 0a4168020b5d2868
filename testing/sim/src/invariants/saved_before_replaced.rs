//! Saved before replaced: what only one server has is in a file before its data are replaced.

use std::collections::BTreeSet;

use crate::server::Server;

pub(crate) const NAME: &str = "saved_before_replaced";

/// The writes that were saved.
#[derive(Debug, Default)]
pub(crate) struct Saved(BTreeSet<u64>);

impl Saved {
    /// Everything that the server has in its binary log is kept.
    pub(crate) fn keep(&mut self, server: &Server) {
        self.0.extend(server.log.iter().map(|one| one.write));
    }

    /// The server's data are about to be replaced.
    pub(crate) fn replaced(&self, servers: &[Server], index: usize) -> Result<(), String> {
        let mut elsewhere: BTreeSet<u64> = BTreeSet::new();
        for other in servers.iter().filter(|other| other.index != index) {
            elsewhere.extend(other.log.iter().map(|one| one.write));
        }
        let lost = servers[index].log.iter().map(|one| one.write);
        let mut lost = lost.filter(|write| !elsewhere.contains(write) && !self.0.contains(write));
        match lost.next() {
            None => Ok(()),
            Some(write) => Err(format!(
                "the data of db{} are replaced, and nobody has saved write {write}",
                index + 1
            )),
        }
    }
}
