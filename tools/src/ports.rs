//! TCP ports of this machine, on 127.0.0.1 only.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

/// `127.0.0.1:port`.
pub fn local(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

/// A port that was free a moment ago. Another process may take it first, so a caller that starts a server on it must
/// try again with another port.
pub fn free() -> io::Result<u16> {
    Ok(TcpListener::bind(local(0))?.local_addr()?.port())
}

/// Whether a server could listen on this port now.
pub fn is_free(port: u16) -> bool {
    // Binding alone proves nothing: some systems allow it although another process listens on all interfaces.
    !answers(port) && TcpListener::bind(local(port)).is_ok()
}

/// Whether something accepts connections on this port.
pub fn answers(port: u16) -> bool {
    TcpStream::connect_timeout(&local(port), Duration::from_millis(500)).is_ok()
}
