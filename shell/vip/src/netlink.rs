//! Messages of rtnetlink(7) as bytes: written for requests, taken apart in answers. No socket here.

/// The length of a message's header (netlink(7)).
pub(crate) const HEADER: usize = 16;

/// A request.
#[derive(Debug)]
pub(crate) struct Request(Vec<u8>);

impl Request {
    /// With the fixed part that its kind asks for.
    pub(crate) fn new(kind: u16, flags: i32, fixed: &[u8]) -> Self {
        let flags = u16::try_from(flags | libc::NLM_F_REQUEST).expect("sixteen flags");
        let mut bytes = vec![0; HEADER];
        bytes[4..6].copy_from_slice(&kind.to_ne_bytes());
        bytes[6..8].copy_from_slice(&flags.to_ne_bytes());
        bytes.extend(fixed);
        Self(bytes)
    }

    /// Adds an attribute.
    pub(crate) fn with(mut self, kind: u16, value: &[u8]) -> Self {
        attribute(&mut self.0, kind, value);
        self
    }

    /// The bytes, under a number that the answer bears too.
    pub(crate) fn finish(mut self, number: u32) -> Vec<u8> {
        let length = u32::try_from(self.0.len()).expect("a short message");
        self.0[..4].copy_from_slice(&length.to_ne_bytes());
        self.0[8..12].copy_from_slice(&number.to_ne_bytes());
        self.0
    }
}

/// One attribute, to be nested in another.
pub(crate) fn nested(kind: u16, value: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    attribute(&mut bytes, kind, value);
    bytes
}

fn attribute(bytes: &mut Vec<u8>, kind: u16, value: &[u8]) {
    let length = u16::try_from(value.len() + 4).expect("a short attribute");
    bytes.extend(length.to_ne_bytes());
    bytes.extend(kind.to_ne_bytes());
    bytes.extend(value);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
}

/// One message of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Message<'a> {
    pub(crate) kind: u16,
    pub(crate) number: u32,
    /// After the header.
    pub(crate) body: &'a [u8],
}

/// The messages of one datagram.
pub(crate) fn messages(mut bytes: &[u8]) -> impl Iterator<Item = Message<'_>> {
    std::iter::from_fn(move || {
        let length = u32::from_ne_bytes(*bytes.first_chunk()?) as usize;
        let message = bytes
            .get(..length)
            .filter(|message| message.len() >= HEADER)?;
        bytes = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some(Message {
            kind: two(message, 4)?,
            number: four(message, 8)?,
            body: &message[HEADER..],
        })
    })
}

/// The attributes after a fixed part of this length.
pub(crate) fn attributes(body: &[u8], fixed: usize) -> impl Iterator<Item = (u16, &[u8])> {
    let mut bytes = body.get(fixed..).unwrap_or_default();
    std::iter::from_fn(move || {
        let length = usize::from(two(bytes, 0)?);
        let value = bytes.get(4..length)?;
        // The upper two bits are flags (netlink(7), NLA_F_NESTED and NLA_F_NET_BYTEORDER).
        let kind = two(bytes, 2)? & 0x3fff;
        bytes = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some((kind, value))
    })
}

/// Two bytes as a number.
pub(crate) fn two(bytes: &[u8], at: usize) -> Option<u16> {
    let bytes = bytes.get(at..at + 2)?;
    Some(u16::from_ne_bytes(bytes.try_into().ok()?))
}

/// Four bytes as a number.
pub(crate) fn four(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..at + 4)?;
    Some(u32::from_ne_bytes(bytes.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_can_be_taken_apart_and_is_aligned() {
        let bytes = Request::new(20, 0, &[1; 8])
            .with(3, b"eth0\0")
            .with(1, &[9; 4])
            .finish(7);
        let all: Vec<_> = messages(&bytes).collect();
        let [message] = &all[..] else {
            panic!("one message");
        };
        assert_eq!((message.kind, message.number), (20, 7));
        let found: Vec<_> = attributes(message.body, 8).collect();
        assert_eq!(found, [(3, &b"eth0\0"[..]), (1, &[9; 4][..])]);
    }

    #[test]
    fn what_is_cut_short_ends() {
        let bytes = Request::new(20, 0, &[1; 8]).with(3, b"eth0\0").finish(7);
        for length in 0..bytes.len() {
            assert_eq!(messages(&bytes[..length]).count(), 0);
        }
        assert_eq!(attributes(&[9, 0, 1, 0], 0).count(), 0);
        assert_eq!(attributes(&[3, 0, 1, 0], 0).count(), 0);
        assert_eq!(attributes(&[], 8).count(), 0);
    }
}
