//! Certificates: made once, kept private, verified or refused.

use std::os::unix::fs::PermissionsExt;

use rustls::pki_types::ServerName;

use super::*;

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder")
}

fn names() -> Vec<String> {
    ["localhost", "127.0.0.1", "::1"]
        .map(str::to_owned)
        .to_vec()
}

/// Whether a proxy with this certificate is believed under this trust.
fn believes(clients: &ClientTlsFiles, trust: Trust, name: &str) -> Result<(), rustls::Error> {
    let server = server_config(clients).expect("a certificate");
    let own = None;
    let client = client_config(&ServerTlsFiles { trust, own }).expect("an authority");
    let name = ServerName::try_from(name.to_owned()).expect("a name");
    let mut client = rustls::ClientConnection::new(Arc::new(client), name).expect("a client");
    let mut server = rustls::ServerConnection::new(Arc::new(server)).expect("a server");
    while client.is_handshaking() || server.is_handshaking() {
        let (mut up, mut down) = (Vec::new(), Vec::new());
        client.write_tls(&mut up).expect("into memory");
        server.read_tls(&mut up.as_slice()).expect("from memory");
        server.process_new_packets()?;
        server.write_tls(&mut down).expect("into memory");
        client.read_tls(&mut down.as_slice()).expect("from memory");
        client.process_new_packets()?;
    }
    Ok(())
}

#[test]
fn the_certificate_is_made_once_and_its_key_is_nobody_elses_to_read() {
    let folder = folder();
    let files = generate(folder.path(), &names()).expect("a certificate");
    let mode = |path: &PathBuf| {
        let seen = std::fs::metadata(path).expect("made");
        seen.permissions().mode() & 0o777
    };
    assert_eq!(mode(&files.key), 0o600);
    let before = std::fs::read(&files.certificate).expect("made");
    generate(folder.path(), &names()).expect("a certificate");
    assert_eq!(std::fs::read(&files.certificate).expect("made"), before);
}

#[test]
fn who_has_the_authority_of_the_made_certificate_can_check_it_by_name() {
    let folder = folder();
    let files = generate(folder.path(), &names()).expect("a certificate");
    let ca = || folder.path().join("ca.pem");
    assert_eq!(believes(&files, Trust::Identity(ca()), "localhost"), Ok(()));
    assert_eq!(believes(&files, Trust::Identity(ca()), "127.0.0.1"), Ok(()));
    assert!(believes(&files, Trust::Identity(ca()), "db1.example").is_err());
    assert_eq!(
        believes(&files, Trust::Authority(ca()), "db1.example"),
        Ok(())
    );
    assert_eq!(believes(&files, Trust::Anybody, "db1.example"), Ok(()));
    let other = self::folder();
    generate(other.path(), &names()).expect("a certificate");
    let other = other.path().join("ca.pem");
    assert!(believes(&files, Trust::Authority(other), "localhost").is_err());
}

#[test]
fn a_changed_file_changes_its_stamp() {
    let folder = folder();
    let clients = generate(folder.path(), &names()).expect("a certificate");
    let files = FilterFiles {
        clients: Some(clients.clone()),
        ..FilterFiles::default()
    };
    let before = files.stamps();
    assert_eq!(files.stamps(), before);
    std::fs::write(&clients.certificate, "no certificate").expect("writable");
    assert_ne!(files.stamps(), before);
    let error = files.load().expect_err("it is none").to_string();
    assert!(
        error.ends_with("server-cert.pem holds no certificate in PEM"),
        "{error}"
    );
}

#[test]
fn a_key_of_another_certificate_is_refused() {
    let (folder, other) = (folder(), folder());
    let mut clients = generate(folder.path(), &names()).expect("a certificate");
    clients.key = generate(other.path(), &names()).expect("a certificate").key;
    let files = FilterFiles {
        clients: Some(clients),
        ..FilterFiles::default()
    };
    assert!(matches!(files.load(), Err(TlsError::Unusable { .. })));
}
