//! An interface with the hardware address of a virtual router (RFC 9568 §7.3), on top of the real
//! one.

use std::fs;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use rustix::net::{AddressFamily, SendFlags, SocketFlags, SocketType, send, socket_with};

use crate::frames;
use crate::kernel::Kernel;
use crate::links::Link;
use crate::sys;

/// One of them.
#[derive(Debug)]
pub(crate) struct Vmac {
    pub(crate) name: String,
    pub(crate) hardware: [u8; 6],
    frames: OwnedFd,
}

impl Vmac {
    /// Its name: that of no other router on this host.
    pub(crate) fn name(parent: &Link, id: u8, six: bool) -> String {
        let family = if six { "6" } else { "" };
        format!("vrrp{family}.{}.{id}", parent.index)
    }

    /// Makes it.
    pub(crate) fn create(
        kernel: &mut Kernel,
        parent: &Link,
        id: u8,
        six: bool,
    ) -> io::Result<Self> {
        let hardware = [0, 0, 0x5e, 0, if six { 2 } else { 1 }, id];
        let name = Self::name(parent, id, six);
        // One that an earlier run has left is not known to be right.
        kernel.remove_link(&name)?;
        kernel.add_macvlan(parent.index, &name, hardware)?;
        // Else the parent answers for the addresses with its own hardware address.
        set(&parent.name, "arp_ignore", "1");
        // And asks in their name when it looks for a client, who then believes that.
        set(&parent.name, "arp_announce", "2");
        set(&name, "accept_local", "1");
        set(&name, "rp_filter", "0");
        let links = kernel.links()?;
        let missing = || io::Error::from_raw_os_error(libc::ENODEV);
        let index = links.named(&name).ok_or_else(missing)?.index;
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let frames = socket_with(AddressFamily::PACKET, SocketType::RAW, flags, None)?;
        sys::bind_packet(frames.as_fd(), frames::ARP, index)?;
        Ok(Self {
            name,
            hardware,
            frames,
        })
    }

    /// Sends an Ethernet frame.
    pub(crate) fn send_frame(&self, frame: &[u8]) -> io::Result<()> {
        send(&self.frames, frame, SendFlags::DONTWAIT)?;
        Ok(())
    }
}

fn set(interface: &str, name: &str, value: &str) {
    let path = Path::new("/proc/sys/net/ipv4/conf")
        .join(interface)
        .join(name);
    if let Err(error) = fs::write(&path, value) {
        tracing::warn!(%error, "{} cannot be set to {value}", path.display());
    }
}
