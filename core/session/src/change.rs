//! New routes: servers come and go, a new writer begins its reign, and the held sessions go on.

use std::sync::Arc;

use mainstay_topology::{Routes, Target};

use crate::core::Core;
use crate::op::Ops;
use crate::upstream::{Pause, Upstream};

impl Core {
    /// Puts newer routes in force. Connections of an old reign are closed: whatever its
    /// `read_only` says, nothing is sent to the old writer any more.
    pub(crate) fn adopt(&mut self, routes: Arc<Routes>, out: &mut Ops) {
        let raised = routes.epoch > self.routes.epoch;
        self.routes = routes;
        let routes = Arc::clone(&self.routes);
        let mut ended = self.list(&routes);
        self.take_traits();
        let writer = routes.writer.as_ref().map(|writer| &writer.name);
        self.writer = self
            .upstreams
            .iter()
            .position(|one| Some(&one.target.name) == writer);
        for upstream in &mut self.upstreams {
            let is_named = |targets: &[Target]| {
                let mut targets = targets.iter();
                targets.any(|one| one.name == upstream.target.name)
            };
            let (reads, drains) = (is_named(&routes.readers), is_named(&routes.draining));
            upstream.reads = reads;
            upstream.drains = drains && !upstream.listed;
        }
        for (index, upstream) in self.upstreams.iter_mut().enumerate() {
            let is_writer = self.writer == Some(index);
            let succeeded = upstream.wrote && !is_writer && (raised || self.writer.is_some());
            // In the same reign a writer that is not listed is only suspect: what is in flight on
            // it may still end well.
            let left = !upstream.listed && !upstream.drains && (raised || !upstream.wrote);
            if succeeded || left {
                ended.push(index);
            }
            if succeeded || raised {
                upstream.wrote = false;
            }
            upstream.wrote |= is_writer;
            if upstream.listed {
                upstream.opening = Pause::default();
                upstream.life.hung = None;
                upstream.writing = Pause::default();
            }
        }
        for index in ended {
            self.close_all(index, out);
        }
        self.close_drained(out);
        for index in 0..self.upstreams.len() {
            self.redispatch(index, out);
        }
        self.release_held(out);
        self.warm.look_at(self.now);
    }

    /// Brings the list of servers up to date. Gives those whose address changed.
    fn list(&mut self, routes: &Routes) -> Vec<usize> {
        let mut moved = Vec::new();
        for upstream in &mut self.upstreams {
            upstream.listed = false;
        }
        for target in routes.writer.iter().chain(&routes.readers) {
            let known = self
                .upstreams
                .iter()
                .position(|one| one.target.name == target.name);
            let Some(index) = known else {
                self.upstreams.push(Upstream::new(Target::clone(target)));
                continue;
            };
            let upstream = &mut self.upstreams[index];
            upstream.listed = true;
            if upstream.target.address != target.address {
                upstream.target.address = target.address.clone();
                moved.push(index);
            }
        }
        moved
    }

    /// Closes the idle connections of servers that drain: what is in use goes on until it is free.
    fn close_drained(&mut self, out: &mut Ops) {
        for index in 0..self.upstreams.len() {
            if self.upstreams[index].drains {
                for id in self.upstreams[index].idle.clone() {
                    self.close_server(id, out);
                }
            }
        }
    }

    /// Closes all connections to a server, with what that means for their sessions.
    fn close_all(&mut self, index: usize, out: &mut Ops) {
        let waiters = std::mem::take(&mut self.upstreams[index].waiters);
        for id in self.servers.ids() {
            if self
                .servers
                .get(id)
                .is_some_and(|server| server.upstream == index)
            {
                self.lost_by_us(id, out);
            }
        }
        self.upstreams[index].opening = Pause::default();
        // In front of those that lost their connection just now: they came first.
        for client in waiters.into_iter().rev() {
            self.upstreams[index].waiters.push_front(client);
        }
    }
}
