//! Packets against what keepalived 2.2.7 sent, against each other, and against noise.

use proptest::prelude::*;

use super::*;

fn v4(last: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(10, 124, 0, last))
}

fn multicast(last: u8) -> Envelope {
    Envelope {
        source: v4(last),
        destination: IpAddr::V4(GROUP_V4),
    }
}

fn advert(version: Version) -> Advert {
    Advert {
        version,
        id: RouterId::new(51).expect("not zero"),
        priority: 100,
        interval: Duration::from_secs(1),
        addresses: vec![v4(100)],
        authentication: Authentication::None,
    }
}

#[test]
fn a_version_2_packet_has_its_password_after_its_addresses() {
    let sent = Advert {
        authentication: Authentication::Password(Password::new("s3cret")),
        ..advert(Version::V2)
    };
    let bytes = sent.encode(&multicast(1), Checksum::Pseudo);
    assert_eq!(bytes[..6], [0x21, 51, 100, 1, 1, 1]);
    assert_eq!(bytes[8..12], [10, 124, 0, 100]);
    assert_eq!(&bytes[12..], b"s3cret\0\0");
    // RFC 1071: the sum over what holds a right checksum is all ones.
    assert_eq!(checksum::plain(&bytes), 0);
    assert_eq!(Advert::decode(&bytes, &multicast(1)), Ok(sent));
}

#[test]
fn a_version_3_packet_says_its_interval_in_centiseconds() {
    let sent = Advert {
        interval: Duration::from_millis(100),
        ..advert(Version::V3)
    };
    let bytes = sent.encode(&multicast(1), Checksum::Plain);
    assert_eq!(bytes[..6], [0x31, 51, 100, 1, 0, 10]);
    assert_eq!(bytes.len(), 12);
    assert_eq!(Advert::decode(&bytes, &multicast(1)), Ok(sent));
}

#[test]
fn both_checksums_of_version_3_over_ipv4_are_right_and_only_one_over_ipv6() {
    let sent = advert(Version::V3);
    let plain = sent.encode(&multicast(1), Checksum::Plain);
    let pseudo = sent.encode(&multicast(1), Checksum::Pseudo);
    assert_ne!(plain, pseudo);
    for bytes in [&plain, &pseudo] {
        assert_eq!(Advert::decode(bytes, &multicast(1)).as_ref(), Ok(&sent));
    }
    // The pseudo header names the sender: from elsewhere the same bytes are wrong.
    let elsewhere = Advert::decode(&pseudo, &multicast(9));
    assert_eq!(elsewhere, Err(PacketError::Checksum));

    let over_six = Envelope {
        source: "fe80::1".parse().expect("an address"),
        destination: IpAddr::V6(GROUP_V6),
    };
    let six = Advert {
        addresses: vec!["fe80::100".parse().expect("an address")],
        ..sent
    };
    let bytes = six.encode(&over_six, Checksum::Plain);
    assert_eq!(checksum::pseudo(&bytes, &over_six), 0);
    assert_eq!(Advert::decode(&bytes, &over_six), Ok(six));
}

#[test]
fn what_is_wrong_with_a_packet_is_said() {
    let good = advert(Version::V2).encode(&multicast(1), Checksum::Plain);
    let decode = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = good.clone();
        change(&mut bytes);
        bytes[6..8].fill(0);
        let sum = checksum::plain(&bytes);
        bytes[6..8].copy_from_slice(&sum.to_be_bytes());
        Advert::decode(&bytes, &multicast(1)).expect_err("it is wrong")
    };
    assert_eq!(decode(&|b| b[0] = 0x11), PacketError::Version(1));
    assert_eq!(decode(&|b| b[0] = 0x22), PacketError::Type(2));
    assert_eq!(decode(&|b| b[1] = 0), PacketError::Id);
    assert_eq!(decode(&|b| b[5] = 0), PacketError::Interval);
    let (expected, found) = (24, 20);
    assert_eq!(
        decode(&|b| b[3] = 2),
        PacketError::Length { expected, found }
    );
    assert_eq!(
        Advert::decode(&[0x21], &multicast(1)),
        Err(PacketError::Short(1))
    );
    let mut broken = good.clone();
    broken[2] = 101;
    assert_eq!(
        Advert::decode(&broken, &multicast(1)),
        Err(PacketError::Checksum)
    );
}

#[test]
fn a_password_is_not_printed() {
    assert!(!format!("{:?}", Password::new("s3cret")).contains("s3"));
}

proptest! {
    #[test]
    fn noise_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..64), six: bool) {
        let source = if six { "::1".parse().expect("an address") } else { v4(1) };
        let _ = Advert::decode(&bytes, &Envelope { source, destination: source });
    }

    #[test]
    fn what_is_written_is_read_as_the_same(
        three: bool, id in 1u8.., priority: u8, units in 1u32..256, count in 1u8..20,
        password in prop::option::of("[a-z]{1,8}"), plain: bool,
    ) {
        let version = if three { Version::V3 } else { Version::V2 };
        let password = password.filter(|_| !three);
        let sent = Advert {
            version,
            id: RouterId::new(id).expect("not zero"),
            priority,
            interval: version.unit() * units,
            addresses: (0..count).map(v4).collect(),
            authentication: password.map_or(Authentication::None, |text| {
                Authentication::Password(Password::new(&text))
            }),
        };
        let way = if plain { Checksum::Plain } else { Checksum::Pseudo };
        let bytes = sent.encode(&multicast(3), way);
        prop_assert_eq!(Advert::decode(&bytes, &multicast(3)), Ok(sent));
    }
}
