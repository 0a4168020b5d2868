//! What is to be compressed next. Packets are kept until they are whole, as servers do: some
//! drivers (Connector/Python) take no packet that is spread over more than two frames. A packet too
//! long for a frame is not waited for.

use mainstay_wire::compression::FRAME_PAYLOAD_MAX;
use mainstay_wire::packet::{HEADER_LEN, PacketHeader};

/// Packets that are not whole yet.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    held: Vec<u8>,
    /// What is held begins in a packet whose beginning was taken; so much of that is missing.
    left: usize,
}

impl Outbox {
    /// Adds bytes, and takes what can go.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.held.extend_from_slice(bytes);
        let len = self.held.len();
        // The end of the last whole packet, and that of the packet after it.
        let (mut whole, mut end) = (0, self.left);
        while end <= len {
            whole = end;
            match PacketHeader::parse(&self.held[whole..]) {
                Some(header) => end = whole + HEADER_LEN + header.len,
                None => break,
            }
        }
        let taken = whole + (len - whole) / FRAME_PAYLOAD_MAX * FRAME_PAYLOAD_MAX;
        self.left = if taken > whole || whole == 0 && self.left > 0 {
            end - taken
        } else {
            0
        };
        let rest = self.held.split_off(taken);
        std::mem::replace(&mut self.held, rest)
    }
}

#[cfg(test)]
mod tests {
    use mainstay_wire::packet::put_packet;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_packet_longer_than_a_frame_goes_on_frame_by_frame() {
        let mut bytes = Vec::new();
        put_packet(&mut bytes, 0, &vec![1; FRAME_PAYLOAD_MAX + 10]);
        put_packet(&mut bytes, 0, b"next");
        let mut outbox = Outbox::default();
        let mut taken = Vec::new();
        for piece in bytes.chunks(1 << 20) {
            taken.push(outbox.take(piece));
        }
        assert_eq!(taken.concat().len(), bytes.len());
        assert!(taken.concat() == bytes);
        assert_eq!(taken.iter().filter(|one| !one.is_empty()).count(), 2);
    }

    proptest! {
        #[test]
        fn what_goes_ends_with_a_packet_however_it_comes(
            lens in prop::collection::vec(0_usize..60, 1..8),
            piece in 1_usize..100,
        ) {
            let mut bytes = Vec::new();
            let mut ends = vec![0];
            for len in lens {
                put_packet(&mut bytes, 0, &vec![7; len]);
                ends.push(bytes.len());
            }
            let mut outbox = Outbox::default();
            let mut at = 0;
            for piece in bytes.chunks(piece) {
                at += outbox.take(piece).len();
                prop_assert!(ends.contains(&at));
            }
            prop_assert_eq!(at, bytes.len());
        }
    }
}
