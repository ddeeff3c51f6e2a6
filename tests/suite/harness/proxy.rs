use std::{
    io::ErrorKind,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tests::proxy::{FaultProxy, Mode};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::{Instant, timeout},
};

/// A server that sends back what it gets, and counts it.
struct Echo {
    address: SocketAddr,
    received: Arc<AtomicUsize>,
}

impl Echo {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let received = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&received);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let counter = Arc::clone(&counter);
                tokio::spawn(async move {
                    let mut buffer = [0; 1024];
                    while let Ok(length @ 1..) = stream.read(&mut buffer).await {
                        counter.fetch_add(1, Ordering::SeqCst);
                        stream.write_all(&buffer[..length]).await.unwrap();
                    }
                });
            }
        });
        Self { address, received }
    }
}

/// Sends four bytes and waits for them to come back.
async fn ask(stream: &mut TcpStream) -> std::io::Result<[u8; 4]> {
    stream.write_all(b"ping").await?;
    let mut answer = [0; 4];
    stream.read_exact(&mut answer).await?;
    Ok(answer)
}

async fn hangs(stream: &mut TcpStream) -> bool {
    timeout(Duration::from_millis(100), ask(stream)).await.is_err()
}

#[tokio::test]
async fn passes_and_counts() {
    let echo = Echo::start().await;
    let proxy = FaultProxy::before(echo.address).await;

    let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
    assert_eq!(ask(&mut stream).await.unwrap(), *b"ping");
    assert_eq!(ask(&mut stream).await.unwrap(), *b"ping");

    let traffic = proxy.traffic();
    assert_eq!((traffic.connections, traffic.requests), (1, 2));
    assert_eq!((traffic.bytes_to_server, traffic.bytes_to_client), (8, 8));
}

#[tokio::test]
async fn refuses_while_down_and_comes_back_on_its_port() {
    let echo = Echo::start().await;
    let proxy = FaultProxy::before(echo.address).await;
    let mut old = TcpStream::connect(proxy.address()).await.unwrap();
    ask(&mut old).await.unwrap();

    for _ in 0..20 {
        proxy.down().await;
        let refused = TcpStream::connect(proxy.address()).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
        ask(&mut old).await.expect_err("the old connection is gone");

        proxy.up().await;
        old = TcpStream::connect(proxy.address()).await.unwrap();
        assert_eq!(ask(&mut old).await.unwrap(), *b"ping");
    }
}

#[tokio::test]
async fn cuts_what_is_connected_and_takes_new_connections() {
    let echo = Echo::start().await;
    let proxy = FaultProxy::before(echo.address).await;
    let mut old = TcpStream::connect(proxy.address()).await.unwrap();
    ask(&mut old).await.unwrap();

    proxy.cut();

    ask(&mut old).await.expect_err("cut");
    let mut new = TcpStream::connect(proxy.address()).await.unwrap();
    assert_eq!(ask(&mut new).await.unwrap(), *b"ping");
}

#[tokio::test]
async fn a_hung_connection_stays_hung_and_a_new_one_works() {
    let echo = Echo::start().await;
    let proxy = FaultProxy::before(echo.address).await;
    let mut old = TcpStream::connect(proxy.address()).await.unwrap();
    ask(&mut old).await.unwrap();

    proxy.set(Mode::Hang).await;
    let mut during = TcpStream::connect(proxy.address()).await.unwrap();
    assert!(hangs(&mut old).await);
    assert!(hangs(&mut during).await);
    assert_eq!(echo.received.load(Ordering::SeqCst), 1, "nothing reaches the server");

    proxy.set(Mode::Pass).await;
    assert!(hangs(&mut old).await);
    let mut new = TcpStream::connect(proxy.address()).await.unwrap();
    assert_eq!(ask(&mut new).await.unwrap(), *b"ping");
}

#[tokio::test]
async fn delays_each_answer() {
    let echo = Echo::start().await;
    let proxy = FaultProxy::before(echo.address).await;
    let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
    let delay = Duration::from_millis(60);

    proxy.set(Mode::Delay(delay)).await;
    let asked = Instant::now();
    ask(&mut stream).await.unwrap();

    assert!(asked.elapsed() >= delay);
}

#[tokio::test]
async fn drops_the_answer_to_what_took_effect() {
    let echo = Echo::start().await;
    let proxy = FaultProxy::before(echo.address).await;
    let mut stream = TcpStream::connect(proxy.address()).await.unwrap();

    proxy.drop_answers_to("other", 1);
    assert_eq!(ask(&mut stream).await.unwrap(), *b"ping");
    proxy.drop_answers_to("pin", 1);
    ask(&mut stream).await.expect_err("the answer is dropped");

    assert_eq!(echo.received.load(Ordering::SeqCst), 2);
    let mut new = TcpStream::connect(proxy.address()).await.unwrap();
    assert_eq!(ask(&mut new).await.unwrap(), *b"ping", "only one answer was to be dropped");
}

#[tokio::test]
async fn a_dropped_proxy_closes_its_connections_and_its_port() {
    let echo = Echo::start().await;
    let proxy = FaultProxy::before(echo.address).await;
    let address = proxy.address();
    let mut stream = TcpStream::connect(address).await.unwrap();
    ask(&mut stream).await.unwrap();

    drop(proxy);

    let mut end = [0];
    assert!(matches!(stream.read(&mut end).await, Ok(0) | Err(_)));
    assert!(TcpStream::connect(address).await.is_err());
}
