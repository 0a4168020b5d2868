//! The statements of the proxy's own that differ between the families.

use mainstay_wire::{Capabilities, Greeting};

/// What ProxySQL calls the server connections of a session.
pub(crate) const INTERNAL_SERVERS: &str = "backends";

use crate::session::Key;

/// Asks for everything that changes in a session.
pub(crate) const TRACK_ALL: &[u8] =
    b"SET SESSION session_track_system_variables='*', session_track_state_change=1";

/// As the server has it by itself.
pub(crate) fn track_usual(mariadb: bool) -> Vec<u8> {
    let mut text = b"SET SESSION session_track_system_variables=DEFAULT, \
                     session_track_state_change=DEFAULT"
        .to_vec();
    if !mariadb {
        text.extend_from_slice(b", session_track_gtids=DEFAULT");
    }
    text
}

/// Asks what the server tells by itself.
pub(crate) fn ask_usual(mariadb: bool) -> Vec<u8> {
    let mut text =
        b"SELECT @@session.session_track_system_variables, @@session.session_track_state_change"
            .to_vec();
    if !mariadb {
        text.extend_from_slice(b", @@session.session_track_gtids");
    }
    text
}

/// Asks for the transaction of each write.
pub(crate) fn track_gtids(mariadb: bool) -> &'static [u8] {
    if mariadb {
        b"SET SESSION session_track_system_variables=\
          CONCAT(@@session.session_track_system_variables, ',last_gtid')"
    } else {
        b"SET SESSION session_track_gtids=OWN_GTID"
    }
}

/// Waits until the transactions are applied; the answer is 0 when they are.
pub(crate) fn wait_for(mariadb: bool, transactions: &str, seconds: f64) -> String {
    let function = if mariadb {
        "MASTER_GTID_WAIT"
    } else {
        "WAIT_FOR_EXECUTED_GTID_SET"
    };
    format!("SELECT {function}('{transactions}', {seconds:.3})")
}

/// Of a login, what `COM_RESET_CONNECTION` takes away: `MySQL` goes back to its own collation, and
/// `MariaDB` to its own modes.
pub(crate) fn forget_login(mariadb: bool, key: &mut Key, own: u8) {
    if mariadb {
        let modes = Capabilities::IGNORE_SPACE | Capabilities::INTERACTIVE;
        key.capabilities = key.capabilities.without(modes);
    } else {
        key.collation = own;
    }
}

/// Sets again what a login set and a reset took away; empty when that is nothing. The modes are
/// set on both: older versions of `MySQL` may lose them.
pub(crate) fn login_set(mariadb: bool, key: &Key, greeting: &Greeting) -> String {
    let mut sets = Vec::new();
    if !mariadb && key.collation != greeting.charset {
        for name in [
            "character_set_client",
            "character_set_results",
            "collation_connection",
        ] {
            sets.push(format!("{name}={}", key.collation));
        }
    }
    if key.capabilities.contains(Capabilities::IGNORE_SPACE) {
        sets.push("sql_mode=CONCAT(@@sql_mode,',IGNORE_SPACE')".to_owned());
    }
    if key.capabilities.contains(Capabilities::INTERACTIVE) {
        sets.push("wait_timeout=@@interactive_timeout".to_owned());
    }
    if sets.is_empty() {
        return String::new();
    }
    format!("SET {}", sets.join(", "))
}
