//! Frames in one piece, in many, and of 16 MiB.

use proptest::prelude::*;

use super::*;

#[test]
fn an_empty_payload_is_one_packet() {
    let mut out = Vec::new();
    assert_eq!(put_packet(&mut out, 255, b""), 0);
    assert_eq!(out, [0, 0, 0, 255]);
}

#[test]
fn a_payload_of_exactly_sixteen_mebibytes_less_one_ends_with_an_empty_packet() {
    let mut out = Vec::new();
    assert_eq!(put_packet(&mut out, 0, &vec![7; MAX_PAYLOAD]), 2);
    let mut packets = PacketReader::new(&out);
    let first = packets.next().expect("the full packet");
    assert!(first.header.continues());
    let second = packets.next().expect("the empty packet");
    assert_eq!((second.header.len, second.header.sequence), (0, 1));
    assert!(!second.header.continues());
    assert_eq!(packets.consumed(), out.len());
}

#[test]
fn a_partial_packet_is_left_alone() {
    let bytes = [1, 0, 0, 0, 9, 3, 0, 0, 1, 8];
    let mut packets = PacketReader::new(&bytes);
    assert_eq!(packets.next().expect("a whole packet").payload, [9]);
    assert_eq!(
        packets.peek_header(),
        Some(PacketHeader {
            len: 3,
            sequence: 1
        })
    );
    assert_eq!(packets.next(), None);
    assert_eq!(packets.rest(), [3, 0, 0, 1, 8]);
}

proptest! {
    #[test]
    fn what_is_put_is_found(payloads: Vec<Vec<u8>>) {
        let mut out = Vec::new();
        let mut sequence = 0;
        for payload in &payloads {
            sequence = build_packet(&mut out, sequence, |out| out.extend_from_slice(payload));
        }
        let found: Vec<_> = PacketReader::new(&out).map(|packet| packet.payload).collect();
        prop_assert_eq!(found, payloads);
    }

    #[test]
    fn scanning_any_bytes_never_panics(bytes: Vec<u8>) {
        let mut packets = PacketReader::new(&bytes);
        while packets.next().is_some() {}
        prop_assert!(packets.consumed() <= bytes.len());
    }
}
