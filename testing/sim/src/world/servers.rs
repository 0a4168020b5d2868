//! A server at work: it answers looks and runs the manager's statements.

use std::time::Duration;

use mainstay_topology::{Applier, Family, Outcome};

use super::{Happening, World};
use crate::link::Link;
use crate::message::{Body, End, Envelope, Failure, RunId};
use crate::server::{Door, Life};
use crate::statement::Statement;
use crate::wait::{Until, Wait};

/// `lock_wait_timeout` of the manager's sessions.
pub(super) const LOCK_WAIT: Duration = Duration::from_secs(1);

impl World {
    /// A message that a living server reads.
    pub(super) fn serve(&mut self, server: usize, envelope: Envelope) {
        let Envelope { from, body, .. } = &envelope;
        let from = *from;
        let writes = match body {
            Body::Event(..) => true,
            Body::Statement(_, _, statement) => statement.writes(),
            _ => false,
        };
        if writes && self.servers[server].disk_hangs {
            self.servers[server].memory.unwritten.push(envelope);
            return;
        }
        match body {
            Body::Write { .. } => self.serve_write(server, envelope),
            Body::Look(probe) => {
                let outcome = match self.servers[server].door {
                    Door::Open => Outcome::Answered(Box::new(self.servers[server].facts())),
                    Door::TooManyConnections => Outcome::TooManyConnections,
                    Door::AccessDenied => Outcome::AccessDenied { code: 1045 },
                };
                self.send(
                    End::Server(server),
                    from,
                    Body::Seen(*probe, Box::new(outcome)),
                );
            }
            Body::Statement(run, fresh, statement) => {
                if *fresh {
                    self.servers[server].memory.sessions.insert(*run);
                }
                self.execute(server, *run, statement);
            }
            Body::Connect { .. }
            | Body::Acknowledge(..)
            | Body::Bye(_)
            | Body::Accepted(..)
            | Body::Refused(..)
            | Body::Event(..) => self.replicate(server, from, body),
            Body::Written { .. }
            | Body::Seen(..)
            | Body::Closed
            | Body::Answer(..)
            | Body::Routes(_) => unreachable!("no server is sent {body:?}"),
        }
    }

    /// What the host answers for a process that is not there.
    pub(super) fn bounce(&mut self, envelope: &Envelope) {
        let answer = match &envelope.body {
            Body::Look(probe) => Body::Seen(*probe, Box::new(Outcome::Refused)),
            Body::Statement(run, ..) => {
                Body::Answer(*run, Err(Failure::Failed("connection refused")))
            }
            Body::Write {
                connection, write, ..
            } => Body::Written {
                connection: *connection,
                write: *write,
                result: Err(0),
            },
            Body::Connect { connection, .. } => Body::Refused(*connection, 0),
            Body::Written { .. }
            | Body::Seen(..)
            | Body::Closed
            | Body::Answer(..)
            | Body::Accepted(..)
            | Body::Refused(..)
            | Body::Event(..)
            | Body::Acknowledge(..)
            | Body::Bye(_)
            | Body::Routes(_) => return,
        };
        self.send(envelope.to, envelope.from, answer);
    }

    fn execute(&mut self, server: usize, run: RunId, statement: &Statement) {
        let closed = self.servers[server].door != Door::Open;
        if closed && self.random.permille(500) {
            self.answer(server, run, Err(Failure::Failed("cannot log in")));
            return;
        }
        if !self.servers[server].memory.sessions.contains(&run) {
            // Opened before the process was started again.
            self.answer(server, run, Err(Failure::Failed("the connection was lost")));
            return;
        }
        if self.dies_now(server) {
            // Before or after it has done what it was told; nobody hears which.
            if self.random.permille(500) {
                self.carry_out(server, run, statement);
            }
            self.kill(server);
            return;
        }
        self.carry_out(server, run, statement);
    }

    fn carry_out(&mut self, server: usize, run: RunId, statement: &Statement) {
        if !matches!(statement, Statement::Look) {
            self.tell(server, || format!("runs {statement:?}"));
        }
        match statement {
            Statement::Look => {
                let facts = Box::new(self.servers[server].facts());
                self.send(
                    End::Server(server),
                    End::Manager,
                    Body::Answer(run, Ok(Some(facts))),
                );
                return;
            }
            Statement::ReadOnly => return self.make_read_only(server, run),
            Statement::StopBoth => return self.stop_both(server, run),
            Statement::AwaitReceived => return self.wait(server, run, Until::RelayEmpty),
            Statement::AwaitSet(set) => {
                return self.wait(server, run, Until::Applied(set.clone()));
            }
            Statement::StopReceiver => self.stop_receiver(server),
            Statement::StartBoth => {
                self.must_not_be_rewinding(server);
                self.start_both(server);
            }
            Statement::StartApplier => self.start_applier(server),
            Statement::ChangeSource(source) => {
                let at = self.index(source);
                let member = &self.servers[at].member;
                let target = mainstay_topology::Target {
                    name: member.name.clone(),
                    address: member.address.clone(),
                };
                self.servers[server].link = Some(Link::new(target, at));
            }
            Statement::ResetLink => self.servers[server].link = None,
            Statement::ReadWrite => {
                self.must_not_be_rewinding(server);
                self.open_writes(server);
            }
            Statement::KillClients => self.kill_clients(server),
            Statement::Offline(offline) => {
                self.servers[server].memory.offline = *offline;
                if *offline {
                    self.kill_clients(server);
                }
            }
            Statement::SourceOff => self.source_off(server),
            Statement::SourceOn(acknowledgements) => {
                let one = &mut self.servers[server];
                if !one.memory.source_on {
                    one.memory.acks.clear();
                }
                one.memory.source_on = true;
                one.tampered = false;
                one.memory.acks_needed = match one.family {
                    Family::Mysql => *acknowledgements as usize,
                    Family::Mariadb => 1,
                };
            }
            Statement::ReplicaOn => self.servers[server].acknowledges = true,
            Statement::ReplicaOff => self.servers[server].acknowledges = false,
        }
        self.answer(server, run, Ok(()));
    }

    pub(super) fn answer(&mut self, server: usize, run: RunId, result: Result<(), Failure>) {
        let body = Body::Answer(run, result.map(|()| None));
        self.send(End::Server(server), End::Manager, body);
    }

    fn make_read_only(&mut self, server: usize, run: RunId) {
        let one = &mut self.servers[server];
        if !one.memory.writable || one.visible == one.log.len() {
            one.memory.writable = false;
            self.answer(server, run, Ok(()));
            return;
        }
        let attempt = self.id();
        let one = &mut self.servers[server];
        one.memory.waits.push(Wait {
            run,
            until: Until::NoCommits(attempt),
        });
        let life = one.incarnation;
        self.after(LOCK_WAIT, Happening::LockLimit(server, life, run, attempt));
    }

    /// The wait for the lock has taken too long: writes go on.
    pub(super) fn lock_limit(&mut self, server: usize, life: u64, run: RunId, attempt: u64) {
        let one = &mut self.servers[server];
        if one.incarnation != life || one.life != Life::Up {
            return;
        }
        let before = one.memory.waits.len();
        one.memory
            .waits
            .retain(|wait| !matches!(wait.until, Until::NoCommits(own) if own == attempt));
        if one.memory.waits.len() < before {
            self.answer(server, run, Err(Failure::Locked));
            self.let_writes_go_on(server);
        }
    }

    /// Whether a read-only switch waits, and all writes behind it.
    pub(super) fn is_locked(&self, server: usize) -> bool {
        let mut waits = self.servers[server].memory.waits.iter();
        waits.any(|wait| matches!(wait.until, Until::NoCommits(_)))
    }

    pub(super) fn let_writes_go_on(&mut self, server: usize) {
        if !self.is_locked(server) {
            for envelope in std::mem::take(&mut self.servers[server].memory.behind) {
                self.serve_write(server, envelope);
            }
        }
    }

    fn stop_both(&mut self, server: usize, run: RunId) {
        self.stop_receiver(server);
        if let Some(link) = &mut self.servers[server].link {
            if link.blocked {
                return self.wait(server, run, Until::Unblocked);
            }
            link.applier = Applier::Stopped;
            link.applying = false;
        }
        self.answer(server, run, Ok(()));
    }

    fn wait(&mut self, server: usize, run: RunId, until: Until) {
        self.servers[server].memory.waits.push(Wait { run, until });
        self.check_waits(server);
    }

    /// Answers the statements whose wait is over.
    pub(super) fn check_waits(&mut self, server: usize) {
        if self.servers[server].memory.waits.is_empty() {
            return;
        }
        let waits = std::mem::take(&mut self.servers[server].memory.waits);
        let (over, rest): (Vec<Wait>, Vec<Wait>) = waits
            .into_iter()
            .partition(|wait| self.is_over(server, &wait.until));
        self.servers[server].memory.waits = rest;
        for wait in over {
            match wait.until {
                Until::NoCommits(_) => self.servers[server].memory.writable = false,
                Until::Unblocked => {
                    if let Some(link) = &mut self.servers[server].link {
                        link.applier = Applier::Stopped;
                        link.applying = false;
                    }
                }
                Until::Applied(_) | Until::RelayEmpty => {}
            }
            self.answer(server, wait.run, Ok(()));
        }
        self.let_writes_go_on(server);
    }

    fn is_over(&self, server: usize, until: &Until) -> bool {
        let one = &self.servers[server];
        match until {
            Until::Applied(set) => one.executed().covers(set),
            Until::RelayEmpty => one.link.as_ref().is_none_or(|link| link.relay.is_empty()),
            Until::NoCommits(_) => one.visible == one.log.len(),
            Until::Unblocked => one.link.as_ref().is_none_or(|link| !link.blocked),
        }
    }
}
