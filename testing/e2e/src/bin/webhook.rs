//! A webhook for tests of clouds, behind which the API of a cloud is unwell: it refuses the first
//! call, never answers the second, and accepts all others. What it is told becomes lines of a file.
//!
//! ```text
//! webhook ADDRESS FILE   until it is ended; the file is there as soon as it listens
//! ```

use std::fs::OpenOptions;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [address, file] = &arguments[..] else {
        panic!("ADDRESS FILE");
    };
    let listener = TcpListener::bind(address).expect("the address is free");
    let told = OpenOptions::new().create(true).append(true).open(file);
    let mut told = told.expect("the file can be written");
    // Kept open, so that whoever calls waits in vain.
    let mut unanswered = Vec::new();
    for (call, stream) in (1_u32..).zip(listener.incoming()) {
        let mut stream = stream.expect("a connection");
        let body = body_of(&mut stream);
        writeln!(told, "{body}").expect("the file can be written");
        let status = match call {
            1 => "503 Service Unavailable",
            2 => {
                unanswered.push(stream);
                continue;
            }
            _ => "204 No Content",
        };
        // Whoever has called may be gone.
        let _ = write!(stream, "HTTP/1.1 {status}\r\nConnection: close\r\n");
        let _ = write!(stream, "Content-Length: 0\r\n\r\n");
    }
}

/// The JSON object of a request, in one line.
fn body_of(stream: &mut TcpStream) -> String {
    let mut request = Vec::new();
    let mut buffer = [0; 4_096];
    loop {
        let read = stream.read(&mut buffer).unwrap_or(0);
        request.extend_from_slice(&buffer[..read]);
        let text = String::from_utf8_lossy(&request);
        let body = text.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        if read == 0 || body.ends_with('}') {
            return body.replace('\n', "");
        }
    }
}
