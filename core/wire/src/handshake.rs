//! The connection phase: the server's greeting and the client's answer.
//!
//! Sources: `Protocol::HandshakeV10`, `Protocol::HandshakeResponse41`, `Protocol::SSLRequest`
//! (MySQL internals); "Connecting to the server" (MariaDB) for the extended capabilities.

mod greeting;
mod response;
#[cfg(test)]
mod tests;

pub use greeting::Greeting;
pub use response::{ClientHello, HandshakeResponse, SslRequest};
pub(crate) use response::{parse_attributes, put_attributes};

/// Length of the random bytes that a password is scrambled with.
pub const SALT_LEN: usize = 20;
/// The random bytes that a password is scrambled with.
pub type Salt = [u8; SALT_LEN];

/// `utf8mb4_general_ci`, the `utf8mb4` collation that every supported server knows.
pub const UTF8MB4_GENERAL_CI: u8 = 45;
