//! `[dns]` by example.

use std::path::Path;

use crate::{DnsSettings, Settings};

const EXAMPLE: &str = include_str!("../../../../examples/mainstay.toml");

fn parse(dns: &str) -> Result<Option<DnsSettings>, String> {
    let text = format!("{EXAMPLE}\n{dns}");
    let settings = Settings::parse(&text, Path::new("mainstay.toml"));
    settings
        .map(|settings| settings.dns)
        .map_err(|error| error.to_string())
}

#[test]
fn a_zone_is_enough() {
    assert_eq!(parse(""), Ok(None));
    let dns = parse("[dns]\nzone = \"db.example\"\n").expect("it is right");
    let dns = dns.expect("it is there");
    assert_eq!(dns.name_servers, ["ns.db.example"]);
    assert_eq!(
        (dns.listen.port(), dns.ttl.as_secs(), dns.queries_per_second),
        (53, 1, 200)
    );
}

#[test]
fn mistakes_are_told_with_their_key() {
    for (text, expected) in [
        ("[dns]\n", "dns.zone: is missing"),
        (
            "[dns]\nzone = \"a b\"\n",
            "dns.zone: expected the name of a domain",
        ),
        ("[dns]\nzone = \"x\"\nttl = \"1ms\"\n", "dns.ttl"),
        (
            "[dns]\nzone = \"x\"\nname_servers = [\"-\"]\n",
            "dns.name_servers",
        ),
        ("[dns]\nzone = \"x\"\nzones = 1\n", "did you mean `zone`"),
    ] {
        let said = parse(text).expect_err("it is wrong");
        assert!(said.contains(expected), "{said}");
    }
}

#[test]
fn a_server_may_not_have_the_name_of_a_role() {
    let text = EXAMPLE.replacen("name = \"db1\"", "name = \"primary\"", 1);
    let text = format!("{text}\n[dns]\nzone = \"db.example\"\n");
    let said = Settings::parse(&text, Path::new("mainstay.toml")).expect_err("two meanings");
    assert!(said.to_string().contains("`primary`"), "{said}");
}
