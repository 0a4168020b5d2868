//! What a driver is: the sockets of one worker, and the operations of a machine on them.
//!
//! Two drivers do the same with different means, [`crate::epoll`] and [`crate::ring`]. What does
//! not depend on the means is here: the table of connections, how one to a server is opened, and
//! what is told to the machine. Which worker a client belongs to is left to `worker`.

mod conn;
mod ids;
mod opening;
mod table;
#[cfg(test)]
mod tests;

use std::net::IpAddr;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::time::Duration;

use mainstay_clock::Timestamp;
use mainstay_session::{CloseReason, ConnId, Ops};
use rustix::io::Errno;
use rustix::net::SocketFlags;

use crate::load::Ticket;
pub(crate) use conn::{Conn, Phase, Token};
pub(crate) use opening::Opening;
pub(crate) use table::{Lookup, Table};

/// A closed connection whose peer does not take the rest in this time is cut.
const LINGER: Duration = Duration::from_secs(10);
/// More than this queued for a connection, and its counterpart is no longer read.
pub(crate) const BLOCKED_BYTES: usize = 256 * 1024;

/// Something that has happened on the sockets of a worker.
#[derive(Debug)]
pub(crate) enum Event {
    /// Clients wait to be accepted.
    Listener,
    /// There is something in the mailbox.
    Bell,
    /// Bytes came in: those of [`Driver::input`].
    Input(ConnId),
    /// TLS is established; true when the peer proved a certificate.
    Secured(ConnId, bool),
    /// The client is behind this address.
    CameFrom(ConnId, IpAddr),
    /// The connection is gone.
    End(ConnId, CloseReason),
    /// Only notices.
    Noticed,
}

/// Something the machine must hear of, found while its operations were run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Notice {
    /// An attempt to connect succeeded.
    Connected,
    /// A connection ended or could not be opened.
    Closed(CloseReason),
    /// So many bytes are queued for it.
    Blocked(usize),
    /// Nothing is queued for it any more.
    Unblocked,
}

/// The sockets of one worker.
pub(crate) trait Driver: Opening {
    /// What accepted sockets must be.
    const ACCEPTED: SocketFlags;

    /// Watches the worker's mailbox.
    fn watch_bell(&mut self, bell: BorrowedFd<'_>);

    /// Watches the listening socket, or stops to.
    fn watch_listener(&mut self, listener: BorrowedFd<'_>, wanted: bool);

    /// Takes an accepted socket over.
    fn add_client(&mut self, who: ConnId, socket: OwnedFd, ticket: Ticket);

    /// Makes a socket of another process what [`Self::ACCEPTED`] would have made it.
    fn adopt(&mut self, socket: &OwnedFd) -> Result<(), Errno>;

    /// Waits until something has happened, or until the time is over.
    fn wait(&mut self, timeout: Option<Duration>);

    /// The next thing that has happened in this turn.
    fn next(&mut self, now: Timestamp) -> Option<Event>;

    /// The bytes of the last [`Event::Input`], until the operations they gave rise to are run.
    fn input(&self) -> &[u8];

    /// Runs the operations; their ranges are those of the input, which is given up afterwards.
    fn run(&mut self, now: Timestamp, ops: &mut Ops);

    /// True when there is something to do without waiting.
    fn has_work(&self) -> bool;

    /// Closes the socket at once. Its connection is gone from the table, or goes from it when the
    /// system has let go of it; the machine does not hear of it.
    fn remove(&mut self, token: Token);

    /// Lets go of an open connection and gives its socket, unless bytes of it are still here: what
    /// its peer sends from now on is for whoever has the socket. A driver that cannot let go at
    /// once begins to, and is asked again.
    fn give(&mut self, token: Token) -> Option<OwnedFd>;

    /// Closes every connection, to begin again with another machine.
    fn clear(&mut self);

    /// The next thing the machine must hear of.
    fn next_notice(&mut self) -> Option<(ConnId, Notice)> {
        let (token, who, notice) = self.table().next_notice()?;
        if matches!(notice, Notice::Closed(_)) {
            self.remove(token);
        }
        Some((who, notice))
    }

    /// Cuts closed connections whose peers did not take the rest in time.
    fn cut_lingering(&mut self, now: Timestamp) {
        while let Some(token) = self.table().next_lingering(now) {
            self.remove(token);
        }
    }
}
