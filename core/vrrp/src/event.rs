//! What can happen to a router, and what it wants done.

use std::net::IpAddr;

use crate::finding::Finding;
use crate::packet::Advert;
use crate::policy::Policy;
use crate::state::State;
use crate::track::Verdict;

/// A packet of protocol 112 as it came, without its IP header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packet {
    /// Who sent it.
    pub source: IpAddr,
    /// Where to.
    pub destination: IpAddr,
    /// Its time to live, or hop limit, on arrival.
    pub ttl: u8,
    /// The message.
    pub bytes: Vec<u8>,
}

/// What can happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// It may begin.
    Start,
    /// It is to end.
    Stop,
    /// The deadline has passed.
    Timer,
    /// A packet came.
    Packet(Packet),
    /// The interface is up and has this address to send from; `None` when it cannot be used.
    Link(Option<IpAddr>),
    /// A verdict.
    Track {
        /// On what.
        name: String,
        /// Which.
        verdict: Verdict,
    },
    /// Take the addresses now, without waiting for silence: whoever says so knows that the Active
    /// router has let them go.
    Claim,
    /// Another host says that an address is its own, which is one of this router's: advertised or
    /// not.
    Conflict {
        /// The address.
        address: IpAddr,
        /// The other's hardware address.
        hardware: [u8; 6],
    },
    /// An address that it holds is no longer there; somebody else removed it.
    Lost(IpAddr),
    /// Other rules from now on. The addresses are kept as far as they are in both.
    Reload(Policy),
}

/// What is to be done, in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Send this to the group, or to each peer.
    Send(Advert),
    /// Take the addresses: put them on the interface, and ask whether another host has them.
    Take,
    /// Take them off the interface.
    Drop,
    /// Tell the network who has them, so often.
    Announce(u8),
    /// The state changed.
    Changed {
        /// Until now.
        from: State,
        /// From now on.
        to: State,
        /// Why.
        reason: String,
    },
    /// Something is wrong with what others do.
    Found(Finding),
    /// It is so no longer.
    Gone(Finding),
}
