//! Frames: round trips, what is malformed, and the numbers of packets inside.

use proptest::prelude::*;

use super::*;
use crate::packet::put_packet;

fn packet(sequence: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    put_packet(&mut bytes, sequence, payload);
    bytes
}

#[test]
fn a_header_is_read_as_it_is_written() {
    let header = FrameHeader {
        len: 0x01_02_03,
        sequence: 9,
        unpacked_len: 0x0a_0b_0c,
    };
    let bytes = header.encode();
    assert_eq!(bytes, [3, 2, 1, 9, 0x0c, 0x0b, 0x0a]);
    assert_eq!(FrameHeader::parse(&bytes), Some(header));
    assert_eq!(FrameHeader::parse(&bytes[..6]), None);
}

#[test]
fn each_command_begins_with_frame_0_and_the_reply_goes_on() {
    let mut client = Numbering::new(End::Client);
    let mut server = Numbering::new(End::Server);
    for _ in 0..3 {
        assert_eq!(client.sent(&packet(0, b"SELECT 1")), 12);
        assert_eq!(client.next_frame(), 0);
        assert_eq!(server.received_frame(0), Ok(()));
        server.received(&mut packet(0, b"SELECT 1"));
        for frame in 1..4 {
            server.sent(&packet(frame, b"row"));
            assert_eq!(server.next_frame(), frame);
            assert_eq!(client.received_frame(frame), Ok(()));
        }
    }
}

#[test]
fn a_second_command_in_the_same_bytes_gets_a_frame_of_its_own() {
    let mut client = Numbering::new(End::Client);
    let bytes = [packet(0, b"one"), packet(0, b"two")].concat();
    assert_eq!(client.sent(&bytes), 7);
    assert_eq!(client.next_frame(), 0);
    assert_eq!(client.sent(&bytes[7..]), 7);
    assert_eq!(client.next_frame(), 0);
}

#[test]
fn the_packet_after_number_255_is_no_new_command() {
    let mut client = Numbering::new(End::Client);
    for sequence in 0..=255 {
        client.sent(&packet(sequence, b"x"));
        assert_eq!(client.next_frame(), sequence);
    }
    client.sent(&packet(0, b"x"));
    assert_eq!(client.next_frame(), 0);
    client.sent(&packet(1, b"x"));
    assert_eq!(client.next_frame(), 1);
}

#[test]
fn packets_numbered_by_their_frames_get_the_numbers_that_are_due() {
    let mut client = Numbering::new(End::Client);
    client.sent(&packet(0, &[0; 100]));
    // The command took three frames, so the server begins its reply with 3.
    for frame in 0..3 {
        assert_eq!(client.next_frame(), frame);
    }
    client.received_frame(3).expect("it is due");
    let mut reply = [packet(3, b"a"), packet(4, b"b"), packet(9, b"c")].concat();
    let (one, rest) = reply.split_at_mut(2);
    client.received(one);
    client.received(rest);
    let expected = [packet(1, b"a"), packet(2, b"b"), packet(3, b"c")].concat();
    assert_eq!(reply, expected);
}

#[test]
fn a_frame_out_of_order_is_told() {
    let mut server = Numbering::new(End::Server);
    server.received_frame(0).expect("a command");
    assert!(server.received_frame(2).is_err());
    let mut client = Numbering::new(End::Client);
    client.sent(&packet(0, b"SELECT 1"));
    client.next_frame();
    let error = client.received_frame(0).expect_err("it is not due");
    assert_eq!(
        error.to_string(),
        "frame 0 of a compressed connection came where 1 was due"
    );
}

#[test]
fn the_parts_of_a_long_command_are_one_command() {
    let mut server = Numbering::new(End::Server);
    server.received_frame(0).expect("a command");
    let mut part = packet(0, &[1; 50]);
    server.received(&mut part[..20]);
    assert!(server.received_frame(0).is_err());
    let mut server = Numbering::new(End::Server);
    server.received_frame(0).expect("a command");
    server.received(&mut part[..20]);
    server.received_frame(1).expect("its rest");
}

proptest! {
    #[test]
    fn numbers_do_not_depend_on_the_cut(
        lens in prop::collection::vec(0_usize..40, 1..8),
        cut in 0_usize..300,
    ) {
        let packets: Vec<u8> = lens.iter().flat_map(|&len| packet(7, &vec![0; len])).collect();
        let numbered = |cut: usize| {
            let mut client = Numbering::new(End::Client);
            client.sent(&packet(0, b"x"));
            let mut bytes = packets.clone();
            let (one, rest) = bytes.split_at_mut(cut.min(packets.len()));
            client.received(one);
            client.received(rest);
            bytes
        };
        prop_assert_eq!(numbered(cut), numbered(0));
    }
}
