//! Whether a proxy takes clients: an operator may close its door for a while.

/// The door of a proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// Clients are taken.
    Open,
    /// Who connects is refused by the system; who is there goes on.
    Closed,
    /// The same, and who was there was sent away.
    Emptied,
}
