//! One connection of a driver: its socket, and where it stands. What an event on it means, and how
//! bytes wait to be sent, is left to the driver.

use std::net::SocketAddr;
use std::os::fd::OwnedFd;

use mainstay_session::ConnId;

use crate::load::Ticket;

/// The driver's own name of a connection. The generation is never given twice by one worker, so
/// that an event that was fetched before its connection was closed finds nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) index: u32,
    pub(crate) generation: u32,
}

impl Token {
    /// As epoll carries it.
    pub(crate) const fn to_bits(self) -> u64 {
        (self.generation as u64) << 32 | self.index as u64
    }

    /// As epoll gave it back.
    pub(crate) const fn from_bits(bits: u64) -> Self {
        Self {
            index: bits as u32,
            generation: (bits >> 32) as u32,
        }
    }
}

/// How far a connection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Its server's name is being looked up; there is no socket yet.
    Resolving,
    /// The kernel is opening it.
    Connecting,
    /// Open.
    Open,
    /// The machine has closed it: it goes when what is queued has been sent.
    Closing,
}

/// One connection. An idle one owns no buffer.
#[derive(Debug)]
pub(crate) struct Conn<S> {
    pub(crate) who: ConnId,
    pub(crate) generation: u32,
    pub(crate) phase: Phase,
    /// The machine does not want its bytes now.
    pub(crate) paused: bool,
    /// The machine was told that too much is queued.
    pub(crate) blocked: bool,
    pub(crate) socket: Option<OwnedFd>,
    /// Further addresses of the server, to try while it is being opened.
    pub(crate) alternatives: Vec<SocketAddr>,
    /// Only clients are counted.
    pub(crate) ticket: Option<Ticket>,
    /// What the driver keeps of it.
    pub(crate) side: S,
}

impl<S: Default> Conn<S> {
    /// A connection without a socket.
    pub(crate) fn new(who: ConnId, phase: Phase) -> Self {
        Self {
            who,
            generation: 0,
            phase,
            paused: false,
            blocked: false,
            socket: None,
            alternatives: Vec::new(),
            ticket: None,
            side: S::default(),
        }
    }
}

impl<S> Conn<S> {
    /// The socket of a connection that is open or being opened.
    pub(crate) fn socket(&self) -> &OwnedFd {
        self.socket
            .as_ref()
            .expect("a connection that is open has a socket")
    }
}
