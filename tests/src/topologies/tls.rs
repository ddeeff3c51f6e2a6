//! Redis behind TLS, with an authority of its own.

use std::{fs, path::Path};

use rcgen::{BasicConstraints, Certificate, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

use super::Node;

/// A server that takes TLS only, and asks for a password if it is given one.
#[derive(Debug)]
pub struct TlsRedis {
    node: Node,
    ca: String,
}

impl TlsRedis {
    /// With more arguments of `redis-server`.
    pub async fn start(password: Option<&str>, more: &[&str]) -> Self {
        let authority = authority("the shop's own authority");
        let ca = authority.pem();
        let node = Node::start(|port, folder| {
            let (certificate, key) = signed(&authority);
            let file = |name: &str, text: &str| write(folder, name, text);
            let mut arguments = Node::arguments(0);
            for (option, value) in [
                ("--tls-port", port.to_string()),
                ("--tls-cert-file", file("server.pem", &certificate.pem())),
                ("--tls-key-file", file("server.key", &key.serialize_pem())),
                ("--tls-ca-cert-file", file("ca.pem", &ca)),
                ("--tls-auth-clients", "no".to_owned()),
            ] {
                arguments.extend([option.to_owned(), value]);
            }
            arguments.extend(more.iter().map(|&argument| argument.to_owned()));
            arguments
                .extend(password.into_iter().flat_map(|password| ["--requirepass".to_owned(), password.to_owned()]));
            arguments
        });
        Self { node: node.await, ca }
    }

    pub fn node(&self) -> &Node {
        &self.node
    }

    /// The certificate of the authority that signed the server's.
    pub fn ca(&self) -> &str {
        &self.ca
    }

    /// The certificate of an authority that signed nothing here.
    pub fn another_ca() -> String {
        authority("a stranger").pem()
    }
}

/// A certificate of this machine, and its key.
pub(super) fn signed(authority: &CertifiedIssuer<'static, KeyPair>) -> (Certificate, KeyPair) {
    let key = KeyPair::generate().expect("a key");
    let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    let params = CertificateParams::new(names).expect("names");
    (params.signed_by(&key, authority).expect("a certificate"), key)
}

pub(super) fn authority(name: &str) -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(Vec::new()).expect("no names");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(rcgen::DnType::CommonName, name);
    CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("a certificate")
}

fn write(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    fs::write(&path, text).expect("a file");
    path.display().to_string()
}
