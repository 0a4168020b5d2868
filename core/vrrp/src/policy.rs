//! What a router is told to be. Whether the values go together is checked where they are read.

use std::net::IpAddr;
use std::time::Duration;

use crate::packet::{Checksum, OWNER, Password, RouterId, TTL, Version};

/// Whether a better router takes the addresses from one that is Active and well.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Preempt {
    /// At once (RFC 9568 §6.1, `Preempt_Mode`).
    #[default]
    Always,
    /// After it has heard the worse one for so long.
    After(Duration),
    /// Never. The owner of the addresses preempts all the same.
    Never,
}

/// How often the addresses are announced by gratuitous ARP or unsolicited advertisements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announcements {
    /// At once, for each address.
    pub count: u8,
    /// Once more the same number after this long.
    pub again_after: Duration,
    /// Then one after each of these, so that switches do not forget; `None` for never.
    pub refresh: Option<Duration>,
}

impl Default for Announcements {
    fn default() -> Self {
        Self {
            count: 5,
            again_after: Duration::from_secs(5),
            refresh: Some(Duration::from_mins(1)),
        }
    }
}

/// One virtual router.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Its number.
    pub id: RouterId,
    /// The version that it speaks.
    pub version: Version,
    /// 1 to 255; 255 for the owner of the addresses.
    pub priority: u8,
    /// Between two advertisements.
    pub interval: Duration,
    /// What is advertised, all of one family.
    pub addresses: Vec<IpAddr>,
    /// Version 2 only.
    pub password: Option<Password>,
    /// Who may take the addresses from whom.
    pub preempt: Preempt,
    /// Where advertisements go; to the multicast group when empty.
    pub peers: Vec<IpAddr>,
    /// The least time to live of a peer's packets: 255 is a peer on the same link.
    pub ttl_min: u8,
    /// How the addresses are announced.
    pub announcements: Announcements,
    /// Of what is sent in version 3 over IPv4.
    pub checksum: Checksum,
    /// What verdicts are awaited.
    pub tracks: Vec<String>,
}

impl Policy {
    /// The usual one.
    pub fn new(id: RouterId, addresses: Vec<IpAddr>) -> Self {
        Self {
            id,
            version: Version::V2,
            priority: 100,
            interval: Duration::from_secs(1),
            addresses,
            password: None,
            preempt: Preempt::Always,
            peers: Vec::new(),
            ttl_min: TTL,
            announcements: Announcements::default(),
            checksum: Checksum::Pseudo,
            tracks: Vec::new(),
        }
    }

    /// Whether it owns the addresses.
    pub fn is_owner(&self) -> bool {
        self.priority == OWNER
    }
}
