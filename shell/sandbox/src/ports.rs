//! Ports for the servers: chosen once, then kept; in use is an error with a sentence.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};

use crate::layout::SERVER_NAMES;
use crate::{Result, SandboxError};

/// Below this, other well-known services live.
const LOWEST: u16 = 13_000;
/// The kernel's own choices for outgoing connections begin here, unless it says otherwise.
const USUAL_EPHEMERAL: u16 = 32_768;
const ATTEMPTS: usize = 200;

/// Three ports: `base` and the two after it, or any three free ones for 0.
pub(crate) fn choose(base: u16) -> Result<[u16; 3]> {
    if base != 0 {
        let ports = from(base);
        return ports.ok_or_else(|| SandboxError::NoPorts {
            place: format!("from {base} up"),
        });
    }
    // Never among the ports that outgoing connections get: one of those could take the port of a
    // server that is down for a moment, or even connect to itself there.
    let below = ephemeral_start().clamp(LOWEST + 1_000, USUAL_EPHEMERAL);
    for _ in 0..ATTEMPTS {
        let step = getrandom::u32()? % u32::from(below - LOWEST - 3);
        let ports = from(LOWEST + u16::try_from(step).expect("below a u16")).expect("in range");
        if ports.iter().all(|port| is_free(*port)) {
            return Ok(ports);
        }
    }
    Err(SandboxError::NoPorts {
        place: format!("from {LOWEST} to {below}"),
    })
}

/// Every port must be free, whether just chosen or kept from an earlier start.
pub(crate) fn require_free(ports: [u16; 3]) -> Result<()> {
    for (server, port) in SERVER_NAMES.into_iter().zip(ports) {
        if !is_free(port) {
            return Err(SandboxError::PortInUse {
                server: server.to_owned(),
                port,
            });
        }
    }
    Ok(())
}

fn from(base: u16) -> Option<[u16; 3]> {
    Some([base, base.checked_add(1)?, base.checked_add(2)?])
}

fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

fn ephemeral_start() -> u16 {
    let text = fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").unwrap_or_default();
    let first = text
        .split_whitespace()
        .next()
        .and_then(|word| word.parse().ok());
    first.unwrap_or(USUAL_EPHEMERAL)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_port_gives_it_and_the_two_after_it() {
        assert_eq!(choose(14_000).expect("ports"), [14_000, 14_001, 14_002]);
        assert!(
            choose(65_534)
                .expect_err("no room")
                .to_string()
                .contains("--base-port")
        );
    }

    #[test]
    fn any_ports_are_free_ones() {
        require_free(choose(0).expect("ports")).expect("free");
    }

    #[test]
    fn a_port_in_use_is_named_with_the_server_that_needs_it() {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let port = taken.local_addr().expect("an address").port();
        let error = require_free([port, port, port])
            .expect_err("in use")
            .to_string();
        assert!(
            error.contains(&format!("port {port} for db1 is in use")),
            "{error}"
        );
    }
}
