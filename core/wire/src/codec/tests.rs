//! Integers and strings, there and back.

use proptest::prelude::*;

use super::*;

#[test]
fn length_encoded_integers_take_their_documented_forms() {
    let cases: [(u64, &[u8]); 7] = [
        (0, &[0]),
        (0xfa, &[0xfa]),
        (0xfb, &[0xfc, 0xfb, 0]),
        (0xffff, &[0xfc, 0xff, 0xff]),
        (0x1_0000, &[0xfd, 0, 0, 1]),
        (0xff_ffff, &[0xfd, 0xff, 0xff, 0xff]),
        (0x100_0000, &[0xfe, 0, 0, 0, 1, 0, 0, 0, 0]),
    ];
    for (value, bytes) in cases {
        let mut out = Vec::new();
        put_lenenc(&mut out, value);
        assert_eq!(out, bytes, "{value:#x}");
        assert_eq!(Reader::new(bytes).lenenc(), Ok(value));
    }
}

#[test]
fn null_is_no_length_and_ff_is_nothing() {
    assert_eq!(Reader::new(&[0xfb]).lenenc_or_null(), Ok(None));
    assert_eq!(Reader::new(&[0xfb]).lenenc(), Err(Malformed::BadLength));
    assert_eq!(
        Reader::new(&[0xff]).lenenc_or_null(),
        Err(Malformed::BadLength)
    );
}

#[test]
fn a_length_beyond_the_packet_is_truncated_not_a_panic() {
    let bytes = [0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1];
    assert_eq!(
        Reader::new(&bytes).lenenc_bytes(),
        Err(Malformed::Truncated)
    );
}

#[test]
fn a_nul_inside_a_name_cannot_shift_the_fields_after_it() {
    let mut out = Vec::new();
    put_nul_bytes(&mut out, b"ab\0cd");
    assert_eq!(out, b"ab\0");
}

proptest! {
    #[test]
    fn any_integer_survives_a_round_trip(value: u64, tail: Vec<u8>) {
        let mut out = Vec::new();
        put_lenenc(&mut out, value);
        out.extend_from_slice(&tail);
        let mut reader = Reader::new(&out);
        prop_assert_eq!(reader.lenenc(), Ok(value));
        prop_assert_eq!(reader.rest(), tail);
    }

    #[test]
    fn any_string_survives_a_round_trip(bytes: Vec<u8>) {
        let mut out = Vec::new();
        put_lenenc_bytes(&mut out, &bytes);
        prop_assert_eq!(Reader::new(&out).lenenc_bytes(), Ok(&bytes[..]));
    }
}
