//! `[[cloud_address]]` by example.

use std::path::Path;

use crate::{CloudFollows, CloudMeans, Roles};

const VIP: &str = include_str!("../../../../examples/vip.toml");

const CLUSTER: &str = include_str!("../../../../examples/mainstay.toml");

const RIGHT: &str = "[[cloud_address]]\nname = \"writer\"\naddress = \"10.0.0.100\"\n";

fn parse(file: &str, more: &str) -> Result<Roles, String> {
    let text = format!("{file}\n{RIGHT}{more}");
    Roles::parse(&text, Path::new("mainstay.toml")).map_err(|error| error.to_string())
}

#[test]
fn an_address_follows_the_primary_or_a_floating_address() {
    let followed =
        "follows = \"primary\"\ncommand = [\"/etc/mainstay/aws-secondary-address.sh\"]\n";
    let Ok(Roles::Cluster(settings)) = parse(CLUSTER, followed) else {
        panic!("it is right");
    };
    let [one] = &settings.vip.cloud[..] else {
        panic!("{:?}", settings.vip.cloud);
    };
    assert_eq!(
        (&one.follows, one.limit.as_secs()),
        (&CloudFollows::Primary, 30)
    );
    let active = "vip = \"writer\"\nurl = \"http://127.0.0.1:9/move\"\n";
    let Ok(Roles::Addresses(settings)) = parse(VIP, active) else {
        panic!("it is right");
    };
    let [one] = &settings.vip.cloud[..] else {
        panic!("{:?}", settings.vip.cloud);
    };
    assert!(matches!(one.means, CloudMeans::Webhook(_)));
    assert!(
        !format!("{one:?}").contains("127.0.0.1:9"),
        "a webhook may be a secret"
    );
}

#[test]
fn mistakes_are_told_with_their_key() {
    for (file, more, expected) in [
        (
            VIP,
            "follows = \"primary\"\ncommand = [\"x\"]\n",
            "no cluster in this file",
        ),
        (
            VIP,
            "vip = \"nosuch\"\ncommand = [\"x\"]\n",
            "no [[vip]] named `nosuch`",
        ),
        (
            VIP,
            "vip = \"writer\"\n",
            "cloud_address.command: is missing",
        ),
        (
            VIP,
            "command = [\"x\"]\n",
            "cloud_address.follows: is missing",
        ),
        (
            VIP,
            "vip = \"writer\"\nurl = \"ftp://x\"\n",
            "cloud_address.url: expected",
        ),
        (
            CLUSTER,
            "follows = \"replica\"\ncommand = [\"x\"]\n",
            "cloud_address.follows",
        ),
    ] {
        let said = parse(file, more).expect_err("it is wrong");
        assert!(said.contains(expected), "{said}");
    }
}
