//! The queue into a worker: anyone may push, an eventfd wakes the worker.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Arc, Mutex, PoisonError, mpsc};

use mainstay_session::{Note, QueryStats, Reset, Sessions};
use mainstay_topology::Routes;
use rustix::event::{EventfdFlags, eventfd};

use crate::door::Door;
use crate::driver::Token;
use crate::filtered::Accepted;
use crate::filters::Filters;
use crate::leaving::Leaving;
use crate::load::Ticket;
use crate::machine::Machine;

/// What a worker can be told.
#[derive(Debug)]
pub(crate) enum Message<M: Machine> {
    /// A client that another worker accepted.
    Client(Accepted),
    /// The addresses of a name that a connection waits for; empty when it has none.
    Resolved {
        token: Token,
        addresses: Vec<SocketAddr>,
    },
    /// A word of another worker's machine.
    Note(Note),
    /// New routes.
    Routes(Arc<Routes>),
    /// New settings.
    Policy(Arc<M::Policy>),
    /// New settings of the filters, for connections that begin afterwards.
    Filters(Arc<Filters>),
    /// Somebody wants the counters as they are at the end of this turn.
    Report(mpsc::Sender<M::Stats>),
    /// Take a client over that another process served.
    Arrive {
        socket: OwnedFd,
        session: Vec<u8>,
        ticket: Ticket,
    },
    /// Accept nobody any more, and let go of the clients as they come to rest.
    Leave(Leaving),
    /// Whether clients are taken; whoever waits for it is told when it is so.
    Door(Door, mpsc::Sender<()>),
    /// Somebody wants a session to end, or only its statement: whether it was here.
    End {
        number: u32,
        only_query: bool,
        report: mpsc::Sender<bool>,
    },
    /// Somebody wants to know what was asked of the servers, and what to count from zero.
    Queries(Reset, mpsc::Sender<QueryStats>),
    /// Somebody wants to know what the sessions are doing: at most that many.
    Sessions(usize, mpsc::Sender<Sessions>),
    /// Somebody looks at the machine.
    Look(Look<M>),
    /// Close everything and end.
    Stop,
}

/// A look at a machine between two of its calls, and what becomes of what is seen.
pub(crate) struct Look<M>(pub(crate) Box<dyn FnOnce(&mut M) + Send>);

impl<M> fmt::Debug for Look<M> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Look(..)")
    }
}

/// A worker's queue.
#[derive(Debug)]
pub(crate) struct Mailbox<T> {
    queue: Mutex<VecDeque<T>>,
    bell: OwnedFd,
}

impl<T> Mailbox<T> {
    /// An empty queue.
    pub(crate) fn new() -> io::Result<Self> {
        let bell = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        Ok(Self {
            queue: Mutex::default(),
            bell,
        })
    }

    /// Queues the message and wakes the worker.
    pub(crate) fn push(&self, message: T) {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        queue.push_back(message);
        let first = queue.len() == 1;
        drop(queue);
        if first {
            // It can only fail when the counter is near 2^64, and then the bell rings anyway.
            let _ = rustix::io::write(&self.bell, &1_u64.to_ne_bytes());
        }
    }

    /// Silences the bell. Messages must be taken after it until there are none.
    pub(crate) fn silence(&self) {
        // EAGAIN means that it was silent: a worker that starts again looks without being rung.
        let _ = rustix::io::read(&self.bell, &mut [0; 8]);
    }

    /// The next message.
    pub(crate) fn take(&self) -> Option<T> {
        self.queue
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop_front()
    }

    /// What the worker watches.
    pub(crate) fn bell(&self) -> BorrowedFd<'_> {
        self.bell.as_fd()
    }
}
