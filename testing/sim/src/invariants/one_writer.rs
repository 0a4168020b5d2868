//! One writer: no two servers acknowledge writes in overlapping reigns.
//!
//! Precisely, of the writes whose clients received OK: each was executed by a server that had been
//! recorded as primary before, and all writes of a later reign were executed after all writes of
//! every earlier one. The reign of a write is the newest one recorded for the server that executed
//! it, at that moment. When the OK arrives does not matter: it may have been on its way for long.

use std::collections::BTreeMap;

use mainstay_clock::Timestamp;
use mainstay_topology::Epoch;

use crate::ledger::Write;

pub(crate) const NAME: &str = "one_writer";

/// When the first and the last acknowledged write of each reign were executed.
#[derive(Debug, Default)]
pub(crate) struct OneWriter {
    executed: BTreeMap<Epoch, (Timestamp, Timestamp)>,
}

impl OneWriter {
    pub(crate) fn acknowledged(&mut self, write: u64, what: &Write) -> Result<(), String> {
        let execution = what
            .executed
            .ok_or(format!("write {write} was never executed"))?;
        let server = execution.server + 1;
        let Some(reign) = execution.reign else {
            return Err(format!(
                "db{server} acknowledged write {write} and was never primary"
            ));
        };
        let at = execution.at;
        let span = self.executed.entry(reign).or_insert((at, at));
        *span = (span.0.min(at), span.1.max(at));
        let (first, last) = *span;
        let mut others = self.executed.iter();
        let overlap = others.find(|(other, (begun, ended))| {
            (**other < reign && *ended > first) || (**other > reign && *begun < last)
        });
        match overlap {
            None => Ok(()),
            Some((other, _)) => Err(format!(
                "db{server} acknowledged write {write}, executed at {at} in epoch {reign}, \
                 while epoch {other} acknowledged writes"
            )),
        }
    }
}
