//! The memory that bytes are received into, in blocks that the kernel fills as they are needed.
//!
//! A block is with the kernel, or held by those whose bytes it has, or free. Bytes that wait to be
//! sent hold their block, so another one takes its place with the kernel: peers that do not take
//! their bytes cannot keep others from being read.
#![allow(unsafe_code)]

use std::alloc::{self, Layout};
use std::io;
use std::ops::Range;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU16, Ordering};

use io_uring::types::BufRingEntry;

use super::queue::Queue;

/// It holds a common reply in one piece.
pub(super) const BLOCK_BYTES: usize = 16 * 1024;
/// Blocks with the kernel: what can come in within one turn.
pub(super) const BLOCKS: u16 = 128;
/// Free blocks kept beyond those.
const SPARE: usize = 128;

/// The number of a block. The kernel calls it a buffer id.
pub(super) type BlockId = u16;

struct Block {
    /// None when it was given back to the system.
    memory: Option<NonNull<u8>>,
    holds: u32,
}

/// What the kernel reads: a ring, in whole pages, whose first entry also has the tail.
#[repr(C, align(65536))]
struct Entries([BufRingEntry; BLOCKS as usize]);

/// All blocks of one worker.
pub(super) struct Blocks {
    entries: NonNull<Entries>,
    tail: u16,
    with_kernel: u16,
    all: Vec<Block>,
    free: Vec<BlockId>,
    unused: Vec<BlockId>,
}

// SAFETY: the memory belongs to the blocks alone; nothing about it depends on the thread.
unsafe impl Send for Blocks {}

impl Blocks {
    /// Blocks for receiving on these queues. They must be dropped after the queues.
    pub(super) fn new(queue: &Queue) -> io::Result<Self> {
        // SAFETY: an entry is a plain C structure, for which all zeroes is a valid value.
        let entries: Box<Entries> = Box::new(unsafe { std::mem::zeroed() });
        let entries = NonNull::from(Box::leak(entries));
        let blocks = Self {
            entries,
            tail: 0,
            with_kernel: 0,
            all: Vec::new(),
            free: Vec::new(),
            unused: Vec::new(),
        };
        // SAFETY: the entries are freed with `blocks`, which the caller keeps longer.
        unsafe { queue.register_buffers(entries.as_ptr() as u64, BLOCKS)? };
        Ok(blocks)
    }

    /// Gives the kernel all it may have.
    pub(super) fn refill(&mut self) {
        while self.with_kernel < BLOCKS {
            let Some(id) = self.free.pop().or_else(|| self.allocate()) else {
                return;
            };
            self.provide(id);
        }
    }

    /// The kernel has filled this block; it is held once.
    pub(super) fn filled(&mut self, id: BlockId) {
        self.with_kernel -= 1;
        self.all[usize::from(id)].holds = 1;
    }

    /// Keeps a block for one more.
    pub(super) fn hold(&mut self, id: BlockId) {
        self.all[usize::from(id)].holds += 1;
    }

    /// One less needs the block.
    pub(super) fn release(&mut self, id: BlockId) {
        let block = &mut self.all[usize::from(id)];
        block.holds -= 1;
        if block.holds > 0 {
            return;
        }
        if self.with_kernel < BLOCKS {
            self.provide(id);
        } else if self.free.len() < SPARE {
            self.free.push(id);
        } else if let Some(memory) = block.memory.take() {
            // SAFETY: nobody holds the block, and it was allocated with this layout.
            unsafe { alloc::dealloc(memory.as_ptr(), block_layout()) };
            self.unused.push(id);
        }
    }

    /// The bytes of a block that is held.
    pub(super) fn bytes(&self, id: BlockId, range: Range<usize>) -> &[u8] {
        let block = &self.all[usize::from(id)];
        assert!(block.holds > 0 && range.start <= range.end && range.end <= BLOCK_BYTES);
        let memory = block.memory.expect("a block that is held has memory");
        // SAFETY: the range is inside of the block, which is initialised, and which the kernel
        // does not write to while it is held.
        unsafe { std::slice::from_raw_parts(memory.as_ptr().add(range.start), range.len()) }
    }

    /// Never gives the memory back: the kernel may still write to it.
    pub(super) fn leak(&mut self) {
        self.all = Vec::new();
    }

    fn allocate(&mut self) -> Option<BlockId> {
        let id = self.unused.pop().or_else(|| {
            let id = BlockId::try_from(self.all.len()).ok()?;
            self.all.push(Block {
                memory: None,
                holds: 0,
            });
            Some(id)
        })?;
        // SAFETY: the layout is not empty.
        let memory = unsafe { alloc::alloc_zeroed(block_layout()) };
        let memory = NonNull::new(memory);
        self.all[usize::from(id)].memory = memory;
        if memory.is_none() {
            self.unused.push(id);
        }
        memory.map(|_| id)
    }

    fn first(&self) -> *mut BufRingEntry {
        self.entries.as_ptr().cast()
    }

    fn provide(&mut self, id: BlockId) {
        let memory = self.all[usize::from(id)].memory;
        let memory = memory.expect("a block that is given to the kernel has memory");
        let place = usize::from(self.tail % BLOCKS);
        // SAFETY: the place is inside of the ring, and the kernel does not read it before the tail
        // has passed it. The tail lies beside the fields that are set here, and is not touched.
        unsafe {
            let entry = &mut *self.first().add(place);
            entry.set_addr(memory.as_ptr() as u64);
            entry.set_len(BLOCK_BYTES as u32);
            entry.set_bid(id);
        }
        self.tail = self.tail.wrapping_add(1);
        self.with_kernel += 1;
        // SAFETY: the first entry is there, and its tail is a number of 16 bits that the kernel
        // only reads (io_uring_register(2), IORING_REGISTER_PBUF_RING).
        unsafe {
            let tail = BufRingEntry::tail(self.first());
            AtomicU16::from_ptr(tail.cast_mut()).store(self.tail, Ordering::Release);
        }
    }
}

impl Drop for Blocks {
    fn drop(&mut self) {
        for memory in self.all.iter().filter_map(|block| block.memory) {
            // SAFETY: allocated with this layout; the kernel has no operation left that could
            // write to it, since the queues are gone.
            unsafe { alloc::dealloc(memory.as_ptr(), block_layout()) };
        }
        // SAFETY: it was leaked from a box, and the queues that read it are gone.
        drop(unsafe { Box::from_raw(self.entries.as_ptr()) });
    }
}

fn block_layout() -> Layout {
    Layout::new::<[u8; BLOCK_BYTES]>()
}
