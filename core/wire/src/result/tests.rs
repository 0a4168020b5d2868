//! Definitions and rows, text and binary.

use proptest::prelude::*;

use super::*;
use crate::statement::{Param, parse_binary_row, put_execute};

fn column(column_type: u8, flags: u16, decimals: u8) -> ColumnDefinition {
    ColumnDefinition {
        column_type,
        flags,
        decimals,
        ..ColumnDefinition::text("c")
    }
}

#[test]
fn a_definition_survives_a_round_trip() {
    let column = ColumnDefinition {
        schema: "shop".to_owned(),
        table: "o".to_owned(),
        org_table: "orders".to_owned(),
        org_name: "id".to_owned(),
        flags: UNSIGNED_FLAG,
        ..ColumnDefinition::text("größe")
    };
    let mut payload = Vec::new();
    column.encode(&mut payload);
    assert_eq!(ColumnDefinition::parse(&payload), Ok(column));
}

#[test]
fn a_row_with_fewer_or_more_fields_than_columns_is_an_error() {
    let payload = [1, b'a', 0xfb];
    assert_eq!(parse_text_row(&payload, 2), Ok(vec![Some(&b"a"[..]), None]));
    assert!(parse_text_row(&payload, 1).is_err());
    assert!(parse_text_row(&payload, 3).is_err());
}

#[test]
fn a_binary_row_reads_as_the_text_protocol_shows_it() {
    let columns = [
        column(column_type::TINY, 0, 0),
        column(column_type::LONGLONG, UNSIGNED_FLAG, 0),
        column(column_type::VAR_STRING, 0, 0),
        column(column_type::VAR_STRING, 0, 0),
        column(column_type::DATETIME, 0, 3),
        column(column_type::TIME, 0, 0),
        column(column_type::DATE, 0, 0),
        column(column_type::DOUBLE, 0, 31),
    ];
    let mut payload = vec![0, 0b0010_0000, 0, 0xff];
    payload.extend_from_slice(&[0xff; 8]);
    payload.extend_from_slice(b"\x02hi");
    payload.extend_from_slice(&[11, 0xe8, 7, 1, 2, 3, 4, 5]);
    payload.extend_from_slice(&678_000_u32.to_le_bytes());
    payload.extend_from_slice(&[8, 1, 1, 0, 0, 0, 1, 1, 2]);
    payload.push(0);
    payload.extend_from_slice(&1.5_f64.to_le_bytes());
    let row = parse_binary_row(&payload, &columns).expect("a row");
    let row: Vec<_> = row
        .into_iter()
        .map(|field| field.map(|text| String::from_utf8(text).unwrap()))
        .collect();
    let text = |text: &str| Some(text.to_owned());
    let expected = [
        text("-1"),
        text("18446744073709551615"),
        text("hi"),
        None,
        text("2024-01-02 03:04:05.678"),
        text("-25:01:02"),
        text("0000-00-00"),
        text("1.5"),
    ];
    assert_eq!(row, expected);
}

#[test]
fn an_execute_carries_nulls_types_and_values_apart() {
    let mut payload = Vec::new();
    put_execute(
        &mut payload,
        7,
        &[Param::Null, Param::Int(-1), Param::Bytes(b"x")],
    );
    let mut expected = vec![
        0x17, 7, 0, 0, 0, 0, 1, 0, 0, 0, 0b001, 1, 6, 0, 8, 0, 0xfd, 0,
    ];
    expected.extend_from_slice(&[0xff; 8]);
    expected.extend_from_slice(b"\x01x");
    assert_eq!(payload, expected);
}

proptest! {
    #[test]
    fn any_text_row_survives_a_round_trip(row: Vec<Option<Vec<u8>>>) {
        let mut payload = Vec::new();
        put_text_row(&mut payload, row.iter().map(Option::as_deref));
        let expected: Vec<_> = row.iter().map(Option::as_deref).collect();
        prop_assert_eq!(parse_text_row(&payload, row.len()), Ok(expected));
    }

    #[test]
    fn reading_any_bytes_never_panics(payload: Vec<u8>, column_type: u8) {
        let _ = ColumnDefinition::parse(&payload);
        let _ = parse_text_row(&payload, 3);
        let _ = parse_binary_row(&payload, &[column(column_type, 0, 6), column(10, 0, 0)]);
    }
}
