//! The manager's eyes: an observer for each server and the write probe, as patient as the real.

use std::time::Duration;

use mainstay_clock::Timestamp;
use mainstay_failover::Event;
use mainstay_topology::{Observation, Outcome, WriteOutcome, WriteProbe};

use super::commits::VOID;
use super::{Happening, World};
use crate::message::{Body, End};

const PROBE_LIMIT: Duration = Duration::from_millis(700);
const WRITE_INTERVAL: Duration = Duration::from_millis(500);
const QUICK_LOOK: Duration = Duration::from_millis(2);

/// The observer of one server.
#[derive(Debug, Default)]
pub(crate) struct Observer {
    /// The look under way.
    probe: Option<(u64, Timestamp)>,
    next: Timestamp,
    woken: bool,
    /// It has a connection.
    open: bool,
}

/// The write probe.
#[derive(Debug, Default)]
pub(crate) struct Beat {
    pub(super) writer: Option<usize>,
    flying: Option<(u64, usize, Timestamp)>,
}

impl Beat {
    pub(super) fn is_busy(&self) -> bool {
        self.flying.is_some()
    }
}

impl World {
    pub(super) fn probe_now(&mut self, server: usize) {
        let now = self.now;
        let Some(shell) = &mut self.manager else {
            return;
        };
        let life = shell.life;
        let observer = &mut shell.observers[server];
        if observer.probe.is_some() {
            observer.woken = true;
        } else {
            observer.next = now;
            self.at(now, Happening::Probe(life, server));
        }
    }

    pub(super) fn probe(&mut self, life: u64, server: usize) {
        let (now, id) = (self.now, self.id());
        let Some(shell) = self.shell(life) else {
            return;
        };
        let observer = &mut shell.observers[server];
        if observer.probe.is_some() || now < observer.next {
            return;
        }
        observer.probe = Some((id, now));
        self.send(End::Manager, End::Server(server), Body::Look(id));
        self.after(PROBE_LIMIT, Happening::ProbeLimit(life, server, id));
    }

    pub(super) fn probe_limit(&mut self, life: u64, server: usize, probe: u64) {
        let cut = !self.network.is_open(End::Manager, End::Server(server));
        let Some(shell) = self.shell(life) else {
            return;
        };
        let was_open = std::mem::replace(&mut shell.observers[server].open, false);
        let outcome = if cut && !was_open {
            Outcome::NoConnection
        } else {
            Outcome::Silent
        };
        self.seen(server, probe, outcome);
    }

    /// A look has ended.
    pub(super) fn seen(&mut self, server: usize, probe: u64, outcome: Outcome) {
        let now = self.now;
        let interval = self.policy().probe_interval;
        let Some(shell) = &mut self.manager else {
            return;
        };
        let life = shell.life;
        let observer = &mut shell.observers[server];
        let Some((_, begun)) = observer.probe.filter(|(id, _)| *id == probe) else {
            return;
        };
        let pause = if outcome == Outcome::Lost {
            QUICK_LOOK
        } else if std::mem::take(&mut observer.woken) {
            Duration::ZERO
        } else {
            interval
        };
        observer.probe = None;
        observer.next = now + pause;
        let (next, was) = (observer.next, observer.open);
        observer.open = match outcome {
            Outcome::Answered(_) => true,
            Outcome::Silent | Outcome::NoConnection => was,
            _ => false,
        };
        let observation = Observation {
            server: self.servers[server].name().clone(),
            begun: shell.clock(begun),
            ended: shell.clock(now),
            outcome,
        };
        self.at(next, Happening::Probe(life, server));
        if !matches!(observation.outcome, Outcome::Answered(_)) {
            let (name, outcome) = (&observation.server, &observation.outcome);
            self.trace
                .say(now, || format!("manager  looks at {name}: {outcome:?}"));
        }
        self.handle(Event::Observed(observation));
    }

    pub(super) fn write_probe(&mut self, life: u64) {
        let now = self.now;
        let quiet = self.clients.quiet;
        let Some(shell) = self.shell(life) else {
            return;
        };
        let writer = shell.beat.writer;
        if let Some((_, server, _)) = shell.beat.flying
            && writer.is_some_and(|writer| writer != server)
        {
            shell.beat.flying = None;
        }
        let flying = shell.beat.flying;
        match (flying, writer) {
            (Some((_, server, begun)), _) => {
                let since = now.since(begun);
                self.report(server, WriteOutcome::Blocked { since });
            }
            (None, Some(server)) if !quiet => self.beat_once(server),
            (None, _) => {}
        }
        self.after(WRITE_INTERVAL, Happening::WriteProbe(life));
    }

    fn beat_once(&mut self, server: usize) {
        let (write, connection) = (self.ledger.open(), self.id());
        let now = self.now;
        if let Some(shell) = &mut self.manager {
            shell.beat.flying = Some((write, server, now));
        }
        let body = Body::Write {
            connection,
            fresh: true,
            write,
            void_after: Some(now + Duration::from_secs(1)),
        };
        self.send(End::Manager, End::Server(server), body);
    }

    pub(super) fn beat_answered(&mut self, write: u64, result: Result<(), u16>) {
        let now = self.now;
        let Some(shell) = &mut self.manager else {
            return;
        };
        let Some((_, server, begun)) = shell.beat.flying.filter(|(own, ..)| *own == write) else {
            return;
        };
        shell.beat.flying = None;
        let outcome = match result {
            Ok(()) => {
                self.acknowledged(write);
                WriteOutcome::Committed {
                    took: now.since(begun),
                }
            }
            Err(0) => WriteOutcome::NoConnection,
            Err(VOID) => return,
            Err(code) => WriteOutcome::Refused { code },
        };
        self.report(server, outcome);
    }

    fn report(&mut self, server: usize, outcome: WriteOutcome) {
        let now = self.now;
        if let Some(shell) = &self.manager {
            let probe = WriteProbe {
                server: self.servers[server].name().clone(),
                at: shell.clock(now),
                outcome,
            };
            self.handle(Event::WriteProbed(probe));
        }
    }
}
