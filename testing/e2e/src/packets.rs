//! A session packet by packet, for commands that no client library of ours sends.
//!
//! It does not ask for `DEPRECATE_EOF`, so that results come in the older of the two forms.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use mainstay_wire::auth::{AuthMoreData, AuthSwitchRequest, Plugin, caching_sha2, rsa_exchange};
use mainstay_wire::handshake::Salt;
use mainstay_wire::packet::{HEADER_LEN, PacketHeader, put_packet};
use mainstay_wire::response::{EOF_HEADER, ERR_HEADER, OK_HEADER};
use mainstay_wire::result::parse_text_row;
use mainstay_wire::{
    Capabilities, ChangeUser, Command, EofPacket, ErrPacket, Greeting, HandshakeResponse, OkPacket,
    StatusFlags,
};

use crate::Login;

const LIMIT: Duration = Duration::from_secs(45);
const UTF8MB4: u8 = 45;

const CAPABILITIES: Capabilities = Capabilities::LONG_PASSWORD
    .union(Capabilities::PROTOCOL_41)
    .union(Capabilities::TRANSACTIONS)
    .union(Capabilities::SECURE_CONNECTION)
    .union(Capabilities::MULTI_STATEMENTS)
    .union(Capabilities::MULTI_RESULTS)
    .union(Capabilities::PLUGIN_AUTH)
    .union(Capabilities::CONNECT_WITH_DB);

/// A session.
pub struct PacketClient {
    stream: TcpStream,
    salt: Salt,
    plugin: Plugin,
    sequence: u8,
}

impl PacketClient {
    /// Logs in.
    pub fn connect(login: &Login) -> Result<Self, ErrPacket> {
        let mut client = Self::greeted(login)?;
        let response = HandshakeResponse {
            capabilities: CAPABILITIES,
            max_packet_size: 64 << 20,
            charset: UTF8MB4,
            user: login.user.clone(),
            auth_response: client.scramble(&login.password),
            database: login.database.clone(),
            auth_plugin: Some(client.plugin.name().to_owned()),
            attributes: Vec::new(),
            zstd_level: 0,
        };
        let mut payload = Vec::new();
        response.encode(&mut payload);
        client.send(&payload);
        client.finish_login(&login.password)?;
        Ok(client)
    }

    /// Connects, and goes no further than the greeting.
    pub fn greeted(login: &Login) -> Result<Self, ErrPacket> {
        let stream = TcpStream::connect((login.host.as_str(), login.port)).expect("it listens");
        stream.set_read_timeout(Some(LIMIT)).expect("a limit");
        let mut client = Self {
            stream,
            salt: Salt::default(),
            plugin: Plugin::Native,
            sequence: 0,
        };
        let greeting = client.receive();
        if greeting.first() == Some(&ERR_HEADER) {
            return Err(ErrPacket::parse(&greeting).expect("an error packet"));
        }
        let greeting = Greeting::parse(&greeting).expect("a greeting");
        client.salt = greeting.salt;
        client.plugin = Plugin::from_name(&greeting.auth_plugin).expect("a plugin spoken here");
        Ok(client)
    }

    /// Sends bytes as they are; whoever listens may have closed already.
    pub fn send_bytes(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes);
    }

    /// Says that nothing more will come.
    pub fn ends(&self) {
        let _ = self.stream.shutdown(Shutdown::Write);
    }

    /// The code of the next packet, which is an error, and of the one after it, until the other
    /// side closes the connection.
    pub fn errors_to_the_end(&mut self) -> Vec<u16> {
        let mut codes = Vec::new();
        loop {
            match self.try_receive() {
                Ok(payload) => {
                    let error = ErrPacket::parse(&payload).expect("an error packet");
                    codes.push(error.code);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    panic!("the connection is open still, after {codes:?}")
                }
                // It ends, by a reset where something sent was not read.
                Err(_) => return codes,
            }
        }
    }

    /// `COM_CHANGE_USER`.
    pub fn change_user(&mut self, login: &Login) -> Result<(), ErrPacket> {
        let request = ChangeUser {
            user: login.user.clone(),
            auth_response: self.scramble(&login.password),
            database: login.database.clone(),
            charset: u16::from(UTF8MB4),
            auth_plugin: Some(self.plugin.name().to_owned()),
            attributes: Vec::new(),
        };
        let mut payload = Vec::new();
        request.encode(&mut payload, CAPABILITIES);
        self.sequence = 0;
        self.send(&payload);
        self.finish_login(&login.password)
    }

    /// A command without an argument that is answered with one packet.
    pub fn command(&mut self, command: Command) -> Result<(), ErrPacket> {
        self.sequence = 0;
        self.send(&[command.byte()]);
        let payload = self.receive();
        match payload.first() {
            Some(&ERR_HEADER) => Err(ErrPacket::parse(&payload).expect("an error packet")),
            Some(&OK_HEADER) => Ok(()),
            other => panic!("neither OK nor an error: {other:?}"),
        }
    }

    /// The first field of the first row of each result; `None` for a statement without rows.
    pub fn values(&mut self, sql: &str) -> Result<Vec<Option<String>>, ErrPacket> {
        let mut payload = vec![Command::Query.byte()];
        payload.extend_from_slice(sql.as_bytes());
        self.sequence = 0;
        self.send(&payload);
        let mut values = Vec::new();
        loop {
            let (value, status) = self.result()?;
            values.push(value);
            if !status.contains(StatusFlags::MORE_RESULTS_EXISTS) {
                return Ok(values);
            }
        }
    }

    fn result(&mut self) -> Result<(Option<String>, StatusFlags), ErrPacket> {
        let payload = self.receive();
        match payload.first() {
            Some(&ERR_HEADER) => return Err(ErrPacket::parse(&payload).expect("an error packet")),
            Some(&OK_HEADER) => {
                let ok = OkPacket::parse(&payload, CAPABILITIES).expect("an OK packet");
                return Ok((None, ok.status));
            }
            _ => {}
        }
        let columns = usize::from(payload[0]);
        for _ in 0..=columns {
            // The definitions, and the packet that ends them.
            self.receive();
        }
        let mut value = None;
        loop {
            let payload = self.receive();
            match payload.first() {
                Some(&ERR_HEADER) => {
                    return Err(ErrPacket::parse(&payload).expect("an error packet"));
                }
                Some(&EOF_HEADER) if payload.len() < 9 => {
                    let end = EofPacket::parse(&payload).expect("an EOF packet");
                    return Ok((value, end.status));
                }
                _ => {}
            }
            let row = parse_text_row(&payload, columns).expect("a row");
            let first = row.into_iter().next().flatten();
            value = value.or(first.map(|bytes| String::from_utf8_lossy(bytes).into_owned()));
        }
    }

    fn finish_login(&mut self, password: &str) -> Result<(), ErrPacket> {
        loop {
            let payload = self.receive();
            match payload.first().copied() {
                Some(OK_HEADER) => return Ok(()),
                Some(ERR_HEADER) => {
                    return Err(ErrPacket::parse(&payload).expect("an error packet"));
                }
                Some(AuthSwitchRequest::HEADER) => {
                    let request = AuthSwitchRequest::parse(&payload).expect("a request");
                    self.plugin = Plugin::from_name(&request.plugin).expect("a plugin spoken here");
                    self.salt = request.salt();
                    let answer = self.scramble(password);
                    self.send(&answer);
                }
                Some(AuthMoreData::HEADER) => {
                    let AuthMoreData(data) = AuthMoreData::parse(&payload).expect("data");
                    self.more(&data, password);
                }
                other => panic!("an unknown packet in a login: {other:?}"),
            }
        }
    }

    /// A password that is not right by the fast path is asked for, as on servers.
    fn more(&mut self, data: &[u8], password: &str) {
        match data {
            [caching_sha2::FAST_AUTH_OK] => {}
            [caching_sha2::FULL_AUTH_REQUIRED] => self.send(&[caching_sha2::PUBLIC_KEY_REQUEST]),
            key => {
                // What is random elsewhere may be known in a test.
                let seed = [7; 32];
                let told =
                    rsa_exchange::encrypt_password(password.as_bytes(), &self.salt, key, seed);
                self.send(&told.expect("a public key"));
            }
        }
    }

    fn scramble(&self, password: &str) -> Vec<u8> {
        self.plugin.scramble(password.as_bytes(), &self.salt)
    }

    fn send(&mut self, payload: &[u8]) {
        let mut bytes = Vec::new();
        self.sequence = put_packet(&mut bytes, self.sequence, payload);
        self.stream.write_all(&bytes).expect("the proxy reads");
    }

    fn receive(&mut self) -> Vec<u8> {
        self.try_receive()
            .unwrap_or_else(|error| panic!("no packet from the proxy: {error}"))
    }

    fn try_receive(&mut self) -> io::Result<Vec<u8>> {
        let mut header = [0; HEADER_LEN];
        self.stream.read_exact(&mut header)?;
        let header = PacketHeader::parse(&header).expect("four bytes");
        self.sequence = header.sequence.wrapping_add(1);
        let mut payload = vec![0; header.len];
        self.stream.read_exact(&mut payload)?;
        Ok(payload)
    }
}
