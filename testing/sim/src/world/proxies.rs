//! Proxies: they obey the newest routes they have seen, hold writes while there is no writer, and
//! pass an OK on only over a connection of the present reign.

use std::time::Duration;

use mainstay_topology::{Epoch, Routes};

use super::{Happening, World};
use crate::invariants::epochs_only_grow;
use crate::message::{Body, End};

const PATIENCE: Duration = Duration::from_secs(8);

/// One proxy.
#[derive(Debug, Default)]
pub(crate) struct Proxy {
    pub(super) routes: Option<Routes>,
    /// When a client of it got OK last.
    pub(super) acknowledged: mainstay_clock::Timestamp,
}

/// What a writer is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// Between two writes.
    Idle,
    /// The proxy holds its write.
    Held(u64),
    /// Its write is at a server: the write, the server.
    Flying(u64, usize),
}

/// One client behind a proxy.
#[derive(Debug)]
pub(crate) struct Writer {
    pub(super) proxy: usize,
    pub(super) state: State,
    /// Its server connection: number, server, epoch of the routes it was opened under.
    pub(super) connection: Option<(u64, usize, Epoch)>,
}

impl World {
    /// The manager's push leaves for a proxy.
    pub(super) fn take_routes(&mut self, proxy: usize, routes: Routes) {
        self.send(
            End::Manager,
            End::Proxy(proxy),
            Body::Routes(Box::new(routes)),
        );
    }

    /// Routes have arrived at a proxy.
    pub(super) fn route(&mut self, proxy: usize, routes: Routes) {
        let present = &self.clients.proxies[proxy].routes;
        if present
            .as_ref()
            .is_some_and(|present| !routes.is_newer_than(present))
        {
            return;
        }
        let checked = epochs_only_grow::proxy(present.as_ref(), &routes);
        self.must(epochs_only_grow::NAME, checked);
        self.say(|| {
            format!(
                "proxy {proxy}  has routes {}.{}",
                routes.epoch, routes.version
            )
        });
        let epoch = routes.epoch;
        self.clients.proxies[proxy].routes = Some(routes);
        for writer in 0..self.clients.writers.len() {
            let one = &mut self.clients.writers[writer];
            if one.proxy != proxy {
                continue;
            }
            if one.connection.is_some_and(|(_, _, opened)| opened < epoch) {
                one.connection = None;
                if matches!(one.state, State::Flying(..)) {
                    self.think(writer);
                }
            }
            self.try_to_send(writer);
        }
    }

    pub(super) fn next_write(&mut self, writer: usize) {
        if !self.clients.quiet && self.clients.writers[writer].state == State::Idle {
            let write = self.ledger.open();
            self.clients.writers[writer].state = State::Held(write);
            self.try_to_send(writer);
        }
    }

    /// The writer will begin its next write in a while.
    fn think(&mut self, writer: usize) {
        self.clients.writers[writer].state = State::Idle;
        let pause = self.random.millis(1, self.mood.think_ms);
        self.after(pause, Happening::Write(writer));
    }

    fn try_to_send(&mut self, writer: usize) {
        let one = &self.clients.writers[writer];
        let (State::Held(write), proxy) = (one.state, one.proxy) else {
            return;
        };
        let routes = self.clients.proxies[proxy].routes.as_ref();
        let Some(routes) = routes.filter(|routes| !routes.hold_writes) else {
            return;
        };
        let (Some(target), epoch) = (&routes.writer, routes.epoch) else {
            return;
        };
        let server = self.index(&target.name);
        let kept = one.connection.filter(|(_, at, _)| *at == server);
        let connection = kept.map_or_else(|| self.id(), |(id, ..)| id);
        let one = &mut self.clients.writers[writer];
        one.connection = Some((connection, server, epoch));
        one.state = State::Flying(write, server);
        let body = Body::Write {
            connection,
            fresh: kept.is_none(),
            write,
            void_after: None,
        };
        self.send(End::Proxy(proxy), End::Server(server), body);
        self.after(PATIENCE, Happening::GiveUp(writer, write));
    }

    pub(super) fn proxy_answered(
        &mut self,
        proxy: usize,
        connection: u64,
        write: u64,
        result: Result<(), u16>,
    ) {
        let mut writers = self.clients.writers.iter();
        let found = writers.position(|one| {
            let current = one.connection.is_some_and(|(id, ..)| id == connection);
            let flying = matches!(one.state, State::Flying(own, _) if own == write);
            one.proxy == proxy && current && flying
        });
        let Some(writer) = found else {
            return;
        };
        match result {
            Ok(()) => {
                self.acknowledged(write);
                self.clients.proxies[proxy].acknowledged = self.now;
            }
            Err(_) => self.clients.writers[writer].connection = None,
        }
        self.think(writer);
    }

    pub(super) fn give_up(&mut self, writer: usize, write: u64) {
        let one = &mut self.clients.writers[writer];
        if matches!(one.state, State::Flying(own, _) if own == write) {
            one.connection = None;
            self.think(writer);
        }
    }

    /// Whether no write of any proxy, nor the write probe, is under way on the server.
    pub(super) fn is_drained(&self, server: usize) -> bool {
        let newest = self.checks.epochs.newest();
        let proxies = self.clients.proxies.iter().enumerate();
        let mut reached = proxies.map(|(index, proxy)| {
            let open = self.network.is_open(End::Manager, End::Proxy(index));
            let routes = proxy.routes.as_ref();
            open && routes.is_some_and(|routes| !newest.is_newer_than(routes))
        });
        let reached = reached.all(|reached| reached);
        let beating = self
            .manager
            .as_ref()
            .is_some_and(|shell| shell.beat.is_busy());
        reached && !beating && self.in_flight(server) == 0
    }

    /// Writes of the proxies that are under way on the server.
    pub(super) fn in_flight(&self, server: usize) -> usize {
        let writers = self.clients.writers.iter();
        let flying = |one: &&Writer| matches!(one.state, State::Flying(_, at) if at == server);
        writers.filter(flying).count()
    }
}
