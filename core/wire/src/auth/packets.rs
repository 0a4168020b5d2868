//! The packets between greeting and OK.
//!
//! Sources: `Protocol::AuthSwitchRequest`, `Protocol::AuthMoreData` (MySQL internals).

use super::{caching_sha2, native};
use crate::codec::{Malformed, Reader, put_nul_bytes, text};
use crate::handshake::{SALT_LEN, Salt};

/// The authentication plugins spoken here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plugin {
    /// `mysql_native_password`.
    Native,
    /// `caching_sha2_password`.
    CachingSha2,
}

impl Plugin {
    /// The plugin of this name, if it is spoken here.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "mysql_native_password" => Some(Self::Native),
            "caching_sha2_password" => Some(Self::CachingSha2),
            _ => None,
        }
    }

    /// Its name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Native => "mysql_native_password",
            Self::CachingSha2 => "caching_sha2_password",
        }
    }

    /// What a client sends first for this password.
    pub fn scramble(self, password: &[u8], salt: &Salt) -> Vec<u8> {
        match self {
            Self::Native => native::scramble(password, salt),
            Self::CachingSha2 => caching_sha2::scramble(password, salt),
        }
    }
}

/// The server wants another plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthSwitchRequest {
    /// The plugin's name.
    pub plugin: String,
    /// New random bytes.
    pub salt: Salt,
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
        // Other plugins send other data, or none: the caller refuses them by name.
        let mut salt = [0; SALT_LEN];
        let data = reader.rest();
        let len = data.len().min(SALT_LEN);
        salt[..len].copy_from_slice(&data[..len]);
        Ok(Self { plugin, salt })
    }

    /// Appends the payload.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.push(Self::HEADER);
        put_nul_bytes(out, self.plugin.as_bytes());
        out.extend_from_slice(&self.salt);
        out.push(0);
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
