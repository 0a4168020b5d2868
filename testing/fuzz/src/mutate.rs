//! Changes inputs at random, without a look at what the code does with them: the fuzzer where
//! libFuzzer is not at hand.

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

/// What protocols are made of, put in where it does most harm.
const BYTES: [u8; 12] = [
    0, 1, 2, 0x7f, 0x80, 0xfa, 0xfb, 0xfc, 0xfd, 0xfe, 0xff, b'\'',
];

const LENGTH_MAX: usize = 8 << 10;

/// A source of inputs.
#[derive(Debug)]
pub struct Mutator {
    random: ChaCha20Rng,
}

impl Mutator {
    /// The same seed gives the same inputs.
    pub fn new(seed: u64) -> Self {
        let random = ChaCha20Rng::seed_from_u64(seed);
        Self { random }
    }

    fn below(&mut self, end: usize) -> usize {
        self.random.next_u64() as usize % end.max(1)
    }

    /// One of the inputs, changed in a few places.
    pub fn input(&mut self, corpus: &[Vec<u8>]) -> Vec<u8> {
        let mut data = match self.below(corpus.len() + 1) {
            at if at < corpus.len() => corpus[at].clone(),
            _ => Vec::new(),
        };
        for _ in 0..=self.below(8) {
            self.change(&mut data, corpus);
        }
        data.truncate(LENGTH_MAX);
        data
    }

    fn change(&mut self, data: &mut Vec<u8>, corpus: &[Vec<u8>]) {
        let at = self.below(data.len() + 1);
        let byte = BYTES[self.below(BYTES.len())];
        let any = self.random.next_u32() as u8;
        match self.below(8) {
            0 if at < data.len() => data[at] ^= 1 << self.below(8),
            1 if at < data.len() => data[at] = byte,
            2 if at < data.len() => data[at] = any,
            3 => data.insert(at, byte),
            4 => data.insert(at, any),
            5 => data.truncate(at),
            6 if !corpus.is_empty() => {
                let other = &corpus[self.below(corpus.len())];
                let (from, to) = (self.below(other.len() + 1), self.below(other.len() + 1));
                data.splice(at..at, other[from.min(to)..from.max(to)].iter().copied());
            }
            7 => {
                let end = at + self.below(data.len() - at + 1);
                data.drain(at..end);
            }
            _ => data.push(any),
        }
    }
}
