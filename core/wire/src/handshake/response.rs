//! The client's answer to the greeting: a TLS request, or user and first authentication data.

use crate::Capabilities;
use crate::codec::{Malformed, Reader, put_lenenc, put_lenenc_bytes, put_nul_bytes, put_u32, text};

/// A client's first packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientHello {
    /// The client wants TLS, and will send its response inside it.
    Ssl(SslRequest),
    /// The client's response.
    Response(HandshakeResponse),
}

/// The short packet that asks for TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SslRequest {
    /// What the client can do.
    pub capabilities: Capabilities,
    /// Longest packet it will send.
    pub max_packet_size: u32,
    /// Its collation.
    pub charset: u8,
}

/// `HandshakeResponse41`.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct HandshakeResponse {
    /// What the client can do.
    pub capabilities: Capabilities,
    /// Longest packet it will send.
    pub max_packet_size: u32,
    /// Its collation.
    pub charset: u8,
    /// Who logs in.
    pub user: String,
    /// The first answer of the authentication plugin.
    pub auth_response: Vec<u8>,
    /// The default schema.
    pub database: Option<String>,
    /// The plugin that `auth_response` is of.
    pub auth_plugin: Option<String>,
    /// Connection attributes, in the order sent.
    pub attributes: Vec<(String, String)>,
    /// The level of zstd, under `ZSTD_COMPRESSION`.
    pub zstd_level: u8,
}

impl SslRequest {
    /// Appends the payload.
    pub fn encode(&self, out: &mut Vec<u8>) {
        put_head(out, self.capabilities, self.max_packet_size, self.charset);
    }
}

impl ClientHello {
    /// Reads the first packet of a client.
    pub fn parse(payload: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(payload);
        let low = u32::from(reader.u16()?);
        if low & Capabilities::PROTOCOL_41.base() == 0 {
            return Err(Malformed::OldProtocol);
        }
        let base = low | u32::from(reader.u16()?) << 16;
        let max_packet_size = reader.u32()?;
        let charset = reader.u8()?;
        reader.bytes(19)?;
        // A MariaDB client clears LONG_PASSWORD to say that the last four bytes have a meaning.
        let reserved = reader.u32()?;
        let extended = if base & Capabilities::LONG_PASSWORD.base() == 0 {
            reserved
        } else {
            0
        };
        let capabilities = Capabilities::from_parts(base, extended);
        if reader.is_empty() && capabilities.contains(Capabilities::SSL) {
            return Ok(Self::Ssl(SslRequest {
                capabilities,
                max_packet_size,
                charset,
            }));
        }
        let mut response = HandshakeResponse {
            capabilities,
            max_packet_size,
            charset,
            user: text(reader.nul_bytes()?)?,
            ..HandshakeResponse::default()
        };
        response.parse_tail(&mut reader)?;
        Ok(Self::Response(response))
    }
}

impl HandshakeResponse {
    fn parse_tail(&mut self, reader: &mut Reader<'_>) -> Result<(), Malformed> {
        let has = |bit| self.capabilities.contains(bit);
        self.auth_response = if has(Capabilities::PLUGIN_AUTH_LENENC_CLIENT_DATA) {
            reader.lenenc_bytes()?
        } else if has(Capabilities::SECURE_CONNECTION) {
            let len = reader.u8()?;
            reader.bytes(usize::from(len))?
        } else {
            reader.nul_bytes()?
        }
        .to_vec();
        // Some clients set the bit and end the packet, or leave out the last NUL.
        if has(Capabilities::CONNECT_WITH_DB) && !reader.is_empty() {
            let name = text(reader.nul_bytes_or_rest())?;
            self.database = (!name.is_empty()).then_some(name);
        }
        if has(Capabilities::PLUGIN_AUTH) && !reader.is_empty() {
            self.auth_plugin = Some(text(reader.nul_bytes_or_rest())?);
        }
        if has(Capabilities::CONNECT_ATTRS) && !reader.is_empty() {
            self.attributes = parse_attributes(reader)?;
        }
        if has(Capabilities::ZSTD_COMPRESSION) && !reader.is_empty() {
            self.zstd_level = reader.u8()?;
        }
        Ok(())
    }

    /// The capabilities that [`encode`](Self::encode) writes: bits that announce a field follow
    /// from the fields.
    pub fn wire_capabilities(&self) -> Capabilities {
        let with = |capabilities: Capabilities, bit: Capabilities, on: bool| {
            if on {
                capabilities | bit
            } else {
                capabilities.without(bit)
            }
        };
        let base = self.capabilities | Capabilities::PROTOCOL_41 | Capabilities::SECURE_CONNECTION;
        let base = with(base, Capabilities::CONNECT_WITH_DB, self.database.is_some());
        let base = with(base, Capabilities::PLUGIN_AUTH, self.auth_plugin.is_some());
        let base = with(
            base,
            Capabilities::CONNECT_ATTRS,
            !self.attributes.is_empty(),
        );
        let long = self.auth_response.len() > 0xff;
        let lenenc = long || base.contains(Capabilities::PLUGIN_AUTH_LENENC_CLIENT_DATA);
        with(base, Capabilities::PLUGIN_AUTH_LENENC_CLIENT_DATA, lenenc)
    }

    /// Appends the payload.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let capabilities = self.wire_capabilities();
        put_head(out, capabilities, self.max_packet_size, self.charset);
        put_nul_bytes(out, self.user.as_bytes());
        if capabilities.contains(Capabilities::PLUGIN_AUTH_LENENC_CLIENT_DATA) {
            put_lenenc_bytes(out, &self.auth_response);
        } else {
            out.push(self.auth_response.len() as u8);
            out.extend_from_slice(&self.auth_response);
        }
        if let Some(database) = &self.database {
            put_nul_bytes(out, database.as_bytes());
        }
        if let Some(plugin) = &self.auth_plugin {
            put_nul_bytes(out, plugin.as_bytes());
        }
        if !self.attributes.is_empty() {
            put_attributes(out, &self.attributes);
        }
        if capabilities.contains(Capabilities::ZSTD_COMPRESSION) {
            out.push(self.zstd_level);
        }
    }
}

/// The 32 bytes with which both packets begin.
fn put_head(out: &mut Vec<u8>, capabilities: Capabilities, max_packet_size: u32, charset: u8) {
    put_u32(out, capabilities.base());
    put_u32(out, max_packet_size);
    out.push(charset);
    out.extend_from_slice(&[0; 19]);
    let mysql = capabilities.contains(Capabilities::LONG_PASSWORD);
    put_u32(out, if mysql { 0 } else { capabilities.extended() });
}

impl std::fmt::Debug for HandshakeResponse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // `auth_response` may be a clear password under mysql_clear_password.
        f.debug_struct("HandshakeResponse")
            .field("capabilities", &self.capabilities)
            .field("charset", &self.charset)
            .field("user", &self.user)
            .field("database", &self.database)
            .field("auth_plugin", &self.auth_plugin)
            .field("attributes", &self.attributes)
            .finish_non_exhaustive()
    }
}

pub(crate) fn parse_attributes(
    reader: &mut Reader<'_>,
) -> Result<Vec<(String, String)>, Malformed> {
    let mut pairs = Reader::new(reader.lenenc_bytes()?);
    let mut attributes = Vec::new();
    let lossy = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    while !pairs.is_empty() {
        attributes.push((lossy(pairs.lenenc_bytes()?), lossy(pairs.lenenc_bytes()?)));
    }
    Ok(attributes)
}

pub(crate) fn put_attributes(out: &mut Vec<u8>, attributes: &[(String, String)]) {
    let mut pairs = Vec::new();
    for (name, value) in attributes {
        put_lenenc_bytes(&mut pairs, name.as_bytes());
        put_lenenc_bytes(&mut pairs, value.as_bytes());
    }
    put_lenenc(out, pairs.len() as u64);
    out.extend_from_slice(&pairs);
}
