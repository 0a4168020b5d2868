//! The RSA exchange of `caching_sha2_password`'s full path without TLS: the password and its NUL,
//! mixed with the salt, encrypted with the server's public key by RSA-OAEP (SHA-1).
//!
//! Source: "`Caching_sha2_password` information" (MySQL internals); RFC 8017 §7.1.

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use rsa::pkcs8::{DecodePublicKey, EncodePublicKey, LineEnding};
use rsa::{Oaep, RsaPrivateKey, RsaPublicKey};
use sha1::Sha1;

use crate::handshake::Salt;

const KEY_BITS: usize = 2048;

/// Why the exchange failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RsaError {
    /// The server's key cannot be read.
    #[error("the server's public key is not a PEM-encoded RSA key")]
    BadKey,
    /// The password is too long for the key.
    #[error("the password is too long for the server's RSA key")]
    TooLong,
    /// The client's data is not a password encrypted with this key.
    #[error("the client's password cannot be decrypted with this server's key")]
    BadCiphertext,
    /// No key could be generated.
    #[error("an RSA key could not be generated")]
    Generate,
}

fn mix(data: &mut [u8], salt: &Salt) {
    for (byte, salt) in data.iter_mut().zip(salt.iter().cycle()) {
        *byte ^= salt;
    }
}

/// What a client sends after it has got the server's public key. `seed` must be fresh random
/// bytes: OAEP hides equal passwords only by them.
pub fn encrypt_password(
    password: &[u8],
    salt: &Salt,
    public_key_pem: &[u8],
    seed: [u8; 32],
) -> Result<Vec<u8>, RsaError> {
    let pem = std::str::from_utf8(public_key_pem).map_err(|_| RsaError::BadKey)?;
    let key = RsaPublicKey::from_public_key_pem(pem.trim()).map_err(|_| RsaError::BadKey)?;
    let mut clear = super::caching_sha2::clear_password(password);
    mix(&mut clear, salt);
    let mut rng = ChaCha20Rng::from_seed(seed);
    key.encrypt(&mut rng, Oaep::new::<Sha1>(), &clear)
        .map_err(|_| RsaError::TooLong)
}

/// A server's key pair: made at start, kept in memory only.
#[derive(Clone)]
pub struct ServerKey {
    private: RsaPrivateKey,
    public_pem: Vec<u8>,
}

impl ServerKey {
    /// Makes a 2048-bit key. Takes a fraction of a second; `seed` must be secret random bytes.
    pub fn generate(seed: [u8; 32]) -> Result<Self, RsaError> {
        let mut rng = ChaCha20Rng::from_seed(seed);
        let private = RsaPrivateKey::new(&mut rng, KEY_BITS).map_err(|_| RsaError::Generate)?;
        let public_pem = RsaPublicKey::from(&private)
            .to_public_key_pem(LineEnding::LF)
            .map_err(|_| RsaError::Generate)?
            .into_bytes();
        Ok(Self {
            private,
            public_pem,
        })
    }

    /// The public key in PEM: what answers a public key request, as `AuthMoreData`.
    pub fn public_pem(&self) -> &[u8] {
        &self.public_pem
    }

    /// The clear password of a client's encrypted one. `seed` blinds the computation against
    /// timing and must be fresh random bytes.
    pub fn decrypt_password(
        &self,
        ciphertext: &[u8],
        salt: &Salt,
        seed: [u8; 32],
    ) -> Result<Vec<u8>, RsaError> {
        let mut rng = ChaCha20Rng::from_seed(seed);
        let mut clear = self
            .private
            .decrypt_blinded(&mut rng, Oaep::new::<Sha1>(), ciphertext)
            .map_err(|_| RsaError::BadCiphertext)?;
        mix(&mut clear, salt);
        if clear.pop() == Some(0) {
            Ok(clear)
        } else {
            Err(RsaError::BadCiphertext)
        }
    }
}

impl std::fmt::Debug for ServerKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ServerKey")
    }
}
