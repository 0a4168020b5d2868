//! The MySQL protocol: packets, handshake, authentication; bytes in, bytes out.
