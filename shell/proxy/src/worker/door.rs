//! How clients come to a worker: from its listener, or from a worker that has more.

use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::Shutdown;

use super::Worker;
use crate::door::Door;
use crate::driver::Driver;
use crate::filtered::Accepted;
use crate::listen;
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
        if self.seat.door == Door::Emptied {
            // Another worker accepted it just before the door was closed.
            return;
        }
        let who = self.machine.accepted(self.now, client.peer, &mut self.ops);
        self.net.add_client(who, client);
        self.settle();
    }

    /// Opens or closes the door. The port stays ours: no other program can take it meanwhile.
    pub(super) fn turn_door(&mut self, door: Door) {
        if self.seat.leaving.is_some() {
            return;
        }
        let was = std::mem::replace(&mut self.seat.door, door);
        self.accepts_again = None;
        if door == Door::Open && was != Door::Open {
            if let Err(errno) = listen::again(&self.seat.listener) {
                tracing::error!(error = %errno, "the proxy's port cannot be opened again");
            }
            self.watch_listener(true);
        } else if door != Door::Open && was == Door::Open {
            self.watch_listener(false);
            // Who connects now is refused at once. Linux keeps the port of a socket that was bound
            // to it, and listen(2) opens it again.
            let _ = rustix::net::shutdown(&self.seat.listener, Shutdown::Both);
        }
        if door == Door::Emptied {
            self.machine.stop(self.now, &mut self.ops);
            self.settle();
        }
    }

    /// Watches the listener, or stops to.
    pub(super) fn watch_listener(&mut self, wanted: bool) {
        self.net
            .driver
            .watch_listener(self.seat.listener.as_fd(), wanted);
    }
}
