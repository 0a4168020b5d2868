//! Authentication plugins, both sides: what a client sends to prove a password, and how a server
//! checks it. Packets around them: [`AuthSwitchRequest`] and [`AuthMoreData`].
//!
//! Sources: "Authentication Methods", "Native Authentication", "`Caching_sha2_password`
//! information" (MySQL internals); "Authentication Plugin - ed25519" (`MariaDB`).

pub mod caching_sha2;
pub mod ed25519;
pub mod native;
mod packets;
pub mod rsa_exchange;
mod sha256_crypt;
#[cfg(test)]
mod tests;

pub use packets::{AuthMoreData, AuthSwitchRequest, Plugin};
pub use rsa_exchange::{RsaError, ServerKey};

/// Compares without telling by its time how much was equal.
pub fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |diff, (x, y)| diff | (x ^ y)) == 0
}

pub(crate) fn xor<const N: usize>(a: [u8; N], b: [u8; N]) -> [u8; N] {
    std::array::from_fn(|index| a[index] ^ b[index])
}
