//! Ethernet frames: gratuitous ARP, ARP probes (RFC 5227), neighbour solicitations and unsolicited
//! neighbour advertisements (RFC 4861 §7.2), and who claims an address in what was received.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The number of ARP in an Ethernet header.
pub(crate) const ARP: u16 = 0x0806;

const IPV6: u16 = 0x86dd;
pub(crate) const ICMPV6: u8 = 58;
/// Types of `ICMPv6` (RFC 4861 §4.3, §4.4).
pub(crate) const SOLICITATION: u8 = 135;
pub(crate) const ADVERTISEMENT: u8 = 136;
/// Options that hold the hardware address of who sends, and of who is meant (RFC 4861 §4.6.1).
const OF_SOURCE: u8 = 1;
const OF_TARGET: u8 = 2;
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

/// Asks who has the address, without claiming it (RFC 5227 §2.1.1). Over IPv6 one asks by
/// [`solicitation`].
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

/// Asks who has an address, from one of our own (RFC 4861 §7.2.2). In the name of no address, as
/// for duplicate address detection, it would make a host give up that just begins to have it.
pub(crate) fn solicitation(target: Ipv6Addr, (from, hardware): (Ipv6Addr, [u8; 6])) -> Vec<u8> {
    let end = target.octets();
    // The group of all addresses with this end (RFC 4291 §2.7.1), and its hardware address.
    let mut group = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 1, 0xff00, 0).octets();
    group[13..].copy_from_slice(&end[13..]);
    let to = [0x33, 0x33, 0xff, end[13], end[14], end[15]];
    let message = neighbour((SOLICITATION, 0, OF_SOURCE), target, hardware);
    icmp((hardware, to), (from, Ipv6Addr::from(group)), message)
}

fn neighbour_advertisement(address: Ipv6Addr, hardware: [u8; 6]) -> Vec<u8> {
    // The flag is "override".
    let message = neighbour((ADVERTISEMENT, 0x20, OF_TARGET), address, hardware);
    let to = [0x33, 0x33, 0, 0, 0, 1];
    icmp((hardware, to), (address, ALL_HOSTS), message)
}

/// Type, code 0, checksum, flags, target, and one option: a hardware address.
fn neighbour((kind, flags, option): (u8, u8, u8), target: Ipv6Addr, hardware: [u8; 6]) -> Vec<u8> {
    let mut message = vec![kind, 0, 0, 0, flags, 0, 0, 0];
    message.extend(target.octets());
    message.extend([option, 1]);
    message.extend(hardware);
    message
}

/// Who says in this message of `ICMPv6` that it has which address: who advertises it, and who asks
/// for another in its name.
pub(crate) fn claim_six(source: Ipv6Addr, message: &[u8]) -> Option<(IpAddr, [u8; 6])> {
    let target: [u8; 16] = message.get(8..24)?.try_into().ok()?;
    let (address, wanted) = match *message.first()? {
        ADVERTISEMENT => (Ipv6Addr::from(target), OF_TARGET),
        // Who asks without an address claims nothing.
        SOLICITATION if !source.is_unspecified() => (source, OF_SOURCE),
        _ => return None,
    };
    let mut options = message.get(24..)?;
    while let [kind, eights, ..] = *options {
        let (option, rest) = options.split_at_checked(usize::from(eights) * 8)?;
        if kind == wanted {
            return Some((IpAddr::V6(address), option.get(2..8)?.try_into().ok()?));
        }
        // One without a length has no end.
        options = if option.is_empty() { &[] } else { rest };
    }
    None
}

fn icmp(
    (hardware, to): ([u8; 6], [u8; 6]),
    (source, destination): (Ipv6Addr, Ipv6Addr),
    mut message: Vec<u8>,
) -> Vec<u8> {
    let sum = checksum((source, destination), &message);
    message[2..4].copy_from_slice(&sum.to_be_bytes());
    let length = u16::try_from(message.len()).expect("32 bytes");
    let mut frame = ethernet(to, hardware, IPV6);
    frame.extend([0x60, 0, 0, 0]);
    frame.extend(length.to_be_bytes());
    frame.extend([ICMPV6, 255]);
    frame.extend(source.octets());
    frame.extend(destination.octets());
    frame.extend(message);
    frame
}

/// With the pseudo header of RFC 8200 §8.1; all parts have an even length.
fn checksum((source, destination): (Ipv6Addr, Ipv6Addr), message: &[u8]) -> u16 {
    let length = u32::try_from(message.len()).expect("a short message");
    let mut all = [source.octets(), destination.octets()].concat();
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
        assert_eq!(checksum((address, ALL_HOSTS), &frame[54..]), 0);
        assert_eq!(
            frame[21], 255,
            "a hop limit of less is thrown away (RFC 4861 §7.1.2)"
        );
    }
    #[test]
    fn over_ipv6_who_advertises_an_address_has_it_and_who_asks_for_it_does_not() {
        let address = |text: &str| -> Ipv6Addr { text.parse().expect("an address") };
        let (own, floating) = (address("fe80::1"), address("2001:db8::12:3456"));
        let frame = announcement(IpAddr::V6(floating), MAC);
        assert_eq!(
            claim_six(floating, &frame[54..]),
            Some((IpAddr::V6(floating), MAC))
        );
        let asked = solicitation(floating, (own, MAC));
        assert_eq!(asked[..6], [0x33, 0x33, 0xff, 0x12, 0x34, 0x56]);
        let group = address("ff02::1:ff12:3456");
        assert_eq!(asked[38..54], group.octets());
        assert_eq!(checksum((own, group), &asked[54..]), 0);
        // It claims the address that it asks from.
        assert_eq!(claim_six(own, &asked[54..]), Some((IpAddr::V6(own), MAC)));
        assert_eq!(claim_six(Ipv6Addr::UNSPECIFIED, &asked[54..]), None);
        for length in 0..32 {
            assert_eq!(claim_six(own, &asked[54..54 + length]), None);
        }
        let endless = [&asked[54..78], &[9, 0, 0, 0, 0, 0, 0, 0]].concat();
        assert_eq!(claim_six(own, &endless), None);
    }
}
