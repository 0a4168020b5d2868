//! Greetings of real servers, and round trips.

use proptest::prelude::*;

use super::*;
use crate::{Capabilities, Malformed, StatusFlags};

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
        .collect()
}

const MARIADB_10_11: &str = "0a352e352e352d31302e31312e31392d4d6172696144422d302b64656231327531\
    2d6c6f67000f0000004e6d574d5d6c267300fef7080200ff81150000000000001d000000354c5e755277223f5674\
    647700\
    6d7973716c5f6e61746976655f70617373776f726400";

const MYSQL_9_7: &str = "0a392e372e342d320014000000265828145f2c760c00ffffff0200ffdf1500000000000000\
    00000069015a1b3d195d253717515c0063616368696e675f736861325f70617373776f726400";

#[test]
fn the_greeting_of_mariadb_10_11_is_read_with_its_extended_capabilities() {
    let payload = bytes(MARIADB_10_11);
    let greeting = Greeting::parse(&payload).expect("a real greeting");
    assert_eq!(
        greeting.server_version,
        "5.5.5-10.11.19-MariaDB-0+deb12u1-log"
    );
    assert_eq!(greeting.version(), "10.11.19-MariaDB-0+deb12u1-log");
    assert!(greeting.is_mariadb());
    assert_eq!(greeting.connection_id, 15);
    assert_eq!(
        greeting.capabilities,
        Capabilities::from_parts(0x81ff_f7fe, 0x1d)
    );
    assert_eq!(greeting.charset, 8);
    assert_eq!(greeting.status, StatusFlags::AUTOCOMMIT);
    assert_eq!(&greeting.salt, b"NmWM]l&s5L^uRw\"?Vtdw");
    assert_eq!(greeting.auth_plugin, "mysql_native_password");
    let mut again = Vec::new();
    greeting.encode(&mut again);
    assert_eq!(again, payload);
}

#[test]
fn the_greeting_of_mysql_9_7_is_read_without_extended_capabilities() {
    let payload = bytes(MYSQL_9_7);
    let greeting = Greeting::parse(&payload).expect("a real greeting");
    assert_eq!(greeting.version(), "9.7.4-2");
    assert!(!greeting.is_mariadb());
    assert_eq!(
        greeting.capabilities,
        Capabilities::from_parts(0xdfff_ffff, 0)
    );
    assert_eq!(greeting.auth_plugin, "caching_sha2_password");
    let mut again = Vec::new();
    greeting.encode(&mut again);
    assert_eq!(again, payload);
}

#[test]
fn a_greeting_cut_anywhere_is_an_error_not_a_panic() {
    let payload = bytes(MARIADB_10_11);
    // The plugin's name may lack its NUL, so only cuts before it are errors.
    for end in 0..payload.len() - "mysql_native_password\0".len() {
        assert!(Greeting::parse(&payload[..end]).is_err(), "cut at {end}");
    }
}

#[test]
fn a_client_before_4_1_is_refused_by_name() {
    assert_eq!(
        ClientHello::parse(&[0x05, 0x00, 0, 0, 0]),
        Err(Malformed::OldProtocol)
    );
}

#[test]
fn a_tls_request_is_told_from_a_response() {
    let mut payload = bytes("00aa0f80ffffff002d");
    payload[1] |= 0x0a;
    payload.resize(32, 0);
    let Ok(ClientHello::Ssl(request)) = ClientHello::parse(&payload) else {
        panic!("not a TLS request");
    };
    assert_eq!(
        (request.max_packet_size, request.charset),
        (0x00ff_ffff, 45)
    );
}

#[test]
fn debug_output_never_shows_authentication_data() {
    let response = HandshakeResponse {
        auth_response: b"hunter2".to_vec(),
        ..HandshakeResponse::default()
    };
    let shown = format!("{response:?}");
    assert!(
        !shown.contains("auth_response") && !shown.contains("104, 117"),
        "{shown}"
    );
}

prop_compose! {
    fn responses()(
        user in "[^\0]{0,40}",
        auth_response in prop::collection::vec(any::<u8>(), 0..600),
        database in prop::option::of("[^\0]{1,20}"),
        plugin in prop::option::of("[a-z_0-9]{1,30}"),
        attributes in prop::collection::vec(("[a-z_]{1,20}", ".{0,40}"), 0..8),
        extended in any::<u32>(),
        mysql in any::<bool>(),
    ) -> HandshakeResponse {
        let base = Capabilities::TRANSACTIONS.base() | u32::from(mysql);
        let extended = if mysql { 0 } else { extended };
        let mut response = HandshakeResponse {
            capabilities: Capabilities::from_parts(base, extended),
            max_packet_size: 1 << 24,
            charset: UTF8MB4_GENERAL_CI,
            user,
            auth_response,
            database,
            auth_plugin: plugin,
            attributes,
            zstd_level: 0,
        };
        response.capabilities = response.wire_capabilities();
        response
    }
}

proptest! {
    #[test]
    fn any_response_survives_a_round_trip(response in responses()) {
        let mut payload = Vec::new();
        response.encode(&mut payload);
        prop_assert_eq!(ClientHello::parse(&payload), Ok(ClientHello::Response(response)));
    }

    #[test]
    fn reading_any_bytes_never_panics(payload: Vec<u8>) {
        let _ = ClientHello::parse(&payload);
        let _ = Greeting::parse(&payload);
        let _ = crate::ChangeUser::parse(&payload, Capabilities(u64::MAX));
    }

    #[test]
    fn a_damaged_greeting_never_panics(at in 0..90_usize, value: u8) {
        let mut payload = bytes(MARIADB_10_11);
        payload[at] = value;
        let _ = Greeting::parse(&payload);
    }
}

#[test]
fn a_change_of_user_survives_a_round_trip() {
    let capabilities = Capabilities::PLUGIN_AUTH | Capabilities::CONNECT_ATTRS;
    let login = crate::ChangeUser {
        user: "app".to_owned(),
        auth_response: vec![1; 32],
        database: Some("shop".to_owned()),
        charset: 255,
        auth_plugin: Some("caching_sha2_password".to_owned()),
        attributes: vec![("program_name".to_owned(), "x".to_owned())],
    };
    let mut payload = Vec::new();
    login.encode(&mut payload, capabilities);
    assert_eq!(crate::ChangeUser::parse(&payload, capabilities), Ok(login));
}
