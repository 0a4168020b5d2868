//! Keeps the admin interface's place: whoever connects to its port is told where to ask instead.

use mainstay_wire::error::ErrorCode;
use mainstay_wire::packet::put_packet;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;

/// The number a client sees is that of a thing not supported (1235).
const SENTENCE: &str = "the admin interface is not part of this version; \
                        use `mainstay status`, or the HTTP API";

/// Answers every connection with one error packet, instead of the greeting, and closes it: that is
/// how a server refuses (`Protocol::Handshake` in the MySQL source documentation).
pub(crate) async fn serve(listener: TcpListener) {
    let packet = refusal();
    loop {
        match listener.accept().await {
            Ok((mut client, _)) => {
                let packet = packet.clone();
                tokio::spawn(async move {
                    // A client that is gone already wants no answer.
                    let _ = client.write_all(&packet).await;
                    let _ = client.shutdown().await;
                });
            }
            // Out of file descriptors: the next client may find one.
            Err(_) => tokio::time::sleep(std::time::Duration::from_millis(100)).await,
        }
    }
}

fn refusal() -> Vec<u8> {
    let mut payload = Vec::new();
    ErrorCode::NotSupported.with(SENTENCE).encode(&mut payload);
    let mut packet = Vec::new();
    put_packet(&mut packet, 0, &payload);
    packet
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_refusal_is_one_packet_with_the_error_and_the_sentence() {
        let packet = refusal();
        assert_eq!(usize::from(packet[0]) + 4, packet.len());
        assert_eq!(packet[4], 0xff);
        assert!(packet.ends_with(SENTENCE.as_bytes()));
    }
}
