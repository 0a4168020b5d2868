//! The statements of the proxy's own that differ between the families.

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
