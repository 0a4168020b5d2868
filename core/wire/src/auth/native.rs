//! `mysql_native_password`: SHA1 of the password, mixed with a salt.
//!
//! The client sends `SHA1(password) XOR SHA1(salt + SHA1(SHA1(password)))`; the server keeps
//! `SHA1(SHA1(password))`, shown as `*` and 40 hexadecimal digits.

use sha1::{Digest, Sha1};

use super::{same, xor};
use crate::handshake::Salt;

/// `SHA1(SHA1(password))`: what a server stores.
pub type StoredHash = [u8; 20];

fn sha1(parts: &[&[u8]]) -> [u8; 20] {
    let mut hash = Sha1::new();
    for part in parts {
        hash.update(part);
    }
    hash.finalize().into()
}

/// What a client sends for this password. Empty for an empty password.
pub fn scramble(password: &[u8], salt: &Salt) -> Vec<u8> {
    if password.is_empty() {
        return Vec::new();
    }
    let stage1 = sha1(&[password]);
    let stage2 = sha1(&[&stage1]);
    xor(stage1, sha1(&[salt, &stage2])).to_vec()
}

/// What a server stores for this password.
pub fn stored_hash(password: &[u8]) -> StoredHash {
    sha1(&[&sha1(&[password])])
}

/// Reads `*` and 40 hexadecimal digits, as `mysql.user` shows a hash.
pub fn parse_stored_hash(text: &str) -> Option<StoredHash> {
    let digits = text.strip_prefix('*')?.as_bytes();
    if digits.len() != 40 {
        return None;
    }
    let mut hash = [0; 20];
    for (byte, pair) in hash.iter_mut().zip(digits.chunks_exact(2)) {
        let high = char::from(pair[0]).to_digit(16)?;
        let low = char::from(pair[1]).to_digit(16)?;
        *byte = (high * 16 + low) as u8;
    }
    Some(hash)
}

/// Whether a client's response proves the clear password.
pub fn verify(response: &[u8], salt: &Salt, password: &[u8]) -> bool {
    same(response, &scramble(password, salt))
}

/// Whether a client's response proves the password of a stored hash. On success gives
/// `SHA1(password)`, with which one can log in to servers that have the same hash.
pub fn verify_stored(response: &[u8], salt: &Salt, stored: &StoredHash) -> Option<[u8; 20]> {
    let response: [u8; 20] = response.try_into().ok()?;
    let stage1 = xor(response, sha1(&[salt, stored]));
    same(&sha1(&[&stage1]), stored).then_some(stage1)
}

/// What a client sends if it knows `SHA1(password)` only.
pub fn scramble_stage1(stage1: [u8; 20], salt: &Salt) -> Vec<u8> {
    xor(stage1, sha1(&[salt, &sha1(&[&stage1])])).to_vec()
}
