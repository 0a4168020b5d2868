//! The few statements of the executor's own, and the words of the families in their answers. Those
//! of the effects are in the plan.

use mainstay_topology::{Address, Target};

use crate::config::Login;

/// The processlist command of a receiver thread (MariaDB).
pub(super) const RECEIVER_COMMAND: &str = "Slave_IO";

/// Where MariaDB says what its receiver has received.
pub(super) const RECEIVED_POSITION: &str = "SHOW SLAVE STATUS";
/// Its column.
pub(super) const RECEIVED_COLUMN: &str = "Gtid_IO_Pos";

/// `CLONE` copies a whole server (MySQL 8.0.17 and later). Both ends need the plugin.
pub(super) const CLONE_PLUGIN: &str = "INSTALL PLUGIN clone SONAME 'mysql_clone.so'";

/// What the server to be replaced is sent; the last statement ends it.
pub(super) fn clone_from(donor: &Target, manager: &Login) -> Vec<String> {
    let Address { host, port } = &donor.address;
    let (user, password) = (quoted(&manager.user), quoted(&manager.password));
    vec![
        "SET GLOBAL super_read_only = OFF".to_owned(),
        CLONE_PLUGIN.to_owned(),
        format!("SET GLOBAL clone_valid_donor_list = '{host}:{port}'"),
        format!(
            "CLONE INSTANCE FROM {user}@{}:{port} IDENTIFIED BY {password}",
            quoted(host)
        ),
    ]
}

/// A quoted string.
fn quoted(text: &str) -> String {
    format!("'{}'", escaped(text))
}

/// Text for the inside of a quoted string.
pub(super) fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('\'', "''")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_cannot_end_its_quotes() {
        assert_eq!(quoted(r"it's\"), r"'it''s\\'");
    }
}
