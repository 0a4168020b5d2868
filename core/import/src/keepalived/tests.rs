//! What becomes of a file, as an operator would check it.

use proptest::prelude::*;

use crate::{Fate, Format, Imported, import};

const WITH_SERVERS: &str = include_str!("../../samples/keepalived-servers.conf");

const WITH_SCRIPTS: &str = include_str!("../../samples/keepalived-scripts.conf");

const WITH_TRACKS: &str = include_str!("../../samples/keepalived-tracks.conf");

const BALANCED: &str = include_str!("../../samples/keepalived-balanced.conf");

fn imported(text: &str) -> Imported {
    assert_eq!(Format::detect(text), Some(Format::Keepalived));
    import(Format::Keepalived, text, "pw").expect("it is well formed")
}

#[track_caller]
fn has(imported: &Imported, line: &str) {
    let toml = &imported.toml;
    assert!(
        toml.lines().any(|found| found == line),
        "no `{line}` in\n{toml}"
    );
}

/// The remark on this part.
#[track_caller]
fn said(imported: &Imported, what: &str) -> (usize, Fate, String) {
    let found = imported.remarks.iter().find(|remark| remark.what == what);
    let remark = found.unwrap_or_else(|| panic!("nothing on {what}: {:#?}", imported.remarks));
    (remark.line, remark.fate, remark.sentence.clone())
}

#[test]
fn an_address_keeps_its_keys() {
    let imported = imported(WITH_SERVERS);
    for line in [
        "[[vip]]",
        "name = \"VI_1\"",
        "interface = \"eth0\"",
        "virtual_router_id = 51",
        "priority = 100",
        "advert_interval = \"1s\"",
        "addresses = [\"192.0.2.130/32\"]",
        "garp_refresh = \"60s\"",
    ] {
        has(&imported, line);
    }
    assert_eq!(said(&imported, "state MASTER").1, Fate::Changed);
}

#[test]
fn a_password_that_strict_mode_ignored_is_left_out_and_said() {
    let imported = imported(WITH_SERVERS);
    assert!(!imported.toml.contains("1111"), "{}", imported.toml);
    let (line, fate, sentence) = said(&imported, "authentication");
    assert_eq!((line, fate), (13, Fate::LeftOut));
    assert!(sentence.contains("vrrp_strict"), "{sentence}");
}

#[test]
fn a_virtual_server_that_ends_keepalived_becomes_a_track_that_looks_inside() {
    let imported = imported(WITH_SERVERS);
    assert!(
        !imported.toml.contains("virtual_server"),
        "{}",
        imported.toml
    );
    for line in [
        "[[vip.track]]",
        "kind = \"mysql\"",
        "address = \"192.0.2.128:3306\"",
        "role = \"writable\"",
        "interval = \"6s\"",
        "retry_interval = \"3s\"",
        "limit = \"3s\"",
        "fall = 4",
    ] {
        has(&imported, line);
    }
    assert_eq!(said(&imported, "notify_down").1, Fate::Changed);
    assert_eq!(
        said(&imported, "virtual_server 192.0.2.130 3306").1,
        Fate::Changed
    );
}

#[test]
fn scripts_become_tracks_by_what_they_ask() {
    let imported = imported(WITH_SCRIPTS);
    for line in [
        "kind = \"file\"",
        "file = \"/etc/keepalived/down\"",
        "kind = \"process\"",
        "process = \"proxysql\"",
        "weight = -10",
        "weight = -20",
        "interval = \"2s\"",
        "sync_group = \"both\"",
        "password = \"longer-t\"",
        "addresses = [\"192.0.2.182/24\"]",
    ] {
        has(&imported, line);
    }
    assert!(said(&imported, "chk_proxy script").2.contains("hangs"));
    assert_eq!(said(&imported, "missing").1, Fate::LeftOut);
    assert_eq!(said(&imported, "nosuch").1, Fate::LeftOut);
    assert_eq!(said(&imported, "include").1, Fate::LeftOut);
    assert!(said(&imported, "192.0.2.182/24").2.contains("label eth0:0"));
}

#[test]
fn files_and_processes_become_tracks_with_what_a_weight_meant() {
    let imported = imported(WITH_TRACKS);
    for line in [
        "file = \"/etc/keepalived/maintenance\"",
        "file = \"/run/worse\"",
        "weight = -30",
        "process = \"proxysql\"",
        "least = 2",
        "fall = 4",
        "rise = 4",
    ] {
        has(&imported, line);
    }
    let tracks = imported.toml.matches("[[vip.track]]").count();
    assert_eq!(tracks, 3, "{}", imported.toml);
    // The address says 0 of it, which is a fault and needs no key.
    assert!(!imported.toml.contains("weight = 20"), "{}", imported.toml);
    let (line, fate, sentence) = said(&imported, "better");
    assert_eq!((line, fate), (34, Fate::LeftOut));
    assert!(sentence.contains("added to the priority"), "{sentence}");
    assert_eq!(said(&imported, "proxy process").1, Fate::Changed);
    assert_eq!(said(&imported, "maintenance init_file").1, Fate::Changed);
    assert!(said(&imported, "unheard").2.contains("vrrp_track_process"));
    assert!(said(&imported, "nobody").2.contains("`track_process`"));
}

#[test]
fn a_misspelt_keyword_is_told_with_its_line_and_what_was_meant() {
    let (line, fate, sentence) = said(&imported(WITH_SCRIPTS), "rize");
    assert_eq!((line, fate), (6, Fate::LeftOut));
    assert!(sentence.contains("`rise`"), "{sentence}");
}

#[test]
fn commands_for_each_state_become_one_program() {
    let imported = imported(WITH_SCRIPTS);
    has(
        &imported,
        "notify = [\"/bin/sh\", \"-c\", \"case \\\"$3\\\" in MASTER) /etc/keepalived/notify.sh \
         master;; BACKUP) /etc/keepalived/notify.sh backup;; esac\", \"notify\"]",
    );
}

#[test]
fn what_balances_is_balanced() {
    let imported = imported(BALANCED);
    for line in [
        "[[virtual_server]]",
        "address = \"192.0.2.10:6033\"",
        "scheduler = \"wlc\"",
        "forwarding = \"dr\"",
        "persistence = \"50s\"",
        "quorum = 2",
        "sorry_server = \"192.0.2.99:6033\"",
        "on_quorum_down = [\"/usr/local/bin/page\", \"me\"]",
        "weight = 3",
        "inhibit_on_failure = true",
        "kind = \"script\"",
        "command = [\"/usr/local/bin/look\", \"192.0.2.21\"]",
        "sets_weight = true",
        "kind = \"http\"",
        "address = \"192.0.2.22:8080\"",
        "path = \"/ready\"",
        "status = [200]",
    ] {
        has(&imported, line);
    }
}

#[test]
fn every_line_of_a_block_is_said_something_of() {
    for text in [WITH_SERVERS, WITH_SCRIPTS, WITH_TRACKS, BALANCED] {
        let imported = imported(text);
        for (number, line) in (1..).zip(text.lines()) {
            let bare = line.trim();
            let structure = ["", "}"].contains(&bare) || bare.starts_with('!');
            // Lists and what is inside a password speak of their members and their whole.
            let inner = [
                "virtual_ipaddress {",
                "track_script {",
                "track_file {",
                "track_process {",
                "auth_",
                "url {",
                "path ",
                "status_code ",
                "group ",
            ];
            let is_said = imported.remarks.iter().any(|remark| remark.line == number);
            let is_inner = inner.iter().any(|start| bare.starts_with(start));
            assert!(
                structure || is_inner || is_said,
                "nothing is said of line {number}: {line}"
            );
        }
    }
}

#[test]
fn version_3_has_fractions_and_no_password() {
    let text = WITH_SCRIPTS.replace("advert_int 1", "advert_int 0.1");
    let imported = imported(&text);
    has(&imported, "version = 3");
    has(&imported, "advert_interval = \"100ms\"");
    assert!(!imported.toml.contains("longer-t"), "{}", imported.toml);
}

proptest! {
    #[test]
    fn whatever_lines_are_missing_nothing_panics(gone in prop::collection::vec(0_usize..60, 0..8)) {
        for text in [WITH_SERVERS, WITH_SCRIPTS, WITH_TRACKS, BALANCED] {
            let lines = text.lines().enumerate().filter(|(at, _)| !gone.contains(at));
            let text: Vec<_> = lines.map(|(_, line)| line).collect();
            let _ = import(Format::Keepalived, &text.join("\n"), "pw");
        }
    }
}
