//! Floating addresses on this host: raw sockets, netlink, gratuitous ARP and unsolicited neighbour
//! advertisements around the machine of `core/vrrp`, on a thread of their own.
//!
//! - Packets are read before the clock is looked at: a thread that is late does not take what
//!   others hold.
//! - What is put on an interface is noted first, in a file and with the guard.
//! - Nothing that waits for others runs on the thread.
//!
//! Why a verdict on something is what it is, is left to others: they say it by [`VipHandle`].

mod accept;
mod config;
mod dialect;
mod error;
mod frames;
mod guard;
mod handle;
mod held;
mod keeper;
mod kernel;
mod links;
mod netlink;
mod notify;
mod port;
mod status;
mod sys;
mod vmac;

pub use config::{Config, TrackedLink, Vip};
pub use error::VipError;
pub use guard::{GUARD_COMMAND, guard_main};
pub use handle::{VipHandle, start};
pub use status::VipStatus;
