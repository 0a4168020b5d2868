//! Keywords that are not read, and why; and those that nobody knows.

use super::grammar::Statement;
use crate::report::Report;

/// Keywords of one place, and what is said of them.
pub(super) type Known = &'static [(&'static str, &'static str)];

const MAIL: &str = "no mail is sent: use `notify`, or an alert of the manager";
const ALWAYS: &str = "it is always so here";
const ELSEWHERE: &str = "not a setting of Mainstay's: set it in the service's unit";
const ROUTES: &str = "routes and rules are not moved with the address: do it in `notify`";
const SYSCTL: &str = "not done here: set it with sysctl";
const READ: &str = "";

/// The top of the file.
pub(super) const TOP: Known = &[
    ("global_defs", READ),
    ("vrrp_instance", READ),
    ("vrrp_script", READ),
    ("vrrp_sync_group", READ),
    ("virtual_server", READ),
    (
        "virtual_server_group",
        "groups are not read: write each address as a virtual server",
    ),
    ("track_file", READ),
    ("vrrp_track_file", READ),
    ("vrrp_track_process", READ),
    (
        "static_ipaddress",
        "addresses that do not move belong to the network's configuration",
    ),
    (
        "static_routes",
        "routes that do not move belong to the network's configuration",
    ),
    (
        "static_rules",
        "rules that do not move belong to the network's configuration",
    ),
    ("bfd_instance", "BFD is not spoken here"),
    ("garp_group", "not needed: bursts are short"),
    ("linkbeat_use_polling", ALWAYS),
    ("net_namespace", ELSEWHERE),
];

/// `global_defs`.
pub(super) const GLOBALS: Known = &[
    ("notification_email", MAIL),
    ("notification_email_from", MAIL),
    ("smtp_server", MAIL),
    ("smtp_connect_timeout", MAIL),
    ("smtp_helo_name", MAIL),
    ("smtp_alert", MAIL),
    ("smtp_alert_vrrp", MAIL),
    ("smtp_alert_checker", MAIL),
    ("router_id", "a name for mails only"),
    ("lvs_id", "a name for mails only"),
    (
        "vrrp_skip_check_adv_addr",
        "every packet is checked: it costs nothing",
    ),
    ("vrrp_garp_interval", "bursts are sent without a pause"),
    ("vrrp_gna_interval", "bursts are sent without a pause"),
    ("vrrp_garp_master_delay", READ),
    ("vrrp_garp_master_repeat", READ),
    ("vrrp_garp_master_refresh", READ),
    (
        "vrrp_garp_lower_prio_repeat",
        "a conflict is answered with a whole burst",
    ),
    (
        "vrrp_garp_lower_prio_delay",
        "a conflict is answered with a whole burst",
    ),
    (
        "vrrp_lower_prio_no_advert",
        "a packet of lower priority is always answered",
    ),
    ("vrrp_higher_prio_send_advert", "not done here"),
    ("vrrp_iptables", "no rules are made for addresses"),
    ("vrrp_ipsets", "no rules are made for addresses"),
    ("nftables", "no rules are made for addresses"),
    ("vrrp_strict", READ),
    ("vrrp_version", READ),
    ("vrrp_mcast_group4", READ),
    ("vrrp_mcast_group6", READ),
    ("vrrp_notify_fifo", READ),
    ("notify_fifo", READ),
    ("script_user", READ),
    (
        "enable_script_security",
        "scripts are run as their `run_as` says; keep them root's own",
    ),
    ("vrrp_priority", ELSEWHERE),
    ("vrrp_rt_priority", READ),
    ("vrrp_no_swap", ELSEWHERE),
    ("checker_priority", ELSEWHERE),
    ("checker_no_swap", ELSEWHERE),
    ("vrrp_check_unicast_src", ALWAYS),
    ("default_interface", "each address names its interface here"),
    ("dynamic_interfaces", ALWAYS),
    (
        "enable_snmp_vrrp",
        "no SNMP: GET /metrics is for Prometheus",
    ),
    (
        "enable_snmp_keepalived",
        "no SNMP: GET /metrics is for Prometheus",
    ),
    ("enable_snmp_rfc", "no SNMP: GET /metrics is for Prometheus"),
    ("enable_dbus", "no D-Bus: see the API"),
    (
        "lvs_sync_daemon",
        "connections are not copied to the other balancer",
    ),
    ("lvs_flush", "services of others are never touched"),
    ("lvs_flush_onstop", "our own services always go at the end"),
    ("lvs_timeouts", SYSCTL),
    ("process_names", ELSEWHERE),
    (
        "vrrp_startup_delay",
        "not needed: nothing is taken before it was looked at",
    ),
];

/// `vrrp_script`.
pub(super) const SCRIPT: Known = &[
    ("script", READ),
    ("interval", READ),
    ("timeout", READ),
    ("weight", READ),
    ("fall", READ),
    ("rise", READ),
    ("user", READ),
    (
        "init_fail",
        "what nobody has looked at never counts as well",
    ),
];

/// `track_file`, as a block.
pub(super) const FILE: Known = &[("file", READ), ("weight", READ), ("init_file", READ)];

/// `vrrp_track_process`.
pub(super) const PROCESS: Known = &[
    ("process", READ),
    ("param_match", READ),
    ("full_command", READ),
    ("weight", READ),
    ("quorum", READ),
    ("quorum_max", READ),
    ("fork_delay", READ),
    ("terminate_delay", READ),
    ("delay", READ),
];

/// `vrrp_instance`.
pub(super) const ROUTER: Known = &[
    ("state", READ),
    ("interface", READ),
    ("virtual_router_id", READ),
    ("priority", READ),
    ("advert_int", READ),
    ("version", READ),
    ("authentication", READ),
    ("virtual_ipaddress", READ),
    ("virtual_ipaddress_excluded", READ),
    ("unicast_peer", READ),
    ("unicast_src_ip", READ),
    ("mcast_src_ip", READ),
    ("nopreempt", READ),
    ("preempt", READ),
    ("preempt_delay", READ),
    ("accept", READ),
    ("no_accept", READ),
    ("use_vmac", READ),
    ("track_script", READ),
    ("track_interface", READ),
    ("track_file", READ),
    ("track_process", READ),
    ("notify", READ),
    ("notify_master", READ),
    ("notify_backup", READ),
    ("notify_fault", READ),
    ("notify_stop", READ),
    ("notify_deleted", "not run"),
    ("notify_master_rx_lower_pri", "not run"),
    ("garp_master_delay", READ),
    ("garp_master_repeat", READ),
    ("garp_master_refresh", READ),
    (
        "garp_master_refresh_repeat",
        "as many as in the first burst",
    ),
    (
        "garp_lower_prio_delay",
        "a conflict is answered with a whole burst",
    ),
    (
        "garp_lower_prio_repeat",
        "a conflict is answered with a whole burst",
    ),
    (
        "lower_prio_no_advert",
        "a packet of lower priority is always answered",
    ),
    ("higher_prio_send_advert", "not done here"),
    ("strict_mode", "nothing depends on it here"),
    ("smtp_alert", MAIL),
    ("virtual_routes", ROUTES),
    ("virtual_rules", ROUTES),
    (
        "dont_track_primary",
        "the interface of an address is always watched",
    ),
    ("linkbeat_use_polling", ALWAYS),
    (
        "vmac_xmit_base",
        "packets are sent from the interface itself",
    ),
    ("debug", "see MAINSTAY_LOG"),
    ("native_ipv6", ALWAYS),
    (
        "lvs_sync_daemon_interface",
        "connections are not copied to the other balancer",
    ),
    ("promote_secondaries", SYSCTL),
    ("check_unicast_src", ALWAYS),
    ("unicast_fault_no_peer", ALWAYS),
    (
        "skip_check_adv_addr",
        "every packet is checked: it costs nothing",
    ),
];

/// `virtual_server`.
pub(super) const SERVER: Known = &[
    ("delay_loop", READ),
    ("lb_algo", READ),
    ("lvs_sched", READ),
    ("lb_kind", READ),
    ("lvs_method", READ),
    ("persistence_timeout", READ),
    ("protocol", READ),
    ("quorum", READ),
    ("hysteresis", READ),
    ("quorum_up", READ),
    ("quorum_down", READ),
    ("sorry_server", READ),
    ("real_server", READ),
    ("connect_timeout", READ),
    ("retry", READ),
    ("delay_before_retry", READ),
    ("inhibit_on_failure", READ),
    ("persistence_granularity", "a client is one address"),
    ("virtualhost", "say it as `host` of the probe"),
    (
        "sorry_server_inhibit",
        "the sorry server serves only while the quorum is lost",
    ),
    (
        "ha_suspend",
        "probes go on: the table is ready when the address comes",
    ),
    ("alpha", ALWAYS),
    (
        "omega",
        "not run: nothing is down because the balancer ends",
    ),
    ("smtp_alert", MAIL),
    ("ops", "one-packet scheduling is not offered"),
    ("warmup", "the first look is at once"),
    ("fast_recovery", "`rise` says how soon it comes back"),
];

/// `real_server`.
pub(super) const REAL: Known = &[
    ("weight", READ),
    ("inhibit_on_failure", READ),
    ("notify_up", READ),
    ("notify_down", READ),
    ("TCP_CHECK", READ),
    ("HTTP_GET", READ),
    ("SSL_GET", READ),
    ("MISC_CHECK", READ),
    ("MYSQL_CHECK", READ),
    ("delay_loop", READ),
    ("connect_timeout", READ),
    ("retry", READ),
    ("delay_before_retry", READ),
    ("uthreshold", "connections are not counted here"),
    ("lthreshold", "connections are not counted here"),
    ("lb_kind", "one way for all real servers of an address"),
    ("lvs_method", "one way for all real servers of an address"),
    ("SMTP_CHECK", "there is no such probe: use a script"),
    ("DNS_CHECK", "there is no such probe: use a script"),
    ("UDP_CHECK", "there is no such probe: use a script"),
    (
        "PING_CHECK",
        "a host that answers pings may have no server: use a TCP or MySQL probe",
    ),
    ("FILE_CHECK", "there is no such probe: use a script"),
    ("BFD_CHECK", "BFD is not spoken here"),
    ("smtp_alert", MAIL),
    ("alpha", ALWAYS),
    ("warmup", "the first look is at once"),
    ("virtualhost", "say it as `host` of the probe"),
];

/// Says what becomes of the statements of a block that are not read.
pub(super) fn remaining(block: &Statement, known: Known, report: &mut Report) {
    for statement in block.children() {
        left_out(statement, known, report);
    }
}

/// The same of one statement; those that are read say so themselves.
pub(super) fn left_out(statement: &Statement, known: Known, report: &mut Report) {
    let keyword = statement.keyword();
    match known.iter().find(|(name, _)| *name == keyword) {
        Some((_, "")) => {}
        Some((_, sentence)) => report.left_out(statement.line, keyword, *sentence),
        None => unknown(statement, known, report),
    }
}

fn unknown(statement: &Statement, known: Known, report: &mut Report) {
    let keyword = statement.keyword();
    let distances = known
        .iter()
        .map(|(name, _)| (distance(keyword, name), *name));
    let near = distances.min().filter(|(distance, _)| *distance <= 2);
    let sentence = match near {
        Some((_, name)) => format!(
            "no keyword of keepalived either, which ignores it: did you mean `{name}`? What is in \
             force is its default"
        ),
        None => "not known".to_owned(),
    };
    report.left_out(statement.line, keyword, sentence);
}

/// Letters to add, remove or change on the way from one word to the other.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.chars().enumerate() {
            let changed = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row.last().copied().unwrap_or_default()
}

#[test]
fn distances_count_letters() {
    assert_eq!(
        (
            distance("rize", "rise"),
            distance("", "ab"),
            distance("ab", "b")
        ),
        (1, 2, 1)
    );
}
