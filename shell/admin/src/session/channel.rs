//! Packets over a socket that blocks, inside TLS or not.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use mainstay_wire::packet::{HEADER_LEN, PacketHeader, put_packet};

/// The longest statement.
const PACKET_MAX: usize = 16 << 20;
/// Before a login there is nothing long to say.
const LOGIN_PACKET_MAX: usize = 64 << 10;

/// A client that has not logged in by then is closed.
const LOGIN_LIMIT: Duration = Duration::from_secs(10);
/// A client that has sent nothing for so long is closed.
const IDLE_LIMIT: Duration = Duration::from_hours(8);
/// A client that does not take its replies for so long is closed.
const WRITE_LIMIT: Duration = Duration::from_mins(1);

/// Bytes that are gathered before they are sent.
const CHUNK: usize = 64 << 10;

/// Why a connection ended.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Lost {
    /// The client went away, or said nothing for too long.
    #[error("{0}")]
    Gone(#[from] io::Error),
    /// What came is not the protocol.
    #[error("what the client sends is not the protocol")]
    Garbage,
}

enum Stream {
    Plain(TcpStream),
    Tls(Box<rustls::StreamOwned<rustls::ServerConnection, TcpStream>>),
    /// Between the two.
    None,
}

/// A connection with a client.
pub(crate) struct Channel {
    stream: Stream,
    sequence: u8,
    waiting: Vec<u8>,
    packet_max: usize,
}

impl Channel {
    pub(crate) fn new(stream: TcpStream) -> io::Result<Self> {
        stream.set_nonblocking(false)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(LOGIN_LIMIT))?;
        stream.set_write_timeout(Some(WRITE_LIMIT))?;
        Ok(Self {
            stream: Stream::Plain(stream),
            sequence: 0,
            waiting: Vec::new(),
            packet_max: LOGIN_PACKET_MAX,
        })
    }

    /// The client is in: it may be silent for longer, and say more at once.
    pub(crate) fn trust(&mut self) -> io::Result<()> {
        self.packet_max = PACKET_MAX;
        match &self.stream {
            Stream::Plain(stream) => stream.set_read_timeout(Some(IDLE_LIMIT)),
            Stream::Tls(stream) => stream.sock.set_read_timeout(Some(IDLE_LIMIT)),
            Stream::None => Ok(()),
        }
    }

    /// Goes on inside TLS; returns the cipher.
    pub(crate) fn secure(&mut self, config: &Arc<rustls::ServerConfig>) -> Result<String, Lost> {
        let Stream::Plain(stream) = std::mem::replace(&mut self.stream, Stream::None) else {
            return Err(Lost::Garbage);
        };
        let session = rustls::ServerConnection::new(Arc::clone(config));
        let session = session.map_err(|_| Lost::Garbage)?;
        let mut secured = rustls::StreamOwned::new(session, stream);
        while secured.conn.is_handshaking() {
            secured.conn.complete_io(&mut secured.sock)?;
        }
        let suite = secured.conn.negotiated_cipher_suite();
        let name = suite.map(|suite| format!("{:?}", suite.suite()));
        self.stream = Stream::Tls(Box::new(secured));
        Ok(name.unwrap_or_default())
    }

    /// A command begins: packets are counted from the start.
    pub(crate) fn begin(&mut self) {
        self.sequence = 0;
    }

    /// The next payload, whole.
    pub(crate) fn receive(&mut self) -> Result<Vec<u8>, Lost> {
        let mut payload = Vec::new();
        loop {
            let mut header = [0; HEADER_LEN];
            self.read(&mut header)?;
            let header = PacketHeader::parse(&header).ok_or(Lost::Garbage)?;
            if payload.len() + header.len > self.packet_max {
                return Err(Lost::Garbage);
            }
            let start = payload.len();
            payload.resize(start + header.len, 0);
            self.read(&mut payload[start..])?;
            self.sequence = header.sequence.wrapping_add(1);
            if !header.continues() {
                return Ok(payload);
            }
        }
    }

    /// Writes a payload; it may wait for more.
    pub(crate) fn put(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> Result<(), Lost> {
        let mut payload = Vec::new();
        write(&mut payload);
        self.sequence = put_packet(&mut self.waiting, self.sequence, &payload);
        if self.waiting.len() >= CHUNK {
            self.flush()?;
        }
        Ok(())
    }

    /// Writes a payload, and sends all that waits.
    pub(crate) fn send(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> Result<(), Lost> {
        self.put(write)?;
        self.flush()
    }

    pub(crate) fn flush(&mut self) -> Result<(), Lost> {
        let waiting = std::mem::take(&mut self.waiting);
        match &mut self.stream {
            Stream::Plain(stream) => stream.write_all(&waiting)?,
            Stream::Tls(stream) => {
                stream.write_all(&waiting)?;
                stream.flush()?;
            }
            Stream::None => return Err(Lost::Garbage),
        }
        Ok(())
    }

    fn read(&mut self, buffer: &mut [u8]) -> Result<(), Lost> {
        match &mut self.stream {
            Stream::Plain(stream) => stream.read_exact(buffer)?,
            Stream::Tls(stream) => stream.read_exact(buffer)?,
            Stream::None => return Err(Lost::Garbage),
        }
        Ok(())
    }
}
