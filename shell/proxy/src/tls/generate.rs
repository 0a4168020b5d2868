//! The certificate that the proxy makes for itself at its first start, so that no connection need
//! be readable by others. Clients that want to know whom they speak to get the authority's.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose, date_time_ymd,
};

use super::{ClientCertificates, ClientTlsFiles, TlsError};

/// The authority's certificate: what clients are given to check the proxy's.
const CA: &str = "ca.pem";
const CERTIFICATE: &str = "server-cert.pem";
const KEY: &str = "server-key.pem";

/// The certificate in `folder`, made now if there is none. `names` are those by which clients
/// connect. The authority's own key is not kept: nobody can sign another certificate with it.
pub fn generate(folder: &Path, names: &[String]) -> Result<ClientTlsFiles, TlsError> {
    let files = ClientTlsFiles {
        certificate: folder.join(CERTIFICATE),
        key: folder.join(KEY),
        clients: ClientCertificates::Ignored,
    };
    if files.certificate.exists() && files.key.exists() {
        return Ok(files);
    }
    fs::create_dir_all(folder).map_err(|reason| TlsError::File {
        verb: "make the folder",
        path: folder.to_owned(),
        reason,
    })?;
    let authority = CertifiedIssuer::self_signed(authority()?, KeyPair::generate()?)?;
    let key = KeyPair::generate()?;
    let certificate = own(names)?.signed_by(&key, &authority)?;
    write(&folder.join(CA), &authority.pem(), 0o644)?;
    write(&files.key, &key.serialize_pem(), 0o600)?;
    // The last one: with it, the files count as made.
    write(&files.certificate, &certificate.pem(), 0o644)?;
    Ok(files)
}

fn authority() -> Result<CertificateParams, TlsError> {
    let mut params = params(Vec::new(), "mainstay: authority made at first start")?;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![
        KeyUsagePurpose::KeyCertSign,
        KeyUsagePurpose::DigitalSignature,
    ];
    Ok(params)
}

fn own(names: &[String]) -> Result<CertificateParams, TlsError> {
    let mut params = params(names.to_vec(), "mainstay: certificate made at first start")?;
    params.use_authority_key_identifier_extension = true;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    Ok(params)
}

fn params(names: Vec<String>, common_name: &str) -> Result<CertificateParams, TlsError> {
    let mut params = CertificateParams::new(names)?;
    params
        .distinguished_name
        .push(DnType::CommonName, common_name);
    // Nobody renews it: who wants certificates that end brings their own.
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2120, 1, 1);
    Ok(params)
}

/// Writes a file that is whole or not there, with its mode from the first moment.
fn write(path: &Path, text: &str, mode: u32) -> Result<(), TlsError> {
    let failed = |reason| TlsError::File {
        verb: "write",
        path: path.to_owned(),
        reason,
    };
    let beside = path.with_extension("new");
    match fs::remove_file(&beside) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(failed(error)),
        Ok(()) | Err(_) => {}
    }
    let mut options = OpenOptions::new();
    let mut file = options
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(&beside)
        .map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)?;
    file.sync_all().map_err(failed)?;
    fs::rename(&beside, path).map_err(failed)
}
