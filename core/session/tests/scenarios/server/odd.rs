//! The commands that few clients send: cursors, files, binlogs, and what old servers do not know.

use mainstay_wire::packet::{MAX_PAYLOAD, build_packet};
use mainstay_wire::response::put_result_end;
use mainstay_wire::{ErrorCode, OkPacket, StatusFlags};

use super::{Connection, Server};

impl Connection {
    /// True when the command was answered here.
    pub(super) fn odd_command(
        &mut self,
        server: &mut Server,
        payload: &[u8],
        out: &mut Vec<u8>,
    ) -> bool {
        let id = payload.get(1..).and_then(<[u8]>::first_chunk::<4>);
        let id = id.map_or(0, |id| u32::from_le_bytes(*id));
        if self.long_data || payload[0] == 0x18 {
            self.long_data = payload.len() == MAX_PAYLOAD;
            server.long_data += payload.len();
            return true;
        }
        match payload[0] {
            0x0e => {
                // Warnings are left as they are.
                self.last.1 = 0;
                self.ok(1, 0, out);
            }
            0x11 => {
                self.reset(server);
                self.schema.clear();
                server.log.push("change user".to_owned());
                self.ok(1, 0, out);
            }
            0x12 => {
                server.log.push("dump".to_owned());
                self.dumps = true;
                out.extend_from_slice(b"binlog");
            }
            0x15 | 0x1b => {
                server.log.push(format!("command {:#x}", payload[0]));
                self.ok(1, 0, out);
            }
            0x17 if payload[5] & 1 != 0 => self.open_cursor(id, out),
            0x1a => {
                self.cursors.remove(&id);
                self.ok(1, 0, out);
            }
            0x1c => self.fetch(id, out),
            0x1f if server.version.starts_with("5.6") => {
                Self::error(&ErrorCode::UnknownCommand.packet(), 1, out);
            }
            _ => return false,
        }
        true
    }

    /// A piece of a file, where one was asked for.
    pub(super) fn takes_file(
        &mut self,
        server: &mut Server,
        (payload, sequence): (&[u8], u8),
        out: &mut Vec<u8>,
    ) -> bool {
        let Some(mut file) = self.file.take() else {
            return false;
        };
        if payload.is_empty() {
            server.files.push(file);
            self.ok(sequence.wrapping_add(1), 0, out);
        } else {
            file.extend_from_slice(payload);
            self.file = Some(file);
        }
        true
    }

    pub(super) fn ask_for_file(&mut self, out: &mut Vec<u8>) {
        self.file = Some(Vec::new());
        build_packet(out, 1, |payload| payload.extend_from_slice(b"\xfbfile"));
    }

    /// One row, which is fetched later.
    fn open_cursor(&mut self, id: u32, out: &mut Vec<u8>) {
        assert!(
            self.statements.contains_key(&id),
            "a statement prepared here"
        );
        self.cursors.insert(id, 1);
        let next = build_packet(out, 1, |payload| payload.push(1));
        let next = build_packet(out, next, |payload| {
            payload.extend_from_slice(b"\x03def\0\0\0\x01c");
        });
        self.end(StatusFlags::CURSOR_EXISTS, next, out);
    }

    fn fetch(&mut self, id: u32, out: &mut Vec<u8>) {
        let left = self.cursors.get_mut(&id).expect("a cursor opened here");
        let mut next = 1;
        let mut status = StatusFlags::CURSOR_EXISTS;
        if *left == 0 {
            status = status.union(StatusFlags::LAST_ROW_SENT);
        } else {
            *left -= 1;
            next = build_packet(out, next, |payload| payload.extend_from_slice(b"\x03row"));
        }
        self.end(status, next, out);
    }

    fn end(&self, status: StatusFlags, next: u8, out: &mut Vec<u8>) {
        let end = OkPacket {
            status: self.status().union(status),
            ..OkPacket::default()
        };
        build_packet(out, next, |payload| {
            put_result_end(payload, &end, self.capabilities);
        });
    }
}
