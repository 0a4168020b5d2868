//! The old words of replication, which the servers still accept in statements.

use crate::lexer::Token;

/// `SHOW MASTER STATUS`, `SHOW BINARY LOGS` and their like describe the primary's own log: asked
/// of a replica they would answer about the wrong server.
pub(crate) fn shows_primary_state(subject: Option<Token<'_>>, next: Option<Token<'_>>) -> bool {
    let logs = subject.is_some_and(|word| word.is_any(&["MASTER", "BINARY", "BINLOG"]));
    let replicas = subject.is_some_and(|word| word.is("REPLICAS"));
    let hosts = subject.is_some_and(|word| word.is_any(&["SLAVE", "REPLICA"]))
        && next.is_some_and(|word| word.is("HOSTS"));
    logs || replicas || hosts
}
