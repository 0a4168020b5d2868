//! `client_ed25519` of `MariaDB`: the client signs random bytes of the server.
//!
//! It is Ed25519 (RFC 8032 §5.1) except for the secret key, which is the password itself: what is
//! hashed to the scalar and the prefix is not 32 bytes but the password, whatever its length.

use curve25519_dalek::EdwardsPoint;
use curve25519_dalek::scalar::{Scalar, clamp_integer};
use sha2::{Digest, Sha512};

use super::same;

/// How many random bytes the server sends.
pub const NONCE_LEN: usize = 32;

fn sha512(parts: &[&[u8]]) -> [u8; 64] {
    let mut hash = Sha512::new();
    for part in parts {
        hash.update(part);
    }
    hash.finalize().into()
}

struct Key {
    scalar: Scalar,
    prefix: [u8; 32],
    public: [u8; 32],
}

fn key(password: &[u8]) -> Key {
    let expanded = sha512(&[password]);
    let (low, high) = expanded.split_at(32);
    let low: [u8; 32] = low.try_into().expect("half of 64 bytes");
    let scalar = Scalar::from_bytes_mod_order(clamp_integer(low));
    Key {
        scalar,
        prefix: high.try_into().expect("half of 64 bytes"),
        public: EdwardsPoint::mul_base(&scalar).compress().to_bytes(),
    }
}

/// What a client sends for this password.
pub fn sign(password: &[u8], nonce: &[u8]) -> [u8; 64] {
    let Key {
        scalar,
        prefix,
        public,
    } = key(password);
    let secret = Scalar::from_bytes_mod_order_wide(&sha512(&[&prefix, nonce]));
    let commitment = EdwardsPoint::mul_base(&secret).compress().to_bytes();
    let challenge = Scalar::from_bytes_mod_order_wide(&sha512(&[&commitment, &public, nonce]));
    let mut signature = [0; 64];
    signature[..32].copy_from_slice(&commitment);
    signature[32..].copy_from_slice((challenge * scalar + secret).as_bytes());
    signature
}

/// Whether a client's response proves the password. Signatures are deterministic, so the one that
/// is due can be compared.
pub fn verify(response: &[u8], nonce: &[u8], password: &[u8]) -> bool {
    same(response, &sign(password, nonce))
}

/// What a server stores for this password: `authentication_string` is its Base64 without padding.
pub fn public_key(password: &[u8]) -> [u8; 32] {
    key(password).public
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_public_key_is_the_one_that_the_manual_of_mariadb_shows() {
        // `CREATE USER ... IDENTIFIED VIA ed25519 USING 'ZIgU...'` for the password `secret`.
        let shown = b"ZIgUREUg5PVgQ6LskhXmO+eZLS0nC8be6HPjYWR4YJY";
        let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let mut bits = 0_u32;
        let (mut count, mut bytes) = (0, Vec::new());
        for digit in shown {
            let value = alphabet.iter().position(|one| one == digit);
            bits = bits << 6 | value.expect("a digit") as u32;
            count += 6;
            if count >= 8 {
                count -= 8;
                bytes.push((bits >> count) as u8);
            }
        }
        assert_eq!(public_key(b"secret")[..], bytes[..]);
    }

    #[test]
    fn a_signature_proves_its_password_and_nonce_only() {
        let nonce = [7; NONCE_LEN];
        let signature = sign(b"secret", &nonce);
        assert!(verify(&signature, &nonce, b"secret"));
        assert!(!verify(&signature, &nonce, b"Secret"));
        assert!(!verify(&signature, &[8; NONCE_LEN], b"secret"));
        assert!(!verify(&signature[..63], &nonce, b"secret"));
        assert!(!verify(b"", &nonce, b""));
    }
}
