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

/// How the user variables begin that a replica sets at its source, without the `@`.
const REPLICATION_VARIABLES: [&[u8]; 6] = [
    b"master_",
    b"source_",
    b"slave_",
    b"replica_",
    b"mariadb_slave_",
    b"rpl_semi_sync_",
];

/// True when a text may assign a user variable that only a reader of binlogs sets.
pub fn names_replication_variable(sql: &[u8]) -> bool {
    let mut variables = sql.split(|&byte| byte == b'@').skip(1);
    variables.any(|name| {
        REPLICATION_VARIABLES.iter().any(|begin| {
            let head = name.get(..begin.len());
            head.is_some_and(|head| head.eq_ignore_ascii_case(begin))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_of_the_replication_protocol_are_known() {
        let names = names_replication_variable;
        assert!(names(b"SET @master_binlog_checksum='NONE'"));
        assert!(names(b"set @a=1, @Source_heartbeat_period=5"));
        assert!(names(b"SET @mariadb_slave_capability=4"));
        assert!(!names(b"SET @mastery=1, @x='replica_'"));
    }
}
