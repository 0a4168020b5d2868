//! Receivers that are really there: a program, an HTTP server, a mail server.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::*;

const LIMIT: Duration = Duration::from_secs(20);

fn message() -> Message {
    Message {
        cluster: "shop".to_owned(),
        kind: Kind::Began,
        code: "primary-dead".to_owned(),
        subject: "db1".to_owned(),
        sentence: "db1: dead: connections are refused".to_owned(),
        at_ms: 1_795_180_874_123,
    }
}

fn script(folder: &Path, text: &str) -> Channel {
    let program = folder.join("alert");
    std::fs::write(&program, format!("#!/bin/sh\n{text}\n")).expect("a file");
    std::fs::set_permissions(&program, PermissionsExt::from_mode(0o700)).expect("a mode");
    Channel {
        means: Means::Command(Command {
            program,
            arguments: vec!["loud".to_owned()],
        }),
        limit: LIMIT,
    }
}

#[tokio::test]
async fn a_command_has_the_message_in_its_environment() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("out");
    let text = format!(
        "echo \"$1|$MAINSTAY_CLUSTER|$MAINSTAY_EVENT|$MAINSTAY_CODE|$MAINSTAY_SUBJECT|\
         $MAINSTAY_SENTENCE|$MAINSTAY_AT_MS\" > {}",
        out.display()
    );
    let channel = script(folder.path(), &text);
    deliver(&channel, &message()).await.expect("delivered");
    let line = std::fs::read_to_string(out).expect("the program has run");
    let sentence = "db1: dead: connections are refused";
    assert_eq!(
        line,
        format!("loud|shop|began|primary-dead|db1|{sentence}|1795180874123\n")
    );
}

#[tokio::test]
async fn a_command_that_fails_is_told_with_what_it_printed() {
    let folder = tempfile::tempdir().expect("a folder");
    let channel = script(folder.path(), "echo no pager here >&2; exit 3");
    let error = deliver(&channel, &message()).await.expect_err("it fails");
    let text = error.to_string();
    assert!(text.contains("exit status: 3: no pager here"), "{text}");
}

#[tokio::test]
async fn a_command_that_hangs_is_ended() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut channel = script(folder.path(), "exec sleep 1000");
    channel.limit = Duration::from_millis(200);
    let error = deliver(&channel, &message()).await.expect_err("it is late");
    assert!(matches!(error, NotifyError::Late { .. }), "{error}");
}

/// Answers one HTTP request; gives its body.
fn http_server(answer: &'static str) -> (u16, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let served = thread::spawn(move || {
        let (stream, _) = listener.accept().expect("a request");
        let mut reader = BufReader::new(stream);
        let mut length = 0;
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).expect("a line");
            if let Some(number) = line.to_lowercase().strip_prefix("content-length:") {
                length = number.trim().parse().expect("a number");
            }
            if line.trim().is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).expect("a body");
        let answer = format!("HTTP/1.1 {answer}\r\ncontent-length: 0\r\n\r\n");
        reader.get_mut().write_all(answer.as_bytes()).expect("sent");
        String::from_utf8(body).expect("text")
    });
    (port, served)
}

#[tokio::test]
async fn a_webhook_gets_json() {
    let (port, served) = http_server("204 No Content");
    let url = format!("http://127.0.0.1:{port}/hook/secret");
    let channel = Channel {
        means: Means::Webhook(Webhook { url }),
        limit: LIMIT,
    };
    deliver(&channel, &message()).await.expect("delivered");
    let body: serde_json::Value =
        serde_json::from_str(&served.join().expect("served")).expect("JSON");
    assert_eq!(body, message().json());
    assert_eq!(body["text"], "[shop] db1: dead: connections are refused");
}

#[test]
fn a_webhook_that_refuses_is_told_without_its_secret() {
    let (port, served) = http_server("403 Forbidden");
    let webhook = Webhook {
        url: format!("http://user:pass@127.0.0.1:{port}/hook/secret?token=x"),
    };
    let error = webhook.post(&message(), LIMIT).expect_err("refused");
    served.join().expect("served");
    let text = format!("{error} {webhook:?}");
    assert!(
        text.contains(&format!("127.0.0.1:{port} did not take")),
        "{text}"
    );
    assert!(text.contains("it answered 403"), "{text}");
    for secret in ["pass", "secret", "token"] {
        assert!(!text.contains(secret), "{text}");
    }
}

/// Takes one mail, as RFC 5321 has it; gives what it was sent.
fn mail_server() -> (u16, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let served = thread::spawn(move || {
        let (stream, _) = listener.accept().expect("a client");
        converse(stream)
    });
    (port, served)
}

fn converse(stream: TcpStream) -> String {
    let mut reader = BufReader::new(stream);
    let mut heard = String::new();
    let mut in_data = false;
    let say = |reader: &mut BufReader<TcpStream>, text: &str| {
        let line = format!("{text}\r\n");
        reader.get_mut().write_all(line.as_bytes()).expect("sent");
    };
    say(&mut reader, "220 here");
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).expect("a line") == 0 {
            return heard;
        }
        heard.push_str(&line);
        match line.trim_end() {
            "." if in_data => {
                in_data = false;
                say(&mut reader, "250 taken");
            }
            _ if in_data => {}
            "DATA" => {
                in_data = true;
                say(&mut reader, "354 go on");
            }
            "QUIT" => {
                say(&mut reader, "221 bye");
                return heard;
            }
            _ => say(&mut reader, "250 fine"),
        }
    }
}

fn mail(port: u16) -> Mail {
    Mail {
        server: "127.0.0.1".to_owned(),
        port,
        encryption: Encryption::None,
        account: None,
        from: "Mainstay <mainstay@shop.example>".to_owned(),
        to: vec![
            "dba@shop.example".to_owned(),
            "night@shop.example".to_owned(),
        ],
    }
}

#[test]
fn a_mail_goes_to_all_its_readers() {
    let (port, served) = mail_server();
    mail(port).send(&message(), LIMIT).expect("sent");
    let heard = served.join().expect("served");
    for part in [
        "MAIL FROM:<mainstay@shop.example>",
        "RCPT TO:<dba@shop.example>",
        "RCPT TO:<night@shop.example>",
        "Subject: [shop] db1: dead: connections are refused",
        "code: primary-dead",
    ] {
        assert!(heard.contains(part), "{part} is not in {heard}");
    }
}

#[test]
fn what_is_no_address_is_told() {
    let mail = Mail {
        to: vec!["nobody".to_owned()],
        ..mail(1)
    };
    let error = mail.send(&message(), LIMIT).expect_err("no address");
    assert!(
        error.to_string().contains("\"nobody\" is no address"),
        "{error}"
    );
}
