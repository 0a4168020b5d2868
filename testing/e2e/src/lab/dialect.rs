//! The servers' own words for their options.

/// What docs/safety.md asks for, and small buffers.
pub(super) const COMMON: &str = "skip_name_resolve=ON
max_connections=100
event_scheduler=OFF
performance_schema=OFF
sync_binlog=1
innodb_flush_log_at_trx_commit=1
innodb_buffer_pool_size=64M
innodb_buffer_pool_dump_at_shutdown=OFF
innodb_buffer_pool_load_at_startup=OFF
read_only=ON
log_bin=binlog
relay_log=relay
binlog_format=ROW
";

pub(super) const MARIADB: &str = "log_slave_updates=ON
gtid_strict_mode=ON
skip_slave_start=ON
slave_net_timeout=2
innodb_log_file_size=32M
rpl_semi_sync_master_enabled=OFF
rpl_semi_sync_master_wait_point=AFTER_SYNC
rpl_semi_sync_master_timeout=4294967295
rpl_semi_sync_slave_enabled=ON
rpl_semi_sync_slave_kill_conn_timeout=1
";

pub(super) const MYSQL: &str = "super_read_only=ON
mysqlx=OFF
secure_file_priv=NULL
log_replica_updates=ON
gtid_mode=ON
enforce_gtid_consistency=ON
skip_replica_start=ON
replica_net_timeout=2
innodb_redo_log_capacity=32M
innodb_use_native_aio=OFF
plugin_load_add=\"semisync_source.so;semisync_replica.so;mysql_clone.so\"
rpl_semi_sync_source_enabled=OFF
rpl_semi_sync_source_wait_point=AFTER_SYNC
rpl_semi_sync_source_timeout=4294967295
rpl_semi_sync_replica_enabled=ON
";

/// MariaDB removes what no replica acknowledged from its binary log and from the tables.
pub(super) const AS_REPLICA: &str = "--init-rpl-role=SLAVE";

pub(super) const REPLICATION_RIGHTS: &str = "REPLICATION SLAVE";

/// The second lets a server be the donor of a clone.
pub(super) const REPLICATION_RIGHTS_MYSQL: &str = "REPLICATION SLAVE, BACKUP_ADMIN";

/// All GTIDs that a server's binary logs have seen: the newest of each domain and server.
pub(super) const BINLOG_STATE: &str = "SELECT @@GLOBAL.gtid_binlog_state";

/// What a copy holds, for an init file. Without the state, the copy would take itself for a server
/// that has always existed, and feed an empty replica half of the data without an error.
pub(super) fn take_history(position: &str, before: &str) -> String {
    let writer = |gtid: &str| gtid.rsplit_once('-').map(|(writer, _)| writer.to_owned());
    let newest: Vec<_> = position.split(',').map(writer).collect();
    let older = before
        .split(',')
        .filter(|gtid| !gtid.is_empty() && !newest.contains(&writer(gtid)));
    // The last one of a domain counts as its newest.
    let state: Vec<_> = older.chain(position.split(',')).collect();
    format!(
        "SET GLOBAL gtid_slave_pos = '{position}';\nSET GLOBAL gtid_binlog_state = '{}';\n",
        state.join(",")
    )
}
