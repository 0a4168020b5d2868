//! What the bytes of clients and servers travel in.

use mainstay_wire::compression::Compression;

/// TLS towards clients.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ClientTls {
    /// There is none.
    #[default]
    Off,
    /// Who asks for it gets it.
    Offered,
    /// Who does not ask for it gets error 3159.
    Required,
}

/// TLS towards servers. Whether a certificate is believed is left to the driver.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ServerTls {
    /// Never.
    #[default]
    Off,
    /// With servers that offer it and with which it can be established.
    Preferred,
    /// Always: a server that does not offer it is not used.
    Required,
}

/// What is said of the connections to one server; what is `None` is as for all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ServerTraits {
    /// Connections to it, idle or in use, of the whole proxy.
    pub connections_max: Option<usize>,
    /// TLS with it.
    pub tls: Option<ServerTls>,
    /// The compression asked of it.
    pub compression: Option<CompressionWish>,
}

/// The compression asked of one server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CompressionWish {
    /// None.
    Off,
    /// This one, where it is offered.
    With(Compression),
}

impl CompressionWish {
    /// The compression, if there is to be one.
    pub fn wanted(self) -> Option<Compression> {
        match self {
            Self::Off => None,
            Self::With(compression) => Some(compression),
        }
    }
}

/// Algorithms of compression.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Algorithms {
    /// zlib.
    pub zlib: bool,
    /// zstd.
    pub zstd: bool,
}

/// What a connection of a user must have besides the right password.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Require {
    /// Nothing.
    #[default]
    Nothing,
    /// TLS, as `REQUIRE SSL`.
    Tls,
    /// A certificate of a known authority, as `REQUIRE X509`.
    Certificate,
}
