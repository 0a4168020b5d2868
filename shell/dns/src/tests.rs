//! Questions over real sockets of the loopback interface.

use std::net::Ipv4Addr;

use hickory_proto::op::{Message, MessageType, OpCode, Query, ResponseCode};
use hickory_proto::rr::{Name, RData, RecordType};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::sync::watch;

use super::*;

fn config(queries_per_second: u32) -> Config {
    Config {
        listen: ([127, 0, 0, 1], 0).into(),
        zone: "db.example".to_owned(),
        ttl: Duration::from_secs(1),
        name_servers: vec!["ns1.example".to_owned()],
        queries_per_second,
    }
}

fn names(primary: Option<&str>) -> Names {
    let servers = [
        ("db1", "192.0.2.1"),
        ("db2", "192.0.2.2"),
        ("db3", "db3.example"),
    ];
    Names {
        serial: 7,
        primary: primary.map(Host::new),
        replicas: ["192.0.2.2", "192.0.2.3", "192.0.2.2"]
            .map(Host::new)
            .to_vec(),
        servers: servers
            .map(|(name, host)| (name.to_owned(), Host::new(host)))
            .into(),
    }
}

struct Client {
    responder: Responder,
    names: watch::Sender<Names>,
}

impl Client {
    async fn new(queries_per_second: u32) -> Self {
        let (sender, receiver) = watch::channel(names(Some("192.0.2.1")));
        let responder = start(&config(queries_per_second), receiver).await;
        Self {
            responder: responder.expect("a port is free"),
            names: sender,
        }
    }

    fn question(name: &str, kind: RecordType) -> Message {
        let mut message = Message::new(99, MessageType::Query, OpCode::Query);
        message.metadata.recursion_desired = true;
        let mut name = Name::from_ascii(name).expect("a name");
        name.set_fqdn(true);
        message.add_query(Query::query(name, kind));
        message
    }

    async fn udp(&self, message: &Message) -> Message {
        let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a port");
        let bytes = message.to_vec().expect("a message");
        let mut reply = [0; 4096];
        socket
            .send_to(&bytes, self.responder.address())
            .await
            .expect("it is sent");
        let (length, _) = socket.recv_from(&mut reply).await.expect("an answer");
        assert!(length <= 512, "{length} bytes over UDP");
        Message::from_vec(&reply[..length]).expect("a message")
    }

    async fn ask(&self, name: &str, kind: RecordType) -> Message {
        let reply = self.udp(&Self::question(name, kind)).await;
        assert_eq!(reply.metadata.id, 99);
        reply
    }
}

fn addresses(reply: &Message) -> Vec<Ipv4Addr> {
    let data = reply.answers.iter().map(|record| &record.data);
    data.filter_map(|data| match data {
        RData::A(a) => Some(a.0),
        _ => None,
    })
    .collect()
}

#[tokio::test]
async fn the_primary_has_a_name_that_follows_it() {
    let client = Client::new(0).await;
    let reply = client.ask("primary.db.example", RecordType::A).await;
    assert!(reply.metadata.authoritative);
    assert_eq!(addresses(&reply), [Ipv4Addr::new(192, 0, 2, 1)]);
    assert_eq!(reply.answers[0].ttl, 1);
    client.names.send_replace(names(Some("192.0.2.2")));
    let reply = client.ask("PRIMARY.DB.example", RecordType::A).await;
    assert_eq!(addresses(&reply), [Ipv4Addr::new(192, 0, 2, 2)]);
}

#[tokio::test]
async fn without_a_primary_the_name_exists_and_has_no_address() {
    let client = Client::new(0).await;
    client.names.send_replace(names(None));
    let reply = client.ask("primary.db.example", RecordType::A).await;
    assert_eq!(reply.metadata.response_code, ResponseCode::NoError);
    assert!(reply.answers.is_empty());
    assert_eq!(reply.authorities[0].record_type(), RecordType::SOA);
}

#[tokio::test]
async fn replicas_come_in_turns_and_a_server_with_a_name_is_that_name() {
    let client = Client::new(0).await;
    let first = addresses(&client.ask("replica.db.example", RecordType::A).await);
    let second = addresses(&client.ask("replica.db.example", RecordType::A).await);
    assert_eq!(first.len(), 2);
    assert_ne!(first[0], second[0]);
    let reply = client.ask("db3.db.example", RecordType::A).await;
    assert_eq!(reply.answers[0].record_type(), RecordType::CNAME);
    let reply = client.ask("db1.db.example", RecordType::AAAA).await;
    assert!(reply.answers.is_empty() && !reply.authorities.is_empty());
}

#[tokio::test]
async fn what_is_not_ours_or_gives_the_zone_away_is_refused() {
    let client = Client::new(0).await;
    for (name, kind, code) in [
        ("nosuch.db.example", RecordType::A, ResponseCode::NXDomain),
        (
            "a.primary.db.example",
            RecordType::A,
            ResponseCode::NXDomain,
        ),
        ("www.example", RecordType::A, ResponseCode::Refused),
        ("db.example", RecordType::AXFR, ResponseCode::Refused),
        ("db.example", RecordType::IXFR, ResponseCode::Refused),
        ("db.example", RecordType::SOA, ResponseCode::NoError),
        ("db.example", RecordType::NS, ResponseCode::NoError),
    ] {
        let reply = client.ask(name, kind).await;
        assert_eq!(reply.metadata.response_code, code, "{name} {kind}");
        assert_eq!(
            reply.answers.len(),
            usize::from(code == ResponseCode::NoError)
        );
    }
    let any = client.ask("primary.db.example", RecordType::ANY).await;
    assert_eq!(any.answers[0].record_type(), RecordType::HINFO);
    let mut update = Client::question("db.example", RecordType::SOA);
    update.metadata.op_code = OpCode::Update;
    let reply = client.udp(&update).await;
    assert_eq!(reply.metadata.response_code, ResponseCode::NotImp);
}

#[tokio::test]
async fn over_tcp_several_questions_are_answered_one_after_the_other() {
    let client = Client::new(0).await;
    let mut stream = TcpStream::connect(client.responder.address())
        .await
        .expect("connected");
    for _ in 0..2 {
        let question = Client::question("primary.db.example", RecordType::A);
        let bytes = question.to_vec().expect("a message");
        stream.write_u16(bytes.len() as u16).await.expect("written");
        stream.write_all(&bytes).await.expect("written");
        let mut reply = vec![0; usize::from(stream.read_u16().await.expect("a length"))];
        stream.read_exact(&mut reply).await.expect("an answer");
        let reply = Message::from_vec(&reply).expect("a message");
        assert_eq!(addresses(&reply), [Ipv4Addr::new(192, 0, 2, 1)]);
    }
}

#[tokio::test]
async fn who_asks_too_much_is_sent_to_tcp_or_not_answered() {
    let client = Client::new(1).await;
    assert_eq!(
        client
            .ask("primary.db.example", RecordType::A)
            .await
            .answers
            .len(),
        1
    );
    let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a port");
    let question = Client::question("primary.db.example", RecordType::A);
    let bytes = question.to_vec().expect("a message");
    for _ in 0..2 {
        socket
            .send_to(&bytes, client.responder.address())
            .await
            .expect("it is sent");
    }
    let mut reply = [0; 512];
    let (length, _) = socket
        .recv_from(&mut reply)
        .await
        .expect("one answer of two");
    let reply = Message::from_vec(&reply[..length]).expect("a message");
    assert!(reply.metadata.truncation && reply.answers.is_empty());
}

#[tokio::test]
async fn nonsense_gets_no_answer_and_harms_nobody() {
    let client = Client::new(0).await;
    let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a port");
    for nonsense in [&[][..], &[0xff; 3], &[0xff; 40], &[0; 12], &[0xc0; 300]] {
        socket
            .send_to(nonsense, client.responder.address())
            .await
            .expect("it is sent");
    }
    let reply = client.ask("primary.db.example", RecordType::A).await;
    assert_eq!(reply.answers.len(), 1);
}
