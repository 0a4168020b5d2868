//! Worker threads and the drivers of the session machine, on epoll and on `io_uring`.
//!
//! [`Proxy`] is the whole of it for others: start, publish routes, wait for the writer to be
//! drained, count, stop. One thread per worker owns its share of the listening port, its sockets
//! and its own `core/session` machine; nothing is shared on the path of a query. What a statement
//! means, where it goes and what waits is left to `core/session`.

mod connect;
mod crew;
mod door;
mod driver;
mod epoll;
mod error;
mod filter;
mod filtered;
mod filters;
mod gate;
mod io;
mod leaving;
mod listen;
mod load;
mod machine;
mod mailbox;
mod proxy;
mod recorder;
mod resolve;
mod ring;
mod sched;
mod stats;
#[cfg(test)]
mod tests;
pub mod tls;
mod worker;

pub use door::Door;
pub use error::Error;
pub use filters::{Filters, Network, Towards};
pub use gate::StillBusy;
pub use io::Io;
pub use leaving::{Leaving, Moved};
pub use proxy::{Proxy, ProxyOptions};
pub use recorder::{LogReport, Recorder};
pub use stats::ProxyStats;
