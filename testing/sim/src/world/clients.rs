//! Clients: writers behind the proxies, and one that goes around them to prove that fencing holds
//! where routing does not reach.

use std::time::Duration;

use super::Happening;
use super::World;
use super::proxies::{Proxy, State, Writer};
use crate::message::{Body, End, Envelope};
use crate::mood::Mood;

/// Proxies in front of the cluster.
const PROXIES: usize = 2;
const SIDE_DOOR_PATIENCE: Duration = Duration::from_secs(4);

/// All clients.
#[derive(Debug)]
pub(crate) struct Clients {
    pub(super) proxies: Vec<Proxy>,
    pub(super) writers: Vec<Writer>,
    /// The write of the side door that is under way, and since when.
    side: Option<(u64, mainstay_clock::Timestamp)>,
    /// No new writes are begun.
    pub(super) quiet: bool,
}

impl Clients {
    pub(super) fn new(mood: &Mood) -> Self {
        let proxies = (0..PROXIES).map(|_| Proxy::default()).collect();
        let writers = (0..PROXIES * mood.writers).map(|index| Writer {
            proxy: index % PROXIES,
            state: State::Idle,
            connection: None,
        });
        Self {
            proxies,
            writers: writers.collect(),
            side: None,
            quiet: false,
        }
    }
}

impl World {
    /// An answer for a client or a proxy.
    pub(super) fn answered(&mut self, envelope: Envelope) {
        match (envelope.to, envelope.body) {
            (End::Proxy(proxy), Body::Routes(routes)) => self.route(proxy, *routes),
            (
                End::Proxy(proxy),
                Body::Written {
                    connection,
                    write,
                    result,
                },
            ) => self.proxy_answered(proxy, connection, write, result),
            (End::SideDoor, Body::Written { write, result, .. }) if self.side_is_at(write) => {
                self.clients.side = None;
                if result.is_ok() {
                    self.acknowledged(write);
                }
            }
            _ => {}
        }
    }

    fn side_is_at(&self, write: u64) -> bool {
        self.clients.side.is_some_and(|(own, _)| own == write)
    }

    /// Tries a server at random: whoever is not read-only takes the write.
    pub(super) fn side_door(&mut self) {
        let pause = self.random.millis(50, 400);
        self.after(pause, Happening::SideDoor);
        let now = self.now;
        let waits = self.clients.side;
        if self.clients.quiet
            || waits.is_some_and(|(_, since)| !now.passed(since, SIDE_DOOR_PATIENCE))
        {
            return;
        }
        let (write, connection) = (self.ledger.open(), self.id());
        self.clients.side = Some((write, now));
        let server = self.random.index(self.servers.len());
        let body = Body::Write {
            connection,
            fresh: true,
            write,
            void_after: None,
        };
        self.send(End::SideDoor, End::Server(server), body);
    }
}
