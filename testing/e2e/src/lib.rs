//! End-to-end tests with real servers and the real binary: what they share.
//!
//! Each folder below `tests/` is one behaviour, told by the names of its tests. A test sees what a
//! person or a script sees: the command line, its JSON, SQL through the proxy, SQL on the servers,
//! and the processes of the machine. A server that is missing fails a test; it is never skipped.
#![expect(
    clippy::missing_panics_doc,
    reason = "a panic here is a failed test, which says what was expected"
)]

mod client;
mod family;
mod home;
mod login;
mod logs;
mod netns;
mod numbered_writers;
mod packets;
mod paused;
mod ports;
mod program;
mod server_client;
mod start;

pub mod faults;
pub mod lab;
pub mod processes;
pub mod sandbox;
pub mod settings;
pub mod status;
pub mod wait;

pub use client::Client;
pub use family::Family;
pub use home::Home;
pub use lab::Lab;
pub use login::Login;
pub use mainstay_mysql::{Error as SqlError, Value as SqlValue};
pub use netns::Network;
pub use numbered_writers::{Account, NumberedWriters};
pub use packets::PacketClient;
pub use paused::Paused;
pub use ports::free_port;
pub use program::{Finished, mainstay, mainstay_binary, run};
pub use sandbox::{Sandbox, Server};
pub use server_client::server_client;
pub use start::start_command;
pub use status::{Status, wait_for_status};
pub use wait::{wait_for, wait_until};
