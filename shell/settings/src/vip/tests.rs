//! What a person reads who has made a mistake with a floating address, and what a right file gives.

use std::path::Path;
use std::time::Duration;

use mainstay_vrrp::{Policy, Preempt, Version};

use super::{AddressSettings, Roles, Track};

const EXAMPLE: &str = include_str!("../../../../examples/vip.toml");

fn parse(text: &str) -> Result<AddressSettings, String> {
    let path = Path::new("/etc/mainstay/vip.toml");
    match Roles::parse(text, path) {
        Ok(Roles::Addresses(settings)) => Ok(settings),
        Ok(Roles::Cluster(_)) => Err("it is a cluster".to_owned()),
        Err(error) => Err(error.to_string().replace("/etc/mainstay/vip.toml:", "")),
    }
}

fn changed(from: &str, to: &str) -> String {
    assert!(EXAMPLE.contains(from), "{from}");
    parse(&EXAMPLE.replacen(from, to, 1)).expect_err("the file has a mistake")
}

#[test]
fn the_example_is_right_and_its_comments_show_the_defaults() {
    let settings = parse(EXAMPLE).expect("the example is right");
    let [vip] = &settings.vip.vips[..] else {
        panic!("one address");
    };
    assert_eq!(
        vip.tracks[0].track,
        Track::Interface {
            interface: "eth1".to_owned()
        }
    );
    let policy = vip.policy();
    let usual = Policy::new(policy.id, policy.addresses.clone());
    let but = Policy {
        password: policy.password,
        tracks: policy.tracks.clone(),
        ..usual
    };
    assert_eq!(policy, but);

    let only = ["realtime", "notify", "peers", "source", "sync_group"];
    let is_default =
        |line: &str| line.contains(" = ") && !only.iter().any(|key| line.contains(key));
    let uncommented: Vec<_> = EXAMPLE
        .lines()
        .map(|line| match line.strip_prefix("# ") {
            Some(rest) if is_default(rest) => rest,
            _ => line,
        })
        .collect();
    assert_eq!(parse(&uncommented.join("\n")).as_ref(), Ok(&settings));
}

#[test]
fn version_3_has_centiseconds_and_six() {
    let text = EXAMPLE.replace("password = \"s3cret\"", "").replace(
        "# advert_interval = \"1s\"",
        "advert_interval = \"10ms\"\nversion = 3\npreempt_delay = \"5s\"",
    );
    let text = text.replace("10.0.0.100/24", "2001:db8::100/64");
    let settings = parse(&text).expect("it is right");
    let policy = settings.vip.vips[0].policy();
    assert_eq!(
        (policy.version, policy.interval),
        (Version::V3, Duration::from_millis(10))
    );
    assert_eq!(policy.preempt, Preempt::After(Duration::from_secs(5)));
}

#[test]
fn mistakes_are_told_with_their_line() {
    let cases = [
        (
            "virtual_router_id = 51",
            "virtual_router_id = 0",
            "20: vip.virtual_router_id: expected a \
         whole number from 1 to 255, found the number 0",
        ),
        (
            "10.0.0.100/24",
            "10.0.0.100/33",
            "21: vip.addresses: expected a list of addresses with \
         the length of their prefix, such as [\"10.0.0.100/24\"], found a list",
        ),
        (
            "\"s3cret\"",
            "\"much too long\"",
            "29: vip.password: has more than the 8 bytes that a \
         packet has room for",
        ),
        (
            "# advert_interval = \"1s\"",
            "advert_interval = \"1500ms\"",
            "27: vip.advert_interval: \
         version 2 has whole seconds from \"1s\" to \"255s\" (RFC 3768)",
        ),
        (
            "# version = 2",
            "version = 3",
            "29: vip.password: version 3 has no password (RFC 9568)",
        ),
        (
            "[\"10.0.0.100/24\"]",
            "[\"2001:db8::1/64\", \"10.0.0.1/24\"]",
            "21: vip.addresses: are \
         of both families: a virtual router has one; list the others in `unadvertised_addresses`",
        ),
        (
            "kind = \"interface\"",
            "kind = \"ping\"",
            "48: vip.track.kind: expected one of ",
        ),
        (
            "# preempt_delay = \"0s\"",
            "preempt_delay = \"1s\"\npreempt = false",
            "31: \
         vip.preempt_delay: has no effect with `preempt = false`",
        ),
    ];
    for (from, to, said) in cases {
        let mistakes = changed(from, to);
        assert!(mistakes.contains(said), "{to}: {mistakes}");
    }
}

#[test]
fn two_of_one_network_have_different_numbers_and_addresses_and_a_group_one_priority() {
    let second = r#"
[[vip]]
name = "reader"
interface = "eth0"
virtual_router_id = 51
addresses = ["10.0.0.100/32"]
priority = 90
sync_group = "site"
"#;
    let text = EXAMPLE.replace("# sync_group", "sync_group");
    let mistakes = parse(&format!("{text}{second}")).expect_err("it has mistakes");
    for said in [
        "51 is that of `writer` on eth0 too",
        "10.0.0.100 is an address of `writer` too",
        "all of a group need the same",
    ] {
        assert!(mistakes.contains(said), "{mistakes}");
    }
}
