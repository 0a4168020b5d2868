//! A scripted server on loopback: what each of its behaviours looks like from here.

use std::io;

use mainstay_wire::auth::{AuthMoreData, AuthSwitchRequest, Plugin, ServerKey, caching_sha2};
use mainstay_wire::handshake::{HandshakeResponse, Salt};
use mainstay_wire::packet::{PacketHeader, put_packet};
use mainstay_wire::result::{ColumnDefinition, put_text_result_set};
use mainstay_wire::{ClientHello, ErrorCode, OkPacket, StatusFlags};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::ConnectStage;

const SALT: Salt = [7; 20];
const PASSWORD: &str = "correct horse";
const CLASSIC: Capabilities = Capabilities(0xf7ff_f7ff & !(1 << 24));
const MODERN: Capabilities = Capabilities(0xf7ff_f7ff);

/// Long enough for a loaded machine where the server answers, as it does at once.
const PATIENT: Duration = Duration::from_secs(30);
/// The limit where the server never answers.
const BRIEF: Duration = Duration::from_millis(50);

/// The server's end of one connection.
struct Peer {
    socket: TcpStream,
    sequence: u8,
    capabilities: Capabilities,
}

impl Peer {
    async fn receive(&mut self) -> io::Result<Vec<u8>> {
        let mut header = [0; 4];
        self.socket.read_exact(&mut header).await?;
        let header = PacketHeader::parse(&header).expect("four bytes");
        self.sequence = header.sequence.wrapping_add(1);
        let mut payload = vec![0; header.len];
        self.socket.read_exact(&mut payload).await?;
        Ok(payload)
    }

    async fn send(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        let (mut payload, mut bytes) = (Vec::new(), Vec::new());
        write(&mut payload);
        self.sequence = put_packet(&mut bytes, self.sequence, &payload);
        self.socket.write_all(&bytes).await.unwrap();
    }

    async fn greet(&mut self, plugin: &str) -> HandshakeResponse {
        let greeting = Greeting {
            server_version: "8.4.0".to_owned(),
            connection_id: 42,
            salt: SALT,
            capabilities: self.capabilities,
            charset: 255,
            status: StatusFlags::AUTOCOMMIT,
            auth_plugin: plugin.to_owned(),
        };
        self.send(|out| greeting.encode(out)).await;
        let payload = self.receive().await.expect("the client's response");
        let Ok(ClientHello::Response(response)) = ClientHello::parse(&payload) else {
            panic!("not a response")
        };
        self.capabilities = response.capabilities;
        response
    }

    async fn ok(&mut self) {
        let capabilities = self.capabilities;
        let ok = OkPacket {
            affected_rows: 3,
            last_insert_id: 9,
            ..OkPacket::default()
        };
        self.send(|out| ok.encode(out, capabilities)).await;
    }

    async fn error(&mut self, error: ErrorCode) {
        self.send(|out| error.packet().encode(out)).await;
    }

    async fn log_in(&mut self) {
        let response = self.greet("mysql_native_password").await;
        assert_eq!(response.user, "mainstay");
        assert_eq!(response.database.as_deref(), Some("shop"));
        let expected = Plugin::Native.scramble(PASSWORD.as_bytes(), &SALT);
        assert_eq!(response.auth_response, expected);
        self.ok().await;
    }

    async fn answer_rows(&mut self) {
        let columns = [ColumnDefinition::text("Name"), ColumnDefinition::text("n")];
        let rows = [
            vec![Some("a".to_owned()), Some("5".to_owned())],
            vec![None, None],
        ];
        let mut bytes = Vec::new();
        put_text_result_set(
            &mut bytes,
            self.sequence,
            self.capabilities,
            &columns,
            &rows,
        );
        self.socket.write_all(&bytes).await.unwrap();
    }
}

/// Runs the script against the first connection, with the options to make it.
async fn serve<F>(script: impl FnOnce(Peer) -> F + Send + 'static) -> ConnectOptions
where
    F: Future<Output = ()> + Send,
{
    serve_with(MODERN, script).await
}

async fn serve_with<F>(
    capabilities: Capabilities,
    script: impl FnOnce(Peer) -> F + Send + 'static,
) -> ConnectOptions
where
    F: Future<Output = ()> + Send,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (socket, _) = listener.accept().await.unwrap();
        script(Peer {
            socket,
            sequence: 0,
            capabilities,
        })
        .await;
    });
    ConnectOptions::new("127.0.0.1", port, "mainstay", PASSWORD)
        .with_database("shop")
        .with_connect_timeout(PATIENT)
}

/// Keeps the connection open and says nothing more.
async fn fall_silent(mut peer: Peer) {
    while peer.receive().await.is_ok() {}
}

#[tokio::test]
async fn rows_are_read_by_column_name_with_and_without_eof_packets() {
    for capabilities in [CLASSIC, MODERN] {
        let options = serve_with(capabilities, |mut peer| async move {
            peer.log_in().await;
            assert_eq!(peer.receive().await.unwrap(), b"\x03SELECT 1");
            peer.answer_rows().await;
            fall_silent(peer).await;
        })
        .await;
        let mut connection = Connection::connect(&options).await.unwrap();
        assert_eq!(
            (connection.server_version(), connection.connection_id()),
            ("8.4.0", 42)
        );
        let result = connection.query("SELECT 1").await.unwrap();
        assert_eq!(result.columns, ["Name", "n"]);
        assert_eq!(result.scalar(), Some("a"));
        assert_eq!(result.rows[0].get("name"), Some("a"));
        assert_eq!(result.rows[0].parse::<u64>("n").unwrap(), 5);
        assert_eq!(result.rows[1].get("name"), None);
        let message = |column| result.rows[1].parse::<u64>(column).unwrap_err().to_string();
        assert_eq!(message("n"), "column n: it is NULL");
        assert_eq!(message("m"), "column m: there is no such column");
    }
}

#[tokio::test]
async fn an_error_leaves_the_connection_usable() {
    let options = serve(|mut peer| async move {
        peer.log_in().await;
        peer.receive().await.unwrap();
        peer.error(ErrorCode::ParseError).await;
        peer.receive().await.unwrap();
        peer.ok().await;
    })
    .await;
    let mut connection = Connection::connect(&options).await.unwrap();
    assert_eq!(
        connection.execute("bogus").await.unwrap_err().server_code(),
        Some(1064)
    );
    let reply = connection.execute("UPDATE t SET a = 1").await.unwrap();
    assert_eq!((reply.affected_rows, reply.last_insert_id), (3, 9));
}

#[tokio::test]
async fn a_full_caching_sha2_login_sends_the_password_encrypted() {
    let options = serve(|mut peer| async move {
        let response = peer.greet("caching_sha2_password").await;
        let scramble = Plugin::CachingSha2.scramble(PASSWORD.as_bytes(), &SALT);
        assert_eq!(response.auth_response, scramble);
        let key = ServerKey::generate([5; 32]).unwrap();
        let full = AuthMoreData(vec![caching_sha2::FULL_AUTH_REQUIRED]);
        peer.send(|out| full.encode(out)).await;
        assert_eq!(
            peer.receive().await.unwrap(),
            [caching_sha2::PUBLIC_KEY_REQUEST]
        );
        let pem = AuthMoreData(key.public_pem().to_vec());
        peer.send(|out| pem.encode(out)).await;
        let secret = peer.receive().await.unwrap();
        let clear = key.decrypt_password(&secret, &SALT, [6; 32]).unwrap();
        assert_eq!(clear, PASSWORD.as_bytes());
        peer.ok().await;
    })
    .await;
    Connection::connect(&options).await.unwrap();
}

#[tokio::test]
async fn the_server_may_switch_to_the_user_s_plugin() {
    let options = serve(|mut peer| async move {
        peer.greet("caching_sha2_password").await;
        let salt = [9; 20];
        let plugin = Plugin::Native.name().to_owned();
        let nonce = salt.to_vec();
        let switch = AuthSwitchRequest { plugin, nonce };
        peer.send(|out| switch.encode(out)).await;
        let expected = Plugin::Native.scramble(PASSWORD.as_bytes(), &salt);
        assert_eq!(peer.receive().await.unwrap(), expected);
        peer.ok().await;
    })
    .await;
    Connection::connect(&options).await.unwrap();
}

#[tokio::test]
async fn a_plugin_that_is_not_spoken_here_is_named() {
    let options = serve(|mut peer| async move {
        peer.greet("auth_gssapi_client").await;
        let plugin = "auth_gssapi_client".to_owned();
        let nonce = SALT.to_vec();
        let switch = AuthSwitchRequest { plugin, nonce };
        peer.send(|out| switch.encode(out)).await;
        fall_silent(peer).await;
    })
    .await;
    let error = Connection::connect(&options).await.unwrap_err();
    assert!(error.to_string().contains("auth_gssapi_client"), "{error}");
}

#[tokio::test]
async fn too_many_connections_is_an_answer_not_a_death() {
    let options = serve(|mut peer| async move {
        peer.error(ErrorCode::TooManyConnections).await;
    })
    .await;
    let error = Connection::connect(&options).await.unwrap_err();
    assert_eq!(error.server_code(), Some(1040));
    assert!(!error.is_closed() && !error.is_refused() && !error.is_timeout());
}

#[tokio::test]
async fn a_hung_server_accepts_and_never_greets() {
    let options = serve(fall_silent).await.with_connect_timeout(BRIEF);
    let error = Connection::connect(&options).await.unwrap_err();
    assert_eq!(error.connect_stage(), Some(ConnectStage::Greeting));
    assert!(error.is_timeout() && !error.is_closed() && !error.is_refused());
    assert!(error.to_string().ends_with("within 50 ms"), "{error}");
}

#[tokio::test]
async fn a_login_without_answer_is_told_from_a_missing_greeting() {
    let options = serve(|mut peer| async move {
        peer.greet("mysql_native_password").await;
        fall_silent(peer).await;
    })
    .await
    .with_connect_timeout(Duration::from_millis(500));
    let error = Connection::connect(&options).await.unwrap_err();
    assert_eq!(error.connect_stage(), Some(ConnectStage::Auth));
    assert!(error.is_timeout());
}

#[tokio::test]
async fn a_port_where_nothing_listens_is_refused() {
    let bound = tokio::net::TcpSocket::new_v4().unwrap();
    bound.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let port = bound.local_addr().unwrap().port();
    let options = ConnectOptions::new("127.0.0.1", port, "mainstay", PASSWORD);
    let error = Connection::connect(&options).await.unwrap_err();
    assert!(error.is_refused() && !error.is_timeout() && !error.is_closed());
    assert_eq!(error.connect_stage(), Some(ConnectStage::Tcp));
}

#[tokio::test]
async fn a_connection_ended_before_the_greeting_is_closed() {
    let options = serve(|peer| async move { drop(peer) }).await;
    let error = Connection::connect(&options).await.unwrap_err();
    assert!(error.is_closed() && !error.is_refused() && !error.is_timeout());
    assert_eq!(error.connect_stage(), Some(ConnectStage::Greeting));
}

#[tokio::test]
async fn an_abandoned_query_breaks_the_connection() {
    let options = serve(|mut peer| async move {
        peer.log_in().await;
        fall_silent(peer).await;
    })
    .await;
    let mut connection = Connection::connect(&options).await.unwrap();
    let error = connection
        .query_within("SET PASSWORD = 'x'", BRIEF)
        .await
        .unwrap_err();
    assert!(error.is_timeout());
    assert_eq!(error.to_string(), "no reply to SET within 50 ms");
    assert!(connection.is_broken());
    assert!(matches!(connection.ping().await, Err(Error::Broken)));
    assert!(matches!(connection.closed().await, Error::Broken));
}

#[tokio::test]
async fn the_end_of_an_idle_connection_is_noticed() {
    let options = serve(|mut peer| async move { peer.log_in().await }).await;
    let mut connection = Connection::connect(&options).await.unwrap();
    assert!(matches!(connection.closed().await, Error::Closed));
    assert!(connection.is_broken());
}

#[tokio::test]
async fn a_server_that_stops_in_good_order_says_so() {
    let options = serve(|mut peer| async move {
        peer.log_in().await;
        peer.sequence = 0;
        peer.error(ErrorCode::ShutdownInProgress).await;
    })
    .await;
    let mut connection = Connection::connect(&options).await.unwrap();
    assert_eq!(connection.closed().await.server_code(), Some(1053));
}

#[tokio::test]
async fn waiting_for_the_end_may_be_given_up() {
    let options = serve(|mut peer| async move {
        peer.log_in().await;
        peer.receive().await.unwrap();
        peer.ok().await;
    })
    .await;
    let mut connection = Connection::connect(&options).await.unwrap();
    assert!(timeout(BRIEF, connection.closed()).await.is_err());
    connection.ping().await.unwrap();
}

#[test]
fn debug_output_never_shows_the_password() {
    let shown = format!("{:?}", ConnectOptions::new("::1", 3306, "root", PASSWORD));
    assert!(
        shown.contains("[::1]:3306") && !shown.contains(PASSWORD),
        "{shown}"
    );
}
