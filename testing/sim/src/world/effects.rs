//! Effects that are no statements: the store, the proxies, the hosts of the servers.

use std::time::Duration;

use mainstay_failover::{Effect, StepResult};
use mainstay_topology::{Record, ServerName};

use super::{Happening, World};
use crate::invariants::{epochs_only_grow, saved_before_replaced};
use crate::message::{End, RunId};
use crate::server::Life;

const POLL: Duration = Duration::from_millis(5);
const SLOW_POLL: Duration = Duration::from_millis(250);

impl World {
    pub(super) fn own_effect(&mut self, run: RunId, effect: Effect) {
        match effect {
            Effect::Publish { routes } => {
                self.publish(&routes);
                self.done(run);
            }
            Effect::Record { record } => self.store_record(run, &record),
            Effect::Wish { server, wish } => {
                self.store.wishes.insert(server, *wish);
                self.done(run);
            }
            Effect::Restart { server } => self.restart_process(run, &server),
            Effect::Drain { server } => {
                let server = self.index(&server);
                if self.is_drained(server) {
                    self.done(run);
                } else {
                    self.after(POLL, Happening::StepOn(run));
                }
            }
            Effect::EndProcess { server } => self.end_process(run, &server),
            // No acknowledgement is lost for good in this world, so there is nothing to release;
            // and nobody connects by an address that moves.
            Effect::ApplyTail { .. }
            | Effect::ReleaseProved { .. }
            | Effect::RunHook { .. }
            | Effect::AwaitIdle { .. }
            | Effect::DropAddress { .. }
            | Effect::TakeAddress { .. } => self.done(run),
            Effect::SaveErrant { server, .. } => {
                let index = self.index(&server);
                if self.halfway(run, 50) {
                    let alive = self.servers[index].life == Life::Up;
                    if alive {
                        self.checks.saved.keep(&self.servers[index]);
                    }
                    self.conclude(run, alive, "the host does not answer");
                }
            }
            Effect::Rewind {
                server,
                transactions,
            } => self.rewind(run, &server, transactions.as_ref()),
            Effect::Reseed { server, donor } => self.reseed(run, &server, &donor.name),
            _ => unreachable!("the others are statements"),
        }
    }

    /// The first call begins the work and answers false, the second one finds it done.
    fn halfway(&mut self, run: RunId, work_ms: u64) -> bool {
        let Some(job) = self.job(run) else {
            return false;
        };
        if job.stage > 0 {
            return true;
        }
        job.stage = 1;
        let work = self.random.millis(work_ms / 2, work_ms);
        self.after(work, Happening::StepOn(run));
        false
    }

    pub(super) fn conclude(&mut self, run: RunId, succeeded: bool, why_not: &str) {
        if succeeded {
            self.done(run);
        } else {
            self.end(run, StepResult::Failed(why_not.to_owned()));
        }
    }

    fn store_record(&mut self, run: RunId, record: &Record) {
        if !self.halfway(run, 6) {
            return;
        }
        let fails = self.peace.is_none() && self.random.permille(self.mood.store_fails_permille);
        // A failed write to a disk may have been written.
        if !fails || self.random.permille(500) {
            self.record(record);
        }
        if fails {
            self.say(|| "store  fails".to_owned());
        }
        self.conclude(run, !fails, "the disk does not answer");
    }

    /// Puts a record on the disk.
    pub(super) fn record(&mut self, record: &Record) {
        let written = self.store.write(record);
        if let Err(why) = written {
            self.fail(epochs_only_grow::NAME, why);
            return;
        }
        let primary = record.primary.as_ref().map(|name| self.index(name));
        let writable = primary.is_some_and(|primary| self.servers[primary].memory.writable);
        self.checks.roles.recorded(primary, writable);
        if let Some(primary) = primary {
            self.checks.reigns.begin(record.epoch, primary);
        }
        self.say(|| {
            let Record { epoch, joined, .. } = record;
            let primary = record.primary.as_ref().map_or("nobody", ServerName::as_str);
            let joined: Vec<&str> = joined.iter().map(ServerName::as_str).collect();
            format!(
                "store  records epoch {epoch}: {primary}, with {}",
                joined.join(", ")
            )
        });
    }

    fn end_process(&mut self, run: RunId, server: &ServerName) {
        let index = self.index(server);
        if !self.network.is_open(End::Manager, End::Server(index)) {
            // Nothing comes back from a host that is cut off; the limit ends it.
            return;
        }
        if self.halfway(run, 80) {
            let incarnation = self.servers[index].incarnation;
            self.crash(index);
            let pause = self.random.millis(500, 5_000);
            self.after(pause, Happening::Restart(index, incarnation));
            self.done(run);
        }
    }

    /// Its own statement ends the process, and a supervisor starts the next.
    fn restart_process(&mut self, run: RunId, server: &ServerName) {
        let index = self.index(server);
        if !self.halfway(run, 80) {
            return;
        }
        if self.job(run).is_some_and(|job| job.stage > 1) {
            if self.servers[index].life == Life::Up {
                return self.done(run);
            }
            return self.after(SLOW_POLL, Happening::StepOn(run));
        }
        if self.servers[index].life != Life::Up
            || !self.network.is_open(End::Manager, End::Server(index))
        {
            return self.conclude(run, false, "the server does not answer");
        }
        let incarnation = self.servers[index].incarnation;
        self.crash(index);
        if let Some(job) = self.job(run) {
            job.stage = 2;
        }
        let pause = self.random.millis(200, 1_000);
        self.after(pause, Happening::Restart(index, incarnation));
        self.after(SLOW_POLL, Happening::StepOn(run));
    }

    /// Copies the donor's committed data; the server comes back by itself, read-only and without
    /// a link.
    fn reseed(&mut self, run: RunId, server: &ServerName, donor: &ServerName) {
        let (index, donor) = (self.index(server), self.index(donor));
        if !self.halfway(run, 1_500) {
            return;
        }
        if self.job(run).is_some_and(|job| job.stage > 1) {
            if self.servers[index].life == Life::Up {
                return self.done(run);
            }
            return self.after(SLOW_POLL, Happening::StepOn(run));
        }
        let both = [index, donor].map(|one| self.servers[one].life == Life::Up);
        let open = self.network.is_open(End::Server(index), End::Server(donor));
        if both != [true, true] || !open {
            return self.conclude(run, false, "the copy broke off");
        }
        let visible = self.servers[donor].visible;
        let data = self.servers[donor].log[..visible].to_vec();
        let checked = self.checks.saved.replaced(&self.servers, index);
        self.must(saved_before_replaced::NAME, checked);
        let incarnation = self.servers[index].incarnation;
        self.crash(index);
        self.servers[index].replace_log(data);
        self.servers[index].rewound = None;
        self.servers[index].link = None;
        self.tell(index, || "has the donor's data".to_owned());
        if let Some(job) = self.job(run) {
            job.stage = 2;
        }
        self.after(
            Duration::from_millis(600),
            Happening::Restart(index, incarnation),
        );
        self.after(SLOW_POLL, Happening::StepOn(run));
    }
}
