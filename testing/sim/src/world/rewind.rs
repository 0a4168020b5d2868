//! Rewinding: what a server that is rewound goes through, one thing after the other. Whoever tells
//! it may be gone after each of them, and so may the server.

use mainstay_failover::{Output, StepResult};
use mainstay_gtid::Difference;
use mainstay_topology::ServerName;

use super::{Happening, World};
use crate::gtids::Transaction;
use crate::invariants::{no_silent_divergence, saved_before_replaced};
use crate::message::{End, RunId};
use crate::server::Life;

impl World {
    /// Begins, or goes on: the undoing, the loss of the GTIDs, their setting.
    pub(super) fn rewind(
        &mut self,
        run: RunId,
        server: &ServerName,
        transactions: Option<&Difference>,
    ) {
        let index = self.index(server);
        let reached = self.network.is_open(End::Manager, End::Server(index));
        if self.servers[index].life != Life::Up || !reached {
            return self.conclude(run, false, "the connection broke");
        }
        let stage = self.job(run).map_or(0, |job| {
            job.stage += 1;
            job.stage
        });
        let one = &self.servers[index];
        match (stage, &one.rewound, transactions) {
            (1, None, Some(_)) if self.random.permille(200) => {
                let reason = "it holds a statement".to_owned();
                return self.end(run, StepResult::Done(Output::Impossible(reason)));
            }
            (1, _, _) => {}
            (_, None, None) => return self.done(run),
            (_, None, Some(errant)) => self.undo(index, errant),
            (_, Some(_), _) if !one.log.is_empty() => {
                self.tell(index, || "has no GTIDs left".to_owned());
                self.servers[index].replace_log(Vec::new());
            }
            (_, Some(_), _) => {
                self.tell(index, || "is rewound".to_owned());
                let one = &mut self.servers[index];
                let data = one.rewound.take().unwrap_or_default();
                one.replace_log(data);
                one.link = None;
                return self.done(run);
            }
        }
        let pause = self.random.millis(1, 60);
        self.after(pause, Happening::StepOn(run));
        self.cut_off(index);
    }

    /// It is short, and no other fault would often meet it.
    fn cut_off(&mut self, index: usize) {
        if self.random.permille(150) {
            self.kill_manager();
        }
        if self.random.permille(100) {
            let incarnation = self.servers[index].incarnation;
            self.crash(index);
            let pause = self.random.millis(100, 1_000);
            self.after(pause, Happening::Restart(index, incarnation));
        }
    }

    /// The undoing is a transaction of its own.
    fn undo(&mut self, index: usize, errant: &Difference) {
        self.tell(index, || format!("undoes {errant}"));
        let checked = self.checks.saved.replaced(&self.servers, index);
        self.must(saved_before_replaced::NAME, checked);
        let one = &mut self.servers[index];
        let stays = |transaction: &&Transaction| !transaction.is_among(errant);
        one.rewound = Some(one.log.iter().filter(stays).copied().collect());
        let mut log = one.log.clone();
        log.push(Transaction {
            origin: one.id,
            number: one.next_number(),
            write: 0,
        });
        one.replace_log(log);
    }

    /// What it says it has executed is not what its data are.
    pub(super) fn must_not_be_rewinding(&mut self, index: usize) {
        if self.servers[index].rewound.is_some() {
            let name = self.servers[index].name();
            let why = format!("{name} is used before its rewinding has ended");
            self.fail(no_silent_divergence::NAME, why);
        }
    }
}
