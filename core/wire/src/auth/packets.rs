//! The packets between greeting and OK.
//!
//! Sources: `Protocol::AuthSwitchRequest`, `Protocol::AuthMoreData` (MySQL internals).

use super::{caching_sha2, ed25519, native};
use crate::codec::{Malformed, Reader, put_nul_bytes, text};
use crate::handshake::{SALT_LEN, Salt};

/// The authentication plugins spoken here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plugin {
    /// `mysql_native_password`.
    Native,
    /// `caching_sha2_password`.
    CachingSha2,
    /// `client_ed25519`, of `MariaDB`.
    Ed25519,
    /// `mysql_clear_password`: the password itself, so only inside TLS.
    Clear,
}

impl Plugin {
    /// The plugin of this name, if it is spoken here on a connection that anyone may read.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "mysql_native_password" => Some(Self::Native),
            "caching_sha2_password" => Some(Self::CachingSha2),
            "client_ed25519" => Some(Self::Ed25519),
            _ => None,
        }
    }

    /// The plugin of this name, if it is spoken inside TLS.
    pub fn from_name_inside_tls(name: &str) -> Option<Self> {
        let clear = (name == Self::Clear.name()).then_some(Self::Clear);
        clear.or_else(|| Self::from_name(name))
    }

    /// The plugin to begin with at a server that announces this one. Others need more random bytes
    /// than a greeting has, or are not known: the server will ask for what the user has.
    pub fn announced(name: &str) -> Self {
        Self::from_name(name)
            .filter(|plugin| plugin.nonce_len() == SALT_LEN)
            .unwrap_or(Self::Native)
    }

    /// Its name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Native => "mysql_native_password",
            Self::CachingSha2 => "caching_sha2_password",
            Self::Ed25519 => "client_ed25519",
            Self::Clear => "mysql_clear_password",
        }
    }

    /// What a client sends first for this password; `nonce` is what the server sent for it.
    pub fn scramble(self, password: &[u8], nonce: &[u8]) -> Vec<u8> {
        match self {
            Self::Native => native::scramble(password, &salt_of(nonce)),
            Self::CachingSha2 => caching_sha2::scramble(password, &salt_of(nonce)),
            Self::Ed25519 => ed25519::sign(password, nonce).to_vec(),
            Self::Clear => caching_sha2::clear_password(password),
        }
    }

    /// How many random bytes a server sends for it.
    pub const fn nonce_len(self) -> usize {
        match self {
            Self::Native | Self::CachingSha2 => SALT_LEN,
            Self::Ed25519 => ed25519::NONCE_LEN,
            Self::Clear => 0,
        }
    }
}

/// The server wants another plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthSwitchRequest {
    /// The plugin's name.
    pub plugin: String,
    /// New random bytes, without the NUL that some plugins put after them.
    pub nonce: Vec<u8>,
}

/// The first bytes of a nonce as a salt; what is missing is zero.
fn salt_of(nonce: &[u8]) -> Salt {
    let mut salt = [0; SALT_LEN];
    let len = nonce.len().min(SALT_LEN);
    salt[..len].copy_from_slice(&nonce[..len]);
    salt
}

impl AuthSwitchRequest {
    /// First byte of the payload.
    pub const HEADER: u8 = 0xfe;

    /// Reads a payload that starts with [`Self::HEADER`].
    pub fn parse(payload: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(payload);
        if reader.u8()? != Self::HEADER {
            return Err(Malformed::Unexpected("this is not an AuthSwitchRequest"));
        }
        if reader.is_empty() {
            return Err(Malformed::OldProtocol);
        }
        let plugin = text(reader.nul_bytes()?)?;
        let data = reader.rest();
        let nonce = match data {
            [salt @ .., 0] if salt.len() == SALT_LEN => salt,
            other => other,
        };
        let nonce = nonce.to_vec();
        Ok(Self { plugin, nonce })
    }

    /// The random bytes of a plugin that takes 20.
    pub fn salt(&self) -> Salt {
        salt_of(&self.nonce)
    }

    /// Appends the payload.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.push(Self::HEADER);
        put_nul_bytes(out, self.plugin.as_bytes());
        out.extend_from_slice(&self.nonce);
        if self.nonce.len() == SALT_LEN {
            out.push(0);
        }
    }
}

/// Data of a plugin, from the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthMoreData(pub Vec<u8>);

impl AuthMoreData {
    /// First byte of the payload.
    pub const HEADER: u8 = 0x01;

    /// Reads a payload that starts with [`Self::HEADER`].
    pub fn parse(payload: &[u8]) -> Result<Self, Malformed> {
        match payload.split_first() {
            Some((&Self::HEADER, data)) => Ok(Self(data.to_vec())),
            _ => Err(Malformed::Unexpected("this is not AuthMoreData")),
        }
    }

    /// Appends the payload.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.push(Self::HEADER);
        out.extend_from_slice(&self.0);
    }
}
