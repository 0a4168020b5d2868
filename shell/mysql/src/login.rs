//! From a TCP connection to a session: greeting, authentication, one deadline for all.

use std::io;

use mainstay_wire::auth::{AuthMoreData, AuthSwitchRequest, Plugin, caching_sha2, rsa_exchange};
use mainstay_wire::handshake::Salt;
use mainstay_wire::response::{ERR_HEADER, OK_HEADER};
use mainstay_wire::{Capabilities, ErrPacket, Greeting, HandshakeResponse};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::stream::PacketStream;
use crate::{ConnectOptions, ConnectStage, Error};

const WANTED: Capabilities = Capabilities::LONG_PASSWORD
    .union(Capabilities::LONG_FLAG)
    .union(Capabilities::PROTOCOL_41)
    .union(Capabilities::TRANSACTIONS)
    .union(Capabilities::SECURE_CONNECTION)
    .union(Capabilities::MULTI_RESULTS)
    .union(Capabilities::PS_MULTI_RESULTS)
    .union(Capabilities::PLUGIN_AUTH)
    .union(Capabilities::CONNECT_WITH_DB)
    .union(Capabilities::CONNECT_ATTRS)
    .union(Capabilities::PLUGIN_AUTH_LENENC_CLIENT_DATA)
    .union(Capabilities::SESSION_TRACK)
    .union(Capabilities::DEPRECATE_EOF);

const MAX_PACKET_BYTES: u32 = 64 << 20;

/// A connection that has logged in.
pub(crate) struct Session {
    pub(crate) stream: PacketStream,
    pub(crate) greeting: Greeting,
    pub(crate) capabilities: Capabilities,
}

/// Connects and logs in before `options.connect_timeout` is over.
pub(crate) async fn open(options: &ConnectOptions) -> Result<Session, Error> {
    let mut stage = ConnectStage::Tcp;
    match timeout(options.connect_timeout, log_in(options, &mut stage)).await {
        Ok(result) => result.map_err(|error| while_connecting(error, options, stage)),
        Err(_) => Err(Error::ConnectTimeout {
            address: options.address(),
            stage,
            after: options.connect_timeout,
        }),
    }
}

/// An end of the connection before it was ready is a failure to connect.
fn while_connecting(error: Error, options: &ConnectOptions, stage: ConnectStage) -> Error {
    let source = match error {
        Error::Closed => io::Error::new(io::ErrorKind::ConnectionReset, "the server closed it"),
        Error::Io(source) => source,
        other => return other,
    };
    Error::Connect {
        address: options.address(),
        stage,
        source,
    }
}

async fn log_in(options: &ConnectOptions, stage: &mut ConnectStage) -> Result<Session, Error> {
    let connect = async {
        let socket = TcpStream::connect((options.host.as_str(), options.port)).await?;
        socket.set_nodelay(true)?;
        Ok(socket)
    };
    let socket = connect.await.map_err(|source| Error::Connect {
        address: options.address(),
        stage: ConnectStage::Tcp,
        source,
    })?;
    let mut stream = PacketStream::new(socket);
    *stage = ConnectStage::Greeting;
    let payload = stream.receive().await?;
    if payload.first() == Some(&ERR_HEADER) {
        return Err(ErrPacket::parse(&payload)?.into());
    }
    let greeting = Greeting::parse(&payload)?;
    *stage = ConnectStage::Auth;
    let response = respond(options, &greeting);
    let capabilities = response.wire_capabilities();
    let plugin = response.auth_plugin.as_deref().and_then(Plugin::from_name);
    let mut payload = Vec::new();
    response.encode(&mut payload);
    stream.send(&payload).await?;
    let exchange = Exchange {
        options,
        salt: greeting.salt,
        plugin: plugin.unwrap_or(Plugin::Native),
    };
    exchange.run(&mut stream).await?;
    Ok(Session {
        stream,
        greeting,
        capabilities,
    })
}

fn respond(options: &ConnectOptions, greeting: &Greeting) -> HandshakeResponse {
    let capabilities = WANTED & greeting.capabilities | Capabilities::LONG_PASSWORD;
    // For a plugin not spoken here the server will ask for the one the user has.
    let plugin = Plugin::announced(&greeting.auth_plugin);
    let plugins = capabilities.contains(Capabilities::PLUGIN_AUTH);
    let attributes = capabilities.contains(Capabilities::CONNECT_ATTRS);
    HandshakeResponse {
        capabilities,
        max_packet_size: MAX_PACKET_BYTES,
        charset: options.charset,
        user: options.user.clone(),
        auth_response: plugin.scramble(options.password.as_bytes(), &greeting.salt),
        database: options.database.clone(),
        auth_plugin: plugins.then(|| plugin.name().to_owned()),
        attributes: if attributes {
            vec![("program_name".to_owned(), "mainstay".to_owned())]
        } else {
            Vec::new()
        },
        zstd_level: 0,
    }
}

/// The packets between the client's response and OK.
struct Exchange<'a> {
    options: &'a ConnectOptions,
    salt: Salt,
    plugin: Plugin,
}

impl Exchange<'_> {
    async fn run(mut self, stream: &mut PacketStream) -> Result<(), Error> {
        loop {
            let payload = stream.receive().await?;
            match payload.first().copied() {
                Some(OK_HEADER) => return Ok(()),
                Some(ERR_HEADER) => return Err(ErrPacket::parse(&payload)?.into()),
                Some(AuthSwitchRequest::HEADER) => self.switch(&payload, stream).await?,
                Some(AuthMoreData::HEADER) => self.more(&payload, stream).await?,
                _ => return Err(Error::Protocol("an unknown packet during login".to_owned())),
            }
        }
    }

    async fn switch(&mut self, payload: &[u8], stream: &mut PacketStream) -> Result<(), Error> {
        let request = AuthSwitchRequest::parse(payload)?;
        self.plugin = Plugin::from_name(&request.plugin).ok_or_else(|| {
            Error::Protocol(format!(
                "user {} has the authentication plugin {}, which is not supported: give it \
                 caching_sha2_password or mysql_native_password",
                self.options.user, request.plugin
            ))
        })?;
        self.salt = request.salt();
        let response = self
            .plugin
            .scramble(self.options.password.as_bytes(), &request.nonce);
        stream.send(&response).await
    }

    async fn more(&self, payload: &[u8], stream: &mut PacketStream) -> Result<(), Error> {
        let AuthMoreData(data) = AuthMoreData::parse(payload)?;
        match (self.plugin, data.as_slice()) {
            (Plugin::CachingSha2, [caching_sha2::FAST_AUTH_OK]) => Ok(()),
            (Plugin::CachingSha2, [caching_sha2::FULL_AUTH_REQUIRED]) => {
                stream.send(&[caching_sha2::PUBLIC_KEY_REQUEST]).await
            }
            (Plugin::CachingSha2, pem) if pem.starts_with(b"-----BEGIN") => {
                let mut seed = [0; 32];
                getrandom::fill(&mut seed).map_err(|error| {
                    Error::Protocol(format!("no random bytes to encrypt the password: {error}"))
                })?;
                let password = self.options.password.as_bytes();
                let data = rsa_exchange::encrypt_password(password, &self.salt, pem, seed)?;
                stream.send(&data).await
            }
            (_, _) => Err(Error::Protocol(
                "unexpected data of the authentication plugin".to_owned(),
            )),
        }
    }
}
