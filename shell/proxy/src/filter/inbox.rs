//! Bytes that came and were not taken yet. An empty one owns no memory.

/// The bytes, in order.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    bytes: Vec<u8>,
    at: usize,
}

impl Inbox {
    pub(crate) fn add(&mut self, bytes: &[u8]) {
        if self.at > 0 && self.at * 2 > self.bytes.len() {
            self.bytes.drain(..self.at);
            self.at = 0;
        }
        self.bytes.extend_from_slice(bytes);
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes[self.at..]
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.at == self.bytes.len()
    }

    pub(crate) fn take(&mut self, count: usize) {
        self.at += count;
        if self.is_empty() {
            *self = Self::default();
        }
    }

    pub(crate) fn take_into(&mut self, out: &mut [u8]) -> usize {
        let count = self.bytes().len().min(out.len());
        out[..count].copy_from_slice(&self.bytes()[..count]);
        self.take(count);
        count
    }
}
