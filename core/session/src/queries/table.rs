//! The bounded table of digests: chains of entries by a hash, so that a statement that is known
//! costs one look and no allocation. When it is full, an entry that was not used since the hand
//! came by last makes room, as on a clock.

use std::collections::BTreeMap;
use std::sync::Arc;

use mainstay_clock::Timestamp;
use mainstay_sql::Digest;

use super::commands::command;
use super::{Ended, QueryKey, QueryRow};

const NONE: u32 = u32::MAX;
/// Entries that the hand passes over before it takes one all the same.
const HAND_MAX: usize = 64;

/// Which row a statement belongs to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) hostgroup: i64,
    pub(crate) schema: &'a [u8],
    pub(crate) user: &'a Arc<str>,
    pub(crate) client: &'a str,
    pub(crate) digest: Digest,
}

impl Asked<'_> {
    fn hash(&self) -> u64 {
        let mut hash = self.digest.0 ^ self.hostgroup.cast_unsigned().rotate_left(32);
        for bytes in [self.schema, self.user.as_bytes(), self.client.as_bytes()] {
            for part in bytes.chunks(8) {
                let mut word = [0; 8];
                word[..part.len()].copy_from_slice(part);
                hash = (hash.rotate_left(5) ^ u64::from_le_bytes(word))
                    .wrapping_mul(0x9e37_79b9_7f4a_7c15);
            }
            hash = hash.rotate_left(7) ^ bytes.len() as u64;
        }
        hash ^ (hash >> 32)
    }
}

#[derive(Debug)]
struct Entry {
    hash: u64,
    next: u32,
    used: bool,
    command: u8,
    hostgroup: i64,
    schema: Box<[u8]>,
    user: Arc<str>,
    client: Box<str>,
    digest: Digest,
    row: QueryRow,
}

impl Entry {
    fn new(hash: u64, asked: &Asked<'_>, now: Timestamp, text: &[u8]) -> Self {
        Self {
            hash,
            next: NONE,
            used: false,
            command: command(text),
            hostgroup: asked.hostgroup,
            schema: asked.schema.into(),
            user: Arc::clone(asked.user),
            client: asked.client.into(),
            digest: asked.digest,
            row: QueryRow::new(now, String::from_utf8_lossy(text).into_owned()),
        }
    }

    fn is(&self, hash: u64, asked: &Asked<'_>) -> bool {
        self.hash == hash
            && self.digest == asked.digest
            && self.hostgroup == asked.hostgroup
            && *self.schema == *asked.schema
            && (Arc::ptr_eq(&self.user, asked.user) || self.user == *asked.user)
            && *self.client == *asked.client
    }
}

/// The table of one worker.
#[derive(Debug, Default)]
pub(crate) struct Table {
    /// The first entry of each chain; its length is a power of two.
    heads: Vec<u32>,
    entries: Vec<Entry>,
    hand: usize,
    evicted: u64,
}

impl Table {
    /// Counts a statement and gives the number of its command; `None` when nothing may be kept.
    pub(super) fn count(
        &mut self,
        asked: &Asked<'_>,
        ended: Ended,
        max: usize,
        text: impl FnOnce(&mut Vec<u8>),
    ) -> Option<u8> {
        let hash = asked.hash();
        let known = self.find(hash, asked);
        let index = match known {
            Some(index) => index,
            None if max == 0 => return None,
            None => {
                let mut bytes = Vec::new();
                text(&mut bytes);
                self.insert(Entry::new(hash, asked, ended.now, &bytes), max)
            }
        };
        let entry = &mut self.entries[index];
        // What came only once goes before what came again.
        entry.used |= known.is_some();
        entry.row.take(ended);
        Some(entry.command)
    }

    fn find(&self, hash: u64, asked: &Asked<'_>) -> Option<usize> {
        let mut at = *self.heads.get(self.chain(hash))?;
        while at != NONE {
            let entry = &self.entries[at as usize];
            if entry.is(hash, asked) {
                return Some(at as usize);
            }
            at = entry.next;
        }
        None
    }

    fn chain(&self, hash: u64) -> usize {
        hash as usize & self.heads.len().wrapping_sub(1)
    }

    fn insert(&mut self, entry: Entry, max: usize) -> usize {
        let index = if self.entries.len() < max {
            self.entries.push(entry);
            self.entries.len() - 1
        } else {
            let index = self.make_room();
            self.entries[index] = entry;
            index
        };
        if self.entries.len() > self.heads.len() {
            self.rehash();
        } else {
            self.link(index);
        }
        index
    }

    fn link(&mut self, index: usize) {
        let chain = self.chain(self.entries[index].hash);
        let number = u32::try_from(index).expect("far fewer digests are kept");
        self.entries[index].next = std::mem::replace(&mut self.heads[chain], number);
    }

    fn rehash(&mut self) {
        let length = (self.entries.len() * 2).next_power_of_two().max(64);
        self.heads.clear();
        self.heads.resize(length, NONE);
        for index in 0..self.entries.len() {
            self.link(index);
        }
    }

    /// Takes an entry out of its chain and gives its place. The limit may have become smaller.
    fn make_room(&mut self) -> usize {
        for _ in 0..HAND_MAX {
            self.hand = (self.hand + 1) % self.entries.len();
            if !std::mem::replace(&mut self.entries[self.hand].used, false) {
                break;
            }
        }
        let gone = self.hand;
        let chain = self.chain(self.entries[gone].hash);
        let after = self.entries[gone].next;
        let mut at = self.heads[chain] as usize;
        if at == gone {
            self.heads[chain] = after;
        } else {
            while self.entries[at].next as usize != gone {
                at = self.entries[at].next as usize;
            }
            self.entries[at].next = after;
        }
        self.evicted += 1;
        gone
    }

    pub(super) fn evicted(&self) -> u64 {
        self.evicted
    }

    pub(super) fn rows(&self) -> BTreeMap<QueryKey, QueryRow> {
        let row = |entry: &Entry| {
            let key = QueryKey {
                hostgroup: entry.hostgroup,
                schema: String::from_utf8_lossy(&entry.schema).into_owned(),
                user: Arc::clone(&entry.user),
                client: entry.client.to_string(),
                digest: entry.digest,
            };
            (key, entry.row.clone())
        };
        self.entries.iter().map(row).collect()
    }
}

impl QueryRow {
    fn new(now: Timestamp, text: String) -> Self {
        Self {
            text,
            count: 0,
            first_seen: now,
            last_seen: now,
            time_sum: std::time::Duration::ZERO,
            time_min: std::time::Duration::MAX,
            time_max: std::time::Duration::ZERO,
            rows_affected: 0,
            rows_sent: 0,
        }
    }

    fn take(&mut self, ended: Ended) {
        self.count += 1;
        self.last_seen = ended.now;
        self.time_sum += ended.took;
        self.time_min = self.time_min.min(ended.took);
        self.time_max = self.time_max.max(ended.took);
        self.rows_affected += ended.rows_affected;
        self.rows_sent += ended.rows_sent;
    }
}
