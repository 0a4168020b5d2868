//! Ethernet frames: gratuitous ARP, ARP probes (RFC 5227), unsolicited neighbour advertisements
//! (RFC 4861 §7.2.6), and who claims an address in a frame that was received.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The number of ARP in an Ethernet header.
pub(crate) const ARP: u16 = 0x0806;

const IPV6: u16 = 0x86dd;
const ICMPV6: u8 = 58;
const BROADCAST: [u8; 6] = [0xff; 6];
const ALL_HOSTS: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);
/// Ethernet, IPv4, six bytes of hardware address, four of protocol address (RFC 826).
const ARP_KIND: [u8; 6] = [0, 1, 8, 0, 6, 4];
const REQUEST: u8 = 1;
const REPLY: u8 = 2;

/// Tells everybody on the link who has the address.
pub(crate) fn announcement(address: IpAddr, hardware: [u8; 6]) -> Vec<u8> {
    match address {
        // The sender has what it asks for, in the form that keepalived sends.
        IpAddr::V4(address) => arp(hardware, address, BROADCAST, address),
        IpAddr::V6(address) => neighbour_advertisement(address, hardware),
    }
}

/// Asks who has the address, without claiming it (RFC 5227 §2.1.1). Over IPv6 nothing is asked.
pub(crate) fn probe(address: IpAddr, hardware: [u8; 6]) -> Option<Vec<u8>> {
    match address {
        IpAddr::V4(address) => Some(arp(hardware, Ipv4Addr::UNSPECIFIED, [0; 6], address)),
        IpAddr::V6(_) => None,
    }
}

/// Who says in this frame that it has which address: of ARP with an Ethernet header.
pub(crate) fn claim(frame: &[u8]) -> Option<(IpAddr, [u8; 6])> {
    let packet = frame.get(14..42)?;
    if frame[12..14] != ARP.to_be_bytes() || packet[..6] != ARP_KIND {
        return None;
    }
    let operation = packet[7];
    let sender = Ipv4Addr::from(<[u8; 4]>::try_from(&packet[14..18]).ok()?);
    let known = packet[6] == 0 && (operation == REQUEST || operation == REPLY);
    // Who only asks claims nothing.
    if !known || sender.is_unspecified() {
        return None;
    }
    Some((IpAddr::V4(sender), packet[8..14].try_into().ok()?))
}

fn arp(hardware: [u8; 6], sender: Ipv4Addr, target: [u8; 6], asked: Ipv4Addr) -> Vec<u8> {
    let mut frame = ethernet(BROADCAST, hardware, ARP);
    frame.extend(ARP_KIND);
    frame.extend([0, REQUEST]);
    frame.extend(hardware);
    frame.extend(sender.octets());
    frame.extend(target);
    frame.extend(asked.octets());
    frame
}

fn neighbour_advertisement(address: Ipv6Addr, hardware: [u8; 6]) -> Vec<u8> {
    // Type 136, code 0, checksum, the flag "override", target, and option 2: who has it.
    let mut message = vec![136, 0, 0, 0, 0x20, 0, 0, 0];
    message.extend(address.octets());
    message.extend([2, 1]);
    message.extend(hardware);
    let sum = checksum(address, &message);
    message[2..4].copy_from_slice(&sum.to_be_bytes());

    let mut frame = ethernet([0x33, 0x33, 0, 0, 0, 1], hardware, IPV6);
    frame.extend([0x60, 0, 0, 0]);
    frame.extend(
        u16::try_from(message.len())
            .expect("32 bytes")
            .to_be_bytes(),
    );
    frame.extend([ICMPV6, 255]);
    frame.extend(address.octets());
    frame.extend(ALL_HOSTS.octets());
    frame.extend(message);
    frame
}

/// With the pseudo header of RFC 8200 §8.1; all parts have an even length.
fn checksum(source: Ipv6Addr, message: &[u8]) -> u16 {
    let length = u32::try_from(message.len()).expect("a short message");
    let mut all = [source.octets(), ALL_HOSTS.octets()].concat();
    all.extend(length.to_be_bytes());
    all.extend([0, 0, 0, ICMPV6]);
    all.extend(message);
    let pairs = all
        .chunks_exact(2)
        .map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]])));
    let mut sum: u32 = pairs.sum();
    while sum > 0xffff {
        sum = (sum >> 16) + (sum & 0xffff);
    }
    !(sum as u16)
}

fn ethernet(to: [u8; 6], from: [u8; 6], kind: u16) -> Vec<u8> {
    let mut frame = Vec::with_capacity(96);
    frame.extend(to);
    frame.extend(from);
    frame.extend(kind.to_be_bytes());
    frame
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAC: [u8; 6] = [2, 0, 0, 0, 0, 1];

    #[test]
    fn an_announcement_is_a_claim_and_a_probe_is_none() {
        let address = IpAddr::from([10, 124, 0, 100]);
        let frame = announcement(address, MAC);
        assert_eq!(frame.len(), 42);
        assert_eq!(claim(&frame), Some((address, MAC)));
        let asked = probe(address, MAC).expect("IPv4");
        assert_eq!(claim(&asked), None);
        for length in 0..frame.len() {
            assert_eq!(claim(&frame[..length]), None);
        }
    }

    #[test]
    fn a_neighbour_advertisement_has_a_right_checksum() {
        let address: Ipv6Addr = "2001:db8::100".parse().expect("an address");
        let frame = announcement(IpAddr::V6(address), MAC);
        assert_eq!(frame.len(), 14 + 40 + 32);
        assert_eq!(checksum(address, &frame[54..]), 0);
        assert_eq!(
            frame[21], 255,
            "a hop limit of less is thrown away (RFC 4861 §7.1.2)"
        );
    }
}
