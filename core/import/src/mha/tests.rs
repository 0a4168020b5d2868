//! What becomes of MHA's files, as an operator would check it.

use proptest::prelude::*;

use crate::{Fate, Format, Imported, import};

const APP: &str = include_str!("../../samples/mha-app.cnf");
const DEFAULTS: &str = include_str!("../../samples/mha-default.cnf");

fn imported(texts: &[&str]) -> Imported {
    import(Format::Mha, &texts.concat(), "pw").expect("they are well formed")
}

#[track_caller]
fn has(imported: &Imported, text: &str) {
    let toml = &imported.toml;
    assert!(toml.contains(text), "no `{text}` in\n{toml}");
}

fn fate(imported: &Imported, what: &str) -> Option<Fate> {
    let mut found = imported.remarks.iter().filter(|one| one.what == what);
    found.next().map(|remark| remark.fate)
}

#[test]
fn servers_keep_their_names_addresses_and_whether_they_may_be_promoted() {
    assert_eq!(Format::detect(APP), Some(Format::Mha));
    let imported = imported(&[APP]);
    has(
        &imported,
        "name = \"db1\"\naddress = \"192.0.2.1:3306\"\npromotion = \"prefer\"\n",
    );
    has(
        &imported,
        "name = \"db2\"\naddress = \"192.0.2.2:3307\"\n\n",
    );
    has(
        &imported,
        "name = \"db3\"\naddress = \"db3:3306\"\npromotion = \"never\"\n",
    );
    has(&imported, "durability = \"lossless\"");
    has(&imported, "hang_after = \"6s\"");
    has(&imported, "password = \"manager # secret\"");
    has(&imported, "replication_user = \"repl\"");
}

#[test]
fn the_file_of_the_application_counts_more_than_the_defaults_of_all() {
    for order in [[APP, DEFAULTS], [DEFAULTS, APP]] {
        let imported = imported(&order);
        has(&imported, "user = \"manager\"");
        // It stands in the defaults alone.
        has(&imported, "address = \"192.0.2.1:3310\"");
        has(&imported, "address = \"192.0.2.2:3307\"");
        let script = fate(&imported, "secondary_check_script");
        assert_eq!(script, Some(Fate::Changed));
    }
}

#[test]
fn every_parameter_has_a_remark_and_an_unknown_one_says_so() {
    let imported = imported(&[APP]);
    for (line, text) in (1..).zip(APP.lines()) {
        let told = imported.remarks.iter().any(|remark| remark.line == line);
        assert!(told || !text.contains('='), "nothing on `{text}`");
    }
    assert_eq!(fate(&imported, "ssh_port"), Some(Fate::LeftOut));
    let unknown = imported.remarks.iter().find(|remark| remark.what == "rize");
    let sentence = &unknown.expect("a remark").sentence;
    assert_eq!(sentence, "is no parameter of MHA 0.58");
}

#[test]
fn servers_of_one_host_are_named_by_their_sections() {
    let text = "[server1]\nhostname=h\nport=1\n[server2]\nhostname=h\nport=2\n";
    let imported = imported(&[text]);
    has(&imported, "name = \"server1\"\naddress = \"h:1\"");
    has(&imported, "name = \"server2\"\naddress = \"h:2\"");
    has(&imported, "durability = \"async\"");
    has(&imported, "# replication_password = \"to be completed\"");
}

#[test]
fn what_is_no_file_of_mha_is_refused_without_showing_a_password() {
    let text = "[server default]\npassword secret\n";
    let error = import(Format::Mha, text, "pw").expect_err("it is wrong");
    assert_eq!(
        error.to_string(),
        "line 2: `parameter = value` was expected"
    );
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(
        lines in prop::collection::vec("\\[server[ 0-9a-z]{0,8}\\]|[a-z_]{1,9}=.{0,9}|.{0,9}", 0..9)
    ) {
        let _ = import(Format::Mha, &lines.join("\n"), "pw");
    }
}
