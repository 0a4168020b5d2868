//! Virtual servers of layer 4: from the health of real servers to the table of a balancer.
//!
//! The [`Balancer`] is a machine: answers of probes in; probes to make, a [`Table`] to put in force
//! and changes to tell out. [`nft`] writes a table as a transaction of nftables, [`ipvs`] as
//! messages to the kernel's IPVS. Sending either is left to the shell.
//!
//! **Invariants:** no table holds a real server that nobody has looked at; the sorry server is in a
//! table only while the quorum is lost; what an engine cannot do is refused before anything starts,
//! never approximated.

pub mod ipvs;
mod machine;
pub mod nft;
mod slots;
mod spec;
mod table;
mod unsupported;

pub use machine::{Action, Answer, Balancer, Change, Event, RealId};
pub use spec::{
    Device, Engine, Forwarding, Protocol, Quorum, RealServer, Scheduler, VirtualServer,
};
pub use table::{Destination, Entry, Table};
pub use unsupported::{Unsupported, check};
