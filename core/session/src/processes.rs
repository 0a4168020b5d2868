//! Lists of connections, by `SHOW PROCESSLIST` and `COM_PROCESS_INFO`. Servers list theirs, with
//! their own numbers; those that serve sessions of this worker get the numbers that the greetings
//! of these told, so that a client finds itself, and may `KILL` what it sees.

use mainstay_sql::Kind;
use mainstay_wire::Command;
use mainstay_wire::packet::{PacketReader, put_packet};
use mainstay_wire::response::EOF_HEADER;
use mainstay_wire::result::{parse_text_row, put_text_row};

use crate::core::Core;
use crate::server::{Gathered, Server};
use crate::session::Running;

/// A longer list passes as it is.
const LIST_BYTES_MAX: usize = 1 << 20;

impl Running {
    /// True when the reply is a list of connections.
    pub(crate) fn lists_processes(&self) -> bool {
        self.command == Command::ProcessInfo
            || self.command == Command::Query
                && self.job.is(Kind::Show)
                && asks_for_list(self.packet.get(self.text_at..).unwrap_or_default())
    }
}

impl Server {
    /// Keeps what has come of a list until it is whole.
    pub(crate) fn keeps_list<'a>(&mut self, gathered: Gathered<'a>) -> Option<Gathered<'a>> {
        if gathered.bytes().len() > LIST_BYTES_MAX {
            self.lists = false;
            return Some(gathered);
        }
        self.inbox = gathered.bytes().to_vec();
        None
    }
}

impl Core {
    /// The list with the proxy's own numbers; `None` when it is no list.
    pub(crate) fn renumbered(&self, id: u32, reply: &[u8]) -> Option<Vec<u8>> {
        let upstream = self.servers.get(id)?.upstream;
        let number = |thread: &[u8]| {
            let thread: u32 = std::str::from_utf8(thread).ok()?.parse().ok()?;
            let mut servers = self.servers.iter().map(|(_, server)| server);
            let server =
                servers.find(|server| server.upstream == upstream && server.thread == thread)?;
            let session = self.clients.get(server.session()?)?;
            Some(session.number.to_string())
        };
        let mut packets = PacketReader::new(reply);
        let columns = usize::from(*packets.next()?.payload.first()?);
        let mut made = Vec::with_capacity(reply.len());
        for (place, packet) in PacketReader::new(reply).enumerate() {
            let payload = packet.payload;
            let is_row = place > columns && payload.first() != Some(&EOF_HEADER);
            let row = is_row.then(|| parse_text_row(payload, columns));
            let row = row.and_then(Result::ok).unwrap_or_default();
            let known = row.first().copied().flatten().and_then(number);
            if let Some(known) = known {
                let mut payload = Vec::with_capacity(payload.len() + known.len());
                let first = std::iter::once(Some(known.as_bytes()));
                put_text_row(&mut payload, first.chain(row[1..].iter().copied()));
                put_packet(&mut made, packet.header.sequence, &payload);
            } else {
                put_packet(&mut made, packet.header.sequence, payload);
            }
        }
        Some(made)
    }
}

/// True for `SHOW PROCESSLIST` and `SHOW FULL PROCESSLIST`.
fn asks_for_list(sql: &[u8]) -> bool {
    let sql = sql.trim_ascii();
    let sql = sql.strip_suffix(b";").unwrap_or(sql);
    let words = sql.split(u8::is_ascii_whitespace);
    let mut words = words.filter(|word| !word.is_empty()).skip(1).peekable();
    words.next_if(|word| word.eq_ignore_ascii_case(b"FULL"));
    let list = words.next().unwrap_or_default();
    list.eq_ignore_ascii_case(b"PROCESSLIST") && words.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_asked_for_in_two_forms() {
        assert!(asks_for_list(b"SHOW PROCESSLIST"));
        assert!(asks_for_list(b" show\nfull processlist ;"));
        assert!(!asks_for_list(b"SHOW FULL TABLES"));
        assert!(!asks_for_list(b"SHOW PROCESSLIST WHERE x"));
        assert!(!asks_for_list(b"SHOW"));
    }
}
