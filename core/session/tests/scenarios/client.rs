//! The client's side of the fake: makes packets, and reads replies as a driver would.

use mainstay_wire::auth::Plugin;
use mainstay_wire::packet::{PacketReader, build_packet, put_packet};
use mainstay_wire::tracker::{Progress, ResponseTracker};
use mainstay_wire::{
    Capabilities, Command, ErrPacket, Greeting, HandshakeResponse, OkPacket, Reader, StatusFlags,
};

/// What a client got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reply {
    /// Nothing whole yet.
    Nothing,
    /// OK, with its status.
    Ok(StatusFlags),
    /// The first column of each row.
    Rows(Vec<String>),
    /// A prepared statement's id.
    Prepared(u32),
    /// An error's code and SQLSTATE.
    Error(u16, String, String),
    /// The connection was closed.
    Closed,
}

impl Reply {
    pub(crate) fn rows(values: &[&str]) -> Self {
        Self::Rows(values.iter().map(|value| (*value).to_owned()).collect())
    }

    pub(crate) fn code(&self) -> u16 {
        match self {
            Self::Error(code, ..) => *code,
            other => panic!("an error was expected, not {other:?}"),
        }
    }

    pub(crate) fn is_ok(&self) -> bool {
        matches!(self, Self::Ok(_))
    }
}

pub(crate) struct Client {
    /// All that was received and not read.
    pub(crate) inbox: Vec<u8>,
    /// All that was ever received.
    pub(crate) everything: Vec<u8>,
    pub(crate) closed: bool,
    pub(crate) capabilities: Capabilities,
    pub(crate) charset: u8,
    pub(crate) attributes: Vec<(String, String)>,
    expected: Option<u8>,
}

impl Default for Client {
    fn default() -> Self {
        let capabilities = Capabilities::PROTOCOL_41
            | Capabilities::SECURE_CONNECTION
            | Capabilities::PLUGIN_AUTH
            | Capabilities::LONG_PASSWORD
            | Capabilities::TRANSACTIONS
            | Capabilities::MULTI_STATEMENTS
            | Capabilities::MULTI_RESULTS
            | Capabilities::DEPRECATE_EOF;
        Self {
            inbox: Vec::new(),
            everything: Vec::new(),
            closed: false,
            capabilities,
            charset: 45,
            attributes: Vec::new(),
            expected: None,
        }
    }
}

impl Client {
    pub(crate) fn received(&mut self, bytes: &[u8]) {
        self.inbox.extend_from_slice(bytes);
        self.everything.extend_from_slice(bytes);
    }

    pub(crate) fn expects(&mut self, byte: u8) {
        self.expected = Some(byte);
    }

    pub(crate) fn greeting(&self) -> Greeting {
        let packet = PacketReader::new(&self.everything)
            .next()
            .expect("a greeting");
        Greeting::parse(packet.payload).expect("a greeting")
    }

    /// The answer to the greeting.
    pub(crate) fn hello(&self, user: &str, password: &str, schema: Option<&str>) -> Vec<u8> {
        let salt = self.greeting().salt;
        let plugin = Plugin::CachingSha2;
        self.hello_by(
            plugin.name(),
            plugin.scramble(password.as_bytes(), &salt),
            user,
            schema,
        )
    }

    pub(crate) fn hello_by(
        &self,
        plugin: &str,
        auth_response: Vec<u8>,
        user: &str,
        schema: Option<&str>,
    ) -> Vec<u8> {
        let hello = HandshakeResponse {
            capabilities: self.capabilities,
            max_packet_size: 1 << 24,
            charset: self.charset,
            user: user.to_owned(),
            auth_response,
            database: schema.map(str::to_owned),
            auth_plugin: Some(plugin.to_owned()),
            attributes: self.attributes.clone(),
            ..HandshakeResponse::default()
        };
        let mut bytes = Vec::new();
        build_packet(&mut bytes, 1, |payload| hello.encode(payload));
        bytes
    }

    /// As clients before plugins answer.
    pub(crate) fn hello_without_plugin(&self, auth_response: Vec<u8>, user: &str) -> Vec<u8> {
        let hello = HandshakeResponse {
            capabilities: self.capabilities,
            max_packet_size: 1 << 24,
            charset: 33,
            user: user.to_owned(),
            auth_response,
            ..HandshakeResponse::default()
        };
        let mut bytes = Vec::new();
        build_packet(&mut bytes, 1, |payload| hello.encode(payload));
        bytes
    }

    /// The next reply is a verdict.
    pub(crate) fn logs_in(&mut self) {
        self.expected = None;
        self.inbox.clear();
    }

    /// Behind the request for a file.
    pub(crate) fn file_reply(&mut self) -> Reply {
        let request = PacketReader::new(&self.inbox).next().expect("a request");
        assert_eq!(request.payload, b"\xfbfile");
        let end = request.range.end;
        self.inbox.drain(..end);
        self.reply()
    }

    pub(crate) fn command(byte: u8, argument: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        put_packet(&mut bytes, 0, &[&[byte], argument].concat());
        bytes
    }

    /// Takes the next whole reply.
    pub(crate) fn reply(&mut self) -> Reply {
        let Some(byte) = self.expected else {
            return self.login_reply();
        };
        let mut tracker = ResponseTracker::new(self.capabilities);
        tracker.begin(Command::from_byte(byte).reply());
        let fed = tracker.feed(&self.inbox).expect("a reply of the protocol");
        if fed.progress != Progress::Done {
            return if self.closed {
                Reply::Closed
            } else {
                Reply::Nothing
            };
        }
        let bytes: Vec<u8> = self.inbox.drain(..fed.consumed).collect();
        let summary = tracker.summary();
        if let Some(error) = &summary.error {
            return Self::error(error);
        }
        if let Some(prepared) = summary.prepared {
            return Reply::Prepared(prepared.statement_id);
        }
        if summary.result_sets == 0 {
            return Reply::Ok(summary.status.expect("an OK has a status"));
        }
        // Column count, one definition, rows, end.
        let packets: Vec<_> = PacketReader::new(&bytes).collect();
        let eof = !self.capabilities.contains(Capabilities::DEPRECATE_EOF);
        let rows = packets[2 + usize::from(eof)..packets.len() - 1]
            .iter()
            .map(|packet| {
                let mut reader = Reader::new(packet.payload);
                String::from_utf8_lossy(reader.lenenc_bytes().expect("a text")).into_owned()
            });
        Reply::Rows(rows.collect())
    }

    /// Skips the greeting and the fast path's mark, and reads the verdict.
    fn login_reply(&mut self) -> Reply {
        let mut reader = PacketReader::new(&self.inbox);
        let mut verdict = Reply::Nothing;
        for packet in reader.by_ref() {
            match packet.payload.first() {
                Some(0) => {
                    let ok = OkPacket::parse(packet.payload, self.capabilities).expect("an OK");
                    verdict = Reply::Ok(ok.status);
                }
                Some(0xff) => {
                    verdict = Self::error(&ErrPacket::parse(packet.payload).expect("an error"));
                }
                _ => {}
            }
        }
        let consumed = reader.consumed();
        self.inbox.drain(..consumed);
        if self.closed && verdict == Reply::Nothing {
            Reply::Closed
        } else {
            verdict
        }
    }

    fn error(error: &ErrPacket) -> Reply {
        Reply::Error(error.code, error.sqlstate_text(), error.message.clone())
    }
}
