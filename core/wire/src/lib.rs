//! The MySQL protocol: packets, handshake, authentication; bytes in, bytes out.
//!
//! Nothing here does I/O, reads a clock or draws a random number: sockets belong to the shell,
//! salts and seeds are arguments. TLS, and the algorithms of compression, belong to the shell too.

pub mod capabilities;
pub mod codec;
pub mod packet;

pub mod command;
pub mod handshake;

pub mod compression;
pub mod proxy_protocol;

pub mod auth;
pub mod error;
pub mod response;
pub mod result;
pub mod session_track;

pub mod bound;
pub mod execution;
pub mod statement;
pub mod tracker;

pub use capabilities::Capabilities;
pub use codec::{Malformed, Reader};
pub use command::{ChangeUser, Command, ReplyKind};
pub use error::ErrorCode;
pub use handshake::{ClientHello, Greeting, HandshakeResponse};
pub use packet::{Packet, PacketHeader, PacketReader};
pub use response::{EofPacket, ErrPacket, OkPacket, StatusFlags};
pub use session_track::SessionChange;
pub use tracker::{Fed, Progress, ResponseTracker, Summary};
