//! What a worker is going to send at the end of its turn.

use std::ops::Range;

use mainstay_session::Chunk;
use rustix::io::Errno;

use super::batch::{Batch, SENDS_MAX};
use crate::driver::Token;

const MADE_MAX: usize = 4 << 10;

/// The sends of a turn, to each connection one at most.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    pub(super) letters: Vec<Letter>,
    /// The bytes that the machine made.
    pub(super) made: Vec<u8>,
    /// None where the kernel has no such thing: then each send is a system call.
    pub(super) batch: Option<Batch>,
    /// What each send returned.
    pub(super) results: Vec<Result<usize, Errno>>,
}

/// One send.
#[derive(Debug)]
pub(super) struct Letter {
    pub(super) token: Token,
    place: Place,
}

/// Where its bytes are.
#[derive(Debug)]
enum Place {
    /// In the driver's buffer.
    Input(Range<usize>),
    /// Among those that the machine made.
    Made(Range<usize>),
}

impl Outbox {
    /// Empty.
    pub(super) fn new() -> Self {
        Self {
            batch: Batch::new(),
            ..Self::default()
        }
    }

    /// Adds a send; a chunk of the input is one of `input` in the driver's buffer.
    pub(super) fn add(&mut self, token: Token, chunk: &Chunk, input: &Range<usize>) {
        let bytes: &[u8] = match chunk {
            Chunk::Input(range) => {
                let place = Place::Input(input.start + range.start..input.start + range.end);
                return self.letters.push(Letter { token, place });
            }
            Chunk::Owned(bytes) => bytes,
            Chunk::Static(bytes) => bytes,
        };
        let start = self.made.len();
        self.made.extend_from_slice(bytes);
        let place = Place::Made(start..self.made.len());
        self.letters.push(Letter { token, place });
    }

    /// True for what can wait here; long bytes of the machine's own are better not copied.
    pub(super) fn takes(chunk: &Chunk) -> bool {
        match chunk {
            Chunk::Input(_) => true,
            Chunk::Owned(bytes) => bytes.len() <= MADE_MAX,
            Chunk::Static(bytes) => bytes.len() <= MADE_MAX,
        }
    }

    pub(super) fn is_full(&self) -> bool {
        self.letters.len() == SENDS_MAX
    }

    /// True when bytes of this input, the last one, are still to be sent.
    pub(super) fn holds(&self, input: &Range<usize>) -> bool {
        self.letters.iter().any(|letter| match &letter.place {
            Place::Input(range) => range.start >= input.start,
            Place::Made(_) => false,
        })
    }

    /// Everything was sent.
    pub(super) fn clear(&mut self) {
        self.letters.clear();
        self.made.clear();
    }
}

impl Letter {
    /// Its bytes.
    pub(super) fn bytes<'a>(&self, buffer: &'a [u8], made: &'a [u8]) -> &'a [u8] {
        match &self.place {
            Place::Input(range) => &buffer[range.clone()],
            Place::Made(range) => &made[range.clone()],
        }
    }
}
