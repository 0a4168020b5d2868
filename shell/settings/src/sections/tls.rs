//! `[proxy.tls]` and `[proxy.server_tls]`.

use std::path::{Path, PathBuf};

use mainstay_session::policy::ClientTls;

use crate::reader::Section;
use crate::settings::{ClientTlsSettings, ServerTlsMode, ServerTlsSettings};

const CLIENT_MODES: [(&str, ClientTls); 3] = [
    ("off", ClientTls::Off),
    ("offered", ClientTls::Offered),
    ("required", ClientTls::Required),
];

const SERVER_MODES: [(&str, ServerTlsMode); 5] = [
    ("disabled", ServerTlsMode::Disabled),
    ("preferred", ServerTlsMode::Preferred),
    ("required", ServerTlsMode::Required),
    ("verify_ca", ServerTlsMode::VerifyCa),
    ("verify_identity", ServerTlsMode::VerifyIdentity),
];

/// Whether a certificate of an authority must be shown.
const CERTIFICATES: [(&str, bool); 2] = [("optional", false), ("required", true)];

pub(super) fn clients(proxy: &mut Section<'_, '_, '_>, folder: &Path) -> ClientTlsSettings {
    proxy.sub("tls", "proxy.tls", |section| read_clients(section, folder))
}

pub(super) fn servers(proxy: &mut Section<'_, '_, '_>, folder: &Path) -> ServerTlsSettings {
    proxy.sub("server_tls", "proxy.server_tls", |section| {
        read_servers(section, folder)
    })
}

fn read_clients(mut section: Section<'_, '_, '_>, folder: &Path) -> ClientTlsSettings {
    let mode = section.choice("mode", &CLIENT_MODES);
    let own = own(&mut section, folder);
    let client_ca = path(&mut section, "client_ca", folder);
    let required = section.choice("client_certificates", &CERTIFICATES);
    if required.is_some() && client_ca.is_none() {
        let sentence = "needs `client_ca`: without an authority no certificate can be checked";
        section.wrong("client_certificates", sentence.to_owned());
    }
    section.end();
    ClientTlsSettings {
        mode: mode.unwrap_or(ClientTls::Offered),
        own,
        client_ca: client_ca.map(|path| (path, required.unwrap_or(false))),
    }
}

fn read_servers(mut section: Section<'_, '_, '_>, folder: &Path) -> ServerTlsSettings {
    let mode = section.choice("mode", &SERVER_MODES);
    let mode = mode.unwrap_or(ServerTlsMode::Preferred);
    let ca = path(&mut section, "ca", folder);
    let verifies = matches!(
        mode,
        ServerTlsMode::VerifyCa | ServerTlsMode::VerifyIdentity
    );
    if verifies && ca.is_none() {
        section.missing("ca", "the certificates of servers are checked against it");
    } else if !verifies && ca.is_some() {
        let sentence = "is only used with mode \"verify_ca\" or \"verify_identity\"";
        section.wrong("ca", sentence.to_owned());
    }
    let own = own(&mut section, folder);
    section.end();
    ServerTlsSettings { mode, ca, own }
}

/// A certificate and its key: both or none.
fn own(section: &mut Section<'_, '_, '_>, folder: &Path) -> Option<(PathBuf, PathBuf)> {
    let certificate = path(section, "certificate", folder);
    let key = path(section, "key", folder);
    for (has, other) in [(&certificate, "key"), (&key, "certificate")] {
        if has.is_some() && !section.has(other) {
            section.missing(other, "a certificate and its key go together");
        }
    }
    certificate.zip(key)
}

fn path(section: &mut Section<'_, '_, '_>, key: &'static str, folder: &Path) -> Option<PathBuf> {
    let text = section.text(key, "the path of a PEM file");
    text.map(|path| folder.join(path))
}
