//! Processes of servers: killed, started again, stopped and continued.

use mainstay_topology::{Family, Outcome};

use super::servers::LOCK_WAIT;
use super::{Happening, World};
use crate::message::{Body, End, Failure, RunId};
use crate::server::Life;
use crate::wait::Until;

impl World {
    /// The process is killed.
    pub(super) fn crash(&mut self, server: usize) {
        if self.servers[server].life == Life::Down {
            return;
        }
        self.tell(server, || "is killed".to_owned());
        let own = End::Server(server);
        let up = self.servers[server]
            .link
            .as_ref()
            .map(|link| (link.at, link.connection));
        if let Some((source, connection)) = up.filter(|(_, connection)| *connection != 0) {
            self.send(own, End::Server(source), Body::Bye(connection));
        }
        let memory = self.servers[server].crash();
        for one in memory.pending {
            self.written(own, &one, Err(0));
        }
        for (replica, dump) in memory.dumps {
            self.send(own, End::Server(replica), Body::Refused(dump.connection, 0));
        }
        for wait in memory.waits {
            self.answer(
                server,
                wait.run,
                Err(Failure::Failed("the connection was lost")),
            );
        }
        let unread = memory.behind.into_iter().chain(memory.frozen);
        for envelope in unread.chain(memory.unwritten) {
            if let Body::Look(probe) = envelope.body {
                self.send(
                    own,
                    envelope.from,
                    Body::Seen(probe, Box::new(Outcome::Lost)),
                );
            } else {
                self.bounce(&envelope);
            }
        }
        self.send(own, End::Manager, Body::Closed);
    }

    /// A supervisor starts the process again.
    pub(super) fn restart(&mut self, server: usize, incarnation: u64) {
        let one = &self.servers[server];
        if one.life != Life::Down || one.incarnation != incarnation {
            return;
        }
        // Told that another server is known to be the primary, MariaDB rolls back what is only
        // prepared: what was never acknowledged, and maybe the last that was.
        let deposed = self
            .checks
            .epochs
            .writer()
            .is_some_and(|writer| writer != one.name());
        let truncate = (one.family == Family::Mariadb && deposed).then_some(one.visible);
        let was_primary = one.visible < one.log.len();
        let length = truncate.map(|visible| {
            let more = u64::from(was_primary) * self.random.below(2);
            visible.saturating_sub(more as usize)
        });
        self.servers[server].restart(length);
        self.tell(server, || {
            "is started again, read-only, its receiver stopped".to_owned()
        });
    }

    /// The process is stopped: nothing of it moves.
    pub(super) fn hang(&mut self, server: usize) {
        if self.servers[server].life == Life::Up {
            self.servers[server].life = Life::Hung;
            self.tell(server, || "hangs".to_owned());
        }
    }

    /// The process goes on, with all that has arrived meanwhile.
    pub(super) fn wake(&mut self, server: usize) {
        if self.servers[server].life != Life::Hung {
            return;
        }
        self.servers[server].life = Life::Up;
        self.tell(server, || "goes on".to_owned());
        for envelope in std::mem::take(&mut self.servers[server].memory.frozen) {
            if self.servers[server].life == Life::Up {
                self.serve(server, envelope);
            }
        }
        let limits: Vec<(RunId, u64)> = self.servers[server]
            .memory
            .waits
            .iter()
            .filter_map(|wait| match wait.until {
                Until::NoCommits(attempt) => Some((wait.run, attempt)),
                Until::Applied(_) | Until::RelayEmpty | Until::Unblocked => None,
            })
            .collect();
        let life = self.servers[server].incarnation;
        for (run, attempt) in limits {
            self.after(LOCK_WAIT, Happening::LockLimit(server, life, run, attempt));
        }
        self.start_applying(server);
    }
}
