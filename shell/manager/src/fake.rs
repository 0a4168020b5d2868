//! A server on loopback that answers as a test tells it to, and remembers what it was sent.

use std::sync::Arc;
use std::time::Duration;

use mainstay_mysql::ConnectOptions;
use mainstay_wire::packet::{PacketHeader, put_packet};
use mainstay_wire::result::{ColumnDefinition, put_text_result_set};
use mainstay_wire::{Capabilities, ClientHello, ErrPacket, Greeting, OkPacket, StatusFlags};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// How a statement is answered.
pub(crate) enum Answer {
    Ok,
    /// Column names, and one row of values.
    Row(&'static [&'static str], Vec<String>),
    /// No rows.
    Nothing,
    /// An error with this number.
    Error(u16),
    /// When this statement has been received by any connection.
    After(&'static str),
}

type Script = dyn Fn(u32, &str) -> Answer + Send + Sync;

/// What was received: which connection sent which statement.
pub(crate) type Received = Vec<(u32, String)>;

pub(crate) struct Fake {
    pub(crate) options: ConnectOptions,
    received: watch::Receiver<Received>,
}

impl Fake {
    /// Connections are numbered from 1.
    pub(crate) async fn start(
        script: impl Fn(u32, &str) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (sender, received) = watch::channel(Received::new());
        let script: Arc<Script> = Arc::new(script);
        let sender = Arc::new(sender);
        tokio::spawn(async move {
            for id in 1.. {
                let (socket, _) = listener.accept().await.unwrap();
                let peer = Peer {
                    socket,
                    id,
                    sequence: 0,
                    capabilities: Capabilities(0xf7ff_f7ff),
                };
                tokio::spawn(peer.serve(Arc::clone(&script), Arc::clone(&sender)));
            }
        });
        let options = ConnectOptions::new("127.0.0.1", port, "m", "p")
            .with_connect_timeout(Duration::from_secs(30));
        Self { options, received }
    }

    /// Waits until this statement was received; answers all that were received until then.
    pub(crate) async fn receives(&mut self, statement: &str) -> Received {
        let there = |all: &Received| all.iter().any(|(_, one)| one == statement);
        self.received.wait_for(there).await.unwrap().clone()
    }
}

struct Peer {
    socket: TcpStream,
    id: u32,
    sequence: u8,
    capabilities: Capabilities,
}

impl Peer {
    /// Until the client has gone.
    async fn serve(mut self, script: Arc<Script>, received: Arc<watch::Sender<Received>>) {
        self.log_in().await;
        while let Some(payload) = self.receive().await {
            let statement = String::from_utf8_lossy(&payload[1..]).into_owned();
            let answer = script(self.id, &statement);
            received.send_modify(|all| all.push((self.id, statement)));
            match answer {
                Answer::Ok => self.ok().await,
                Answer::Row(names, row) => self.rows(names, &[row]).await,
                Answer::Nothing => self.rows(&["Id"], &[]).await,
                Answer::Error(code) => self.error(code).await,
                Answer::After(wanted) => {
                    let there = |all: &Received| all.iter().any(|(_, one)| one == wanted);
                    let _ = received.subscribe().wait_for(there).await;
                    self.ok().await;
                }
            }
        }
    }

    async fn receive(&mut self) -> Option<Vec<u8>> {
        let mut header = [0; 4];
        self.socket.read_exact(&mut header).await.ok()?;
        let header = PacketHeader::parse(&header)?;
        self.sequence = header.sequence.wrapping_add(1);
        let mut payload = vec![0; header.len];
        self.socket.read_exact(&mut payload).await.ok()?;
        Some(payload)
    }

    async fn send(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        let (mut payload, mut bytes) = (Vec::new(), Vec::new());
        write(&mut payload);
        self.sequence = put_packet(&mut bytes, self.sequence, &payload);
        // A client that has gone does not miss it.
        let _ = self.socket.write_all(&bytes).await;
    }

    async fn log_in(&mut self) {
        let greeting = Greeting {
            server_version: "9.7.4".to_owned(),
            connection_id: self.id,
            salt: [7; 20],
            capabilities: self.capabilities,
            charset: 255,
            status: StatusFlags::AUTOCOMMIT,
            auth_plugin: "mysql_native_password".to_owned(),
        };
        self.send(|out| greeting.encode(out)).await;
        let payload = self.receive().await.expect("the client's response");
        let Ok(ClientHello::Response(response)) = ClientHello::parse(&payload) else {
            panic!("not a response")
        };
        self.capabilities = response.capabilities;
        self.ok().await;
    }

    async fn ok(&mut self) {
        let capabilities = self.capabilities;
        self.send(|out| OkPacket::default().encode(out, capabilities))
            .await;
    }

    async fn error(&mut self, code: u16) {
        let error = ErrPacket {
            code,
            sqlstate: *b"HY000",
            message: "as told".to_owned(),
        };
        self.send(|out| error.encode(out)).await;
    }

    async fn rows(&mut self, names: &[&str], rows: &[Vec<String>]) {
        let columns: Vec<_> = names
            .iter()
            .map(|name| ColumnDefinition::text(name))
            .collect();
        let some = |row: &Vec<String>| row.iter().cloned().map(Some).collect();
        let rows: Vec<Vec<Option<String>>> = rows.iter().map(some).collect();
        let mut bytes = Vec::new();
        put_text_result_set(
            &mut bytes,
            self.sequence,
            self.capabilities,
            &columns,
            &rows,
        );
        let _ = self.socket.write_all(&bytes).await;
    }
}
