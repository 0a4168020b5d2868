//! Advertisements, and sequences of everything that can happen to a virtual router.

use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use mainstay_clock::Timestamp;
use mainstay_vrrp::packet::GROUP_V4;
use mainstay_vrrp::{
    Action, Advert, Checksum, Envelope, Event, Packet, Policy, Router, RouterId, State, Verdict,
    Version,
};

fn host(last: u8) -> IpAddr {
    IpAddr::from([10, 0, 0, last])
}

/// What is read, once written, is read as the same.
pub(crate) fn advert(data: &[u8]) {
    let four = Envelope {
        source: host(1),
        destination: IpAddr::V4(GROUP_V4),
    };
    let six = Envelope {
        source: IpAddr::V6(Ipv6Addr::LOCALHOST),
        destination: IpAddr::V6(Ipv6Addr::LOCALHOST),
    };
    for envelope in [four, six] {
        let Ok(advert) = Advert::decode(data, &envelope) else {
            continue;
        };
        for way in [Checksum::Plain, Checksum::Pseudo] {
            let bytes = advert.encode(&envelope, way);
            assert_eq!(Advert::decode(&bytes, &envelope).as_ref(), Ok(&advert));
        }
    }
}

/// Bytes as events: the addresses are held exactly while the router is Active, and a running one
/// always waits for something.
pub(crate) fn router(data: &[u8]) {
    let Some((first, mut rest)) = data.split_first() else {
        return;
    };
    let id = RouterId::new(51).expect("not zero");
    let mut policy = Policy::new(id, vec![host(100)]);
    policy.version = if first & 1 == 0 {
        Version::V2
    } else {
        Version::V3
    };
    policy.priority = (first | 1).max(1);
    let mut router = Router::new(policy);
    let mut now = Timestamp::ZERO;
    let mut holds = false;
    while let Some((kind, after)) = rest.split_first() {
        let length = usize::from(kind >> 3).min(after.len());
        let (bytes, after) = after.split_at(length);
        rest = after;
        let byte = bytes.first().copied().unwrap_or_default();
        now = now + Duration::from_millis(u64::from(byte) * 20);
        for action in router.handle(now, event(kind & 7, bytes)) {
            match action {
                Action::Take => holds = true,
                Action::Drop => {
                    assert!(holds, "dropped what it did not hold");
                    holds = false;
                }
                Action::Send(_)
                | Action::Announce(_)
                | Action::Changed { .. }
                | Action::Found(_)
                | Action::Gone(_) => {}
            }
        }
        assert_eq!(holds, router.state() == State::Active);
        let waits = matches!(router.state(), State::Backup | State::Active);
        assert!(!waits || router.deadline().is_some());
    }
}

fn event(kind: u8, bytes: &[u8]) -> Event {
    let byte = bytes.first().copied().unwrap_or_default();
    match kind {
        0 => Event::Start,
        1 => Event::Stop,
        2 => Event::Timer,
        3 => Event::Link((byte & 1 == 0).then(|| host(1))),
        4 => Event::Track {
            name: (byte % 3).to_string(),
            verdict: Verdict {
                ok: byte & 1 == 0,
                weight: i16::from(byte / 4) - 20,
            },
        },
        5 if byte & 1 == 0 => Event::Claim,
        5 => Event::Lost(host(byte)),
        6 => {
            let advert = Advert {
                version: if byte & 1 == 0 {
                    Version::V2
                } else {
                    Version::V3
                },
                id: RouterId::new(51).expect("not zero"),
                priority: byte,
                interval: Duration::from_secs(1),
                addresses: vec![host(100)],
                authentication: mainstay_vrrp::packet::Authentication::None,
            };
            let envelope = Envelope {
                source: host(2),
                destination: IpAddr::V4(GROUP_V4),
            };
            packet(advert.encode(&envelope, Checksum::Pseudo))
        }
        _ => packet(bytes.to_vec()),
    }
}

fn packet(bytes: Vec<u8>) -> Event {
    Event::Packet(Packet {
        source: host(2),
        destination: IpAddr::V4(GROUP_V4),
        ttl: 255,
        bytes,
    })
}
