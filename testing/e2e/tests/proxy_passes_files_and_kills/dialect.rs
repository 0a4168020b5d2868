//! Who may read binary logs, written by hand: the manager of a sandbox may grant nothing.

use mainstay_e2e::Family;

/// Gives the user `reader` the right of a replica, once privileges are read again.
pub(crate) fn reader_of_binlogs(family: Family) -> &'static str {
    match family {
        Family::MariaDb => {
            "UPDATE mysql.global_priv SET priv = JSON_SET(priv, '$.access', 1 << 19) \
             WHERE user = 'reader'"
        }
        Family::MySql => "UPDATE mysql.user SET repl_slave_priv = 'Y' WHERE user = 'reader'",
    }
}
