//! A server behind TLS that speaks none itself: what comes is passed on in the clear.

use std::{
    net::SocketAddr,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use rustls::{
    ServerConfig,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
};
use tempfile::NamedTempFile;
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tokio_rustls::TlsAcceptor;

use super::tls::{authority, signed};

#[derive(Debug)]
pub struct TlsFront {
    port: u16,
    ca: NamedTempFile,
    connections: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl TlsFront {
    /// Stands before a server, until it is dropped.
    pub async fn before(server: SocketAddr) -> Self {
        let authority = authority("the network's own authority");
        let (certificate, key) = signed(&authority);
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions of TLS")
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .expect("its own key");
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let ca = NamedTempFile::new().expect("a file");
        std::fs::write(ca.path(), authority.pem()).expect("a file");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let connections = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&connections);
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (acceptor, counted) = (acceptor.clone(), Arc::clone(&counted));
                tokio::spawn(async move {
                    drop(client.set_nodelay(true));
                    let Ok(mut client) = acceptor.accept(client).await else { return };
                    let Ok(mut server) = TcpStream::connect(server).await else { return };
                    drop(server.set_nodelay(true));
                    counted.fetch_add(1, Ordering::Relaxed);
                    // Either of them may end it as it likes.
                    drop(copy_bidirectional(&mut client, &mut server).await);
                });
            }
        });
        Self { port, ca, connections, task }
    }

    pub const fn port(&self) -> u16 {
        self.port
    }

    /// A file with the certificate of the authority that signed its own.
    pub fn ca(&self) -> &Path {
        self.ca.path()
    }

    /// How many have come through.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }
}

impl Drop for TlsFront {
    fn drop(&mut self) {
        self.task.abort();
    }
}
