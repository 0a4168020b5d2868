//! MySQL's own words, as they are since 8.0.26. Semi-synchronous replication and cloning are
//! plugins.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::locate::ServerProgram;

/// The timeout means: never fall back to asynchronous replication. The source side stays off until
/// the manager turns it on, because on a replica it would hang the applier.
pub(super) const OPTIONS: &str = "super_read_only=ON
mysqlx=OFF
secure_file_priv=NULL
log_replica_updates=ON
gtid_mode=ON
enforce_gtid_consistency=ON
skip_replica_start=ON
replica_net_timeout=2
loose_innodb_redo_log_capacity=32M
# The kernel's requests for asynchronous writes (fs.aio-max-nr) are few and for the whole machine; a
# server that gets none of its thousands does not start.
innodb_use_native_aio=OFF

plugin_load_add=\"semisync_source.so;semisync_replica.so;mysql_clone.so\"
rpl_semi_sync_source_enabled=OFF
rpl_semi_sync_source_wait_point=AFTER_SYNC
rpl_semi_sync_source_timeout=4294967295
rpl_semi_sync_replica_enabled=ON

# Tells a session what it has written.
session_track_gtids=OWN_GTID
";

/// The second lets it be the donor of a clone.
pub(super) const REPLICATION_PRIVILEGES: &str = "REPLICATION SLAVE, BACKUP_ADMIN";

/// The template is thrown away if its making is cut short, so nothing of it needs to be durable.
pub(super) fn initialisation(program: &ServerProgram) -> (PathBuf, Vec<OsString>) {
    let mut arguments: Vec<OsString> = [
        "--no-defaults",
        "--initialize-insecure",
        "--mysqlx=OFF",
        "--skip-log-bin",
        "--secure-file-priv=NULL",
        "--loose-innodb-redo-log-capacity=32M",
        "--innodb-use-native-aio=OFF",
        "--innodb-doublewrite=OFF",
        "--innodb-flush-log-at-trx-commit=0",
    ]
    .map(OsString::from)
    .to_vec();
    if let Some(messages) = &program.messages {
        let mut option = OsString::from("--lc-messages-dir=");
        option.push(messages);
        arguments.push(option);
    }
    (program.path.clone(), arguments)
}
