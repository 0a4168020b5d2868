//! Known answers (computed with another implementation, or stored by real servers), and both sides
//! against each other.

use proptest::prelude::*;

use super::*;
use crate::handshake::Salt;

const SALT: Salt = [
    1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20,
];
const PASSWORD: &[u8] = b"s3cret";

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut out, byte| {
        write!(out, "{byte:02x}").unwrap();
        out
    })
}

#[test]
fn native_scramble_of_a_known_password() {
    let response = native::scramble(PASSWORD, &SALT);
    assert_eq!(hex(&response), "f66fdd3ff855d9349a0ddb50c4a1a535fb412465");
    assert!(native::verify(&response, &SALT, PASSWORD));
    assert!(!native::verify(&response, &SALT, b"other"));
}

#[test]
fn native_hash_as_mariadb_shows_it() {
    let stored = native::parse_stored_hash("*B865CAE8F340F6CE1485A06F4492BB49718DF1EC");
    assert_eq!(stored, Some(native::stored_hash(PASSWORD)));
    assert_eq!(native::parse_stored_hash("*B865"), None);
    assert_eq!(
        native::parse_stored_hash(&format!("*{}", "é".repeat(20))),
        None
    );
}

#[test]
fn a_native_login_yields_what_logs_in_elsewhere() {
    let response = native::scramble(PASSWORD, &SALT);
    let stored = native::stored_hash(PASSWORD);
    let stage1 = native::verify_stored(&response, &SALT, &stored).expect("the right password");
    let elsewhere = [9; 20];
    let passed_on = native::scramble_stage1(stage1, &elsewhere);
    assert!(native::verify(&passed_on, &elsewhere, PASSWORD));
    assert_eq!(native::verify_stored(&[0; 20], &SALT, &stored), None);
    assert_eq!(native::verify_stored(&[], &SALT, &stored), None);
}

#[test]
fn caching_sha2_scramble_of_a_known_password() {
    let response = caching_sha2::scramble(PASSWORD, &SALT);
    assert_eq!(
        hex(&response),
        "3f3a9a7786fd9be9a006eed686b4e6b7\
        6484fdc06dc15685df5f8793574b84fc"
    );
    assert!(caching_sha2::verify(&response, &SALT, PASSWORD));
    let cached = caching_sha2::cached_hash(PASSWORD);
    assert!(caching_sha2::verify_cached(&response, &SALT, &cached));
    assert!(!caching_sha2::verify_cached(&response, &[0; 20], &cached));
}

#[test]
fn an_empty_password_is_nothing_or_one_nul() {
    assert!(caching_sha2::verify(&[], &SALT, b""));
    assert!(caching_sha2::verify(&[0], &SALT, b""));
    assert!(!caching_sha2::verify(&[], &SALT, PASSWORD));
    assert!(!caching_sha2::verify_cached(
        &[],
        &SALT,
        &caching_sha2::cached_hash(b"")
    ));
    assert!(native::verify(&[], &SALT, b""));
    assert!(!native::verify(&[], &SALT, PASSWORD));
}

#[test]
fn a_clear_password_ends_with_its_only_nul() {
    let payload = caching_sha2::clear_password(PASSWORD);
    assert_eq!(caching_sha2::parse_clear_password(&payload), Some(PASSWORD));
    assert_eq!(caching_sha2::parse_clear_password(b"no NUL"), None);
    assert_eq!(caching_sha2::parse_clear_password(b"a\0b\0"), None);
}

#[test]
fn a_password_is_checked_against_the_hash_that_mysql_9_7_stored() {
    let stored = b"$A$00A$%{\x11vbA\x18\x1eA\x0d\x04\x0byQ1\x19l'fmbc\
        hYcZTUEYMZwl6QyXhWxzBYUvgF2/KNNsiC3hqJu32";
    assert!(caching_sha2::verify_stored(PASSWORD, stored));
    assert!(!caching_sha2::verify_stored(b"s3creT", stored));
    assert!(caching_sha2::is_stored_hash(stored));
    assert!(!caching_sha2::is_stored_hash(&stored[1..]));
    assert!(!caching_sha2::verify_stored(PASSWORD, b""));
    assert!(!caching_sha2::verify_stored(PASSWORD, b"$A$0"));
}

#[test]
fn an_encrypted_password_comes_back_by_the_private_key_only() {
    let key = ServerKey::generate([1; 32]).expect("a key");
    let other = ServerKey::generate([2; 32]).expect("a key");
    let pem = key.public_pem();
    assert!(pem.starts_with(b"-----BEGIN PUBLIC KEY-----\n"));
    let secret = rsa_exchange::encrypt_password(PASSWORD, &SALT, pem, [3; 32]).expect("encrypted");
    assert_eq!(secret.len(), 256);
    assert_eq!(
        key.decrypt_password(&secret, &SALT, [4; 32]).as_deref(),
        Ok(PASSWORD)
    );
    assert_eq!(
        other.decrypt_password(&secret, &SALT, [4; 32]),
        Err(RsaError::BadCiphertext)
    );
    assert_eq!(
        key.decrypt_password(b"?", &SALT, [4; 32]),
        Err(RsaError::BadCiphertext)
    );
    let long = [b'x'; 300];
    let refused = rsa_exchange::encrypt_password(&long, &SALT, pem, [3; 32]);
    assert_eq!(refused, Err(RsaError::TooLong));
    let refused = rsa_exchange::encrypt_password(PASSWORD, &SALT, b"no key", [3; 32]);
    assert_eq!(refused, Err(RsaError::BadKey));
    assert_eq!(format!("{key:?}"), "ServerKey");
}

#[test]
fn the_plain_switch_of_servers_before_5_5_is_refused() {
    assert_eq!(
        AuthSwitchRequest::parse(&[0xfe]),
        Err(crate::Malformed::OldProtocol)
    );
}

proptest! {
    #[test]
    fn a_switch_survives_a_round_trip(
        plugin in "[a-z_0-9]{1,40}",
        nonce in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        prop_assume!(nonce.len() != 21);
        let request = AuthSwitchRequest { plugin, nonce };
        let mut payload = Vec::new();
        request.encode(&mut payload);
        prop_assert_eq!(AuthSwitchRequest::parse(&payload), Ok(request));
    }

    #[test]
    fn every_password_verifies_itself_and_no_other(
        password in prop::collection::vec(any::<u8>(), 1..40),
        other in prop::collection::vec(any::<u8>(), 1..40),
        salt: [u8; 20],
    ) {
        let fast = caching_sha2::scramble(&password, &salt);
        let native = native::scramble(&password, &salt);
        let equal = password == other;
        prop_assert!(caching_sha2::verify(&fast, &salt, &password));
        prop_assert!(native::verify(&native, &salt, &password));
        prop_assert_eq!(caching_sha2::verify(&fast, &salt, &other), equal);
        prop_assert_eq!(native::verify(&native, &salt, &other), equal);
    }

    #[test]
    fn checking_any_stored_bytes_never_panics(stored: Vec<u8>) {
        caching_sha2::verify_stored(b"x", &stored);
    }
}
