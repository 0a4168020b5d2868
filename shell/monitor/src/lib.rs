//! Probes the servers of a proxy that has no manager, and tells the proxy who may be used.
//!
//! Who that is decides `mainstay-alone`; here are connections, timers, and the log of probes.

mod config;
mod history;
mod monitor;
mod prober;

pub use config::{Config, Every};
pub use history::{Kind, Row};
pub use monitor::{Monitor, Publish, start};
