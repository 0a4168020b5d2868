//! What is between a client and a statement: TLS, compression, certificates, addresses told by a
//! balancer. Real clients and servers, both sides of the proxy filtered.

mod certificates;

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;

use mainstay_e2e::{Family, Home, Login, Sandbox, on_both_families, server_client};

use certificates::Certificates;

on_both_families!(clients_are_served_through_every_filter);

/// What the family's client is told to do to have TLS or not, and compression.
fn combinations(family: Family, ca: &str) -> Vec<Vec<String>> {
    let owned = |options: &[&str]| options.iter().map(|one| (*one).to_owned()).collect();
    match family {
        Family::MariaDb => vec![
            owned(&["--skip-ssl"]),
            owned(&["--ssl"]),
            owned(&[
                "--ssl",
                "--ssl-verify-server-cert",
                &format!("--ssl-ca={ca}"),
            ]),
            owned(&["--skip-ssl", "--compress"]),
            owned(&["--ssl", "--compress"]),
        ],
        Family::MySql => vec![
            owned(&["--ssl-mode=DISABLED", "--get-server-public-key"]),
            owned(&["--ssl-mode=REQUIRED", "--tls-version=TLSv1.2"]),
            owned(&["--ssl-mode=VERIFY_IDENTITY", &format!("--ssl-ca={ca}")]),
            owned(&["--compression-algorithms=zlib"]),
            owned(&[
                "--compression-algorithms=zstd",
                "--zstd-compression-level=7",
            ]),
            owned(&[
                "--compression-algorithms=zlib,zstd",
                "--ssl-mode=DISABLED",
                "--get-server-public-key",
            ]),
        ],
    }
}

fn run(family: Family, login: &Login, options: &[String], sql: &str) -> String {
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    let finished = server_client(family, login, &options, sql);
    finished.stdout + &finished.stderr
}

fn settings(family: Family) -> &'static str {
    match family {
        Family::MariaDb => {
            "[proxy]\nserver_compression = \"zlib\"\nproxy_protocol_from = [\"127.0.0.1\"]\n\
             [[user]]\nname = \"ed\"\npassword = \"ed's secret\"\nplugin = \"client_ed25519\"\n\
             [[user]]\nname = \"careful\"\npassword = \"careful's secret\"\nrequire = \"tls\"\n"
        }
        Family::MySql => {
            "[proxy]\nserver_compression = \"zstd\"\nproxy_protocol_from = [\"127.0.0.1\"]\n\
             [[user]]\nname = \"plain\"\npassword = \"plain's secret\"\n\
             plugin = \"mysql_clear_password\"\n\
             [[user]]\nname = \"careful\"\npassword = \"careful's secret\"\nrequire = \"tls\"\n"
        }
    }
}

const CERTIFIED: &str = "[proxy.tls]\nclient_ca = \"clients-ca.pem\"\n\
                         [[user]]\nname = \"certified\"\npassword = \"certified's secret\"\n\
                         require = \"certificate\"\n";

fn clients_are_served_through_every_filter(family: Family) {
    let home = Home::new();
    let file = home.join("proxy.toml");
    let certificates = Certificates::make(home.path());
    let text = settings(family).to_owned() + CERTIFIED;
    fs::write(&file, text).expect("a file can be written");
    let file = file.to_str().expect("a path");
    let sandbox = Sandbox::start_with(family, &["--settings", file]);
    every_combination_serves(&sandbox);
    compression_and_tls_reach_the_server(&sandbox);
    users_prove_themselves_as_they_must(&sandbox);
    a_user_proves_a_certificate(&sandbox, &certificates);
    a_told_address_is_the_clients(&sandbox);
}

fn every_combination_serves(sandbox: &Sandbox) {
    let (family, proxy) = (sandbox.family(), sandbox.proxy());
    let ca = sandbox.dir().join("mainstay.tls/ca.pem");
    for options in combinations(family, ca.to_str().expect("a path")) {
        let sql = "SELECT 41 + 1; SELECT LENGTH(REPEAT('ab', 3000000)); SELECT REPEAT('z', 200000)";
        let said = run(family, &proxy, &options, sql);
        let lines: Vec<&str> = said.lines().collect();
        assert_eq!(lines[..2], ["42", "6000000"], "{options:?}: {said:.200}");
        assert_eq!(lines[2].len(), 200_000, "{options:?}");
    }
    let wrong = Login {
        password: "wrong".to_owned(),
        ..proxy
    };
    let said = run(family, &wrong, &[], "SELECT 1");
    assert!(said.contains("1045 (28000)"), "{said}");
}

fn compression_and_tls_reach_the_server(sandbox: &Sandbox) {
    let (family, proxy) = (sandbox.family(), sandbox.proxy());
    let said = run(family, &proxy, &[], "SHOW STATUS LIKE 'Compression'");
    assert_eq!(said.trim(), "Compression\tON");
    if family == Family::MySql {
        let said = run(family, &proxy, &[], "SHOW STATUS LIKE 'Ssl_cipher'");
        assert!(said.contains("TLS_"), "{said}");
    }
}

fn users_prove_themselves_as_they_must(sandbox: &Sandbox) {
    let family = sandbox.family();
    let manager = sandbox.manager_login(&sandbox.primary());
    let (user, options): (_, &[&str]) = match family {
        Family::MariaDb => ("ed", &[]),
        Family::MySql => ("plain", &["--enable-cleartext-plugin"]),
    };
    for name in [user, "careful"] {
        let sql = format!("CREATE USER {name}@'%' IDENTIFIED BY \"{name}'s secret\"");
        let said = run(family, &manager, &[], &sql);
        assert_eq!(said, "");
    }
    let login = |name: &str| Login {
        user: name.to_owned(),
        password: format!("{name}'s secret"),
        database: None,
        ..sandbox.proxy()
    };
    let owned =
        |options: &[&str]| -> Vec<String> { options.iter().map(|one| (*one).to_owned()).collect() };
    assert_eq!(
        run(family, &login(user), &owned(options), "SELECT 1"),
        "1\n"
    );
    let (with, without) = match family {
        Family::MariaDb => ("--ssl", "--skip-ssl"),
        Family::MySql => ("--ssl-mode=REQUIRED", "--ssl-mode=DISABLED"),
    };
    let careful = login("careful");
    assert_eq!(run(family, &careful, &owned(&[with]), "SELECT 1"), "1\n");
    let said = run(family, &careful, &owned(&[without]), "SELECT 1");
    assert!(said.contains("1045 (28000)"), "{said}");
}

/// As `REQUIRE X509`: with a certificate of the known authority, and not without.
fn a_user_proves_a_certificate(sandbox: &Sandbox, certificates: &Certificates<'_>) {
    let family = sandbox.family();
    let manager = sandbox.manager_login(&sandbox.primary());
    let sql = "CREATE USER certified@'%' IDENTIFIED BY \"certified's secret\"";
    assert_eq!(run(family, &manager, &[], sql), "");
    let login = Login {
        user: "certified".to_owned(),
        password: "certified's secret".to_owned(),
        database: None,
        ..sandbox.proxy()
    };
    let tls = match family {
        Family::MariaDb => "--ssl",
        Family::MySql => "--ssl-mode=REQUIRED",
    };
    let with = |name: &str| [vec![tls.to_owned()], certificates.options(name)].concat();
    assert_eq!(run(family, &login, &with("right"), "SELECT 1"), "1\n");
    let said = run(family, &login, &[tls.to_owned()], "SELECT 1");
    assert!(said.contains("1045 (28000)"), "{said}");
    // The connection ends before a password is sent, whoever the user is.
    for login in [login, sandbox.proxy()] {
        let said = run(family, &login, &with("wrong"), "SELECT 1");
        assert!(said.contains("ERROR 20"), "{said}");
    }
}

/// The answer to a wrong login names the address, whoever carries it.
fn a_told_address_is_the_clients(sandbox: &Sandbox) {
    let proxy = sandbox.proxy();
    for (header, address) in [
        (
            &b"PROXY TCP4 192.0.2.7 198.51.100.1 56324 3306\r\n"[..],
            "192.0.2.7",
        ),
        (b"PROXY UNKNOWN\r\n", "127.0.0.1"),
        (
            b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\x02\x09\x0a\0\0\x01\0\x07\0\x07",
            "192.0.2.9",
        ),
    ] {
        let mut stream = TcpStream::connect((proxy.host.as_str(), proxy.port)).expect("listening");
        for byte in header {
            stream.write_all(&[*byte]).expect("open");
        }
        // A response of protocol 4.1 for a user that nobody knows, by mysql_native_password.
        let mut response = vec![0; 4];
        response.extend_from_slice(&0x0008_8201_u32.to_le_bytes());
        response.extend_from_slice(&[0, 0, 0, 1, 45]);
        response.extend_from_slice(&[0; 23]);
        response.extend_from_slice(b"nobody\0\x14");
        response.extend_from_slice(&[1; 20]);
        response.extend_from_slice(b"mysql_native_password\0");
        let len = u8::try_from(response.len() - 4).expect("a short packet");
        response[..4].copy_from_slice(&[len, 0, 0, 1]);
        stream.write_all(&response).expect("open");
        let mut said = Vec::new();
        // The proxy closes the connection; a reset says the same.
        let _ = stream.read_to_end(&mut said);
        let said = String::from_utf8_lossy(&said);
        assert!(said.contains(&format!("'nobody'@'{address}'")), "{said}");
    }
}
