//! Connections whose bytes pass through TLS and compression, both ends in one process.

use std::sync::Arc;

use mainstay_wire::compression::{Compression, End};
use mainstay_wire::packet::put_packet;
use proptest::prelude::*;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};

use super::*;

/// Pulls everything there is; the buffer is small so that its end is met too.
fn drain(filter: &mut Filter, room: usize) -> Result<Heard, FilterError> {
    let (mut bytes, mut events) = (Vec::new(), Vec::new());
    let mut buffer = vec![0; room];
    loop {
        match filter.pull(&mut buffer)? {
            Pulled::Bytes(count) => bytes.extend_from_slice(&buffer[..count]),
            Pulled::Nothing => return Ok((bytes, events)),
            event => {
                let ends = event == Pulled::End;
                events.push(event);
                if ends {
                    return Ok((bytes, events));
                }
            }
        }
    }
}

fn packets(payloads: &[&[u8]]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (sequence, payload) in (0..).zip(payloads) {
        put_packet(&mut bytes, sequence, payload);
    }
    bytes
}

fn compressed(how: Compression, end: End) -> Filter {
    let mut filter = Filter::default();
    filter.compress(how, end);
    filter
}

const BOTH: [Compression; 2] = [Compression::Zlib, Compression::Zstd { level: 3 }];

#[test]
fn a_header_may_come_in_pieces_and_what_follows_is_the_machines() {
    let bytes = b"PROXY TCP4 192.0.2.7 198.51.100.1 56324 3306\r\nhello";
    for cut in 0..bytes.len() {
        let mut filter = Filter::with_header();
        let (mut plain, mut events) = (Vec::new(), Vec::new());
        for piece in [&bytes[..cut], &bytes[cut..]] {
            filter.feed(piece);
            let (some, more) = drain(&mut filter, 3).expect("a header");
            plain.extend(some);
            events.extend(more);
        }
        assert_eq!(plain, b"hello");
        assert_eq!(events, [Pulled::CameFrom([192, 0, 2, 7].into())]);
        assert!(filter.is_done());
    }
}

#[test]
fn without_a_header_everything_is_the_machines() {
    let mut filter = Filter::with_header();
    filter.feed(b"\x20\0\0\x01rest");
    assert_eq!(
        drain(&mut filter, 64).expect("plain").0,
        b"\x20\0\0\x01rest"
    );
    assert!(filter.is_done());
}

#[test]
fn a_broken_header_ends_the_connection() {
    let mut filter = Filter::with_header();
    filter.feed(b"PROXY nonsense\r\n");
    assert!(matches!(
        drain(&mut filter, 64),
        Err(FilterError::Header(_))
    ));
}

#[test]
fn packed_packets_are_unpacked_however_they_are_cut() {
    let long = vec![b'a'; 700];
    let bytes = packets(&[b"short", &long, b"", b"end"]);
    for how in BOTH {
        let mut sender = compressed(how, End::Client);
        sender.push(&[&bytes[..3], &bytes[3..]], &mut Packer::default());
        let wire = std::mem::take(sender.wire());
        assert!(wire.len() < bytes.len());
        for cut in 0..wire.len() {
            let mut receiver = compressed(how, End::Server);
            let mut plain = Vec::new();
            for piece in [&wire[..cut], &wire[cut..]] {
                receiver.feed(piece);
                plain.extend(drain(&mut receiver, 64).expect("frames").0);
            }
            assert_eq!(plain, bytes, "{how:?} cut at {cut}");
        }
    }
}

#[test]
fn random_bytes_are_sent_as_they_are() {
    let noise: Vec<u8> = (0..997_u32)
        .map(|n| (n * n % 251) as u8 ^ n as u8)
        .collect();
    let bytes = packets(&[&noise]);
    for how in BOTH {
        let mut sender = compressed(how, End::Client);
        sender.push(&[&bytes], &mut Packer::default());
        let mut receiver = compressed(how, End::Server);
        receiver.feed(sender.wire());
        assert_eq!(drain(&mut receiver, 64).expect("frames").0, bytes);
    }
}

#[test]
fn a_frame_that_lies_about_its_length_is_refused() {
    for how in BOTH {
        let mut sender = compressed(how, End::Client);
        sender.push(&[&packets(&[&[b'a'; 500]])], &mut Packer::default());
        for lie in [-1_i32, 1] {
            let mut wire = sender.wire().clone();
            let told = i32::from(u16::from_le_bytes([wire[4], wire[5]])) + lie;
            wire[4..6].copy_from_slice(&u16::try_from(told).expect("small").to_le_bytes());
            let mut receiver = compressed(how, End::Server);
            receiver.feed(&wire);
            assert!(matches!(
                drain(&mut receiver, 4096),
                Err(FilterError::Unpack)
            ));
        }
    }
}

#[test]
fn a_payload_of_more_than_a_frame_takes_several() {
    let payload = vec![7; 17 << 20];
    let mut bytes = Vec::new();
    put_packet(&mut bytes, 0, &payload);
    let mut sender = compressed(Compression::Zstd { level: 1 }, End::Client);
    sender.push(&[&bytes], &mut Packer::default());
    let mut receiver = compressed(Compression::Zstd { level: 1 }, End::Server);
    receiver.feed(sender.wire());
    assert!(drain(&mut receiver, 1 << 16).expect("frames").0 == bytes);
}

fn tls_pair() -> (Filter, Filter) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let certificate: CertificateDer<'static> = made.cert.der().clone();
    let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let server = rustls::ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key.into())
        .expect("a key of the certificate");
    let mut roots = rustls::RootCertStore::empty();
    roots.add(certificate).expect("a certificate");
    let client = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = "localhost".try_into().expect("a name");
    let client = rustls::ClientConnection::new(Arc::new(client), name).expect("a client");
    let server = rustls::ServerConnection::new(Arc::new(server)).expect("a server");
    let (mut one, mut other) = (Filter::default(), Filter::default());
    one.start_tls(client.into());
    other.start_tls(server.into());
    (one, other)
}

/// What one end got: bytes, and what else there was to tell.
type Heard = (Vec<u8>, Vec<Pulled>);

/// Carries bytes back and forth in pieces until nobody has more to say.
fn converse(
    client: &mut Filter,
    server: &mut Filter,
    piece: usize,
) -> Result<[Heard; 2], FilterError> {
    let mut heard: [Heard; 2] = Default::default();
    loop {
        let (up, down) = (std::mem::take(client.wire()), std::mem::take(server.wire()));
        if up.is_empty() && down.is_empty() {
            return Ok(heard);
        }
        for (at, filter, bytes) in [(0, &mut *server, up), (1, &mut *client, down)] {
            for bytes in bytes.chunks(piece) {
                filter.feed(bytes);
                let (plain, events) = drain(filter, 100)?;
                heard[at].0.extend(plain);
                heard[at].1.extend(events);
            }
        }
    }
}

#[test]
fn what_is_pushed_before_tls_is_established_arrives_inside_it() {
    for piece in [1, 7, 100_000] {
        let (mut client, mut server) = tls_pair();
        let mut packer = Packer::default();
        client.push(&[b"to the server"], &mut packer);
        server.push(&[b"to the ", b"client"], &mut packer);
        let [at_server, at_client] = converse(&mut client, &mut server, piece).expect("they agree");
        let secured = vec![Pulled::Secured { certified: false }];
        assert_eq!(at_server, (b"to the server".to_vec(), secured));
        let secured = vec![Pulled::Secured { certified: true }];
        assert_eq!(at_client, (b"to the client".to_vec(), secured));
        client.finish();
        let [at_server, _] = converse(&mut client, &mut server, piece).expect("an end");
        assert_eq!(at_server.1, [Pulled::End]);
    }
}

#[test]
fn frames_travel_inside_tls() {
    let (mut client, mut server) = tls_pair();
    converse(&mut client, &mut server, 1000).expect("they agree");
    client.compress(Compression::Zlib, End::Client);
    server.compress(Compression::Zlib, End::Server);
    let bytes = packets(&[&vec![b'q'; 100_000]]);
    client.push(&[&bytes], &mut Packer::default());
    assert!(client.wire().len() < 10_000);
    let [at_server, _] = converse(&mut client, &mut server, 11).expect("frames");
    assert!(at_server.0 == bytes);
}

#[test]
fn who_speaks_no_tls_is_told_by_an_alert() {
    let (_, mut server) = tls_pair();
    server.feed(b"SELECT 1; it is no record of TLS at all");
    assert!(matches!(drain(&mut server, 64), Err(FilterError::Tls(_))));
    assert_eq!(server.wire()[0], 21);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_bytes_make_a_filter_panic(bytes: Vec<u8>, headed: bool, layers in 0..4_u8) {
        let mut filter = if headed { Filter::with_header() } else { Filter::default() };
        match layers {
            0 => {}
            1 => filter.compress(Compression::Zlib, End::Server),
            2 => filter.compress(Compression::Zstd { level: 3 }, End::Client),
            _ => filter = tls_pair().1,
        }
        filter.feed(&bytes);
        let _ = drain(&mut filter, 16);
    }

    #[test]
    fn every_payload_arrives_as_it_was(
        payloads in prop::collection::vec(prop::collection::vec(0_u8..4, 0..300), 1..6),
        piece in 1_usize..200,
        room in 1_usize..200,
        zstd: bool,
    ) {
        let payloads: Vec<&[u8]> = payloads.iter().map(Vec::as_slice).collect();
        let bytes = packets(&payloads);
        let how = BOTH[usize::from(zstd)];
        let mut sender = compressed(how, End::Server);
        sender.push(&[&bytes], &mut Packer::default());
        let mut receiver = compressed(how, End::Client);
        let mut plain = Vec::new();
        for bytes in std::mem::take(sender.wire()).chunks(piece) {
            receiver.feed(bytes);
            plain.extend(drain(&mut receiver, room).expect("frames").0);
        }
        prop_assert_eq!(plain, bytes);
    }
}
