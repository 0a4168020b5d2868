//! What each parameter of MHA 0.58 becomes (its wiki, page "Parameters").

use crate::report::Fate::{self, Changed, LeftOut, Taken};

const SSH: &str = "not needed: nobody logs in to the servers' hosts";
const FOLDERS: &str = "not needed: one program, which needs nothing on the servers' hosts";
const ADDRESS: &str = "the address that follows the primary is `[[vip]]` or `[[cloud_address]]` \
                       here (docs/vip.md, docs/clouds.md), moved by a step of the plan";

/// Of each: what became of it, and what is said.
pub(super) const KNOWN: &[(&str, Fate, &str)] = &[
    ("hostname", Taken, "the server's `name`"),
    ("ip", Taken, "the server's `address`"),
    ("port", Taken, "the server's `address`"),
    ("user", Taken, "[manager] user"),
    ("password", Taken, "[manager] password"),
    ("repl_user", Taken, "[manager] replication_user"),
    ("repl_password", Taken, "[manager] replication_password"),
    ("ssh_host", LeftOut, SSH),
    ("ssh_ip", LeftOut, SSH),
    ("ssh_port", LeftOut, SSH),
    ("ssh_user", LeftOut, SSH),
    ("ssh_options", LeftOut, SSH),
    ("ssh_connection_timeout", LeftOut, SSH),
    ("skip_init_ssh_check", LeftOut, SSH),
    ("remote_workdir", LeftOut, FOLDERS),
    ("manager_workdir", LeftOut, FOLDERS),
    ("client_bindir", LeftOut, FOLDERS),
    ("client_libdir", LeftOut, FOLDERS),
    (
        "master_binlog_dir",
        LeftOut,
        "not needed under durability = \"lossless\": every acknowledged commit is on a replica",
    ),
    (
        "handle_raw_binlog",
        LeftOut,
        "servers that only keep binary logs are not read",
    ),
    (
        "master_pid_file",
        LeftOut,
        "not needed: a server that does not answer is fenced by its replicas and the proxy",
    ),
    (
        "manager_log",
        LeftOut,
        "the log goes to standard error, and so to the journal; levels: docs/logs.md",
    ),
    ("log_level", LeftOut, "RUST_LOG or `[logs]`: docs/logs.md"),
    (
        "secondary_check_script",
        Changed,
        "not needed: the replicas are the second opinion on each death",
    ),
    (
        "ping_type",
        Changed,
        "a look connects, asks, and tries to commit: SELECT, CONNECT and INSERT in one",
    ),
    (
        "check_repl_delay",
        Changed,
        "lag keeps nobody from being elected: what was received is applied first",
    ),
    (
        "check_repl_filter",
        LeftOut,
        "a server that filters what it applies must not be promoted: promotion = \"never\"",
    ),
    (
        "latest_priority",
        LeftOut,
        "who holds most is elected; `promotion` decides between equals",
    ),
    (
        "multi_tier_slave",
        LeftOut,
        "every server of the file is watched",
    ),
    (
        "skip_reset_slave",
        LeftOut,
        "a new primary never keeps a source",
    ),
    (
        "skip_change_master",
        LeftOut,
        "replicas are always moved: `mainstay plan failover` shows how",
    ),
    (
        "disable_log_bin",
        LeftOut,
        "what is applied is logged: others may need it",
    ),
    (
        "use_gtid_auto_pos",
        LeftOut,
        "what the servers say is believed",
    ),
    (
        "wait_on_failover_error",
        LeftOut,
        "a failover that cannot be finished stays visible: `mainstay why`",
    ),
    (
        "wait_on_monitor_error",
        LeftOut,
        "a manager that cannot see a server says so, and goes on",
    ),
    ("master_ip_failover_script", LeftOut, ADDRESS),
    ("master_ip_online_change_script", LeftOut, ADDRESS),
    (
        "shutdown_script",
        LeftOut,
        "not needed for safety: the old primary can acknowledge nothing, and the proxy sends it \
         nothing (docs/safety.md)",
    ),
    (
        "report_script",
        LeftOut,
        "`[[alert]]` runs a program or calls a URL at every event: docs/alerts.md",
    ),
    (
        "init_conf_load_script",
        LeftOut,
        "`password_file` keeps passwords out of the settings",
    ),
];
