//! Commands that pass through: files, binlogs, cursors, options, long and odd packets.

use mainstay_session::{BinlogSource, ConnId, Policy};
use mainstay_wire::Capabilities;
use mainstay_wire::codec::put_u32;
use mainstay_wire::packet::{MAX_PAYLOAD, put_packet};

use crate::client::{Client, Reply};
use crate::fake::{World, policy, routes};
use crate::statements::prepare;

const LOAD: &str = "LOAD DATA LOCAL INFILE 'f' INTO TABLE t";

fn with_files() -> World {
    let policy = Policy {
        local_infile: true,
        ..policy()
    };
    World::with(policy, routes(1, 0, Some("db1"), &["db2"]))
}

fn login_with(world: &mut World, capabilities: Capabilities) -> u32 {
    let id = world.accept();
    let client = world.clients.get_mut(&id).expect("a client");
    client.capabilities = client.capabilities | capabilities;
    let hello = client.hello("app", crate::fake::PASSWORD, None);
    world.client_sends(id, &hello);
    assert!(world.reply(id).is_ok(), "the login succeeds");
    id
}

fn file(pieces: &[&[u8]]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut sequence = 2;
    for piece in pieces.iter().chain([&&b""[..]]) {
        sequence = put_packet(&mut bytes, sequence, piece);
    }
    bytes
}

#[test]
fn a_file_of_the_client_goes_to_the_writer_however_the_bytes_are_cut() {
    for cut in [usize::MAX, 3, 1] {
        let mut world = with_files();
        let client = login_with(&mut world, Capabilities::LOCAL_FILES);
        world.cut = cut;
        world.send(client, LOAD);
        assert_eq!(world.reply(client), Reply::Nothing);
        world.client_sends(client, &file(&[b"1,one\n", b"2,two\n"]));
        assert!(
            world
                .clients
                .get_mut(&client)
                .expect("it")
                .file_reply()
                .is_ok()
        );
        assert_eq!(world.servers["db1"].files, [b"1,one\n2,two\n"]);
        world.cut = usize::MAX;
        assert_eq!(world.query(client, "SELECT 1"), Reply::rows(&["db2"]));
    }
}

#[test]
fn a_server_gets_no_file_that_its_client_did_not_offer() {
    let mut world = with_files();
    let client = login_with(&mut world, Capabilities::LOCAL_FILES);
    world.servers.get_mut("db1").expect("db1").rogue = true;
    let reply = world.query(client, "INSERT INTO t VALUES (1)");
    assert_eq!(reply.code(), 2013);
    assert!(
        !world.clients[&client]
            .everything
            .windows(4)
            .any(|part| part == b"file")
    );
}

#[test]
fn files_are_not_offered_unless_they_are_allowed() {
    let mut world = World::new();
    let client = world.accept();
    let offered = world.clients[&client].greeting().capabilities;
    assert!(!offered.contains(Capabilities::LOCAL_FILES));
}

#[test]
fn a_reader_of_binlogs_is_joined_to_a_reader() {
    let mut world = World::new();
    let client = world.login(None);
    assert!(
        world
            .query(client, "SET @master_binlog_checksum='NONE'")
            .is_ok()
    );
    assert!(world.command(client, 0x15, &[1, 0, 0, 0]).is_ok());
    world.clients.get_mut(&client).expect("it").inbox.clear();
    world.client_sends(client, &Client::command(0x12, b"\x04\0\0\0\0\0\x07\0\0\0"));
    assert_eq!(world.clients[&client].inbox, b"binlog");
    world.client_sends(client, &Client::command(0xef, b"acknowledged"));
    assert_eq!(world.clients[&client].inbox, b"binlogmore");
    let log = world.log("db2");
    assert_eq!(log[log.len() - 2..], ["command 0x15", "dump"]);
    world.kill("db2");
    assert!(world.clients[&client].closed);
}

#[test]
fn the_settings_name_who_serves_binlogs() {
    let policy = Policy {
        binlog: BinlogSource::Writer,
        ..policy()
    };
    let mut world = World::with(policy, routes(1, 0, Some("db1"), &["db2"]));
    let client = world.login(None);
    world.client_sends(client, &Client::command(0x12, b"\x04\0\0\0\0\0\x07\0\0\0"));
    assert_eq!(world.log("db1"), ["dump"]);
    world.leave(client);
    assert!(
        world.connections.is_empty(),
        "nobody else gets its connection"
    );
}

fn execute_with(world: &mut World, client: u32, id: u32, flags: u8) -> Reply {
    let mut argument = Vec::new();
    put_u32(&mut argument, id);
    argument.extend_from_slice(&[flags, 1, 0, 0, 0]);
    world.command(client, 0x17, &argument)
}

fn in_use(world: &World) -> usize {
    world
        .core
        .stats()
        .servers
        .values()
        .map(|one| one.used)
        .sum()
}

#[test]
fn a_cursor_of_one_statement_stays_open_while_another_runs() {
    let mut world = World::new();
    let client = world.login(None);
    let [first, second] = ["SELECT 1"; 2].map(|sql| prepare(&mut world, client, sql));
    execute_with(&mut world, client, first, 1);
    assert_eq!(
        execute_with(&mut world, client, second, 0),
        Reply::rows(&["db1"])
    );
    let fetch = |id: u32| [id.to_le_bytes(), 1_u32.to_le_bytes()].concat();
    world.clients.get_mut(&client).expect("it").expects(0x1c);
    world.client_sends(client, &Client::command(0x1c, &fetch(first)));
    assert!(
        world.clients[&client]
            .inbox
            .windows(4)
            .any(|part| part == b"\x03row")
    );
    world.clients.get_mut(&client).expect("it").inbox.clear();
    let text = format!("The statement ({second}) has no open cursor.");
    let reply = world.command(client, 0x1c, &fetch(second));
    assert_eq!(reply, Reply::Error(1421, "HY000".to_owned(), text));
    assert_eq!(in_use(&world), 1);
    assert!(world.command(client, 0x1a, &first.to_le_bytes()).is_ok());
    assert_eq!(in_use(&world), 0);
}

#[test]
fn a_statement_that_does_not_exist_is_named_as_servers_do() {
    let mut world = World::new();
    let client = world.login(None);
    let reply = execute_with(&mut world, client, 99, 0);
    let text = "Unknown prepared statement handler (99) given to mysql_stmt_precheck";
    assert_eq!(
        reply,
        Reply::Error(1243, "HY000".to_owned(), text.to_owned())
    );
}

#[test]
fn several_statements_are_allowed_or_not_on_a_tied_connection_too() {
    let mut world = World::new();
    let client = world.login(None);
    world.query(client, "BEGIN");
    assert!(world.command(client, 0x1b, &[1, 0]).is_ok());
    assert!(world.log("db1").contains(&"command 0x1b"));
    world.query(client, "COMMIT");
    assert_eq!(world.query(client, "SELECT 1"), Reply::rows(&["db2"]));
    assert_eq!(world.command(client, 0x1b, &[7, 0]).code(), 1047);
}

#[test]
fn a_query_with_attributes_is_split_by_its_text() {
    let policy = Policy {
        server_version: "8.4.0".to_owned(),
        ..policy()
    };
    let mut world = World::with(policy, routes(1, 0, Some("db1"), &["db2"]));
    let client = login_with(&mut world, Capabilities::QUERY_ATTRIBUTES);
    let attributes = b"\x01\x01\x00\x01\xfe\x00\x01a\x011";
    let read = [&attributes[..], b"SELECT 1"].concat();
    assert_eq!(world.command(client, 0x03, &read), Reply::rows(&["db2"]));
    let write = [&attributes[..], b"INSERT INTO t VALUES (1)"].concat();
    assert!(world.command(client, 0x03, &write).is_ok());
    assert_eq!(world.log("db1"), ["INSERT INTO t VALUES (1)"]);
    let set = [&b"\x00\x01"[..], b"SET sql_mode=ANSI"].concat();
    assert!(world.command(client, 0x03, &set).is_ok());
    let ask = [&b"\x00\x01"[..], b"SELECT @@sql_mode"].concat();
    assert_eq!(world.command(client, 0x03, &ask), Reply::rows(&["ANSI"]));
    assert_eq!(world.command(client, 0x03, b"\x01").code(), 1835);
}

#[test]
fn an_empty_packet_is_an_unknown_command() {
    let mut world = World::new();
    let client = world.login(None);
    world.clients.get_mut(&client).expect("it").expects(0);
    world.client_sends(client, &[0, 0, 0, 0]);
    assert_eq!(world.reply(client).code(), 1047);
    assert_eq!(world.query(client, "SELECT 1"), Reply::rows(&["db2"]));
}

#[test]
fn commands_that_no_client_may_send_are_unknown_and_none_stops_a_server() {
    let mut world = World::new();
    let client = world.login(None);
    for byte in [
        0x00, 0x05, 0x06, 0x0b, 0x0f, 0x10, 0x13, 0x14, 0x1d, 0x20, 0x7f, 0xfa,
    ] {
        world.clients.get_mut(&client).expect("it").expects(0);
        world.client_sends(client, &Client::command(byte, b""));
        assert_eq!(world.reply(client).code(), 1047, "{byte:#x}");
    }
    assert_eq!(world.command(client, 0x08, b"").code(), 1227);
    assert!(world.log("db1").is_empty());
}

#[test]
fn a_command_longer_than_allowed_gets_its_error_and_is_closed() {
    let policy = Policy {
        packet_max: MAX_PAYLOAD + 100,
        ..policy()
    };
    let mut world = World::with(policy, routes(1, 0, Some("db1"), &["db2"]));
    let (client, other) = (world.login(None), world.login(None));
    let mut sql = b"\x03INSERT INTO t VALUES ('".to_vec();
    sql.resize(MAX_PAYLOAD + 200, b'x');
    let mut bytes = Vec::new();
    put_packet(&mut bytes, 0, &sql);
    world.clients.get_mut(&client).expect("it").expects(3);
    world.cut = 1 << 16;
    world.client_sends(client, &bytes);
    assert_eq!(world.reply(client).code(), 1153);
    assert!(world.clients[&client].closed);
    // The server has a part of it, and nobody else gets its connection.
    assert!(world.connections.is_empty());
    assert_eq!(world.query(other, "SELECT 1"), Reply::rows(&["db2"]));
}

#[test]
fn a_client_that_does_not_send_its_file_holds_up_nobody() {
    let mut world = with_files();
    let slow = login_with(&mut world, Capabilities::LOCAL_FILES);
    world.send(slow, LOAD);
    let other = world.login(None);
    assert!(world.query(other, "INSERT INTO t VALUES (1)").is_ok());
    assert!(!world.paused.contains(&ConnId::Client(other)));
    world.leave(slow);
    assert!(world.servers["db1"].files.is_empty());
}
