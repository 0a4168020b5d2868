//! One server of the fleet on its port: the protocol as far as the manager speaks it. A dead one
//! closes its connections and refuses new ones, as the kernel does for a process that has ended.

use std::sync::Arc;

use mainstay_wire::packet::{PacketHeader, put_packet};
use mainstay_wire::result::{ColumnDefinition, put_text_result_set};
use mainstay_wire::{Capabilities, ClientHello, Greeting, OkPacket, StatusFlags};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::dialect::{Reply, Server};
use crate::fleet::{Cluster, listen};

/// What MariaDB 10.11 greets with.
pub(crate) const VERSION: &str = "5.5.5-10.11.19-MariaDB-log";

/// All that the library knows, without TLS and compression.
const CAPABILITIES: Capabilities = Capabilities(0xf7ff_f7df);

/// Serves until the process ends.
pub(crate) async fn serve(mut listener: TcpListener, cluster: Arc<Cluster>, server: Server) {
    let mut alive = cluster.alive.subscribe();
    loop {
        let mortal = server.is_primary();
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((socket, _)) = accepted else { continue };
                let end = mortal.then(|| cluster.alive.subscribe());
                tokio::spawn(session(socket, server.clone(), end));
                continue;
            }
            _ = alive.wait_for(|alive| !alive), if mortal => {}
        }
        drop(listener);
        let back = alive.wait_for(|alive| *alive).await.is_ok();
        let Ok(again) = listen(cluster.index, 0).await else {
            return;
        };
        if !back {
            return;
        }
        listener = again;
    }
}

/// Until the client has gone, or the server.
async fn session(socket: TcpStream, server: Server, end: Option<watch::Receiver<bool>>) {
    let _ = socket.set_nodelay(true);
    let mut peer = Peer {
        socket,
        sequence: 0,
        capabilities: CAPABILITIES,
    };
    let dead = async {
        match end {
            Some(mut alive) => drop(alive.wait_for(|alive| !alive).await),
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = peer.answer(&server) => {}
        () = dead => {}
    }
}

struct Peer {
    socket: TcpStream,
    sequence: u8,
    capabilities: Capabilities,
}

impl Peer {
    async fn answer(&mut self, server: &Server) -> Option<()> {
        self.log_in().await?;
        loop {
            let payload = self.receive().await?;
            let statement = String::from_utf8_lossy(payload.get(1..)?);
            match server.reply(&statement) {
                Reply::Ok => self.ok().await?,
                Reply::Rows(names, rows) => {
                    let column = |name: &&str| ColumnDefinition::text(name);
                    let columns: Vec<_> = names.iter().map(column).collect();
                    let (mut bytes, capabilities) = (Vec::new(), self.capabilities);
                    put_text_result_set(&mut bytes, self.sequence, capabilities, &columns, &rows);
                    self.socket.write_all(&bytes).await.ok()?;
                }
            }
        }
    }

    async fn log_in(&mut self) -> Option<()> {
        let greeting = Greeting {
            server_version: VERSION.to_owned(),
            connection_id: 1,
            salt: [7; 20],
            capabilities: self.capabilities,
            charset: 45,
            status: StatusFlags::AUTOCOMMIT,
            auth_plugin: "mysql_native_password".to_owned(),
        };
        self.send(|out| greeting.encode(out)).await?;
        let payload = self.receive().await?;
        let Ok(ClientHello::Response(response)) = ClientHello::parse(&payload) else {
            return None;
        };
        self.capabilities = response.capabilities;
        self.ok().await
    }

    async fn ok(&mut self) -> Option<()> {
        let capabilities = self.capabilities;
        let ok = OkPacket {
            affected_rows: 1,
            ..OkPacket::default()
        };
        self.send(|out| ok.encode(out, capabilities)).await
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

    async fn send(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> Option<()> {
        let (mut payload, mut bytes) = (Vec::new(), Vec::new());
        write(&mut payload);
        self.sequence = put_packet(&mut bytes, self.sequence, &payload);
        self.socket.write_all(&bytes).await.ok()
    }
}
