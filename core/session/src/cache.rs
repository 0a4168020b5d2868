//! Results of reads, kept for a while: who asks the same thing in the same session state gets the
//! same bytes, without a server.
//!
//! An entry is used only while none of the tables it read was written through this proxy, and
//! within its time to live, which bounds what the proxy cannot see: writes that pass it by, and
//! tables below views, triggers and foreign keys.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use mainstay_clock::Timestamp;

use crate::session::Key;
use crate::state::State;
use crate::written::{Seen, Written};

/// What the cache of one worker may do.
#[derive(Debug, Clone)]
pub struct CachePolicy {
    /// Whether anything is ever kept.
    pub on: bool,
    /// How long results are kept for which nothing else is said, if they can only change with
    /// their tables; zero keeps none of them.
    pub ttl: Duration,
    /// Whether results without rows are kept.
    pub empty: bool,
    /// Bytes of all entries.
    pub bytes_max: usize,
    /// Bytes of one result; longer ones are not kept.
    pub entry_bytes_max: usize,
    /// A result that came from a replica is kept only when its tables were not written for so
    /// long: it may lag behind.
    pub settle: Duration,
    /// What was written, seen by all workers.
    pub written: Arc<Written>,
}

impl Default for CachePolicy {
    fn default() -> Self {
        Self {
            on: false,
            ttl: Duration::ZERO,
            empty: true,
            bytes_max: 64 << 20,
            entry_bytes_max: 1 << 20,
            settle: Duration::from_secs(2),
            written: Arc::default(),
        }
    }
}

/// Counters and gauges of the cache.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CacheStats {
    /// Results kept now.
    pub entries: usize,
    /// Bytes of them, with what they cost beside.
    pub bytes: usize,
    /// Reads answered from the cache.
    pub hits: u64,
    /// Reads that might have been, and were not there.
    pub misses: u64,
    /// Results put in.
    pub stored: u64,
    /// Entries found old because a table of theirs was written.
    pub outdated: u64,
    /// Entries dropped for want of room.
    pub evicted: u64,
}

/// Everything that a reply depends on, besides the data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) key: Key,
    pub(crate) state: State,
    /// The statement, and behind it the parameters of an execution.
    pub(crate) text: Vec<u8>,
}

/// A result that is being read from a server.
#[derive(Debug)]
pub(crate) struct Fill {
    pub(crate) asked: Asked,
    pub(crate) seen: Seen,
    pub(crate) ttl: Duration,
    /// It is kept even when it has no rows.
    pub(crate) empty: bool,
    pub(crate) bytes: Vec<u8>,
}

/// The results of one worker.
#[derive(Debug, Default)]
pub(crate) struct Cache {
    /// By a hash of what was asked; of two with the same hash, the later stays.
    entries: BTreeMap<u64, Entry>,
    /// By when they were used last.
    order: BTreeMap<u64, u64>,
    uses: u64,
    stats: CacheStats,
}

#[derive(Debug)]
struct Entry {
    asked: Asked,
    seen: Seen,
    until: Timestamp,
    used: u64,
    bytes: Arc<[u8]>,
}

/// What an entry costs beside its texts and bytes, about.
const ENTRY_BYTES: usize = 256;

impl Entry {
    fn cost(&self) -> usize {
        ENTRY_BYTES + self.asked.text.len() + self.bytes.len()
    }
}

impl Cache {
    pub(crate) fn stats(&self) -> CacheStats {
        CacheStats {
            entries: self.entries.len(),
            ..self.stats
        }
    }

    /// The bytes kept for this question.
    pub(crate) fn find(
        &mut self,
        asked: &Asked,
        written: &Written,
        now: Timestamp,
    ) -> Option<Arc<[u8]>> {
        let hash = asked.hash();
        let Some(entry) = self
            .entries
            .get_mut(&hash)
            .filter(|one| one.asked == *asked)
        else {
            self.stats.misses += 1;
            return None;
        };
        let current = written.is_current(&entry.seen);
        if !current || entry.until <= now {
            self.stats.outdated += u64::from(!current);
            self.stats.misses += 1;
            self.remove(hash);
            return None;
        }
        self.stats.hits += 1;
        self.uses += 1;
        self.order.remove(&entry.used);
        entry.used = self.uses;
        self.order.insert(entry.used, hash);
        Some(Arc::clone(&entry.bytes))
    }

    /// Keeps a whole result.
    pub(crate) fn store(&mut self, fill: Fill, bytes_max: usize, now: Timestamp) {
        let hash = fill.asked.hash();
        self.remove(hash);
        self.uses += 1;
        let entry = Entry {
            asked: fill.asked,
            seen: fill.seen,
            until: now + fill.ttl,
            used: self.uses,
            bytes: fill.bytes.into(),
        };
        if entry.cost() > bytes_max {
            return;
        }
        self.stats.bytes += entry.cost();
        self.stats.stored += 1;
        self.order.insert(entry.used, hash);
        self.entries.insert(hash, entry);
        while self.stats.bytes > bytes_max
            && let Some((_, oldest)) = self.order.first_key_value()
        {
            self.stats.evicted += 1;
            self.remove(*oldest);
        }
    }

    /// Drops all entries.
    pub(crate) fn clear(&mut self) {
        self.entries.clear();
        self.order.clear();
        self.stats.bytes = 0;
    }

    fn remove(&mut self, hash: u64) {
        if let Some(entry) = self.entries.remove(&hash) {
            self.order.remove(&entry.used);
            self.stats.bytes -= entry.cost();
        }
    }
}

impl Asked {
    /// FNV-1a over the parts that differ most.
    fn hash(&self) -> u64 {
        let user = self.key.user.as_bytes().iter();
        let schema = self.state.schema.iter().flatten();
        let bytes = user.chain(&[0]).chain(schema).chain(&[0]).chain(&self.text);
        bytes.fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        })
    }
}

#[cfg(test)]
mod tests {
    use mainstay_wire::Capabilities;

    use super::*;

    const TTL: Duration = Duration::from_secs(10);
    const NOW: Timestamp = Timestamp::from_millis(1);

    fn asked(text: &str) -> Asked {
        Asked {
            key: Key {
                user: Arc::from("app"),
                capabilities: Capabilities::default(),
                collation: 45,
                address: None,
            },
            state: State::default(),
            text: text.as_bytes().to_vec(),
        }
    }

    fn fill(text: &str, written: &Written) -> Fill {
        Fill {
            asked: asked(text),
            seen: written.look([1].into_iter()),
            ttl: TTL,
            empty: true,
            bytes: text.as_bytes().to_vec(),
        }
    }

    #[test]
    fn an_entry_ends_with_its_time_or_with_a_write() {
        let (mut cache, written) = (Cache::default(), Written::default());
        cache.store(fill("a", &written), 10_000, NOW);
        assert!(cache.find(&asked("a"), &written, NOW).is_some());
        assert!(cache.find(&asked("b"), &written, NOW).is_none());
        assert!(cache.find(&asked("a"), &written, NOW + TTL).is_none());
        cache.store(fill("a", &written), 10_000, NOW);
        written.mark(1, NOW);
        assert!(cache.find(&asked("a"), &written, NOW).is_none());
        assert_eq!((cache.stats().outdated, cache.stats().bytes), (1, 0));
    }

    #[test]
    fn another_session_state_asks_another_question() {
        let (mut cache, written) = (Cache::default(), Written::default());
        cache.store(fill("a", &written), 10_000, NOW);
        let mut other = asked("a");
        let _ = other.state.assign(b"time_zone", b"time_zone='+02:00'");
        assert!(cache.find(&other, &written, NOW).is_none());
    }

    #[test]
    fn the_entry_used_least_recently_makes_room() {
        let (mut cache, written) = (Cache::default(), Written::default());
        let room = 2 * (ENTRY_BYTES + 2);
        cache.store(fill("a", &written), room, NOW);
        cache.store(fill("b", &written), room, NOW);
        assert!(cache.find(&asked("a"), &written, NOW).is_some());
        cache.store(fill("c", &written), room, NOW);
        assert!(cache.find(&asked("b"), &written, NOW).is_none());
        assert!(cache.find(&asked("a"), &written, NOW).is_some());
        assert_eq!(cache.stats().evicted, 1);
        cache.store(fill(&"x".repeat(room), &written), room, NOW);
        assert_eq!(
            cache.stats().entries,
            2,
            "what has no room at all is not kept"
        );
    }
}
