//! `caching_sha2_password`: a fast path by SHA-256 scramble for users in the server's cache, and a
//! full path in which the clear password goes to the server over TLS or encrypted with its RSA key.
//!
//! Fast: the client sends `SHA256(password) XOR SHA256(SHA256(SHA256(password)) + salt)`; the
//! server's cache keeps `SHA256(SHA256(password))`.

use sha2::{Digest, Sha256};

use super::{same, sha256_crypt, xor};
use crate::handshake::Salt;

/// In [`AuthMoreData`](super::AuthMoreData): the fast path succeeded; OK follows.
pub const FAST_AUTH_OK: u8 = 3;
/// In [`AuthMoreData`](super::AuthMoreData): the client must send the password itself.
pub const FULL_AUTH_REQUIRED: u8 = 4;
/// A client's request for the server's public key: the whole payload.
pub const PUBLIC_KEY_REQUEST: u8 = 2;

/// `SHA256(SHA256(password))`: what a server caches after a full authentication.
pub type CachedHash = [u8; 32];

fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
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
    let stage1 = sha256(&[password]);
    let cached = sha256(&[&stage1]);
    xor(stage1, sha256(&[&cached, salt])).to_vec()
}

/// What a server caches for this password.
pub fn cached_hash(password: &[u8]) -> CachedHash {
    sha256(&[&sha256(&[password])])
}

/// Whether a client's fast response proves the clear password. For an empty password clients send
/// nothing, or one NUL.
pub fn verify(response: &[u8], salt: &Salt, password: &[u8]) -> bool {
    let response = if response == [0] { &[] } else { response };
    same(response, &scramble(password, salt))
}

/// Whether a client's fast response proves the password of a cached hash.
pub fn verify_cached(response: &[u8], salt: &Salt, cached: &CachedHash) -> bool {
    let Ok(response) = <[u8; 32]>::try_from(response) else {
        return false;
    };
    let stage1 = xor(response, sha256(&[cached, salt]));
    same(&sha256(&[&stage1]), cached)
}

/// Whether the clear password of a full authentication has the stored hash: `$A$`, three
/// hexadecimal digits of rounds in thousands, `$`, 20 bytes of salt, 43 characters of digest.
pub fn verify_stored(password: &[u8], stored: &[u8]) -> bool {
    sha256_crypt::verify(password, stored)
}

/// The stored hash of a password, with 5000 rounds as servers have it; `None` unless the salt has
/// 20 bytes of text.
pub fn stored_hash(password: &[u8], salt: &[u8]) -> Option<String> {
    String::from_utf8(sha256_crypt::stored(password, salt)?).ok()
}

/// Whether this is a stored hash at all.
pub fn is_stored_hash(stored: &[u8]) -> bool {
    sha256_crypt::is_stored(stored)
}

/// The clear password as the full path sends it inside TLS: with a closing NUL.
pub fn clear_password(password: &[u8]) -> Vec<u8> {
    let mut out = password.to_vec();
    out.push(0);
    out
}

/// Whether what [`clear_password`] made is this password.
pub fn verify_clear(payload: &[u8], password: &[u8]) -> bool {
    parse_clear_password(payload).is_some_and(|sent| same(sent, password))
}

/// The password in what [`clear_password`] made; `None` for anything else. Some clients send it
/// without being asked for it in the clear, so a server may get it outside TLS too.
pub fn parse_clear_password(payload: &[u8]) -> Option<&[u8]> {
    payload
        .strip_suffix(&[0])
        .filter(|password| !password.contains(&0))
}
