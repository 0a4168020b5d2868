//! Status packets of real servers, and round trips.

use proptest::prelude::*;

use super::*;
use crate::ErrorCode;

#[test]
fn an_ok_packet_with_the_schema_change_of_use() {
    let payload = b"\x00\x00\x00\x02\x40\x00\x00\x00\x09\x01\x07\x06wire_t";
    let ok = OkPacket::parse(payload, Capabilities::SESSION_TRACK).expect("a real packet");
    assert_eq!(ok.changes, [SessionChange::Schema("wire_t".to_owned())]);
    assert!(ok.status.contains(StatusFlags::AUTOCOMMIT));
    let mut again = Vec::new();
    ok.encode(&mut again, Capabilities::SESSION_TRACK);
    assert_eq!(again, payload);
}

#[test]
fn last_gtid_of_mariadb_is_a_system_variable() {
    let payload = b"\x00\x01\x00\x02\x40\x00\x00\x00\x14\x00\x12\x09last_gtid\x070-1-345";
    let ok = OkPacket::parse(payload, Capabilities::SESSION_TRACK).expect("a packet");
    let (name, value) = ("last_gtid".to_owned(), "0-1-345".to_owned());
    assert_eq!(ok.changes, [SessionChange::SystemVariable { name, value }]);
}

#[test]
fn a_change_of_some_state_has_no_inner_length() {
    let payload = b"\x00\x00\x00\x02\x40\x00\x00\x00\x03\x02\x01\x31";
    let ok = OkPacket::parse(payload, Capabilities::SESSION_TRACK).expect("a real packet");
    assert_eq!(ok.changes, [SessionChange::StateChanged(true)]);
}

#[test]
fn a_change_that_cannot_be_read_is_unknown_and_the_next_is_read() {
    let changes = parse_changes(b"\x01\x02\x09x\x02\x011").expect("two changes");
    let unknown = SessionChange::Unknown {
        kind: 1,
        data: b"\x09x".to_vec(),
    };
    assert_eq!(changes, [unknown, SessionChange::StateChanged(true)]);
}

#[test]
fn an_ok_packet_cut_in_its_changes_is_an_error() {
    let payload = b"\x00\x00\x00\x02\x40\x00\x00\x00\x09\x01\x07\x06wire";
    assert_eq!(
        OkPacket::parse(payload, Capabilities::SESSION_TRACK),
        Err(Malformed::Truncated)
    );
}

#[test]
fn an_error_before_the_handshake_has_no_sqlstate() {
    let error = ErrPacket::parse(b"\xff\x10\x04Too many connections").expect("an error");
    assert_eq!(
        error,
        ErrPacket::new(1040, *b"HY000", "Too many connections")
    );
}

#[test]
fn every_error_of_the_table_survives_a_round_trip() {
    for error in ErrorCode::ALL {
        let mut payload = Vec::new();
        error.packet().encode(&mut payload);
        assert_eq!(ErrPacket::parse(&payload), Ok(error.packet()));
    }
    assert_eq!(ErrorCode::ServerLost.packet().sqlstate_text(), "08S01");
}

fn changes() -> impl Strategy<Value = SessionChange> {
    prop_oneof![
        ("[a-z_]{1,20}", ".{0,30}")
            .prop_map(|(name, value)| SessionChange::SystemVariable { name, value }),
        ".{0,20}".prop_map(SessionChange::Schema),
        any::<bool>().prop_map(SessionChange::StateChanged),
        ".{0,80}".prop_map(SessionChange::Gtids),
        ".{0,40}".prop_map(SessionChange::TransactionCharacteristics),
        "[TrRwWsSL_]{8}".prop_map(SessionChange::TransactionState),
        (6..=255_u8, any::<Vec<u8>>())
            .prop_map(|(kind, data)| SessionChange::Unknown { kind, data }),
    ]
}

proptest! {
    #[test]
    fn any_ok_packet_survives_a_round_trip(
        affected_rows: u64,
        last_insert_id: u64,
        status: u16,
        warnings: u16,
        info: Vec<u8>,
        changes in prop::collection::vec(changes(), 0..6),
        tracked: bool,
    ) {
        let capabilities =
            if tracked { Capabilities::SESSION_TRACK } else { Capabilities::NONE };
        let changes = if tracked { changes } else { Vec::new() };
        let status = StatusFlags(status).without(StatusFlags::SESSION_STATE_CHANGED);
        let mut ok = OkPacket { affected_rows, last_insert_id, status, warnings, info, changes };
        let mut payload = Vec::new();
        ok.encode(&mut payload, capabilities);
        if !ok.changes.is_empty() {
            ok.status = ok.status.union(StatusFlags::SESSION_STATE_CHANGED);
        }
        prop_assert_eq!(OkPacket::parse(&payload, capabilities), Ok(ok));
    }

    #[test]
    fn reading_any_bytes_never_panics(payload: Vec<u8>) {
        let _ = OkPacket::parse(&payload, Capabilities::SESSION_TRACK);
        let _ = ErrPacket::parse(&payload);
        let _ = EofPacket::parse(&payload);
    }
}
