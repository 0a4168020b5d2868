//! What each variable of MMM 2.2 becomes (its manual, section "Configuration variables").

use crate::report::Fate::{self, Changed, LeftOut, Taken};

/// A variable, what became of it, and what is said.
type Known = &'static [(&'static str, Fate, &'static str)];

const FILES: &str = "not needed: one program, which keeps its state in [manager] state";
const AGENT: &str = "not needed: the manager connects to the servers themselves";
const COPIES: &str = "not here: a server that lacks data is filled by `mainstay reseed`";
const LOOKS: &str = "[manager] probe_interval (250 ms), and what the replicas see";

/// Outside of sections.
pub(super) const TOP: Known = &[
    (
        "this",
        LeftOut,
        "an agent's name; nothing is installed on the servers",
    ),
    (
        "active_master_role",
        Taken,
        "the role whose address follows the primary",
    ),
    ("debug", LeftOut, "RUST_LOG=debug says more: docs/logs.md"),
];

/// `<monitor>`.
pub(super) const MONITOR: Known = &[
    ("ip", LeftOut, "[api] listen: where `mainstay status` asks"),
    (
        "port",
        LeftOut,
        "[api] listen: where `mainstay status` asks",
    ),
    ("pid_path", LeftOut, FILES),
    ("bin_path", LeftOut, FILES),
    ("status_path", LeftOut, FILES),
    ("ping_interval", Changed, LOOKS),
    (
        "ping_ips",
        Changed,
        "not needed: a manager that is cut off cannot make anybody the primary, since it must \
         stop the replicas first",
    ),
    (
        "flap_duration",
        LeftOut,
        "a server is attached again only when it holds nothing that the primary lacks",
    ),
    (
        "flap_count",
        LeftOut,
        "a server is attached again only when it holds nothing that the primary lacks",
    ),
    (
        "kill_host_bin",
        LeftOut,
        "not needed for safety: the old primary can acknowledge nothing (docs/safety.md)",
    ),
    (
        "careful_startup",
        Changed,
        "always: nobody becomes the primary at the first start unless it holds everything",
    ),
    (
        "wait_for_other_master",
        Changed,
        "the last primary is kept as long as nobody is known to hold more",
    ),
];

/// `<host …>`.
pub(super) const HOST: Known = &[
    ("ip", Taken, "the server's `address`"),
    ("mysql_port", Taken, "the server's `address`"),
    ("agent_user", Taken, "[manager] user"),
    ("agent_password", Taken, "[manager] password"),
    ("replication_user", Taken, "[manager] replication_user"),
    (
        "replication_password",
        Taken,
        "[manager] replication_password",
    ),
    (
        "monitor_user",
        LeftOut,
        "one account does both: [manager] user",
    ),
    (
        "monitor_password",
        LeftOut,
        "one account does both: [manager] user",
    ),
    (
        "cluster_interface",
        Taken,
        "[[vip]] interface, for each host",
    ),
    (
        "peer",
        Changed,
        "one primary with replicas: the other is read-only and follows it, as MMM's passive one",
    ),
    ("pid_path", LeftOut, FILES),
    ("bin_path", LeftOut, FILES),
    ("rcfile", LeftOut, FILES),
    ("agent_port", LeftOut, AGENT),
    ("mysql_cnf", LeftOut, AGENT),
    ("mysql_pidfile", LeftOut, AGENT),
    ("ssh_user", LeftOut, AGENT),
    ("ssh_port", LeftOut, AGENT),
    ("ssh_parameters", LeftOut, AGENT),
    ("tools_user", LeftOut, COPIES),
    ("tools_password", LeftOut, COPIES),
    ("backup_dir", LeftOut, COPIES),
    ("restore_dir", LeftOut, COPIES),
    ("lvm_bin_path", LeftOut, COPIES),
    ("lvm_snapshot_size", LeftOut, COPIES),
    ("lvm_logical_volume", LeftOut, COPIES),
    ("lvm_volume_group", LeftOut, COPIES),
    ("lvm_mount_dir", LeftOut, COPIES),
    ("lvm_mount_opts", LeftOut, COPIES),
    ("default_copy_method", LeftOut, COPIES),
    ("clone_dirs", LeftOut, COPIES),
];

/// `<check …>`.
pub(super) const CHECK: Known = &[
    ("check_period", Changed, LOOKS),
    (
        "trap_period",
        Changed,
        "[cluster] hang_after: silence of the primary; 2 s",
    ),
    ("timeout", Changed, "[manager] probe_limit; 700 ms"),
    ("restart_after", LeftOut, "nothing has to be started again"),
];

/// What has no section here.
pub(super) const SECTIONS: [(&str, &str); 2] = [
    (
        "socket",
        "not needed: nothing runs on the servers that is spoken to",
    ),
    ("copy_method", COPIES),
];
