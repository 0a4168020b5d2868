//! Observations assembled into one immutable topology.

pub mod routes;
pub mod server;

pub use routes::{Routes, Target};
pub use server::{Address, Epoch, ServerName};
