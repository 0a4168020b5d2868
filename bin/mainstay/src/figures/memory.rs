//! `stats_memory_metrics`: what the kernel says of the process, under the names that exporters
//! read, and what tables are known to take.
//!
//! The names of an allocator stand for what the kernel counts: `jemalloc_resident` for the memory
//! in use, `jemalloc_mapped` for the mapped one, `jemalloc_allocated` and `_active` for the heap.

use std::mem::size_of;

use mainstay_admin::Row;
use mainstay_session::QueryStats;
use mainstay_session::queries::{QueryKey, QueryRow};

/// The memory of this process, in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Memory {
    /// In memory.
    pub(crate) resident: u64,
    /// Mapped, in memory or not.
    pub(crate) mapped: u64,
    /// The heap and other writable memory.
    pub(crate) heap: u64,
    /// Stacks.
    pub(crate) stacks: u64,
}

impl Memory {
    /// As `/proc/self/status` tells it (`proc_pid_status(5)`); nothing where there is none.
    pub(crate) fn now() -> Self {
        let text = std::fs::read_to_string("/proc/self/status");
        Self::read(&text.unwrap_or_default())
    }

    fn read(text: &str) -> Self {
        let of = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name));
            let number = line.and_then(|line| line.split_whitespace().next());
            let kib: u64 = number.and_then(|number| number.parse().ok()).unwrap_or(0);
            kib * 1024
        };
        Self {
            resident: of("VmRSS:"),
            mapped: of("VmSize:"),
            heap: of("RssAnon:"),
            stacks: of("VmStk:"),
        }
    }
}

/// Processor time of the process in user mode and in the kernel, in clock ticks: fields 14 and 15
/// of `/proc/self/stat` (`proc_pid_stat(5)`).
pub(super) fn cpu() -> Row {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    ticks(&text).map(Into::into).to_vec()
}

fn ticks(stat: &str) -> [u64; 2] {
    // The name may hold anything, and ends with the last parenthesis.
    let after = stat.rsplit_once(')').map_or("", |(_, after)| after);
    let mut fields = after.split_whitespace().skip(11);
    let mut next = || fields.next().and_then(|field| field.parse().ok());
    [next().unwrap_or(0), next().unwrap_or(0)]
}

/// What the table of digests takes, about.
pub(crate) fn digests(asked: &QueryStats) -> u64 {
    let rows = asked.queries.iter().map(|(key, row)| {
        let texts = row.text.len() + key.schema.len() + key.client.len();
        texts + size_of::<QueryKey>() + size_of::<QueryRow>()
    });
    rows.sum::<usize>() as u64
}

/// `Variable_Name`, `Variable_Value`.
pub(super) fn rows(asked: &QueryStats) -> Vec<Row> {
    let memory = Memory::now();
    let found = [
        ("jemalloc_resident", memory.resident),
        ("jemalloc_active", memory.heap),
        ("jemalloc_allocated", memory.heap),
        ("jemalloc_mapped", memory.mapped),
        ("query_digest_memory", digests(asked)),
        ("stack_memory_mysql_threads", memory.stacks),
    ];
    let rows = found.into_iter();
    rows.map(|(name, bytes)| vec![name.into(), bytes.to_string().into()])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_time_is_read_behind_the_name() {
        let stat = "7 (a) b) S 1 2 3 4 5 6 7 8 9 10 21 34 0 0";
        assert_eq!(ticks(stat), [21, 34]);
        assert_eq!(ticks(""), [0, 0]);
    }

    #[test]
    fn the_memory_of_the_process_is_read_in_bytes() {
        let text = "Name:\tmainstay\nVmSize:\t  200 kB\nVmRSS:\t 100 kB\nRssAnon:\t 50 kB\n";
        let expected = Memory {
            resident: 102_400,
            mapped: 204_800,
            heap: 51_200,
            stacks: 0,
        };
        assert_eq!(Memory::read(text), expected);
        assert!(Memory::now().resident > 0);
    }
}
