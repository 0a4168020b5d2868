//! Ports for programs that a test starts.

use std::net::{Ipv4Addr, TcpListener};
use std::process;
use std::sync::atomic::{AtomicU16, Ordering};

/// Below the ports (32768 and up) that the kernel gives to outgoing connections, of which a
/// cluster makes many between the choice of a port and its use, and below those of sandboxes.
const FIRST: u16 = 10_000;
const COUNT: u16 = 3_000;
/// Ports that one process has for itself if the pids of others are near.
const STRIDE: u32 = 20;

static NEXT: AtomicU16 = AtomicU16::new(0);

/// A port that nobody uses at this moment.
pub fn free_port() -> u16 {
    let own = process::id().wrapping_mul(STRIDE) % u32::from(COUNT);
    let own = u16::try_from(own).expect("it is below the count");
    let mut ports = (0..COUNT).map(|_| {
        let step = NEXT.fetch_add(1, Ordering::Relaxed);
        FIRST + (own + step % COUNT) % COUNT
    });
    let free = |port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
    ports.find(free).expect("a free port")
}
