//! A cursor over the bytes of one event. Every read may find that there is nothing left.

/// What is left to read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Input<'a>(pub(crate) &'a [u8]);

impl<'a> Input<'a> {
    pub(crate) fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    /// An unsigned integer of `bytes` bytes (at most 8), the lowest first.
    pub(crate) fn uint(&mut self, bytes: usize) -> Option<u64> {
        let taken = self.take(bytes)?;
        Some(taken.iter().rev().fold(0, |n, &b| n << 8 | u64::from(b)))
    }

    pub(crate) fn u8(&mut self) -> Option<u8> {
        Some(self.take(1)?[0])
    }

    pub(crate) fn u16(&mut self) -> Option<u16> {
        self.uint(2).map(|n| n as u16)
    }

    pub(crate) fn u32(&mut self) -> Option<u32> {
        self.uint(4).map(|n| n as u32)
    }

    pub(crate) fn u64(&mut self) -> Option<u64> {
        self.uint(8)
    }

    /// `int<lenenc>` of the client/server protocol, which row events use too.
    pub(crate) fn lenenc(&mut self) -> Option<u64> {
        match self.u8()? {
            0xfc => self.uint(2),
            0xfd => self.uint(3),
            0xfe => self.uint(8),
            0xfb | 0xff => None,
            small => Some(u64::from(small)),
        }
    }

    /// The integers of `mysql::serialization`: as many ones at the low end of the first byte as
    /// bytes follow it.
    pub(crate) fn varlen(&mut self) -> Option<u64> {
        let first = self.u8()?;
        let more = first.trailing_ones() as usize;
        if more == 8 {
            return self.u64();
        }
        let low = u64::from(first) >> (more + 1);
        let high = self.uint(more)?;
        Some(low | high << (7 - more))
    }

    /// A signed [`Self::varlen`]: the sign is the lowest bit.
    pub(crate) fn varlen_signed(&mut self) -> Option<i64> {
        let n = self.varlen()?;
        Some((n >> 1).cast_signed() ^ -(n & 1).cast_signed())
    }
}
