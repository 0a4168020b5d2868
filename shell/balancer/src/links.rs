//! What direct routing by nftables needs to know: Ethernet addresses of devices and neighbours.

use std::collections::BTreeMap;
use std::fs;
use std::net::{IpAddr, UdpSocket};
use std::path::Path;

use mainstay_balance::nft::{Hop, Links};
use mainstay_balance::{Device, Forwarding, Table};

/// The links of a table; empty where nothing is routed directly.
pub(crate) fn of(table: &Table) -> Links {
    let mut links = Links::default();
    let arp = fs::read_to_string("/proc/net/arp").unwrap_or_default();
    let neighbours = neighbours(&arp);
    for entry in &table.entries {
        let Forwarding::Direct { device: Some(name) } = &entry.forwarding else {
            continue;
        };
        if !links.devices.iter().any(|device| device.name == *name) {
            links.devices.extend(device(name));
        }
        for ip in entry.destinations.iter().map(|one| one.address.ip()) {
            let hop = match neighbours.get(&(ip, name.as_str())) {
                _ if is_local(ip) => Hop::Local,
                Some(ether) => Hop::Ether((*ether).to_owned()),
                None => continue,
            };
            links.hops.insert(ip, hop);
        }
    }
    links
}

fn device(name: &str) -> Option<Device> {
    let file = Path::new("/sys/class/net").join(name).join("address");
    let ether = fs::read_to_string(file).ok()?.trim().to_owned();
    let name = name.to_owned();
    Some(Device { name, ether })
}

/// Only an address of this host can be bound.
fn is_local(ip: IpAddr) -> bool {
    UdpSocket::bind((ip, 0)).is_ok()
}

/// `/proc/net/arp`: address, type, flags, Ethernet address, mask, device. The probes of real
/// servers keep their entries fresh.
fn neighbours(text: &str) -> BTreeMap<(IpAddr, &str), &str> {
    const COMPLETE: u32 = 2;
    let entry = |line| {
        let fields: Vec<&str> = str::split_whitespace(line).collect();
        let [ip, _, flags, ether, _, device] = fields[..] else {
            return None;
        };
        let flags = u32::from_str_radix(flags.trim_start_matches("0x"), 16).ok()?;
        let known = flags & COMPLETE != 0 && ether != "00:00:00:00:00:00";
        known.then_some(((ip.parse().ok()?, device), ether))
    };
    text.lines().filter_map(entry).collect()
}

#[test]
fn neighbours_that_have_answered_are_known() {
    let text = "IP address HW type Flags HW address Mask Device\n\
                10.0.0.21 0x1 0x2 02:00:00:00:00:15 * eth0\n\
                10.0.0.22 0x1 0x0 00:00:00:00:00:00 * eth0\n";
    let found = neighbours(text);
    let known = found.get(&([10, 0, 0, 21].into(), "eth0"));
    assert_eq!(known, Some(&"02:00:00:00:00:15"));
    assert_eq!(found.len(), 1);
}
