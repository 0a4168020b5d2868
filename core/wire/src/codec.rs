//! Integers and strings of the protocol: a checked cursor to read them, functions to write them.
//!
//! Sources: `Protocol::Integer`, `Protocol::String` (MySQL internals).

#[cfg(test)]
mod tests;

/// Why bytes are not the packet they should be. The connection they came from cannot be trusted
/// to be in step any more and has to be closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// The packet ends inside a field.
    #[error("the packet ends in the middle of a field")]
    Truncated,
    /// `0xFB` or `0xFF` where a length belongs.
    #[error("a length-encoded integer has an impossible first byte")]
    BadLength,
    /// Text that is not UTF-8.
    #[error("a name is not UTF-8")]
    NotUtf8,
    /// Something that only a protocol before 4.1 sends.
    #[error("the protocol before MySQL 4.1 is not supported")]
    OldProtocol,
    /// A packet that has no place here.
    #[error("unexpected packet: {0}")]
    Unexpected(&'static str),
    /// A reply that would have to be buffered and is too long for that.
    #[error("a status packet is longer than {0} bytes")]
    TooLong(usize),
}

/// A cursor over one payload. Reading past the end is an error, never a panic.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    left: &'a [u8],
}

impl<'a> Reader<'a> {
    /// A cursor at the start of `bytes`.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { left: bytes }
    }

    /// Bytes not read yet.
    pub const fn remaining(&self) -> usize {
        self.left.len()
    }

    /// Whether everything is read.
    pub const fn is_empty(&self) -> bool {
        self.left.is_empty()
    }

    /// The next byte, without reading it.
    pub fn peek(&self) -> Option<u8> {
        self.left.first().copied()
    }

    /// The next `count` bytes.
    pub fn bytes(&mut self, count: usize) -> Result<&'a [u8], Malformed> {
        let (head, tail) = self
            .left
            .split_at_checked(count)
            .ok_or(Malformed::Truncated)?;
        self.left = tail;
        Ok(head)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (head, tail) = self
            .left
            .split_first_chunk::<N>()
            .ok_or(Malformed::Truncated)?;
        self.left = tail;
        Ok(*head)
    }

    /// Everything that is left.
    pub fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.left)
    }

    /// `int<1>`.
    pub fn u8(&mut self) -> Result<u8, Malformed> {
        self.array::<1>().map(|[byte]| byte)
    }

    /// `int<2>`.
    pub fn u16(&mut self) -> Result<u16, Malformed> {
        self.array().map(u16::from_le_bytes)
    }

    /// `int<3>`.
    pub fn u24(&mut self) -> Result<u32, Malformed> {
        self.array()
            .map(|[a, b, c]| u32::from_le_bytes([a, b, c, 0]))
    }

    /// `int<4>`.
    pub fn u32(&mut self) -> Result<u32, Malformed> {
        self.array().map(u32::from_le_bytes)
    }

    /// `int<8>`.
    pub fn u64(&mut self) -> Result<u64, Malformed> {
        self.array().map(u64::from_le_bytes)
    }

    /// `int<lenenc>`, where NULL (`0xFB`) is not possible.
    pub fn lenenc(&mut self) -> Result<u64, Malformed> {
        self.lenenc_or_null()?.ok_or(Malformed::BadLength)
    }

    /// `int<lenenc>`, or `None` for `0xFB`, which is how a text row says NULL.
    pub fn lenenc_or_null(&mut self) -> Result<Option<u64>, Malformed> {
        Ok(Some(match self.u8()? {
            small @ 0..=0xfa => u64::from(small),
            0xfb => return Ok(None),
            0xfc => u64::from(self.u16()?),
            0xfd => u64::from(self.u24()?),
            0xfe => self.u64()?,
            0xff => return Err(Malformed::BadLength),
        }))
    }

    /// `string<lenenc>`.
    pub fn lenenc_bytes(&mut self) -> Result<&'a [u8], Malformed> {
        let len = self.lenenc()?;
        self.bytes(usize::try_from(len).map_err(|_| Malformed::Truncated)?)
    }

    /// `string<lenenc>`, or `None` for NULL.
    pub fn lenenc_bytes_or_null(&mut self) -> Result<Option<&'a [u8]>, Malformed> {
        match self.lenenc_or_null()? {
            None => Ok(None),
            Some(len) => self
                .bytes(usize::try_from(len).map_err(|_| Malformed::Truncated)?)
                .map(Some),
        }
    }

    /// `string<NUL>`; the NUL is read and left out.
    pub fn nul_bytes(&mut self) -> Result<&'a [u8], Malformed> {
        let end = self
            .left
            .iter()
            .position(|byte| *byte == 0)
            .ok_or(Malformed::Truncated)?;
        let text = self.bytes(end)?;
        self.bytes(1)?;
        Ok(text)
    }

    /// `string<NUL>`, or up to the end where an implementation forgets the last NUL.
    pub fn nul_bytes_or_rest(&mut self) -> &'a [u8] {
        self.nul_bytes().unwrap_or_else(|_| self.rest())
    }
}

/// The bytes as text, or [`Malformed::NotUtf8`].
pub fn text(bytes: &[u8]) -> Result<String, Malformed> {
    std::str::from_utf8(bytes)
        .map(str::to_owned)
        .map_err(|_| Malformed::NotUtf8)
}

/// Appends an `int<2>`.
pub fn put_u16(out: &mut Vec<u8>, value: u16) {
    out.extend_from_slice(&value.to_le_bytes());
}

/// Appends the low 24 bits as an `int<3>`.
pub fn put_u24(out: &mut Vec<u8>, value: u32) {
    out.extend_from_slice(&value.to_le_bytes()[..3]);
}

/// Appends an `int<4>`.
pub fn put_u32(out: &mut Vec<u8>, value: u32) {
    out.extend_from_slice(&value.to_le_bytes());
}

/// Appends an `int<8>`.
pub fn put_u64(out: &mut Vec<u8>, value: u64) {
    out.extend_from_slice(&value.to_le_bytes());
}

/// Appends an `int<lenenc>` in its shortest form.
pub fn put_lenenc(out: &mut Vec<u8>, value: u64) {
    match value {
        0..=0xfa => out.push(value as u8),
        0xfb..=0xffff => {
            out.push(0xfc);
            put_u16(out, value as u16);
        }
        0x1_0000..=0xff_ffff => {
            out.push(0xfd);
            put_u24(out, value as u32);
        }
        _ => {
            out.push(0xfe);
            put_u64(out, value);
        }
    }
}

/// Appends a `string<lenenc>`.
pub fn put_lenenc_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_lenenc(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Appends a `string<NUL>`. A NUL inside would end the field early and shift those after it, so
/// the text is cut there.
pub fn put_nul_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    let end = bytes
        .iter()
        .position(|byte| *byte == 0)
        .unwrap_or(bytes.len());
    out.extend_from_slice(&bytes[..end]);
    out.push(0);
}
