//! Faults that are more than a switch: disks that hang, a manager that is stopped in the middle,
//! servers that are told to stop, that come back as others, and what strikes during an operation.

use mainstay_topology::Family;

use super::faults::Fault;
use super::{Happening, World};
use crate::message::End;
use crate::server::Life;

impl World {
    /// Commits and what is received wait for the disk; everything else is answered.
    pub(super) fn hang_disk(&mut self, server: usize) -> Fault {
        self.servers[server].disk_hangs = true;
        self.tell(server, || "has a disk that hangs".to_owned());
        Fault::DiskHangs(server)
    }

    pub(super) fn free_disk(&mut self, server: usize) {
        if !std::mem::take(&mut self.servers[server].disk_hangs) {
            return;
        }
        self.tell(server, || "has its disk back".to_owned());
        let mut unwritten = std::mem::take(&mut self.servers[server].memory.unwritten);
        if self.servers[server].life == Life::Hung {
            // What came first is done first when the process goes on.
            let frozen = &mut self.servers[server].memory.frozen;
            unwritten.append(frozen);
            *frozen = unwritten;
            return;
        }
        let life = self.servers[server].incarnation;
        for envelope in unwritten {
            if is_write(&envelope.body) {
                self.commit(envelope, server, life);
            } else if self.servers[server].life == Life::Up {
                self.serve(server, envelope);
            }
        }
        self.start_applying(server);
    }

    pub(super) fn slow_network(&mut self) -> Fault {
        self.network.slow_ms = 1 + self.random.below(200);
        self.say(|| "network  is slow".to_owned());
        Fault::Network
    }

    pub(super) fn jump_clock(&mut self, server: usize) -> Fault {
        let seconds = [3_600, 60, -60, -3_600][self.random.index(4)];
        self.servers[server].clock_s = seconds;
        self.tell(server, || format!("has a clock that is {seconds} s off"));
        Fault::Clock(server)
    }

    /// The manager's process is stopped, or its machine is: its clock goes on.
    pub(super) fn pause_manager(&mut self) -> Fault {
        if let Some(shell) = &mut self.manager {
            shell.paused.get_or_insert_default();
            self.say(|| "manager  hangs".to_owned());
        }
        Fault::Manager
    }

    pub(super) fn wake_manager(&mut self) {
        let paused = self.manager.as_mut().and_then(|shell| shell.paused.take());
        let Some(paused) = paused else { return };
        self.say(|| "manager  goes on".to_owned());
        for happening in paused {
            self.at(self.now, happening);
        }
    }

    /// Keeps what the manager would do while it is stopped.
    pub(super) fn unless_paused(&mut self, what: Happening) -> Option<Happening> {
        let Some(paused) = self
            .manager
            .as_mut()
            .and_then(|shell| shell.paused.as_mut())
        else {
            return Some(what);
        };
        let its = match &what {
            Happening::Arrive(envelope) => envelope.to == End::Manager,
            Happening::Probe(..)
            | Happening::ProbeLimit(..)
            | Happening::WriteProbe(_)
            | Happening::Tick(_)
            | Happening::StepLimit(_)
            | Happening::StepOn(_) => true,
            _ => false,
        };
        if its {
            paused.push(what);
            return None;
        }
        Some(what)
    }

    /// The server is told to stop: MySQL answers OK to the commits that wait, and so promises what
    /// no replica has.
    pub(super) fn shut_down(&mut self, server: usize) {
        if self.servers[server].life == Life::Up {
            self.tell(server, || "is told to stop".to_owned());
            if self.servers[server].family == Family::Mysql {
                self.servers[server].tampered = true;
                self.source_off(server);
            }
            self.crash(server);
        }
    }

    pub(super) fn tell_to_stop(&mut self, server: usize) -> Fault {
        self.shut_down(server);
        self.kill(server)
    }

    /// Somebody switches the wait for acknowledgements off on the primary.
    pub(super) fn switch_waiting_off(&mut self, server: usize) -> Fault {
        if self.servers[server].life == Life::Up && self.servers[server].memory.source_on {
            self.tell(server, || {
                "waits for nobody: switched off by hand".to_owned()
            });
            self.servers[server].tampered = true;
            self.source_off(server);
        }
        Fault::Passing
    }

    /// A server's machine is gone with its disk; another will start in its place.
    ///
    /// Nothing is promised when something else fails before that is made good, so it happens only
    /// to a cluster that is well, and nothing else does until it is again; and it takes a while.
    fn lose_disk(&mut self, server: usize) -> bool {
        if self.is_well().is_err() || self.checks.faults_that_last > 0 {
            return false;
        }
        self.disk_lost = true;
        let incarnation = self.servers[server].incarnation;
        self.crash(server);
        let pause = self.random.millis(1_000, 4_000);
        self.after(pause, Happening::Restart(server, incarnation));
        true
    }

    /// Another machine takes the server's place, without data.
    pub(super) fn replace_by_empty(&mut self, server: usize) -> Fault {
        if !self.lose_disk(server) {
            return Fault::Passing;
        }
        self.empty(server);
        Fault::Passing
    }

    pub(super) fn empty(&mut self, server: usize) {
        let one = &mut self.servers[server];
        one.replaced += 1;
        one.id = server as u32 + 1 + 100 * one.replaced;
        one.replace_log(Vec::new());
        one.link = None;
        self.tell(server, || "is replaced by an empty server".to_owned());
    }

    /// Another machine takes the server's place, with a copy of the data of another server and
    /// with its identity.
    pub(super) fn replace_by_copy(&mut self, server: usize) -> Fault {
        if !self.lose_disk(server) {
            return Fault::Passing;
        }
        self.copy_of_next(server);
        Fault::Twin(server)
    }

    pub(super) fn copy_of_next(&mut self, server: usize) {
        let other = (server + 1) % self.servers.len();
        let visible = self.servers[other].visible;
        let data = self.servers[other].log[..visible].to_vec();
        let id = self.servers[other].id;
        let one = &mut self.servers[server];
        one.replaced += 1;
        one.id = id;
        one.replace_log(data);
        one.link = None;
        self.tell(server, || {
            format!("is replaced by a copy of db{}", other + 1)
        });
    }

    /// An operator gives a copied server an identity of its own, with a restart.
    pub(super) fn name_apart(&mut self, server: usize) {
        let own = server as u32 + 1 + 100 * self.servers[server].replaced;
        if self.servers[server].id == own {
            return;
        }
        self.servers[server].id = own;
        self.tell(server, || "is given a name of its own".to_owned());
        self.kill(server);
    }

    /// Whether the server's process dies before it answers this statement.
    pub(super) fn dies_now(&mut self, server: usize) -> bool {
        let Some(left) = self.servers[server].dies_after else {
            return false;
        };
        self.servers[server].dies_after = left.checked_sub(1);
        left == 0
    }

    /// Whether the loss of a disk is not made good yet.
    pub(super) fn is_recovering(&mut self) -> bool {
        self.disk_lost &= self.is_well().is_err();
        self.disk_lost
    }

    /// The second failure, in the middle of what is done about the first.
    pub(super) fn spring(&mut self) {
        if self.peace.is_some() || self.is_recovering() {
            return;
        }
        let server = self.random.index(self.servers.len());
        let fault = match self.random.below(6) {
            0 | 1 => self.kill(server),
            2 => self.stop_process(server),
            3 => self.isolate(server),
            4 => self.hang_disk(server),
            _ => self.ask_something(server),
        };
        self.checks.faults_that_last += 1;
        let ends = self.random.millis(300, 5_000);
        self.after(ends, Happening::Mend(Box::new(fault)));
    }
}

fn is_write(body: &crate::message::Body) -> bool {
    matches!(body, crate::message::Body::Write { .. })
}
