//! Follows the further packets of a command of 16 MiB or more, which are passed on as they come.

use mainstay_wire::packet::{HEADER_LEN, PacketHeader};

/// Where in the packets that follow the first one the input is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Stream {
    head: [u8; HEADER_LEN],
    head_len: usize,
    /// Payload bytes of the current packet still to come.
    left: usize,
    /// The current packet is full: another one follows it.
    continues: bool,
    ended: bool,
}

impl Stream {
    /// How many of `bytes` belong to the command.
    pub(crate) fn take(&mut self, bytes: &[u8]) -> usize {
        let mut at = 0;
        while at < bytes.len() && !self.ended {
            if self.left > 0 {
                let count = self.left.min(bytes.len() - at);
                self.left -= count;
                at += count;
            } else {
                self.head[self.head_len] = bytes[at];
                self.head_len += 1;
                at += 1;
                if self.head_len < HEADER_LEN {
                    continue;
                }
                self.head_len = 0;
                let header = PacketHeader::parse(&self.head).expect("four bytes are a header");
                self.left = header.len;
                self.continues = header.continues();
            }
            self.ended = self.left == 0 && self.head_len == 0 && !self.continues;
        }
        at
    }

    pub(crate) const fn ended(&self) -> bool {
        self.ended
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_command_ends_with_its_first_short_packet() {
        let mut stream = Stream::default();
        assert_eq!(stream.take(&[2, 0]), 2);
        assert_eq!(stream.take(&[0, 1, 7]), 3);
        assert!(!stream.ended());
        assert_eq!(stream.take(&[8, 9, 9]), 1);
        assert!(stream.ended());
    }

    #[test]
    fn an_empty_packet_ends_a_command_of_exactly_full_packets() {
        let mut stream = Stream::default();
        assert_eq!(stream.take(&[0, 0, 0, 1, 9]), 4);
        assert!(stream.ended());
    }
}
