//! It waits before it opens: when the manager lets a server accept writes, commits wait there for
//! acknowledgements already, so that none slips through alone. Somebody may switch the wait off by
//! hand between the two statements: that is not the manager's.

use crate::server::Server;

pub(crate) const NAME: &str = "waits_before_it_opens";

pub(crate) fn opens(server: &Server) -> Result<(), String> {
    if server.memory.source_on || server.tampered {
        return Ok(());
    }
    Err(format!(
        "{} accepts writes, and its commits wait for nobody",
        server.name()
    ))
}
