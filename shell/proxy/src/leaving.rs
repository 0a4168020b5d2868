//! What happens to the clients of a proxy that is to end: they are dismissed, or they go on in
//! another process, each as soon as it is at rest.

use std::os::fd::OwnedFd;
use std::sync::mpsc::Sender;

/// A client on its way to another process.
#[derive(Debug)]
pub struct Moved {
    /// Its connection.
    pub socket: OwnedFd,
    /// What its session consists of.
    pub session: Vec<u8>,
    /// The worker that served it: its connection number names that one.
    pub worker: usize,
}

/// How clients leave.
#[derive(Debug, Clone)]
pub enum Leaving {
    /// With the error that servers give when they shut down. The port is closed.
    Dismissed,
    /// To whoever reads the other end. The port stays open for the process that inherits it.
    Moving(Sender<Moved>),
}
