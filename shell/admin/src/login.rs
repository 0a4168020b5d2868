//! The connection phase, on the server's side: greeting, TLS, and the proof of a password.

use std::net::IpAddr;
use std::sync::Arc;

use mainstay_wire::auth::{AuthMoreData, AuthSwitchRequest, Plugin, caching_sha2, native};
use mainstay_wire::handshake::{Salt, UTF8MB4_GENERAL_CI};
use mainstay_wire::{Capabilities, ClientHello, ErrorCode, Greeting, HandshakeResponse};
use mainstay_wire::{OkPacket, StatusFlags};

use crate::guard::Role;
use crate::listener::Account;
use crate::session::{Channel, Lost};

/// What this server can do.
const CAPABILITIES: Capabilities = Capabilities(
    Capabilities::LONG_PASSWORD.0
        | Capabilities::FOUND_ROWS.0
        | Capabilities::LONG_FLAG.0
        | Capabilities::CONNECT_WITH_DB.0
        | Capabilities::PROTOCOL_41.0
        | Capabilities::TRANSACTIONS.0
        | Capabilities::SECURE_CONNECTION.0
        | Capabilities::MULTI_RESULTS.0
        | Capabilities::PS_MULTI_RESULTS.0
        | Capabilities::PLUGIN_AUTH.0
        | Capabilities::CONNECT_ATTRS.0
        | Capabilities::PLUGIN_AUTH_LENENC_CLIENT_DATA.0
        | Capabilities::DEPRECATE_EOF.0,
);

/// Who came in.
pub(crate) struct Entered {
    pub(crate) role: Role,
    pub(crate) user: String,
    pub(crate) database: Option<String>,
    pub(crate) capabilities: Capabilities,
    /// The cipher; empty without TLS.
    pub(crate) cipher: String,
}

/// What a login needs to know.
pub(crate) struct Door<'d> {
    pub(crate) accounts: &'d [(Role, Account)],
    pub(crate) tls: Option<&'d Arc<rustls::ServerConfig>>,
    pub(crate) version: &'d str,
    pub(crate) connection: u32,
}

/// Greets a client and lets it in; `Err` with the user's name if its password is wrong.
pub(crate) fn enter(
    channel: &mut Channel,
    door: &Door<'_>,
) -> Result<Result<Entered, String>, Lost> {
    let salt = fresh_salt()?;
    let mut capabilities = CAPABILITIES;
    if door.tls.is_some() {
        capabilities = capabilities | Capabilities::SSL;
    }
    let greeting = Greeting {
        server_version: door.version.to_owned(),
        connection_id: door.connection,
        salt,
        capabilities,
        charset: UTF8MB4_GENERAL_CI,
        status: StatusFlags::AUTOCOMMIT,
        auth_plugin: Plugin::Native.name().to_owned(),
    };
    channel.send(|out| greeting.encode(out))?;
    let mut hello = hello(channel)?;
    let mut cipher = String::new();
    if let (ClientHello::Ssl(_), Some(config)) = (&hello, door.tls) {
        cipher = channel.secure(config)?;
        hello = self::hello(channel)?;
    }
    let ClientHello::Response(response) = hello else {
        return Err(Lost::Garbage);
    };
    let proven = prove(channel, &response, salt, door.accounts)?;
    let used = response.capabilities & capabilities;
    Ok(match proven {
        Some(role) => Ok(Entered {
            role,
            user: response.user,
            database: response.database,
            capabilities: used,
            cipher,
        }),
        None => Err(response.user),
    })
}

/// Tells the client that it is in.
pub(crate) fn welcome(channel: &mut Channel, entered: &Entered) -> Result<(), Lost> {
    let ok = OkPacket {
        status: StatusFlags::AUTOCOMMIT,
        ..OkPacket::default()
    };
    channel.send(|out| ok.encode(out, entered.capabilities))
}

/// Tells the client that it is not.
pub(crate) fn refuse(channel: &mut Channel, user: &str, address: IpAddr) -> Result<(), Lost> {
    let text = format!(
        "Access denied for user '{user}'@'{address}': the accounts of the admin interface are \
         those of [admin] in the settings"
    );
    channel.send(|out| ErrorCode::AccessDenied.with(text).encode(out))
}

fn hello(channel: &mut Channel) -> Result<ClientHello, Lost> {
    let payload = channel.receive()?;
    ClientHello::parse(&payload).map_err(|_| Lost::Garbage)
}

fn fresh_salt() -> Result<Salt, Lost> {
    let mut salt = Salt::default();
    getrandom::fill(&mut salt).map_err(|_| Lost::Garbage)?;
    // Clients read the salt up to a NUL.
    Ok(salt.map(|byte| byte % 94 + 33))
}

fn prove(
    channel: &mut Channel,
    response: &HandshakeResponse,
    salt: Salt,
    accounts: &[(Role, Account)],
) -> Result<Option<Role>, Lost> {
    let named = response.auth_plugin.as_deref();
    let theirs = named.map_or(Plugin::Native, Plugin::announced);
    let (plugin, salt, proof) = if theirs == Plugin::Native && response.auth_response.len() == 20 {
        (Plugin::Native, salt, response.auth_response.clone())
    } else {
        let plugin = match theirs {
            Plugin::CachingSha2 => Plugin::CachingSha2,
            Plugin::Native | Plugin::Ed25519 | Plugin::Clear => Plugin::Native,
        };
        let salt = fresh_salt()?;
        let switch = AuthSwitchRequest {
            plugin: plugin.name().to_owned(),
            nonce: salt.to_vec(),
        };
        channel.send(|out| switch.encode(out))?;
        (plugin, salt, channel.receive()?)
    };
    let account = accounts
        .iter()
        .find(|(_, account)| account.user == response.user);
    let Some((role, account)) = account else {
        return Ok(None);
    };
    let password = account.password.as_bytes();
    let proven = if plugin == Plugin::CachingSha2 {
        caching_sha2::verify(&proof, &salt, password)
    } else {
        native::verify(&proof, &salt, password)
    };
    if proven && plugin == Plugin::CachingSha2 {
        let fast = AuthMoreData(vec![caching_sha2::FAST_AUTH_OK]);
        channel.send(|out| fast.encode(out))?;
    }
    Ok((proven && !password.is_empty()).then_some(*role))
}
