//! Session changes inside a reply: where they are, and the same packet without some of them, for a
//! client that did not ask for them.

use super::ResponseTracker;
use crate::Capabilities;
use crate::codec::{Malformed, Reader, put_lenenc_bytes};
use crate::packet::{HEADER_LEN, PacketHeader, put_packet};
use crate::response::StatusFlags;
use crate::session_track::{SessionChange, parse_changes, put_changes};

/// A packet with session changes, whole now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Where it ends in the bytes of the last [`ResponseTracker::feed`]; it may have begun before.
    pub end: usize,
    /// Its length with its header.
    pub len: usize,
}

impl ResponseTracker {
    /// The packets with session changes that ended within the last [`feed`](Self::feed).
    pub fn marks(&self) -> &[Mark] {
        &self.marks
    }

    /// How many of the bytes fed last belong to a packet that may turn out to have session
    /// changes: they can be passed on unchanged only when it is whole.
    pub fn undecided(&self) -> usize {
        if self.head_len <= HEADER_LEN {
            self.head_len
        } else if self.keep {
            HEADER_LEN + self.kept.len()
        } else {
            0
        }
    }
}

/// The OK packet (header and payload) with only those changes that `keep` lets pass, in the form
/// for a client of these `capabilities`. The packet itself must come from a server connection with
/// [`Capabilities::SESSION_TRACK`].
pub fn without_changes(
    packet: &[u8],
    capabilities: Capabilities,
    keep: impl Fn(&SessionChange) -> bool,
) -> Result<Vec<u8>, Malformed> {
    let header = PacketHeader::parse(packet).ok_or(Malformed::Truncated)?;
    let payload = &packet[HEADER_LEN..];
    let mut reader = Reader::new(payload);
    reader.u8()?;
    reader.lenenc()?;
    reader.lenenc()?;
    let status_at = payload.len() - reader.remaining();
    let status = StatusFlags(reader.u16()?);
    reader.u16()?;
    let rest_at = payload.len() - reader.remaining();
    let info = if reader.is_empty() {
        &[][..]
    } else {
        reader.lenenc_bytes()?
    };
    let changes = if reader.is_empty() {
        Vec::new()
    } else {
        parse_changes(reader.lenenc_bytes()?)?
    };
    let tracks = capabilities.contains(Capabilities::SESSION_TRACK);
    let told = changes.len();
    let kept: Vec<SessionChange> = changes
        .into_iter()
        .filter(|change| tracks && keep(change))
        .collect();
    if tracks && kept.len() == told {
        // MySQL also tells of changes without naming any, after `ROLLBACK AND CHAIN`.
        return Ok(packet.to_vec());
    }
    let mut made = payload[..rest_at].to_vec();
    if kept.is_empty() {
        let status = status.without(StatusFlags::SESSION_STATE_CHANGED);
        made[status_at..status_at + 2].copy_from_slice(&status.0.to_le_bytes());
        // Servers send the text with its length whatever the client tracks, but no empty one.
        if !info.is_empty() {
            put_lenenc_bytes(&mut made, info);
        }
    } else {
        put_lenenc_bytes(&mut made, info);
        let mut data = Vec::new();
        put_changes(&mut data, &kept);
        put_lenenc_bytes(&mut made, &data);
    }
    let mut out = Vec::with_capacity(made.len() + HEADER_LEN);
    put_packet(&mut out, header.sequence, &made);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::ReplyKind;
    use crate::response::OkPacket;

    const TRACKS: Capabilities = Capabilities::PROTOCOL_41.union(Capabilities::SESSION_TRACK);

    fn packet(info: &[u8], changes: &[SessionChange]) -> Vec<u8> {
        let ok = OkPacket {
            affected_rows: 300,
            status: StatusFlags::AUTOCOMMIT,
            info: info.to_vec(),
            changes: changes.to_vec(),
            ..OkPacket::default()
        };
        let mut payload = Vec::new();
        ok.encode(&mut payload, TRACKS);
        let mut bytes = Vec::new();
        put_packet(&mut bytes, 3, &payload);
        bytes
    }

    fn variable(name: &str) -> SessionChange {
        SessionChange::SystemVariable {
            name: name.to_owned(),
            value: "1".to_owned(),
        }
    }

    #[test]
    fn changes_that_were_not_asked_for_are_left_out() {
        let both = packet(b"x", &[variable("a"), variable("b")]);
        let is_a = |change: &SessionChange| *change == variable("a");
        let one = without_changes(&both, TRACKS, is_a).expect("an OK");
        assert_eq!(one, packet(b"x", &[variable("a")]));
        let none = without_changes(&both, TRACKS, |_| false).expect("an OK");
        assert_eq!(none, packet(b"x", &[]));
    }

    #[test]
    fn a_client_that_tracks_nothing_gets_the_packet_of_its_own_server() {
        let tracked = packet(b"", &[variable("a")]);
        let made = without_changes(&tracked, Capabilities::PROTOCOL_41, |_| true).expect("an OK");
        assert_eq!(made, packet(b"", &[]));
    }

    #[test]
    fn a_packet_of_which_nothing_is_taken_stays_as_it_is() {
        // Measured on MySQL 9.7: the flag for changes, an empty text, and no changes.
        let measured = b"\x08\0\0\x01\0\0\0\x01\x40\0\0\0";
        let made = without_changes(measured, TRACKS, |_| false).expect("an OK");
        assert_eq!(made, measured);
        let silent = Capabilities::PROTOCOL_41;
        let made = without_changes(measured, silent, |_| false).expect("an OK");
        assert_eq!(made, b"\x07\0\0\x01\0\0\0\x01\0\0\0");
    }

    #[test]
    fn a_marked_packet_is_found_however_it_is_cut() {
        let bytes = packet(b"x", &[variable("a")]);
        for cut in 1..bytes.len() {
            let mut tracker = ResponseTracker::new(TRACKS);
            tracker.begin(ReplyKind::ResultSets);
            tracker.feed(&bytes[..cut]).expect("a reply");
            assert_eq!(tracker.undecided(), cut);
            tracker.feed(&bytes[cut..]).expect("a reply");
            let mark = Mark {
                end: bytes.len() - cut,
                len: bytes.len(),
            };
            assert_eq!(tracker.marks(), [mark], "cut at {cut}");
            assert_eq!(tracker.undecided(), 0);
        }
    }
}
