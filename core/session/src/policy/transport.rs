//! What the bytes of clients and servers travel in.

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
