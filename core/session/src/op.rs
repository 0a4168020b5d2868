//! What the machine asks of its driver: operations, and the bytes they carry.
//!
//! The driver runs the operations in order after each call into the machine. It owns the sockets,
//! the buffers of blocked writes and the clock; the machine owns everything else.

use std::ops::Range;

use mainstay_topology::ServerName;
use mainstay_wire::compression::Compression;

use crate::note::Note;

/// One connection that the driver holds: a client's or a server's.
///
/// `Client` ids are given by [`crate::Core::accepted`]; `Server` ids by the machine in
/// [`Op::Connect`]. An id is not used again before the driver has been told to close it and has
/// finished the turn in which it was closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ConnId {
    /// A client connection.
    Client(u32),
    /// A server connection.
    Server(u32),
}

/// Bytes to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Chunk {
    /// A range of the input of the current call: sent without a copy.
    Input(Range<usize>),
    /// Bytes the machine made.
    Owned(Vec<u8>),
    /// Bytes known at compile time.
    Static(&'static [u8]),
}

impl Chunk {
    /// The bytes. A range outside the input would be a defect of the machine.
    pub fn bytes<'a>(&'a self, input: &'a [u8]) -> &'a [u8] {
        match self {
            Self::Input(range) => &input[range.clone()],
            Self::Owned(bytes) => bytes,
            Self::Static(bytes) => bytes,
        }
    }
}

/// One operation for the driver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Op {
    /// Send the bytes after all bytes already sent or queued to that connection.
    Send {
        /// The connection to send to.
        to: ConnId,
        /// What to send.
        chunk: Chunk,
    },
    /// Open a connection to the server; answered by `connected` or `closed`.
    Connect {
        /// The id the machine chose for it.
        id: ConnId,
        /// Which server, by the name in the routes last given to the machine.
        server: ServerName,
        /// `host:port` to connect to, or `unix:/path`.
        address: String,
    },
    /// From here on everything to and from the connection is TLS; answered by `secured` or
    /// `closed`.
    StartTls {
        /// The connection.
        who: ConnId,
        /// How many bytes at the end of the current input belong to TLS already.
        surplus: usize,
        /// `host:port` of a server; none for a client.
        address: Option<String>,
    },
    /// From here on everything to and from the connection is compressed.
    Compress {
        /// The connection.
        who: ConnId,
        /// By what.
        how: Compression,
    },
    /// Stop reading from the connection (backpressure).
    Pause(ConnId),
    /// Read again from the connection.
    Resume(ConnId),
    /// Send what is queued, then close.
    Close(ConnId),
    /// Hand the note to the machine of another worker; if there is no such worker, hand this one
    /// what [`Note::undelivered`] says.
    Tell {
        /// The number of the worker.
        worker: u32,
        /// The note.
        note: Note,
    },
}

/// The operations of one call, reused from call to call so that a turn allocates nothing.
pub type Ops = Vec<Op>;

/// Why a connection ended, as the driver saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CloseReason {
    /// The peer closed it in order.
    Eof,
    /// The peer reset it, or any other error of an open connection.
    Reset,
    /// A `Connect` was refused: nobody listens there.
    Refused,
    /// A `Connect` failed in another way: no route, no such host, time-out of the kernel.
    Unreachable,
    /// TLS could not be established, or was broken.
    Tls,
    /// What came in is nothing that its filters understand: a broken header of the PROXY protocol,
    /// frames of the compressed protocol that are not in order or cannot be unpacked.
    Garbled,
}
