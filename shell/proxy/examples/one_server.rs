//! The proxy alone, in front of one server that nobody manages: for servers that the sandbox does
//! not run, such as those of MySQL 5.6. `testing/drivers` uses it.
//!
//!     one_server LISTEN SERVER USER PASSWORD
//!
//! Says where it listens once it does, and ends with its input.

use std::collections::BTreeMap;
use std::error::Error;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use mainstay_proxy::{Proxy, ProxyOptions};
use mainstay_session::policy::{Algorithms, AuthPlugin, Credential, Policy, Secret, User};
use mainstay_topology::{Address, Routes, ServerName, Target};
use mainstay_wire::Greeting;
use mainstay_wire::auth::{Plugin, ServerKey};
use mainstay_wire::packet::{HEADER_LEN, PacketHeader};

fn main() -> Result<(), Box<dyn Error>> {
    let given: Vec<String> = std::env::args().skip(1).collect();
    let [listen, server, user, password] = &given[..] else {
        return Err("usage: one_server LISTEN SERVER USER PASSWORD".into());
    };
    let greeting = greeting(server)?;
    let address: std::net::SocketAddr = server.parse()?;
    let user_of = User {
        credential: Credential::Clear(Secret::new(password)),
        ..User::default()
    };
    let plugin = match Plugin::from_name(&greeting.auth_plugin) {
        Some(Plugin::CachingSha2) => AuthPlugin::CachingSha2,
        _ => AuthPlugin::NativePassword,
    };
    let mut seed = [0; 32];
    getrandom::fill(&mut seed)?;
    let policy = Policy {
        users: BTreeMap::from([(user.clone(), user_of)]),
        key: Some(Arc::new(ServerKey::generate(seed)?)),
        capabilities: Some(greeting.capabilities),
        collation: greeting.charset,
        server_version: greeting.server_version,
        auth_plugin: plugin,
        client_compression: Algorithms {
            zlib: true,
            zstd: false,
        },
        split_reads: false,
        local_infile: true,
        ..Policy::default()
    };
    let writer = Target {
        name: ServerName::new("only"),
        address: Address {
            host: address.ip().to_string(),
            port: address.port(),
        },
    };
    let proxy = Proxy::start(ProxyOptions {
        listen: listen.parse()?,
        policy: Arc::new(policy),
        routes: Routes {
            version: 1,
            writer: Some(writer),
            ..Routes::default()
        },
        ..ProxyOptions::default()
    })?;
    writeln!(std::io::stdout(), "{}", proxy.local_addr())?;
    std::io::stdin().read_to_end(&mut Vec::new())?;
    proxy.stop();
    Ok(())
}

/// What the server says of itself.
fn greeting(server: &str) -> Result<Greeting, Box<dyn Error>> {
    let mut stream = TcpStream::connect(server)?;
    let mut header = [0; HEADER_LEN];
    stream.read_exact(&mut header)?;
    let header = PacketHeader::parse(&header).ok_or("no packet")?;
    let mut payload = vec![0; header.len];
    stream.read_exact(&mut payload)?;
    Ok(Greeting::parse(&payload)?)
}
