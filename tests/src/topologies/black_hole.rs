//! An address that swallows packets.

use std::{
    net::{Ipv4Addr, SocketAddr, TcpStream},
    time::Duration,
};

use tokio::net::{TcpListener, TcpSocket};

/// More than any backlog of this kind takes.
const MOST: usize = 64;

/// A loopback port on which connecting is neither taken nor refused: a listener whose queue is full, and that nobody
/// empties. To a client it is a host behind a closed security group.
#[derive(Debug)]
pub struct BlackHole {
    address: SocketAddr,
    _listener: TcpListener,
    _queued: Vec<TcpStream>,
}

impl BlackHole {
    pub async fn open() -> Self {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.bind((Ipv4Addr::LOCALHOST, 0).into()).expect("a free loopback port");
        let listener = socket.listen(0).expect("a listening socket");
        let address = listener.local_addr().expect("an address");
        let queued = tokio::task::spawn_blocking(move || {
            let connect = || TcpStream::connect_timeout(&address, Duration::from_millis(200)).ok();
            std::iter::from_fn(connect).take(MOST).collect::<Vec<_>>()
        });
        let queued = queued.await.expect("a full queue");
        assert!(queued.len() < MOST, "the queue never fills up");
        Self { address, _listener: listener, _queued: queued }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }
}
