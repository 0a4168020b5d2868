//! `COM_CHANGE_USER`: a login on a connection that has one already.
//!
//! Source: `COM_CHANGE_USER` (MySQL internals, `page_protocol_com_change_user`).

use crate::codec::{Malformed, Reader, put_nul_bytes, put_u16, text};
use crate::handshake::{parse_attributes, put_attributes};
use crate::{Capabilities, Command};

/// The login of a `COM_CHANGE_USER`.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ChangeUser {
    /// Who logs in.
    pub user: String,
    /// The first answer of the authentication plugin.
    pub auth_response: Vec<u8>,
    /// The new default schema.
    pub database: Option<String>,
    /// Collation number; 0 where the client left it out.
    pub charset: u16,
    /// The plugin that `auth_response` is of.
    pub auth_plugin: Option<String>,
    /// Connection attributes.
    pub attributes: Vec<(String, String)>,
}

impl ChangeUser {
    /// Reads a payload whose first byte is `COM_CHANGE_USER`.
    pub fn parse(payload: &[u8], capabilities: Capabilities) -> Result<Self, Malformed> {
        let mut reader = Reader::new(payload);
        if Command::from_byte(reader.u8()?) != Command::ChangeUser {
            return Err(Malformed::Unexpected("this is not COM_CHANGE_USER"));
        }
        let user = text(reader.nul_bytes()?)?;
        let len = reader.u8()?;
        let auth_response = reader.bytes(usize::from(len))?.to_vec();
        let database = text(reader.nul_bytes_or_rest())?;
        let database = (!database.is_empty()).then_some(database);
        let mut login = Self {
            user,
            auth_response,
            database,
            ..Self::default()
        };
        if reader.is_empty() {
            return Ok(login);
        }
        login.charset = reader.u16()?;
        if capabilities.contains(Capabilities::PLUGIN_AUTH) && !reader.is_empty() {
            login.auth_plugin = Some(text(reader.nul_bytes_or_rest())?);
        }
        if capabilities.contains(Capabilities::CONNECT_ATTRS) && !reader.is_empty() {
            login.attributes = parse_attributes(&mut reader)?;
        }
        Ok(login)
    }

    /// Appends the payload. Under `CONNECT_ATTRS` the attributes' length is written even when it
    /// is zero: servers refuse the packet without it.
    pub fn encode(&self, out: &mut Vec<u8>, capabilities: Capabilities) {
        out.push(Command::ChangeUser.byte());
        put_nul_bytes(out, self.user.as_bytes());
        let auth = &self.auth_response[..self.auth_response.len().min(0xff)];
        out.push(auth.len() as u8);
        out.extend_from_slice(auth);
        put_nul_bytes(out, self.database.as_deref().unwrap_or_default().as_bytes());
        put_u16(out, self.charset);
        if capabilities.contains(Capabilities::PLUGIN_AUTH) {
            put_nul_bytes(
                out,
                self.auth_plugin.as_deref().unwrap_or_default().as_bytes(),
            );
        }
        if capabilities.contains(Capabilities::CONNECT_ATTRS) {
            put_attributes(out, &self.attributes);
        }
    }
}

impl std::fmt::Debug for ChangeUser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ChangeUser")
            .field("user", &self.user)
            .field("database", &self.database)
            .field("charset", &self.charset)
            .field("auth_plugin", &self.auth_plugin)
            .finish_non_exhaustive()
    }
}
