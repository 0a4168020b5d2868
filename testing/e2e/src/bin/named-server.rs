//! A server for tests of balancing: whoever connects is told its name. Also the client that counts
//! the names, from an address of its choice.
//!
//! ```text
//! named-server serve NAME ADDRESS       until it is ended
//! named-server ask ADDRESS TIMES [SOURCE]   a line for each connection: the name, or `-`
//! ```
#![expect(clippy::print_stdout, reason = "its output is what a test reads")]

use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use rustix::net::{AddressFamily, SocketType, bind, connect, socket};

/// Nothing here is slow; what takes so long goes nowhere.
const LIMIT: Duration = Duration::from_secs(5);

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["serve", name, address] => serve(name, address),
        ["ask", address, times] => ask(address, times, None),
        ["ask", address, times, source] => ask(address, times, source.parse().ok()),
        _ => panic!("serve NAME ADDRESS, or ask ADDRESS TIMES [SOURCE]"),
    }
}

fn serve(name: &str, address: &str) {
    let listener = TcpListener::bind(address).expect("the address is free");
    for stream in listener.incoming() {
        // A probe has gone before it could be told.
        let _ = stream.and_then(|mut stream| stream.write_all(name.as_bytes()));
    }
}

fn ask(address: &str, times: &str, source: Option<IpAddr>) {
    let address: SocketAddr = address.parse().expect("an address");
    let times: usize = times.parse().expect("a number");
    for _ in 0..times {
        let name = name_at(address, source);
        println!("{}", name.as_deref().unwrap_or("-"));
    }
}

fn name_at(address: SocketAddr, source: Option<IpAddr>) -> Option<String> {
    let mut stream = match source {
        None => TcpStream::connect_timeout(&address, LIMIT).ok()?,
        Some(source) => {
            let socket = socket(AddressFamily::INET, SocketType::STREAM, None).ok()?;
            bind(&socket, &SocketAddr::new(source, 0)).ok()?;
            connect(&socket, &address).ok()?;
            TcpStream::from(socket)
        }
    };
    stream.set_read_timeout(Some(LIMIT)).ok()?;
    let mut name = String::new();
    stream.read_to_string(&mut name).ok()?;
    (!name.is_empty()).then_some(name)
}
