//! Keeps packets to the addresses out where they are another's (RFC 9568 §6.1, `Accept_Mode`):
//! a table of nftables for each virtual router, made by `nft` and there for as long as the router
//! is, whoever is Active.

use std::io::{self, Write};
use std::net::IpAddr;
use std::process::{Command, Stdio};

use crate::config::Vip;

/// The name of a router's table.
pub(crate) fn table(vip: &Vip) -> String {
    let family = if vip.is_six() { "6" } else { "4" };
    // Names of nftables have letters, digits and `_`.
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    let interface: String = vip.interface.chars().map(plain).collect();
    format!("mainstay_vip_{interface}_{}_{family}", vip.policy.id)
}

/// Makes the table, in the place of an older one.
pub(crate) fn refuse_packets(vip: &Vip) -> io::Result<()> {
    nft(&script(vip))
}

/// Removes a table. One that is not there is no error.
pub(crate) fn accept_packets(table: &str) -> io::Result<()> {
    nft(&format!(
        "add table inet {table}\ndelete table inet {table}\n"
    ))
}

fn script(vip: &Vip) -> String {
    let table = table(vip);
    let listed = |six: bool| {
        let all = vip.addresses.iter().map(|held| held.address);
        let all = all.filter(|address| address.is_ipv6() == six);
        all.map(|address: IpAddr| address.to_string())
            .collect::<Vec<_>>()
            .join(", ")
    };
    let mut rules = String::new();
    for (keyword, addresses) in [("ip", listed(false)), ("ip6", listed(true))] {
        if !addresses.is_empty() {
            rules.push_str(&format!("{keyword} daddr {{ {addresses} }} drop\n"));
        }
    }
    // Who has an address is answered all the same.
    format!(
        "add table inet {table}\ndelete table inet {table}\ntable inet {table} {{\n\
         chain input {{\ntype filter hook input priority -300; policy accept;\n\
         icmpv6 type {{ nd-neighbor-solicit, nd-neighbor-advert }} accept\n{rules}}}\n}}\n"
    )
}

fn nft(script: &str) -> io::Result<()> {
    let mut child = Command::new("nft")
        .args(["-f", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()?;
    if let Some(mut input) = child.stdin.take() {
        input.write_all(script.as_bytes())?;
    }
    let status = child.wait()?;
    if status.success() {
        return Ok(());
    }
    Err(io::Error::other(format!("nft ended with {status}")))
}

#[cfg(test)]
mod tests {
    use mainstay_vrrp::{Policy, RouterId};

    use super::*;

    #[test]
    fn packets_to_the_addresses_are_dropped_and_questions_for_them_are_not() {
        let addresses = vec![
            "10.0.0.100/24".parse().expect("an address"),
            "2001:db8::1/64".parse().expect("an address"),
        ];
        let id = RouterId::new(51).expect("not zero");
        let vip = Vip {
            name: "w".to_owned(),
            interface: "eth0.7".to_owned(),
            policy: Policy::new(id, vec![IpAddr::from([10, 0, 0, 100])]),
            addresses,
            source: None,
            accept: false,
            use_vmac: false,
            group: None,
            notify: Vec::new(),
            links: Vec::new(),
        };
        assert_eq!(table(&vip), "mainstay_vip_eth0_7_51_4");
        let script = script(&vip);
        for line in [
            "ip daddr { 10.0.0.100 } drop",
            "ip6 daddr { 2001:db8::1 } drop",
        ] {
            assert!(script.lines().any(|one| one == line), "{script}");
        }
    }
}
