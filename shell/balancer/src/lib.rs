//! Layer-4 balancing: probes the real servers, and puts the tables of `core/balance` in force with
//! nftables or IPVS.
//!
//! **Invariants:** a table is put in force whole or not at all; nothing but our own rules and
//! services is touched, and at the end they are taken away; what another hand has removed is put
//! back.

mod daemon;
mod engine;
mod error;
mod ipvs;
mod links;
mod nft;

pub use daemon::{Balancing, EngineChoice, Shown, ShownReal, start};
pub use error::BalancerError;
