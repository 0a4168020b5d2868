//! What the proxy answers to the greeting of a server: TLS first, the capabilities it asks for, the
//! first proof, and for whom it connects. The rest of the login is in `server_login`.

use mainstay_wire::auth::Plugin;
use mainstay_wire::compression::Compression;
use mainstay_wire::handshake::SslRequest;
use mainstay_wire::{Capabilities, ErrorCode, Greeting, HandshakeResponse, Reader};

use crate::core::Core;
use crate::offer::SHAPING;
use crate::policy::{CompressionWish, ServerTls};
use crate::server::{Opener, Server};
use crate::server_login::{Next, ServerLogin};

/// What every login at a server asks for, beside what shapes the replies.
const BASE: Capabilities = Capabilities::LONG_PASSWORD
    .union(Capabilities::LONG_FLAG)
    .union(Capabilities::PROTOCOL_41)
    .union(Capabilities::TRANSACTIONS)
    .union(Capabilities::SECURE_CONNECTION)
    .union(Capabilities::PLUGIN_AUTH)
    .union(Capabilities::PLUGIN_AUTH_LENENC_CLIENT_DATA);

impl Core {
    /// The answer to a server's greeting, or the request for TLS before it.
    pub(crate) fn greeted(&mut self, id: u32, greeting: Greeting) -> Next {
        let Some(server) = self.servers.get_mut(id) else {
            return Next::Wait;
        };
        let missing = server.key.capabilities.without(greeting.capabilities);
        // Servers leave LONG_FLAG and its like to the client; what counts is the shape of packets.
        if missing & SHAPING != Capabilities::NONE {
            let text = format!(
                "server version {} cannot answer in the form this client asked for ({missing:?}): \
                 announce the servers' own version in the settings of the proxy",
                greeting.version()
            );
            return Next::Failed(ErrorCode::NotSupported.with(text));
        }
        let offers = greeting.capabilities.contains(Capabilities::SSL);
        let upstream = &self.upstreams[server.upstream];
        let without = upstream.without_tls;
        let traits = self.policy.servers.get(&upstream.target.name);
        let tls = traits.and_then(|one| one.tls);
        let compression = traits.and_then(|one| one.compression);
        let wanted = match tls.unwrap_or(self.policy.server_tls) {
            ServerTls::Off => false,
            ServerTls::Preferred => offers && !without,
            ServerTls::Required if !offers => {
                let text = "TLS connection error: it is required, but the server does not offer it";
                return Next::Failed(ErrorCode::TlsError.with(text));
            }
            ServerTls::Required => true,
        };
        let compression =
            compression.map_or(self.policy.server_compression, CompressionWish::wanted);
        server.compression = compression.filter(|how| {
            let bit = bit_of(*how);
            greeting.capabilities.contains(bit)
        });
        if wanted {
            let mut payload = Vec::new();
            if let Some(server) = self.servers.get_mut(id) {
                server.secure = true;
                let response = self.response(id, &greeting).unwrap_or_default();
                // A server goes by these capabilities, and does not look at those of the response.
                let request = SslRequest {
                    capabilities: response.wire_capabilities(),
                    max_packet_size: response.max_packet_size,
                    charset: response.charset,
                };
                request.encode(&mut payload);
            }
            return Next::StartTls(Box::new(greeting), payload);
        }
        let (login, payload) = self.answer_greeting(id, &greeting);
        Next::Send(login, payload)
    }

    /// The answer to a greeting.
    pub(crate) fn answer_greeting(&self, id: u32, greeting: &Greeting) -> (ServerLogin, Vec<u8>) {
        let mut payload = Vec::new();
        if let Some(response) = self.response(id, greeting) {
            response.encode(&mut payload);
        }
        let salt = greeting.salt;
        (ServerLogin::Proof { salt }, payload)
    }

    fn response(&self, id: u32, greeting: &Greeting) -> Option<HandshakeResponse> {
        let server = self.servers.get(id)?;
        let password = self.login_password(server);
        let password = password.map_or("", |password| password.reveal());
        let plugin = Plugin::announced(&greeting.auth_plugin);
        let attributes = greeting.capabilities.contains(Capabilities::CONNECT_ATTRS);
        Some(HandshakeResponse {
            capabilities: wanted_of(server, greeting),
            max_packet_size: 1 << 30,
            charset: server.key.collation,
            user: server.key.user.to_string(),
            auth_response: plugin.scramble(password.as_bytes(), &greeting.salt),
            auth_plugin: Some(plugin.name().to_owned()),
            attributes: if attributes {
                told(server.opener.as_deref())
            } else {
                Vec::new()
            },
            zstd_level: match server.compression {
                Some(Compression::Zstd { level }) => level,
                Some(Compression::Zlib) | None => 0,
            },
            ..HandshakeResponse::default()
        })
    }
}

/// The capabilities of a login.
fn wanted_of(server: &Server, greeting: &Greeting) -> Capabilities {
    let compression = server.compression.map_or(Capabilities::NONE, bit_of);
    let tracks = greeting.capabilities & Capabilities::SESSION_TRACK;
    let tls = if server.secure {
        Capabilities::SSL
    } else {
        Capabilities::NONE
    };
    let all = server.key.capabilities | BASE | tracks | compression | tls;
    if all.extended() == 0 {
        all
    } else {
        all.without(Capabilities::LONG_PASSWORD)
    }
}

fn bit_of(how: Compression) -> Capabilities {
    match how {
        Compression::Zlib => Capabilities::COMPRESS,
        Compression::Zstd { .. } => Capabilities::ZSTD_COMPRESSION,
    }
}

/// The attributes of a connection: those of the session for which it is opened, and who opens it.
fn told(opener: Option<&Opener>) -> Vec<(String, String)> {
    let mut attributes = Vec::new();
    let mut add = |name: &[u8], value: &[u8]| {
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        attributes.push((text(name), text(value)));
    };
    if let Some(opener) = opener {
        let mut pairs = Reader::new(&opener.attributes);
        while let (Ok(name), Ok(value)) = (pairs.lenenc_bytes(), pairs.lenenc_bytes()) {
            add(name, value);
        }
        add(b"_proxy_client_host", opener.host.as_bytes());
    }
    add(b"_proxy_name", b"mainstay");
    attributes
}
