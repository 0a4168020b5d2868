//! Follows what a client sends after the first packet of a command, which is passed on as it comes:
//! the further packets of a command of 16 MiB or more, or the file of a `LOAD DATA LOCAL`.

use mainstay_wire::packet::{HEADER_LEN, MAX_PAYLOAD, PacketHeader};

/// Where in the packets that follow the first one the input is.
// Each flag is one independent fact about the stream.
#[allow(clippy::struct_excessive_bools)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stream {
    head: [u8; HEADER_LEN],
    head_len: usize,
    /// Payload bytes of the current packet still to come.
    left: usize,
    /// The current packet is full: another one follows it.
    continues: bool,
    /// The packets of a file: an empty one ends them.
    file: bool,
    empty: bool,
    ended: bool,
    /// Payload bytes of the command so far; those of a file are not counted.
    pub(crate) command_bytes: usize,
}

impl Stream {
    /// The rest of a command whose first packet is full.
    pub(crate) const fn command() -> Self {
        Self {
            head: [0; HEADER_LEN],
            head_len: 0,
            left: 0,
            continues: false,
            file: false,
            empty: false,
            ended: false,
            command_bytes: MAX_PAYLOAD,
        }
    }

    /// A file that the server asked for.
    pub(crate) const fn file() -> Self {
        Self {
            file: true,
            command_bytes: 0,
            ..Self::command()
        }
    }

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
                // After a full packet an empty one ends the payload, and not the file.
                self.empty = header.len == 0 && !self.continues;
                self.continues = header.continues();
                if !self.file {
                    self.command_bytes += header.len;
                }
            }
            let last = if self.file {
                self.empty
            } else {
                !self.continues
            };
            self.ended = self.left == 0 && self.head_len == 0 && last;
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
        let mut stream = Stream::command();
        assert_eq!(stream.take(&[2, 0]), 2);
        assert_eq!(stream.take(&[0, 1, 7]), 3);
        assert!(!stream.ended());
        assert_eq!(stream.take(&[8, 9, 9]), 1);
        assert!(stream.ended());
        assert_eq!(stream.command_bytes, MAX_PAYLOAD + 2);
    }

    #[test]
    fn an_empty_packet_ends_a_command_of_exactly_full_packets() {
        let mut stream = Stream::command();
        assert_eq!(stream.take(&[0, 0, 0, 1, 9]), 4);
        assert!(stream.ended());
    }

    #[test]
    fn a_file_ends_with_an_empty_packet_that_is_not_the_end_of_a_full_one() {
        let mut stream = Stream::file();
        assert_eq!(stream.take(&[1, 0, 0, 2, 7, 2, 0, 0, 3, 8, 8]), 11);
        assert!(!stream.ended());
        let mut full = vec![0xff, 0xff, 0xff, 4];
        full.resize(4 + MAX_PAYLOAD, 7);
        full.extend_from_slice(&[0, 0, 0, 5]);
        assert_eq!(stream.take(&full), full.len());
        assert!(!stream.ended());
        assert_eq!(stream.take(&[0, 0, 0, 6, 9]), 4);
        assert!(stream.ended());
    }
}
