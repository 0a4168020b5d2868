//! Whole packets over a socket.

use std::io;

use mainstay_wire::packet::{HEADER_LEN, PacketHeader, put_packet};
use mainstay_wire::response::ERR_HEADER;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::Error;

/// Longest reply read into memory. The control plane asks for little; a server that sends more is
/// not to take our memory.
const REPLY_MAX_BYTES: usize = 64 << 20;
const READ_BYTES: usize = 8 << 10;

pub(crate) struct PacketStream {
    socket: TcpStream,
    buffer: Vec<u8>,
    /// Where the unread part of `buffer` begins.
    at: usize,
    /// Number of the next packet of the current exchange.
    sequence: u8,
    /// Bytes of the current reply so far.
    reply_bytes: usize,
}

impl PacketStream {
    pub(crate) fn new(socket: TcpStream) -> Self {
        Self {
            socket,
            buffer: Vec::new(),
            at: 0,
            sequence: 0,
            reply_bytes: 0,
        }
    }

    /// Begins a new exchange with this payload.
    pub(crate) async fn command(&mut self, payload: &[u8]) -> Result<(), Error> {
        self.sequence = 0;
        self.reply_bytes = 0;
        self.send(payload).await
    }

    /// Sends the next packet of the current exchange.
    pub(crate) async fn send(&mut self, payload: &[u8]) -> Result<(), Error> {
        let mut bytes = Vec::with_capacity(HEADER_LEN + payload.len());
        self.sequence = put_packet(&mut bytes, self.sequence, payload);
        Ok(self.socket.write_all(&bytes).await?)
    }

    /// What follows is counted afresh: a stream of replies, each with the limit of one.
    pub(crate) fn begin_part(&mut self) {
        self.reply_bytes = 0;
    }

    /// Reads the next payload of the current exchange, put together if it came in several packets.
    pub(crate) async fn receive(&mut self) -> Result<Vec<u8>, Error> {
        let mut payload = Vec::new();
        loop {
            let header = self.receive_into(&mut payload).await?;
            let in_order = header.sequence == self.sequence;
            self.sequence = header.sequence.wrapping_add(1);
            // A server that ends an idle connection announces it out of order.
            if !in_order && payload.first() != Some(&ERR_HEADER) {
                return Err(Error::Protocol("packets out of order".to_owned()));
            }
            if !header.continues() {
                return Ok(payload);
            }
        }
    }

    async fn receive_into(&mut self, payload: &mut Vec<u8>) -> Result<PacketHeader, Error> {
        loop {
            let unread = &self.buffer[self.at..];
            if let Some(header) = PacketHeader::parse(unread)
                && let Some(body) = unread.get(HEADER_LEN..HEADER_LEN + header.len)
            {
                self.reply_bytes += HEADER_LEN + header.len;
                if self.reply_bytes > REPLY_MAX_BYTES {
                    return Err(Error::Protocol("a reply of more than 64 MiB".to_owned()));
                }
                payload.extend_from_slice(body);
                self.at += HEADER_LEN + header.len;
                return Ok(header);
            }
            self.fill().await?;
        }
    }

    async fn fill(&mut self) -> io::Result<()> {
        self.buffer.drain(..std::mem::take(&mut self.at));
        self.buffer.reserve(READ_BYTES);
        match self.socket.read_buf(&mut self.buffer).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }

    /// Waits, between exchanges, until the server says something or ends the connection: either
    /// is its end. A server that leaves in good order may say why.
    pub(crate) async fn ended(&mut self) -> Error {
        self.sequence = 0;
        match self.receive().await {
            Ok(payload) => match mainstay_wire::ErrPacket::parse(&payload) {
                Ok(error) => error.into(),
                Err(_) => Error::Protocol("a packet that nobody asked for".to_owned()),
            },
            Err(error) => error,
        }
    }

    pub(crate) async fn shutdown(&mut self) -> io::Result<()> {
        self.socket.shutdown().await
    }
}
