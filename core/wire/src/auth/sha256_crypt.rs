//! SHA256-crypt, in which MySQL stores `caching_sha2_password` hashes.
//!
//! Source: Ulrich Drepper, "Unix crypt using SHA-256 and SHA-512", version 0.4. MySQL uses it with
//! 20-byte salts of any bytes, and writes the rounds in thousands, in hexadecimal.

use sha2::{Digest, Sha256};

use super::same;

const SALT_LEN: usize = 20;
const DIGEST_LEN: usize = 43;
const ALPHABET: &[u8; 64] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Whether `password` has this stored hash, as `$A$005$` + salt + digest.
pub(super) fn verify(password: &[u8], stored: &[u8]) -> bool {
    let Some((rounds, salt, digest)) = split(stored) else {
        return false;
    };
    same(&crypt(password, salt, rounds), digest)
}

/// What is stored of a password with this salt.
pub(super) fn stored(password: &[u8], salt: &[u8]) -> Option<Vec<u8>> {
    let digest = || crypt(password, salt, 5_000);
    (salt.len() == SALT_LEN).then(|| [b"$A$005$", salt, &digest()].concat())
}

pub(super) fn is_stored(stored: &[u8]) -> bool {
    split(stored).is_some()
}

fn split(stored: &[u8]) -> Option<(u32, &[u8], &[u8])> {
    let rest = stored.strip_prefix(b"$A$")?;
    let (thousands, rest) = rest.split_at_checked(3)?;
    let thousands = u32::from_str_radix(std::str::from_utf8(thousands).ok()?, 16).ok()?;
    let rest = rest.strip_prefix(b"$")?;
    if rest.len() != SALT_LEN + DIGEST_LEN || thousands == 0 {
        return None;
    }
    let (salt, digest) = rest.split_at(SALT_LEN);
    Some((thousands * 1000, salt, digest))
}

fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
    }
    hash.finalize().into()
}

/// Updates with `block` repeated to a length of `len` bytes.
fn update_cycled(hash: &mut Sha256, block: &[u8; 32], len: usize) {
    for _ in 0..len / 32 {
        hash.update(block);
    }
    hash.update(&block[..len % 32]);
}

fn cycled(block: &[u8; 32], len: usize) -> Vec<u8> {
    block.iter().copied().cycle().take(len).collect()
}

fn crypt(password: &[u8], salt: &[u8], rounds: u32) -> Vec<u8> {
    let alternate = sha256(&[password, salt, password]);
    let mut first = Sha256::new();
    first.update(password);
    first.update(salt);
    update_cycled(&mut first, &alternate, password.len());
    let mut bits = password.len();
    while bits > 0 {
        first.update(if bits & 1 == 1 {
            &alternate[..]
        } else {
            password
        });
        bits >>= 1;
    }
    let mut sum: [u8; 32] = first.finalize().into();

    let mut repeated = Sha256::new();
    for _ in 0..password.len() {
        repeated.update(password);
    }
    let password_bytes = cycled(&repeated.finalize().into(), password.len());
    let mut repeated = Sha256::new();
    for _ in 0..16 + usize::from(sum[0]) {
        repeated.update(salt);
    }
    let salt_bytes = cycled(&repeated.finalize().into(), salt.len());

    for round in 0..rounds {
        let mut next = Sha256::new();
        let odd = round % 2 == 1;
        next.update(if odd { password_bytes.as_slice() } else { &sum });
        if round % 3 != 0 {
            next.update(&salt_bytes);
        }
        if round % 7 != 0 {
            next.update(&password_bytes);
        }
        next.update(if odd { sum.as_slice() } else { &password_bytes });
        sum = next.finalize().into();
    }
    encode(&sum)
}

fn encode(sum: &[u8; 32]) -> Vec<u8> {
    let mut out = Vec::with_capacity(DIGEST_LEN);
    let mut put = |bits: u32, count: usize| {
        for index in 0..count {
            out.push(ALPHABET[(bits >> (6 * index) & 0x3f) as usize]);
        }
    };
    // Bytes are taken in threes, ten apart, each triple rotated by one against the one before.
    let (mut x, mut y, mut z) = (0, 10, 20);
    for _ in 0..10 {
        let bits = u32::from(sum[x]) << 16 | u32::from(sum[y]) << 8 | u32::from(sum[z]);
        put(bits, 4);
        (x, y, z) = (z + 1, x + 1, y + 1);
    }
    put(u32::from(sum[31]) << 8 | u32::from(sum[30]), 3);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_the_specification_come_out() {
        let digest = crypt(b"Hello world!", b"saltstring", 5000);
        assert_eq!(digest, b"5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5");
        let digest = crypt(b"Hello world!", b"saltstringsaltst", 10_000);
        assert_eq!(digest, b"3xv.VbSHBb41AL9AvLeujZkZRBAwqFMz2.opqey6IcA");
    }
}
