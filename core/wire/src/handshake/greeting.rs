//! The server's first packet (protocol version 10).

use super::{SALT_LEN, Salt};
use crate::Capabilities;
use crate::codec::{Malformed, Reader, put_nul_bytes, put_u16, put_u32, text};
use crate::response::StatusFlags;

const PROTOCOL_VERSION: u8 = 10;

/// What `MariaDB` puts before its version, so that replicas of old MySQL versions accept it.
const MARIADB_PREFIX: &str = "5.5.5-";

/// A server's greeting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Greeting {
    /// The version as sent, with `MariaDB`'s `5.5.5-` if it is there.
    pub server_version: String,
    /// Number of the connection: what `KILL` takes. Only its low 32 bits are sent.
    pub connection_id: u32,
    /// Random bytes for scrambling the password.
    pub salt: Salt,
    /// What the server can do; `MariaDB`'s extended bits are in the high half.
    pub capabilities: Capabilities,
    /// The server's default collation (low byte).
    pub charset: u8,
    /// Status of the new session.
    pub status: StatusFlags,
    /// The plugin that `salt` is for.
    pub auth_plugin: String,
}

impl Greeting {
    /// Reads the payload of a greeting. One that starts with `0xFF` is an
    /// [`ErrPacket`](crate::ErrPacket) ("too many connections") and has to be told apart before.
    pub fn parse(payload: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(payload);
        if reader.u8()? != PROTOCOL_VERSION {
            return Err(Malformed::OldProtocol);
        }
        let server_version = String::from_utf8_lossy(reader.nul_bytes()?).into_owned();
        let connection_id = reader.u32()?;
        let mut salt = [0; SALT_LEN];
        salt[..8].copy_from_slice(reader.bytes(8)?);
        reader.bytes(1)?;
        let low = reader.u16()?;
        let charset = reader.u8()?;
        let status = StatusFlags(reader.u16()?);
        let high = reader.u16()?;
        let base = u32::from(low) | u32::from(high) << 16;
        let salt_len = usize::from(reader.u8()?);
        reader.bytes(6)?;
        let reserved = reader.u32()?;
        let extended = if base & Capabilities::LONG_PASSWORD.base() == 0 {
            reserved
        } else {
            0
        };
        let capabilities = Capabilities::from_parts(base, extended);
        if !capabilities.contains(Capabilities::PROTOCOL_41 | Capabilities::SECURE_CONNECTION) {
            return Err(Malformed::OldProtocol);
        }
        let rest = reader.bytes(salt_len.saturating_sub(8).max(13))?;
        salt[8..].copy_from_slice(&rest[..SALT_LEN - 8]);
        let auth_plugin = if capabilities.contains(Capabilities::PLUGIN_AUTH) {
            text(reader.nul_bytes_or_rest())?
        } else {
            "mysql_native_password".to_owned()
        };
        Ok(Self {
            server_version,
            connection_id,
            salt,
            capabilities,
            charset,
            status,
            auth_plugin,
        })
    }

    /// Appends the payload. Extended capabilities are written only with `LONG_PASSWORD` clear,
    /// which is what tells a client that they are there.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let base = self.capabilities.base();
        let extended = if self.capabilities.contains(Capabilities::LONG_PASSWORD) {
            0
        } else {
            self.capabilities.extended()
        };
        out.push(PROTOCOL_VERSION);
        put_nul_bytes(out, self.server_version.as_bytes());
        put_u32(out, self.connection_id);
        out.extend_from_slice(&self.salt[..8]);
        out.push(0);
        put_u16(out, base as u16);
        out.push(self.charset);
        put_u16(out, self.status.0);
        put_u16(out, (base >> 16) as u16);
        // The length counts a closing NUL after the random bytes.
        let plugin = self.capabilities.contains(Capabilities::PLUGIN_AUTH);
        out.push(if plugin { SALT_LEN as u8 + 1 } else { 0 });
        out.extend_from_slice(&[0; 6]);
        put_u32(out, extended);
        out.extend_from_slice(&self.salt[8..]);
        out.push(0);
        if plugin {
            put_nul_bytes(out, self.auth_plugin.as_bytes());
        }
    }

    /// Whether the server is a `MariaDB`.
    pub fn is_mariadb(&self) -> bool {
        self.server_version.contains("MariaDB")
    }

    /// The version without `MariaDB`'s compatibility prefix.
    pub fn version(&self) -> &str {
        if self.is_mariadb() {
            self.server_version
                .strip_prefix(MARIADB_PREFIX)
                .unwrap_or(&self.server_version)
        } else {
            &self.server_version
        }
    }
}
