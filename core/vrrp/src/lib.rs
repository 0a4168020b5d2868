//! VRRP version 2 (RFC 3768) and 3 (RFC 9568): packets, and the machine that decides who holds a
//! floating address. Bytes, verdicts and time come in; packets to send, addresses to take or drop
//! and findings go out.
//!
//! Sockets, interfaces and the reasons for a verdict are left to others.

pub mod address;
pub mod announcer;
pub mod event;
pub mod finding;
pub mod group;
pub mod packet;
pub mod policy;
pub mod router;
pub mod state;
pub mod timers;
pub mod track;

pub use address::Prefixed;
pub use event::{Action, Event, Packet};
pub use finding::{Finding, Problem};
pub use group::{Group, Named};
pub use packet::{Advert, Checksum, Envelope, PacketError, Password, RouterId, Version};
pub use policy::{Announcements, Policy, Preempt};
pub use router::{Counters, Heard, Router};
pub use state::State;
pub use track::Verdict;
