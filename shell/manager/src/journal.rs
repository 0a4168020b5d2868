//! What the loop writes down. Entries are collected and written together, so that a step costs one
//! flush to disk: its own beginning and the end of the step before it.

use mainstay_failover::{Certificate, OperationId, Plan, Purpose, Step, StepResult};
use mainstay_store::{Entry, Store, StoreError};
use tokio::task::spawn_blocking;

pub(crate) struct Journal {
    store: Store,
    pending: Vec<Entry>,
}

impl Journal {
    pub(crate) fn new(store: Store) -> Self {
        let pending = Vec::new();
        Self { store, pending }
    }

    pub(crate) fn entered(&mut self, at_us: u64, phase: &str, reason: &str) {
        let (phase, reason) = (phase.to_owned(), reason.to_owned());
        self.pending.push(Entry::Entered {
            at_us,
            phase,
            reason,
        });
    }

    pub(crate) fn began(&mut self, at_us: u64, operation: OperationId, plan: Plan) {
        self.pending.push(Entry::Began {
            operation: operation.0,
            at_us,
            plan,
        });
    }

    pub(crate) fn started(&mut self, at_us: u64, id: (OperationId, usize), what: Box<Step>) {
        let (OperationId(operation), step) = id;
        self.pending.push(Entry::Started {
            operation,
            step,
            at_us,
            what,
        });
    }

    pub(crate) fn ended(&mut self, at_us: u64, id: (OperationId, usize), result: StepResult) {
        let (OperationId(operation), step) = id;
        self.pending.push(Entry::Ended {
            operation,
            step,
            at_us,
            result,
        });
    }

    pub(crate) fn finished(
        &mut self,
        at_us: u64,
        operation: OperationId,
        outcome: Result<(), String>,
        certificate: Option<&Certificate>,
    ) {
        self.pending.push(Entry::Finished {
            operation: operation.0,
            at_us,
            outcome,
            certificate: certificate.map(certificate_text),
        });
    }

    /// Writes what was collected. What cannot be written is dropped: it is history by then, and a
    /// step whose beginning cannot be written is not run. Only the beginning of an operation that
    /// goes on is tried again, since all that follows belongs to it.
    pub(crate) async fn flush(&mut self) -> Result<(), StoreError> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let entries = std::mem::take(&mut self.pending);
        let store = self.store.clone();
        let (written, entries) = spawn_blocking(move || (store.append(&entries), entries))
            .await
            .expect("the store does not panic");
        if written.is_err() {
            self.pending = begun(entries);
        }
        written
    }

    pub(crate) fn store(&self) -> &Store {
        &self.store
    }
}

/// The beginnings of those operations that have not ended.
fn begun(mut entries: Vec<Entry>) -> Vec<Entry> {
    let ended: Vec<u64> = entries.iter().filter_map(ends).collect();
    entries.retain(
        |entry| matches!(entry, Entry::Began { operation, .. } if !ended.contains(operation)),
    );
    entries
}

fn ends(entry: &Entry) -> Option<u64> {
    match entry {
        Entry::Finished { operation, .. } => Some(*operation),
        Entry::Entered { .. }
        | Entry::Began { .. }
        | Entry::Started { .. }
        | Entry::Ended { .. } => None,
    }
}

/// Why an operation exists, for people.
pub(crate) fn purpose(purpose: &Purpose) -> String {
    purpose.to_string()
}

/// The proof, for people.
pub(crate) fn certificate_text(certificate: &Certificate) -> String {
    let Certificate {
        from, to, epoch, ..
    } = certificate;
    let mut lines = vec![
        format!("epoch {epoch}: {to} took the place of {from}"),
        match certificate.acknowledgements {
            0 => "durability: asynchronous".to_owned(),
            1 => "durability: lossless, 1 acknowledgement for each commit".to_owned(),
            many => format!("durability: lossless, {many} acknowledgements for each commit"),
        },
    ];
    for (server, held) in &certificate.survivors {
        // MySQL prints one origin a line.
        let held = held.to_string().replace('\n', "");
        lines.push(format!("{server} held {held}"));
    }
    for server in &certificate.absent {
        lines.push(format!("{server} could not be asked"));
    }
    lines.push(certificate.reason.clone());
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use mainstay_topology::{Epoch, ServerName};

    use super::*;

    fn began(operation: u64) -> Entry {
        let server = ServerName::new("db2");
        let plan = Plan {
            purpose: Purpose::Rejoin { server },
            epoch: Epoch(1),
            steps: Vec::new(),
            continues: false,
        };
        Entry::Began {
            operation,
            at_us: 1,
            plan,
        }
    }

    fn finished(operation: u64) -> Entry {
        Entry::Finished {
            operation,
            at_us: 2,
            outcome: Ok(()),
            certificate: None,
        }
    }

    #[test]
    fn only_the_beginning_of_what_goes_on_is_written_later() {
        let (phase, reason) = ("Executing".to_owned(), "a plan was made".to_owned());
        let entered = Entry::Entered {
            at_us: 1,
            phase,
            reason,
        };
        let left = begun(vec![entered, began(7), finished(7), began(8)]);
        let numbers: Vec<_> = left
            .iter()
            .map(|entry| match entry {
                Entry::Began { operation, .. } => *operation,
                other => panic!("not to be written later: {other:?}"),
            })
            .collect();
        assert_eq!(numbers, [8]);
    }
}
