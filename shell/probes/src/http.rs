//! One request of HTTP/1.0, so that the body is plain and the connection ends.

use mainstay_health::HttpProbe;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::error::Failure;

/// What is read of an answer; the rest cannot be looked through.
const ANSWER_MAX: u64 = 256 * 1024;

pub(crate) async fn look(probe: &HttpProbe) -> Result<(), Failure> {
    let connected = TcpStream::connect(probe.address).await;
    let mut stream = connected.map_err(Failure::Connect)?;
    let host = probe
        .host
        .clone()
        .unwrap_or_else(|| probe.address.to_string());
    let path = &probe.path;
    let request = format!(
        "GET {path} HTTP/1.0\r\nHost: {host}\r\nUser-Agent: mainstay\r\nConnection: close\r\n\r\n"
    );
    stream
        .write_all(request.as_bytes())
        .await
        .map_err(Failure::Broken)?;
    let mut answer = Vec::new();
    let read = stream.take(ANSWER_MAX).read_to_end(&mut answer).await;
    read.map_err(Failure::Broken)?;
    judge(probe, &String::from_utf8_lossy(&answer))
}

fn judge(probe: &HttpProbe, answer: &str) -> Result<(), Failure> {
    let (head, body) = answer.split_once("\r\n\r\n").ok_or(Failure::NoHttp)?;
    let mut first = head.lines().next().unwrap_or_default().split(' ');
    let is_http = first.next().is_some_and(|word| word.starts_with("HTTP/1."));
    let status: u16 = first
        .next()
        .and_then(|status| status.parse().ok())
        .filter(|_| is_http)
        .ok_or(Failure::NoHttp)?;
    let right = match &probe.statuses[..] {
        [] => (200..300).contains(&status),
        listed => listed.contains(&status),
    };
    if !right {
        return Err(Failure::Status(status));
    }
    match &probe.contains {
        Some(text) if !body.contains(text.as_str()) => Err(Failure::Lacks),
        Some(_) | None => Ok(()),
    }
}
