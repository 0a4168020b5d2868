//! One connection of the driver: its socket, what could not be sent yet, and where it stands.
//! What an event on it means is left to `net`.

use std::collections::VecDeque;
use std::io::IoSlice;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;

use mainstay_session::ConnId;
use rustix::io::{Errno, retry_on_intr};
use rustix::net::{SendAncillaryBuffer, SendFlags};

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

/// What there is to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Readable {
    /// Nothing until the next event.
    No,
    /// Perhaps something.
    Perhaps,
    /// Perhaps something, then the end: it must be read to the end, because no event will follow.
    ToTheEnd,
}

/// One connection. An idle one owns no buffer.
#[derive(Debug)]
pub(crate) struct Conn {
    pub(crate) who: ConnId,
    pub(crate) generation: u32,
    pub(crate) phase: Phase,
    pub(crate) readable: Readable,
    /// The machine does not want its bytes now.
    pub(crate) paused: bool,
    /// epoll watches it for room to send.
    pub(crate) awaits_room: bool,
    /// The machine was told that too much is queued.
    pub(crate) blocked: bool,
    pub(crate) socket: Option<OwnedFd>,
    /// Bytes the kernel did not take.
    pub(crate) unsent: VecDeque<u8>,
    /// Further addresses of the server, to try while it is being opened.
    pub(crate) alternatives: Vec<SocketAddr>,
    /// Only clients are counted.
    pub(crate) ticket: Option<Ticket>,
}

impl Conn {
    /// A connection without a socket.
    pub(crate) fn new(who: ConnId, phase: Phase) -> Self {
        Self {
            who,
            generation: 0,
            phase,
            readable: Readable::No,
            paused: false,
            awaits_room: false,
            blocked: false,
            socket: None,
            unsent: VecDeque::new(),
            alternatives: Vec::new(),
            ticket: None,
        }
    }

    /// Sends the slices after everything queued; what the kernel does not take is queued. An error
    /// drops everything: the reader of the connection then finds out what has happened to it.
    pub(crate) fn send(&mut self, slices: &[IoSlice<'_>]) -> Result<(), Errno> {
        let mut sent = 0;
        if self.phase == Phase::Open && self.unsent.is_empty() {
            let socket = self
                .socket
                .as_ref()
                .expect("an open connection has a socket");
            sent = send_some(socket, slices)?;
        }
        for slice in slices {
            let skip = sent.min(slice.len());
            sent -= skip;
            self.unsent.extend(&slice[skip..]);
        }
        Ok(())
    }

    /// Sends what is queued until the kernel takes no more or nothing is left.
    pub(crate) fn flush(&mut self) -> Result<(), Errno> {
        let socket = self
            .socket
            .as_ref()
            .expect("only an opened connection is flushed");
        while !self.unsent.is_empty() {
            let (front, back) = self.unsent.as_slices();
            let sent = send_some(socket, &[IoSlice::new(front), IoSlice::new(back)])?;
            if sent == 0 {
                return Ok(());
            }
            self.unsent.drain(..sent);
        }
        self.unsent = VecDeque::new();
        Ok(())
    }
}

/// One system call; zero when the kernel takes nothing now.
fn send_some(socket: &OwnedFd, slices: &[IoSlice<'_>]) -> Result<usize, Errno> {
    let sent = retry_on_intr(|| match slices {
        [one] => rustix::net::send(socket, one, SendFlags::NOSIGNAL),
        several => {
            let mut control = SendAncillaryBuffer::default();
            rustix::net::sendmsg(socket, several, &mut control, SendFlags::NOSIGNAL)
        }
    });
    match sent {
        Err(Errno::AGAIN) => Ok(0),
        other => other,
    }
}
