//! Clients that send garbage, packets out of order, too long ones or nothing at all get what a
//! server gives them, are closed, and nobody else notices. Each family with one driver.

use std::fs;

use mainstay_e2e::{Client, Family, Home, Login, PacketClient, Sandbox, on_both_families};

on_both_families!(broken_clients_get_what_servers_give_and_harm_nobody);

/// What is sent, and whether after a login.
type Case = (&'static str, bool, &'static [u8]);

const CASES: [Case; 6] = [
    (
        "another protocol",
        false,
        b"GET / HTTP/1.1\r\nHost: here\r\n\r\n",
    ),
    ("a response that is none", false, b"\x05\0\0\x01abcde"),
    ("an empty response", false, b"\0\0\0\x01"),
    ("a response out of order", false, b"\x05\0\0\x05abcde"),
    ("a command out of order", true, b"\x09\0\0\x03\x03SELECT 1"),
    ("nothing", false, b""),
];

const UNKNOWN_COMMAND: u16 = 1047;
const TOO_LONG: u16 = 1153;
const LARGEST: usize = 0xff_ffff;

fn broken_clients_get_what_servers_give_and_harm_nobody(family: Family) {
    let home = Home::new();
    let file = home.join("proxy.toml");
    let io = match family {
        Family::MariaDb => "epoll",
        Family::MySql => "io_uring",
    };
    let text = format!(
        "[proxy]\nio = \"{io}\"\nhandshake_limit = \"2s\"\nmax_allowed_packet = \"16MiB\"\n"
    );
    fs::write(&file, text).expect("a file can be written");
    let sandbox = Sandbox::start_with(family, &["--settings", file.to_str().expect("a path")]);
    for server in sandbox.servers() {
        let mut manager = Client::connect(&sandbox.manager_login(&server.name));
        let limits = "connect_timeout = 2, max_allowed_packet = 16777216";
        manager.execute(&format!("SET GLOBAL {limits}"));
    }
    let direct = sandbox.server(&sandbox.primary()).login;
    let proxy = sandbox.proxy();
    let mut other = Client::connect(&proxy);
    let mut before = other.value("SELECT 1");
    for (name, after_login, bytes) in CASES {
        let [by_server, by_proxy] =
            [&direct, &proxy].map(|login| answer(login, after_login, bytes));
        assert_eq!(by_proxy, by_server, "{name}");
        before += &other.value("SELECT 1");
    }
    assert_eq!(before, "1".repeat(1 + CASES.len()));
    an_empty_command_is_unknown(&proxy);
    a_command_that_is_too_long_is_refused(&proxy);
    a_client_that_leaves_in_the_middle_is_forgotten(&proxy);
    assert_eq!(other.value("SELECT 'unharmed'"), "unharmed");
}

fn session(login: &Login) -> PacketClient {
    let connected = PacketClient::connect(login);
    connected.unwrap_or_else(|error| panic!("no session: {}", error.message))
}

/// The errors before the connection ends.
fn answer(login: &Login, after_login: bool, bytes: &[u8]) -> Vec<u16> {
    let mut client = if after_login {
        session(login)
    } else {
        PacketClient::greeted(login).expect("a greeting")
    };
    client.send_bytes(bytes);
    client.errors_to_the_end()
}

fn an_empty_command_is_unknown(proxy: &Login) {
    let mut client = session(proxy);
    client.send_bytes(b"\0\0\0\0");
    client.ends();
    assert_eq!(client.errors_to_the_end(), [UNKNOWN_COMMAND]);
}

/// The error is lost where the client's bytes under way make it a reset.
fn a_command_that_is_too_long_is_refused(proxy: &Login) {
    let mut client = session(proxy);
    for sequence in 0..2 {
        client.send_bytes(&[0xff, 0xff, 0xff, sequence, 3]);
        client.send_bytes(&vec![b' '; LARGEST - 1]);
    }
    let told = client.errors_to_the_end();
    assert!(told.is_empty() || told == [TOO_LONG], "{told:?}");
}

fn a_client_that_leaves_in_the_middle_is_forgotten(proxy: &Login) {
    let mut client = session(proxy);
    client.send_bytes(b"\x20\0\0\0\x03SELECT");
    client.ends();
    assert_eq!(client.errors_to_the_end(), [0_u16; 0]);
}
