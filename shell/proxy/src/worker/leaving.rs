//! How clients leave a worker that accepts nobody any more, and how they arrive from another
//! process.

use std::os::fd::OwnedFd;
use std::sync::mpsc::Sender;
use std::time::Duration;

use mainstay_session::{CloseReason, ConnId};
use rustix::net::Shutdown;

use super::Worker;
use crate::driver::Driver;
use crate::leaving::{Leaving, Moved};
use crate::load::Ticket;
use crate::machine::Machine;

/// How soon a client is tried again that could not go.
const PAUSE: Duration = Duration::from_millis(5);

impl<M: Machine, D: Driver> Worker<'_, M, D> {
    /// Accepts nobody from now on, and lets clients go.
    pub(super) fn leave(&mut self, leaving: Leaving) {
        self.accepts_again = None;
        self.watch_listener(false);
        if matches!(leaving, Leaving::Dismissed) {
            // Who connects now is refused at once, and can turn to another proxy.
            let _ = rustix::net::shutdown(&self.seat.listener, Shutdown::Both);
        }
        self.seat.leaving = Some(leaving);
    }

    /// Lets the clients go that are at rest.
    pub(super) fn let_go(&mut self) {
        let Some(leaving) = self.seat.leaving.clone() else {
            return;
        };
        let resting = self.machine.at_rest();
        // One of which the driver still has something to send goes a moment later.
        self.lets_go_again = (!resting.is_empty()).then(|| self.now + PAUSE);
        for who in resting {
            match &leaving {
                Leaving::Dismissed => {
                    self.machine.dismiss(self.now, who, &mut self.ops);
                    self.settle();
                }
                Leaving::Moving(to) => self.give(who, to),
            }
        }
    }

    fn give(&mut self, who: ConnId, to: &Sender<Moved>) {
        let Some(socket) = self.net.give(who) else {
            return;
        };
        let given = self.machine.give(self.now, who, &mut self.ops);
        let moved = given.map(|session| Moved {
            socket,
            session,
            worker: self.seat.number,
        });
        if let Some(moved) = moved {
            // When nobody listens any more the client is closed: its session is given up already.
            let _ = to.send(moved);
        } else {
            let lost = CloseReason::Reset;
            self.machine.closed(self.now, who, lost, &mut self.ops);
        }
        self.settle();
    }

    /// Takes a client over.
    pub(super) fn arrive(&mut self, socket: OwnedFd, session: &[u8], ticket: Ticket) {
        let adopted = self.net.driver.adopt(&socket).ok();
        if let Some(who) = adopted.and_then(|()| self.machine.receive(self.now, session)) {
            // Its PROXY header, if it had one, was read by the process before.
            self.net.driver.add_client(who, socket, ticket);
            self.settle();
        } else {
            tracing::warn!("a client of the process before cannot go on here; it is closed");
        }
    }
}
