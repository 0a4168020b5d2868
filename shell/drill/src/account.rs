//! The account of one round, from what each client saw: pure.

use std::collections::{BTreeMap, BTreeSet};

/// How a write ended for its client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteEnd {
    /// The client received OK.
    Acknowledged,
    /// The client received this error code; whether the write happened is not known to it.
    Failed(u16),
}

/// One numbered write.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Write {
    /// Its number, unique for ever in the table.
    pub id: u64,
    /// Which of the writers sent it.
    pub writer: u32,
    /// When it was sent, in ms since the round began.
    pub begun_ms: f64,
    /// When its answer came, in ms since the round began.
    pub ended_ms: f64,
    /// Its answer.
    pub end: WriteEnd,
}

/// What all clients of a round saw.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Account {
    /// Every write.
    pub writes: Vec<Write>,
    /// Moments of successful reads per reader, in ms since the round began.
    pub reads: BTreeMap<u32, Vec<f64>>,
    /// Errors that clients received, by code.
    pub errors: BTreeMap<u16, u64>,
}

/// An answer that arrives this long after the next primary's first OK cannot be explained by
/// the scheduling of the client's own tasks.
const LATE_ANSWER_MS: f64 = 250.0;

impl Account {
    /// The longest time between two acknowledged writes of the same writer, in ms.
    pub fn write_gap_ms(&self) -> f64 {
        let mut by_writer: BTreeMap<u32, Vec<f64>> = BTreeMap::new();
        for write in self
            .writes
            .iter()
            .filter(|write| write.end == WriteEnd::Acknowledged)
        {
            by_writer
                .entry(write.writer)
                .or_default()
                .push(write.ended_ms);
        }
        longest_gap_ms(&by_writer)
    }

    /// The longest time between two successful reads of the same reader, in ms.
    pub fn read_gap_ms(&self) -> f64 {
        longest_gap_ms(&self.reads)
    }

    /// Numbers of the acknowledged writes.
    pub fn acknowledged(&self) -> BTreeSet<u64> {
        self.ids(|end| end == WriteEnd::Acknowledged)
    }

    /// Numbers of the writes whose outcome the client does not know.
    pub fn unacknowledged(&self) -> BTreeSet<u64> {
        self.ids(|end| end != WriteEnd::Acknowledged)
    }

    fn ids(&self, wanted: impl Fn(WriteEnd) -> bool) -> BTreeSet<u64> {
        self.writes
            .iter()
            .filter(|write| wanted(write.end))
            .map(|write| write.id)
            .collect()
    }

    /// The servers that acknowledged, one after the other, by their `server_id`; one that came back
    /// is there again. Two servers that do so at the same time make many reigns: more than the
    /// manager knows of.
    ///
    /// `executed_on` tells the `server_id` that executed each write. An answer of a former server
    /// that was on its way when the next one began is not a reign.
    pub fn reigns(&self, executed_on: &BTreeMap<u64, u32>) -> Vec<u32> {
        let mut reigns: Vec<(u32, f64)> = Vec::new();
        for (write, server) in self.acknowledged_by(executed_on) {
            match reigns.last() {
                Some((present, _)) if *present == server => {}
                Some((_, since))
                    if reigns.iter().any(|(of, _)| *of == server) && !is_late(write, *since) => {}
                Some(_) | None => reigns.push((server, write.ended_ms)),
            }
        }
        reigns.into_iter().map(|(server, _)| server).collect()
    }

    /// Acknowledged writes in the order of their answers.
    fn acknowledged_by(&self, executed_on: &BTreeMap<u64, u32>) -> Vec<(&Write, u32)> {
        let mut writes: Vec<(&Write, u32)> = self
            .writes
            .iter()
            .filter(|write| write.end == WriteEnd::Acknowledged)
            .filter_map(|write| executed_on.get(&write.id).map(|server| (write, *server)))
            .collect();
        writes.sort_by(|a, b| a.0.ended_ms.total_cmp(&b.0.ended_ms));
        writes
    }

    /// Counts acknowledgements that a server gave after another had already begun to acknowledge.
    ///
    /// `executed_on` tells the `server_id` that executed each write. A reign begins with the first
    /// OK of its server; a write of an earlier server counts when it was sent after that, or was
    /// answered so much later that it cannot be the same moment seen by two clients.
    pub fn two_writers(&self, executed_on: &BTreeMap<u64, u32>) -> u64 {
        let mut reigns: Vec<(u32, f64)> = Vec::new();
        let mut wrong = 0;
        for (write, server) in self.acknowledged_by(executed_on) {
            match reigns.iter().rposition(|(of, _)| *of == server) {
                Some(reign) if reign + 1 == reigns.len() => {}
                Some(reign) if is_late(write, reigns[reign + 1].1) => wrong += 1,
                Some(_) => {}
                None => reigns.push((server, write.ended_ms)),
            }
        }
        wrong
    }
}

fn is_late(write: &Write, next_reign_ms: f64) -> bool {
    write.begun_ms > next_reign_ms || write.ended_ms > next_reign_ms + LATE_ANSWER_MS
}

fn longest_gap_ms(by_client: &BTreeMap<u32, Vec<f64>>) -> f64 {
    by_client
        .values()
        .flat_map(|moments| moments.windows(2).map(|pair| pair[1] - pair[0]))
        .fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(id: u64, writer: u32, begun_ms: f64, ended_ms: f64) -> Write {
        Write {
            id,
            writer,
            begun_ms,
            ended_ms,
            end: WriteEnd::Acknowledged,
        }
    }

    fn account(writes: Vec<Write>) -> Account {
        Account {
            writes,
            ..Account::default()
        }
    }

    #[test]
    fn the_gap_is_that_of_one_writer_even_when_others_go_on() {
        let seen = account(vec![
            write(1, 0, 0.0, 1.0),
            write(2, 1, 0.0, 2.0),
            write(3, 1, 300.0, 301.0),
            write(4, 0, 1.0, 700.0),
        ]);
        assert!((seen.write_gap_ms() - 699.0).abs() < 1e-9);
    }

    #[test]
    fn one_writer_after_another_is_no_fault() {
        let seen = account(vec![write(1, 0, 0.0, 1.0), write(2, 0, 2.0, 9.0)]);
        assert_eq!(seen.two_writers(&BTreeMap::from([(1, 1), (2, 2)])), 0);
    }

    #[test]
    fn a_write_sent_to_the_old_primary_after_the_new_one_acknowledged_is_a_fault() {
        let seen = account(vec![
            write(1, 0, 0.0, 1.0),
            write(2, 0, 2.0, 9.0),
            write(3, 1, 10.0, 11.0),
        ]);
        assert_eq!(
            seen.two_writers(&BTreeMap::from([(1, 1), (2, 2), (3, 1)])),
            1
        );
    }

    #[test]
    fn a_server_may_reign_again_and_two_at_once_are_many_reigns() {
        let seen = account(vec![
            write(1, 0, 0.0, 1.0),
            write(2, 0, 2.0, 9.0),
            write(3, 1, 1.0, 9.5),
            write(4, 0, 300.0, 301.0),
            write(5, 0, 302.0, 303.0),
        ]);
        let on = BTreeMap::from([(1, 1), (2, 2), (3, 1), (4, 1), (5, 2)]);
        assert_eq!(seen.reigns(&on), [1, 2, 1, 2]);
    }

    #[test]
    fn an_answer_of_the_old_primary_long_after_is_a_fault() {
        let seen = account(vec![
            write(1, 0, 0.0, 1.0),
            write(2, 0, 2.0, 9.0),
            write(3, 1, 1.5, 400.0),
        ]);
        assert_eq!(
            seen.two_writers(&BTreeMap::from([(1, 1), (2, 2), (3, 1)])),
            1
        );
    }

    #[test]
    fn a_failed_write_is_not_acknowledged() {
        let mut failed = write(7, 0, 0.0, 1.0);
        failed.end = WriteEnd::Failed(2013);
        let seen = account(vec![failed]);
        assert!(seen.acknowledged().is_empty());
        assert_eq!(seen.unacknowledged(), BTreeSet::from([7]));
    }
}
