//! What becomes of MMM's files, as an operator would check it.

use proptest::prelude::*;

use crate::{Fate, Format, Imported, import};

const COMMON: &str = include_str!("../../samples/mmm-common.conf");
const MONITOR: &str = include_str!("../../samples/mmm-mon.conf");

fn imported(text: &str) -> Imported {
    import(Format::Mmm, text, "pw").expect("it is well formed")
}

#[track_caller]
fn has(imported: &Imported, text: &str) {
    let toml = &imported.toml;
    assert!(toml.contains(text), "no `{text}` in\n{toml}");
}

#[track_caller]
fn said(imported: &Imported, what: &str) -> (Fate, String) {
    let found = imported.remarks.iter().find(|remark| remark.what == what);
    let remark = found.unwrap_or_else(|| panic!("nothing on {what}: {:#?}", imported.remarks));
    (remark.fate, remark.sentence.clone())
}

#[test]
fn only_hosts_of_the_writers_role_may_be_promoted() {
    assert_eq!(Format::detect(COMMON), Some(Format::Mmm));
    let imported = imported(COMMON);
    has(
        &imported,
        "name = \"db1\"\naddress = \"192.0.2.1:3307\"\n\n",
    );
    has(
        &imported,
        "name = \"db2\"\naddress = \"192.0.2.2:3308\"\npromotion = \"prefer\"\n",
    );
    has(
        &imported,
        "name = \"db3\"\naddress = \"192.0.2.3:3307\"\npromotion = \"never\"\n",
    );
    has(&imported, "user = \"agent\"\npassword = \"agent#secret\"\n");
}

#[test]
fn addresses_become_roles_and_the_file_of_their_hosts_is_shown() {
    let imported = imported(COMMON);
    has(&imported, "writer = \"writer\"");
    has(&imported, "readers = [\"reader-1\", \"reader-2\"]");
    has(&imported, "server = \"db3\"\napi = \"192.0.2.3:6080\"");
    has(&imported, "# addresses = [\"192.0.2.90/32\"]");
    has(&imported, "# virtual_router_id = 53");
    has(&imported, "# interface = \"eth1\"");
    assert_eq!(said(&imported, "role reader").0, Fate::Changed);
}

#[test]
fn the_monitors_file_comes_with_what_it_includes() {
    assert_eq!(Format::detect(MONITOR), Some(Format::Mmm));
    let imported = imported(&format!("{COMMON}{MONITOR}"));
    has(&imported, "auto_rejoin = false");
    has(&imported, "replication_user = \"repl\"");
    let (fate, sentence) = said(&imported, "flap_durration");
    assert_eq!(fate, Fate::LeftOut);
    assert_eq!(sentence, "is no variable of MMM 2.2 here");
    assert!(said(&imported, "max_backlog").1.contains("\"30s\""));
}

#[test]
fn an_included_file_that_is_not_there_is_asked_for() {
    let imported = imported(MONITOR);
    let (fate, sentence) = said(&imported, "include");
    assert_eq!(fate, Fate::LeftOut);
    assert!(sentence.contains("put it beside"), "{sentence}");
}

#[test]
fn a_section_that_is_not_ended_is_refused_with_its_line() {
    let text = "debug 0\n<host db1>\n  ip 192.0.2.1\n";
    let error = import(Format::Mmm, text, "pw").expect_err("it is wrong");
    let expected = "line 2: <host> is not ended: `</host>` was expected";
    assert_eq!(error.to_string(), expected);
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(
        lines in prop::collection::vec("</?(host|role)? ?[a-z]{0,3}>?|[a-z_]{1,9} .{0,9}", 0..9)
    ) {
        let _ = import(Format::Mmm, &lines.join("\n"), "pw");
    }
}
