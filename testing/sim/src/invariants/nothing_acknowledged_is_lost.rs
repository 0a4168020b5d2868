//! Nothing acknowledged is lost: every write whose client received OK is visible on a server when
//! it begins to accept writes as the recorded primary, and on every server at rest.

use std::collections::BTreeSet;

use crate::ledger::Ledger;
use crate::server::Server;

pub(crate) const NAME: &str = "nothing_acknowledged_is_lost";

pub(crate) fn at(ledger: &Ledger, server: &Server) -> Result<(), String> {
    let visible = &server.log[..server.visible];
    let there: BTreeSet<u64> = visible.iter().map(|one| one.write).collect();
    let missing: Vec<u64> = ledger
        .all_acknowledged()
        .filter(|write| !there.contains(write))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let first: Vec<String> = missing.iter().take(8).map(u64::to_string).collect();
    Err(format!(
        "{} lacks {} acknowledged writes: {} ...",
        server.name(),
        missing.len(),
        first.join(", ")
    ))
}
