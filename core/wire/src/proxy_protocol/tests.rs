//! Headers of both versions, whole, in parts and malformed.

use proptest::prelude::*;

use super::*;

fn found(bytes: &[u8]) -> (usize, Option<String>) {
    match parse(bytes) {
        Ok(Start::Header { len, source }) => (len, source.map(|source| source.to_string())),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_line_of_version_1_names_the_client() {
    let line = b"PROXY TCP4 192.0.2.7 198.51.100.1 56324 3306\r\n";
    assert_eq!(found(line), (line.len(), Some("192.0.2.7:56324".into())));
    let line = b"PROXY TCP6 2001:db8::7 2001:db8::1 4 3306\r\nrest";
    assert_eq!(
        found(line),
        (line.len() - 4, Some("[2001:db8::7]:4".into()))
    );
}

#[test]
fn an_unknown_or_local_client_is_the_sender_itself() {
    assert_eq!(found(b"PROXY UNKNOWN\r\n"), (15, None));
    assert_eq!(found(b"PROXY UNKNOWN ffff::1 x 1 2\r\n").1, None);
    let mut local = encode(IpAddr::from([192, 0, 2, 7]));
    local[12] = 0x20;
    assert_eq!(found(&local), (28, None));
}

#[test]
fn what_follows_the_addresses_of_version_2_belongs_to_the_header() {
    let mut header = encode(IpAddr::from([192, 0, 2, 7]));
    header[15] = 12 + 7;
    assert_eq!(found(&header), (16 + 19, Some("192.0.2.7:0".into())));
}

#[test]
fn broken_headers_are_told() {
    let header = encode(IpAddr::from([192, 0, 2, 7]));
    let with = |at: usize, byte: u8| {
        let mut copy = header.clone();
        copy[at] = byte;
        copy
    };
    for broken in [with(12, 0x11), with(12, 0x25), with(13, 0x51), with(15, 11)] {
        assert!(parse(&broken).is_err(), "{broken:x?}");
    }
    for line in [
        &b"PROXY TCP4 192.0.2.7 198.51.100.1 56324\r\n"[..],
        b"PROXY TCP4 ::1 198.51.100.1 5 6\r\n",
        b"PROXY TCP4 192.0.2.7 198.51.100.1 5 66666\r\n",
        b"PROXY TCP4 192.0.2.7 198.51.100.1 5 6 7\r\n",
        b"PROXY UDP4 192.0.2.7 198.51.100.1 5 6\r\n",
        &[b"PROXY ".as_slice(), &[b'x'; 120]].concat(),
    ] {
        assert!(parse(line).is_err(), "{line:?}");
    }
}

#[test]
fn a_handshake_response_is_no_header() {
    assert_eq!(parse(&[0x20, 0, 0, 1, 0x85]), Ok(Start::Absent));
    assert_eq!(parse(b"PRO"), Ok(Start::Incomplete));
    assert_eq!(parse(b"PROX "), Ok(Start::Absent));
}

proptest! {
    #[test]
    fn a_written_header_is_read_back_however_it_is_cut(ip: IpAddr, cut in 0_usize..52) {
        let header = encode(ip);
        let cut = cut.min(header.len() - 1);
        prop_assert_eq!(parse(&header[..cut]), Ok(Start::Incomplete));
        let source = Some(SocketAddr::new(ip, 0));
        prop_assert_eq!(parse(&header), Ok(Start::Header { len: header.len(), source }));
    }

    #[test]
    fn no_bytes_make_it_panic(signed: bool, mut bytes: Vec<u8>) {
        if signed {
            bytes.splice(..0, SIGNATURE_2.iter().copied());
        }
        let _ = parse(&bytes);
        bytes.splice(..0, SIGNATURE_1.iter().copied());
        let _ = parse(&bytes);
    }
}
