//! How clients come to a worker: from its listener, or from a worker that has more.

use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use rustix::io::Errno;

use super::Worker;
use crate::driver::Driver;
use crate::filtered::Accepted;
use crate::machine::Machine;
use crate::mailbox::Message;

/// Clients accepted before the connections have their turn.
const ACCEPTS_PER_TURN: usize = 64;
/// How long nobody is accepted when the process has no file descriptor left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

impl<M: Machine, D: Driver> Worker<'_, M, D> {
    /// Accepts whoever waits.
    pub(super) fn accept(&mut self) {
        for _ in 0..ACCEPTS_PER_TURN {
            match rustix::net::acceptfrom_with(&self.seat.listener, D::ACCEPTED) {
                Ok((socket, peer)) => {
                    let peer = peer.and_then(|peer| SocketAddr::try_from(peer).ok());
                    self.place(socket, peer.map(|peer| peer.ip()));
                }
                Err(Errno::AGAIN) => return,
                Err(errno @ (Errno::MFILE | Errno::NFILE | Errno::NOBUFS | Errno::NOMEM)) => {
                    // The connection stays in the queue, and it would be reported without end.
                    tracing::warn!(error = %errno, "cannot accept clients for a moment");
                    self.accepts_again = Some(self.now + ACCEPT_PAUSE);
                    self.watch_listener(false);
                    return;
                }
                // The client was gone before it was accepted (accept(2), "Error handling").
                Err(_) => {}
            }
        }
    }

    /// Gives an accepted client to the least loaded worker: the kernel spreads connections by
    /// hash only, and a few long-lived ones could all be here.
    fn place(&mut self, socket: OwnedFd, peer: Option<IpAddr>) {
        let shared = &self.seat.shared;
        let worker = shared.loads.least(self.seat.number);
        let ticket = shared.loads.ticket(worker);
        let client = Accepted {
            socket,
            peer,
            ticket,
        };
        if worker == self.seat.number {
            self.welcome(client);
        } else {
            shared.mailboxes[worker].push(Message::Client(client));
        }
    }

    /// Makes an accepted socket a session of this worker.
    pub(super) fn welcome(&mut self, client: Accepted) {
        let who = self.machine.accepted(self.now, client.peer, &mut self.ops);
        self.net.add_client(who, client);
        self.settle();
    }

    /// Watches the listener, or stops to.
    pub(super) fn watch_listener(&mut self, wanted: bool) {
        self.net
            .driver
            .watch_listener(self.seat.listener.as_fd(), wanted);
    }
}
