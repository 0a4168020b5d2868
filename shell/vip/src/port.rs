//! The sockets on one interface: raw ones for protocol 112, and one for frames.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use mainstay_vrrp::packet::{GROUP_V4, GROUP_V6, PROTOCOL, TTL};
use mainstay_vrrp::{Advert, Checksum, Envelope, Packet};
use rustix::net::sockopt;
use rustix::net::{AddressFamily, Protocol, RecvFlags, SendFlags, SocketFlags, SocketType};
use rustix::net::{recv, send, sendto, socket_with};

use crate::frames;
use crate::links::Link;
use crate::sys;

/// Of what advertisements are sent with: internetwork control (RFC 791 §3.1).
const TOS: u8 = 0xc0;

/// No advertisement is longer: 8 + 255 × 16 + 8, and an IP header.
const PACKET_MAX: usize = 4_400;

/// Packets read in one turn from one socket.
const AT_ONCE: usize = 256;

/// What came to a port.
pub(crate) enum Arrival {
    /// Of protocol 112.
    Packet(Packet),
    /// A host says that it has this address.
    Claim(IpAddr, [u8; 6]),
}

/// The sockets on one interface.
#[derive(Debug)]
pub(crate) struct Port {
    pub(crate) name: String,
    pub(crate) index: u32,
    four: OwnedFd,
    /// Where the kernel has no IPv6, there is none.
    six: Option<OwnedFd>,
    /// Who has which address over IPv6: the same.
    neighbours: Option<OwnedFd>,
    frames: OwnedFd,
}

impl Port {
    pub(crate) fn open(link: &Link) -> io::Result<Self> {
        Ok(Self {
            name: link.name.clone(),
            index: link.index,
            four: four(link)?,
            six: six(link).ok(),
            neighbours: neighbours(link).ok(),
            frames: frame_socket(link)?,
        })
    }

    /// What becomes readable when something has come.
    pub(crate) fn sockets(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        let six = [&self.six, &self.neighbours];
        let six = six.into_iter().flatten().map(AsFd::as_fd);
        [self.four.as_fd(), self.frames.as_fd()]
            .into_iter()
            .chain(six)
    }

    /// Sends an advertisement to each of these.
    pub(crate) fn send(
        &self,
        advert: &Advert,
        source: IpAddr,
        (to, way): (&[IpAddr], Checksum),
    ) -> io::Result<()> {
        let group = match source {
            IpAddr::V4(_) => IpAddr::V4(GROUP_V4),
            IpAddr::V6(_) => IpAddr::V6(GROUP_V6),
        };
        let group = [group];
        let to = if to.is_empty() { &group[..] } else { to };
        let mut result = Ok(());
        for destination in to.iter().copied() {
            let envelope = Envelope {
                source,
                destination,
            };
            let bytes = advert.encode(&envelope, way);
            // One peer that cannot be reached does not keep the others from hearing.
            result = result.and(self.send_one(&envelope, &bytes));
        }
        result
    }

    fn send_one(&self, envelope: &Envelope, bytes: &[u8]) -> io::Result<()> {
        let flags = SendFlags::DONTWAIT;
        match (envelope.source, envelope.destination) {
            (IpAddr::V4(source), IpAddr::V4(destination)) => {
                let packet = with_header(source, destination, bytes);
                sendto(
                    &self.four,
                    &packet,
                    flags,
                    &SocketAddr::new(destination.into(), 0),
                )?;
            }
            (_, IpAddr::V6(destination)) => {
                let none = || io::Error::from_raw_os_error(libc::EAFNOSUPPORT);
                let socket = self.six.as_ref().ok_or_else(none)?;
                let mut to = std::net::SocketAddrV6::new(destination, 0, 0, 0);
                to.set_scope_id(self.index);
                sendto(socket, bytes, flags, &SocketAddr::V6(to))?;
            }
            (IpAddr::V6(_), IpAddr::V4(_)) => {
                return Err(io::Error::from_raw_os_error(libc::EAFNOSUPPORT));
            }
        }
        Ok(())
    }

    /// Sends an Ethernet frame.
    pub(crate) fn send_frame(&self, frame: &[u8]) -> io::Result<()> {
        send(&self.frames, frame, SendFlags::DONTWAIT)?;
        Ok(())
    }

    /// Everything that has come, up to a number: who floods us cannot keep us from the clock.
    pub(crate) fn receive(&self) -> Vec<Arrival> {
        let mut buffer = [0; PACKET_MAX];
        let mut arrivals = Vec::new();
        for _ in 0..AT_ONCE {
            let Ok((length, _)) = recv(&self.four, &mut buffer[..], RecvFlags::DONTWAIT) else {
                break;
            };
            arrivals.extend(without_header(&buffer[..length]).map(Arrival::Packet));
        }
        for _ in 0..AT_ONCE {
            let Ok((length, _)) = recv(&self.frames, &mut buffer[..], RecvFlags::DONTWAIT) else {
                break;
            };
            let claim = frames::claim(&buffer[..length]);
            arrivals.extend(claim.map(|(address, hardware)| Arrival::Claim(address, hardware)));
        }
        for (six, bytes) in received_six(self.six.as_ref(), &mut buffer) {
            arrivals.push(Arrival::Packet(Packet {
                source: IpAddr::V6(six.source),
                destination: six.destination,
                ttl: six.hop_limit,
                bytes,
            }));
        }
        for (six, bytes) in received_six(self.neighbours.as_ref(), &mut buffer) {
            // From further away it is no neighbour's word (RFC 4861 §7.1).
            let near = six.hop_limit == TTL;
            let claim = frames::claim_six(six.source, &bytes).filter(|_| near);
            arrivals.extend(claim.map(|(address, hardware)| Arrival::Claim(address, hardware)));
        }
        arrivals
    }
}

fn received_six(socket: Option<&OwnedFd>, buffer: &mut [u8]) -> Vec<(sys::Six, Vec<u8>)> {
    let next = || {
        let six = sys::receive_six(socket?.as_fd(), buffer).ok()?;
        let bytes = buffer[..six.length].to_vec();
        Some((six, bytes))
    };
    std::iter::from_fn(next).take(AT_ONCE).collect()
}

fn raw(family: AddressFamily, protocol: u8) -> io::Result<OwnedFd> {
    let protocol = NonZeroU32::new(u32::from(protocol)).map(Protocol::from_raw);
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    Ok(socket_with(family, SocketType::RAW, flags, protocol)?)
}

fn four(link: &Link) -> io::Result<OwnedFd> {
    let socket = raw(AddressFamily::INET, PROTOCOL)?;
    sys::bind_to_device(socket.as_fd(), &link.name)?;
    // The header is ours: the time to live, and the source where the interface has many.
    sys::set_option(socket.as_fd(), libc::IPPROTO_IP, libc::IP_HDRINCL, 1)?;
    let any = Ipv4Addr::UNSPECIFIED;
    sockopt::set_ip_multicast_if_with_ifindex(&socket, &any, &any, link.index)?;
    sockopt::set_ip_multicast_loop(&socket, false)?;
    sockopt::set_ip_add_membership_with_ifindex(&socket, &GROUP_V4, &any, link.index)?;
    Ok(socket)
}

fn six(link: &Link) -> io::Result<OwnedFd> {
    let socket = raw(AddressFamily::INET6, PROTOCOL)?;
    sys::bind_to_device(socket.as_fd(), &link.name)?;
    sockopt::set_ipv6_multicast_if(&socket, link.index)?;
    sockopt::set_ipv6_multicast_loop(&socket, false)?;
    sockopt::set_ipv6_multicast_hops(&socket, u32::from(TTL))?;
    sockopt::set_ipv6_unicast_hops(&socket, Some(TTL))?;
    sockopt::set_ipv6_tclass(&socket, u32::from(TOS))?;
    sockopt::set_ipv6_add_membership(&socket, &GROUP_V6, link.index)?;
    // The kernel sums up over the source that it chooses, and throws away what is wrong
    // (RFC 3542 §3.1; the checksum stands at byte 6).
    sys::set_option(socket.as_fd(), libc::IPPROTO_IPV6, libc::IPV6_CHECKSUM, 6)?;
    tell_of_headers(&socket)?;
    Ok(socket)
}

/// With each packet comes where it was sent to, and its hop limit.
fn tell_of_headers(socket: &OwnedFd) -> io::Result<()> {
    for option in [libc::IPV6_RECVPKTINFO, libc::IPV6_RECVHOPLIMIT] {
        sys::set_option(socket.as_fd(), libc::IPPROTO_IPV6, option, 1)?;
    }
    Ok(())
}

/// Hears what neighbours ask and advertise, and nothing else.
fn neighbours(link: &Link) -> io::Result<OwnedFd> {
    let socket = raw(AddressFamily::INET6, frames::ICMPV6)?;
    // A bit for each type that is not wanted (RFC 3542 §3.2).
    let mut unwanted = [u32::MAX; 8];
    for kind in [frames::SOLICITATION, frames::ADVERTISEMENT] {
        unwanted[usize::from(kind / 32)] &= !(1 << (kind % 32));
    }
    sys::set_option(
        socket.as_fd(),
        libc::IPPROTO_ICMPV6,
        sys::ICMP6_FILTER,
        unwanted,
    )?;
    sys::bind_to_device(socket.as_fd(), &link.name)?;
    tell_of_headers(&socket)?;
    Ok(socket)
}

fn frame_socket(link: &Link) -> io::Result<OwnedFd> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    // Without a protocol nothing is received until it is bound.
    let socket = socket_with(AddressFamily::PACKET, SocketType::RAW, flags, None)?;
    sys::bind_packet(socket.as_fd(), frames::ARP, link.index)?;
    Ok(socket)
}

/// Puts an IP header before a message. The kernel fills in its number and its checksum (raw(7)).
fn with_header(source: Ipv4Addr, destination: Ipv4Addr, message: &[u8]) -> Vec<u8> {
    let length = u16::try_from(message.len() + 20).expect("a short message");
    let mut packet = vec![0x45, TOS];
    packet.extend(length.to_be_bytes());
    packet.extend([0, 0, 0, 0, TTL, PROTOCOL, 0, 0]);
    packet.extend(source.octets());
    packet.extend(destination.octets());
    packet.extend(message);
    packet
}

/// Takes the header off.
fn without_header(packet: &[u8]) -> Option<Packet> {
    let header = usize::from(packet.first()? & 0xf) * 4;
    let total = usize::from(u16::from_be_bytes([*packet.get(2)?, *packet.get(3)?]));
    let four = |at: usize| -> Option<IpAddr> {
        let bytes: [u8; 4] = packet.get(at..at + 4)?.try_into().ok()?;
        Some(IpAddr::from(bytes))
    };
    Some(Packet {
        ttl: *packet.get(8)?,
        source: four(12)?,
        destination: four(16)?,
        bytes: packet.get(header..total.min(packet.len()))?.to_vec(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_put_on_and_taken_off() {
        let (source, destination) = (Ipv4Addr::new(10, 0, 0, 1), GROUP_V4);
        let packet = with_header(source, destination, &[1, 2, 3]);
        let expected = Packet {
            source: source.into(),
            destination: destination.into(),
            ttl: 255,
            bytes: vec![1, 2, 3],
        };
        assert_eq!(without_header(&packet), Some(expected));
        for length in 0..20 {
            assert_eq!(without_header(&packet[..length]), None);
        }
    }
}
