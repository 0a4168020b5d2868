//! What stands between a socket and the machine: PROXY header, TLS, compression.
//!
//! ```text
//! socket ─ feed ─▶ header ─▶ TLS ─▶ unpack ─ pull ─▶ machine
//! socket ◀ wire ──────────── TLS ◀── pack ◀─ push ── machine
//! ```
//! It knows no driver: bytes in, bytes out, in both directions. A plain connection has no filter at
//! all, and a filter that has done its work says so. A driver must, after each call, send what
//! [`Filter::wire`] holds, and pull until [`Pulled::Nothing`] before it waits for the socket.

mod compressed;
mod header;
mod inbox;
mod outbox;
mod secure;
#[cfg(test)]
mod tests;

use std::net::IpAddr;

use mainstay_wire::compression::{Compression, End, OutOfOrder};
use mainstay_wire::proxy_protocol::BadHeader;

use compressed::Compressed;
pub(crate) use compressed::Packer;
use header::HeaderReader;
use inbox::Inbox;
use secure::Secure;

/// Why a connection cannot go on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FilterError {
    /// TLS could not be established, or was broken.
    #[error("TLS: {0}")]
    Tls(#[from] rustls::Error),
    /// The header of the PROXY protocol is none.
    #[error(transparent)]
    Header(#[from] BadHeader),
    /// Frames of the compressed protocol are not in order.
    #[error(transparent)]
    Order(#[from] OutOfOrder),
    /// What a frame holds cannot be unpacked.
    #[error("a frame of the compressed protocol cannot be unpacked")]
    Unpack,
}

/// What a filter has for the machine.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Pulled {
    /// So many bytes at the start of the buffer.
    Bytes(usize),
    /// TLS is established; true when the peer proved a certificate.
    Secured {
        /// The peer has a certificate that an authority in the settings signed.
        certified: bool,
    },
    /// The client is behind this address, not behind the one it connects from.
    CameFrom(IpAddr),
    /// The peer ended the connection in order.
    End,
    /// Nothing until more is fed.
    Nothing,
}

/// The filter of one connection.
#[derive(Debug, Default)]
pub(crate) struct Filter {
    /// What the peer sent and no layer has taken yet.
    inbox: Inbox,
    header: Option<HeaderReader>,
    secure: Option<Box<Secure>>,
    compressed: Option<Box<Compressed>>,
    /// For the socket.
    wire: Vec<u8>,
}

impl Filter {
    /// Of a client that may begin with a header of the PROXY protocol.
    pub(crate) fn with_header() -> Self {
        Self {
            header: Some(HeaderReader::default()),
            ..Self::default()
        }
    }

    /// TLS begins; what was fed already and not pulled belongs to it.
    pub(crate) fn start_tls(&mut self, tls: rustls::Connection) {
        let secure = self.secure.insert(Box::new(Secure::new(tls)));
        secure.write(&mut self.wire);
    }

    /// Compression begins.
    pub(crate) fn compress(&mut self, how: Compression, end: End) {
        self.compressed = Some(Box::new(Compressed::new(how, end)));
    }

    /// Takes bytes that the socket gave.
    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        self.inbox.add(bytes);
    }

    /// What is next for the machine.
    pub(crate) fn pull(&mut self, plain: &mut [u8]) -> Result<Pulled, FilterError> {
        if let Some(header) = &mut self.header {
            match header.read(&mut self.inbox)? {
                header::Step::More => return Ok(Pulled::Nothing),
                header::Step::Absent => self.header = None,
                header::Step::Done(source) => {
                    self.header = None;
                    if let Some(source) = source {
                        return Ok(Pulled::CameFrom(source.ip()));
                    }
                }
            }
        }
        let Some(compressed) = &mut self.compressed else {
            return pull_secure(&mut self.inbox, &mut self.secure, &mut self.wire, plain);
        };
        loop {
            let count = compressed.unpack(plain)?;
            if count > 0 {
                return Ok(Pulled::Bytes(count));
            }
            match pull_secure(&mut self.inbox, &mut self.secure, &mut self.wire, plain)? {
                Pulled::Bytes(count) => compressed.feed(&plain[..count]),
                other => return Ok(other),
            }
        }
    }

    /// Takes bytes of the machine, which then are on the wire.
    pub(crate) fn push(&mut self, plain: &[&[u8]], packer: &mut Packer) {
        let Some(compressed) = &mut self.compressed else {
            return self.put(plain);
        };
        let mut frames = Vec::new();
        match plain {
            [one] => compressed.pack(one, packer, &mut frames),
            several => compressed.pack(&several.concat(), packer, &mut frames),
        }
        if !frames.is_empty() {
            self.put(&[&frames]);
        }
    }

    fn put(&mut self, bytes: &[&[u8]]) {
        match &mut self.secure {
            Some(secure) => secure.send(bytes, &mut self.wire),
            None => {
                for one in bytes {
                    self.wire.extend_from_slice(one);
                }
            }
        }
    }

    /// Nothing more will be pushed: says so to the peer where the layers have words for it.
    pub(crate) fn finish(&mut self) {
        if let Some(secure) = &mut self.secure {
            secure.finish(&mut self.wire);
        }
    }

    /// The bytes for the socket; the driver takes them out.
    pub(crate) fn wire(&mut self) -> &mut Vec<u8> {
        &mut self.wire
    }

    /// True when something was fed that may still give something.
    pub(crate) fn has_input(&self) -> bool {
        let unpacks = self.compressed.as_ref().is_some_and(|one| one.has_input());
        !self.inbox.is_empty() || unpacks || self.secure.as_ref().is_some_and(|one| one.has_input())
    }

    /// True when it does nothing and holds nothing: the connection is a plain one.
    pub(crate) fn is_done(&self) -> bool {
        let layers = self.header.is_some() || self.secure.is_some() || self.compressed.is_some();
        !layers && self.inbox.is_empty() && self.wire.is_empty()
    }
}

fn pull_secure(
    inbox: &mut Inbox,
    secure: &mut Option<Box<Secure>>,
    wire: &mut Vec<u8>,
    plain: &mut [u8],
) -> Result<Pulled, FilterError> {
    if let Some(secure) = secure {
        let pulled = secure.pull(inbox, plain);
        // Also what tells the peer why it failed.
        secure.write(wire);
        return pulled;
    }
    let count = inbox.take_into(plain);
    Ok(if count == 0 {
        Pulled::Nothing
    } else {
        Pulled::Bytes(count)
    })
}
