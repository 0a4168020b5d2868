//! What a fault acts on: the cluster as it was found, under load.

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, JoinHandle};

use super::switchovers::newest_operation;
use crate::Client;
use crate::lab::{self, Lab};
use crate::status::Status;
use crate::wait::wait_for;

/// Numbers that are enough to say that writes flow.
const SOME: u64 = 60;

/// The cluster, and who was who before the fault.
#[derive(Debug)]
pub struct Stage<'a> {
    /// The laboratory.
    pub lab: &'a mut Lab,
    /// The number of the primary.
    pub primary: usize,
    /// The numbers of the replicas.
    pub replicas: [usize; 2],
    /// The reign.
    pub epoch: u64,
    /// What the manager had done last.
    pub(super) operation: u64,
    /// Grows with each write that a client begins.
    next_number: &'a AtomicU64,
}

impl<'a> Stage<'a> {
    /// The cluster as it is: whole.
    #[track_caller]
    pub fn new(lab: &'a mut Lab, status: &Status, next_number: &'a AtomicU64) -> Self {
        let primary = primary_of(status);
        let mut replicas = lab::SERVERS.into_iter().filter(|number| *number != primary);
        let replicas = [(); 2].map(|()| replicas.next().expect("three servers"));
        let operation = newest_operation(lab);
        Self {
            lab,
            primary,
            replicas,
            epoch: status.epoch(),
            operation,
            next_number,
        }
    }

    /// Waits until another server takes writes, in the reign after that of the beginning, and says
    /// which one.
    #[track_caller]
    pub fn wait_for_failover(&mut self) -> usize {
        self.wait_for_reign(self.epoch + 1)
    }

    /// The same for a later reign.
    #[track_caller]
    pub fn wait_for_reign(&mut self, epoch: u64) -> usize {
        let status = self.lab.wait("another primary", |status| {
            status.epoch() >= epoch && status.0["writes_held"] == false
        });
        primary_of(&status)
    }

    /// Waits until clients have begun more writes: the ones before them have ended.
    #[track_caller]
    pub fn wait_for_writes(&mut self) {
        let enough = self.next_number.load(Ordering::Relaxed) + SOME;
        wait_for("writes of clients", || {
            self.lab.tend();
            if self.next_number.load(Ordering::Relaxed) >= enough {
                Ok(())
            } else {
                let status = self.lab.try_status();
                Err(status.map_or_else(|| "no status".to_owned(), |status| lab::short(&status)))
            }
        });
    }

    /// Somebody writes to a server directly, as long as it takes, and tells what came of it.
    #[track_caller]
    pub fn write_beside_the_proxy(&self, server: usize) -> JoinHandle<Result<(), String>> {
        let mut client = Client::connect(&self.lab.beside_the_proxy(server));
        thread::spawn(move || {
            let done = client.try_execute("INSERT INTO app.beside VALUES (NULL)");
            done.map(drop).map_err(|error| error.to_string())
        })
    }
}

#[track_caller]
fn primary_of(status: &Status) -> usize {
    let primary = status.primary();
    lab::number(primary.unwrap_or_else(|| panic!("no primary in {status}")))
}
