//! Certificates of clients: an authority, one that it signed, and one that somebody else did.

use std::fs;
use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair,
};

type Authority = CertifiedIssuer<'static, KeyPair>;

/// Files of certificates in a folder.
pub(crate) struct Certificates<'a> {
    folder: &'a Path,
}

impl<'a> Certificates<'a> {
    /// Makes them: `clients-ca.pem`, and `right` and `wrong` with their keys.
    pub(crate) fn make(folder: &'a Path) -> Self {
        let (known, unknown) = (authority(), authority());
        let made = Self { folder };
        made.write("clients-ca.pem", &known.pem());
        for (name, by) in [("right", &known), ("wrong", &unknown)] {
            let key = KeyPair::generate().expect("a key");
            let mut params = CertificateParams::new([]).expect("no names");
            params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
            let certificate = params.signed_by(&key, by).expect("a signature");
            made.write(&format!("{name}.pem"), &certificate.pem());
            made.write(&format!("{name}.key"), &key.serialize_pem());
        }
        made
    }

    /// What a client is told to prove itself with one of them.
    pub(crate) fn options(&self, name: &str) -> Vec<String> {
        let path = |kind: &str| self.path(&format!("{name}.{kind}")).display().to_string();
        vec![
            format!("--ssl-cert={}", path("pem")),
            format!("--ssl-key={}", path("key")),
        ]
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).expect("a file can be written");
    }
}

fn authority() -> Authority {
    let mut params = CertificateParams::new([]).expect("no names");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().expect("a key");
    CertifiedIssuer::self_signed(params, key).expect("a signature")
}
