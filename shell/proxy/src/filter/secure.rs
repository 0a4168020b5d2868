//! TLS of one connection.

use std::io::{ErrorKind, Read, Write};

use rustls::Connection;

use super::inbox::Inbox;
use super::{FilterError, Pulled};

/// A connection of rustls, and whether the machine was told that it is established.
#[derive(Debug)]
pub(crate) struct Secure {
    tls: Connection,
    told: bool,
    /// The reader may hold more than was read from it.
    unread: bool,
}

impl Secure {
    pub(crate) fn new(mut tls: Connection) -> Self {
        // The driver bounds what is queued, by telling the machine.
        tls.set_buffer_limit(None);
        Self {
            tls,
            told: false,
            unread: false,
        }
    }

    /// What is next in the stream.
    pub(crate) fn pull(
        &mut self,
        inbox: &mut Inbox,
        plain: &mut [u8],
    ) -> Result<Pulled, FilterError> {
        loop {
            if !self.told && !self.tls.is_handshaking() {
                self.told = true;
                let certified = self.tls.peer_certificates().is_some();
                return Ok(Pulled::Secured { certified });
            }
            if self.told {
                match self.tls.reader().read(plain) {
                    Ok(0) => return Ok(Pulled::End),
                    Ok(count) => {
                        self.unread = true;
                        return Ok(Pulled::Bytes(count));
                    }
                    Err(_) => self.unread = false,
                }
            }
            if inbox.is_empty() {
                return Ok(Pulled::Nothing);
            }
            let mut bytes = inbox.bytes();
            let before = bytes.len();
            let read = self.tls.read_tls(&mut bytes);
            let taken = before - bytes.len();
            inbox.take(taken);
            if taken == 0 || read.is_err() {
                let text = read.map_or_else(|error| error.to_string(), |_| "no room".to_owned());
                return Err(rustls::Error::General(text).into());
            }
            self.tls.process_new_packets()?;
        }
    }

    /// Sends plain bytes; before TLS is established they are kept until it is.
    pub(crate) fn send(&mut self, plain: &[&[u8]], wire: &mut Vec<u8>) {
        for bytes in plain {
            self.tls
                .writer()
                .write_all(bytes)
                .expect("a buffer without a limit takes everything");
            self.write(wire);
        }
    }

    /// Moves what TLS has for the peer.
    pub(crate) fn write(&mut self, wire: &mut Vec<u8>) {
        while self.tls.wants_write() {
            match self.tls.write_tls(wire) {
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return,
            }
        }
    }

    pub(crate) fn finish(&mut self, wire: &mut Vec<u8>) {
        self.tls.send_close_notify();
        self.write(wire);
    }

    pub(crate) fn has_input(&self) -> bool {
        self.unread
    }
}
