//! A TCP proxy in front of a store, which can be made to fail in the ways a network does.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpSocket, TcpStream, tcp},
    sync::{mpsc, watch},
    task::{AbortHandle, JoinSet},
    time::Instant,
};

/// What happens to connections and bytes, until another mode is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Everything goes through.
    Pass,
    /// No one listens: connecting is refused. Existing connections stay, see [`FaultProxy::cut`].
    Refuse,
    /// Connecting works and requests are swallowed, on old connections too. A connection that lost bytes this way
    /// stays hung when the mode changes, as a half-open socket would.
    Hang,
    /// Every answer arrives this much later.
    Delay(Duration),
}

/// What went through since the proxy started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    pub connections: u64,
    /// Pieces that arrived from clients: as good as the number of round trips, for a client that sends each
    /// pipeline with one write and waits for the answer.
    pub requests: u64,
    /// Redis commands in them.
    pub commands: u64,
    pub bytes_to_server: u64,
    pub bytes_to_client: u64,
}

/// A proxy on a loopback port of its own. Dropped, it closes every connection.
#[derive(Debug)]
pub struct FaultProxy {
    address: SocketAddr,
    control: Arc<Control>,
    serving: AbortHandle,
    /// Bound and never listening, so that the port stays ours while connecting to it is refused.
    _reservation: TcpSocket,
}

#[derive(Debug)]
struct Control {
    mode: watch::Sender<Mode>,
    listening: watch::Sender<bool>,
    cuts: watch::Sender<u64>,
    drops: Mutex<Drops>,
    upstream: Mutex<SocketAddr>,
    strandings: AtomicU64,
    connections: AtomicU64,
    requests: AtomicU64,
    commands: AtomicU64,
    bytes_to_server: AtomicU64,
    bytes_to_client: AtomicU64,
}

/// Requests whose answers are still to be dropped.
#[derive(Debug, Default)]
struct Drops {
    left: usize,
    containing: Vec<u8>,
}

impl FaultProxy {
    /// Starts a proxy in front of the server at `upstream`, on the test's own runtime.
    pub async fn before(upstream: SocketAddr) -> Self {
        let reservation = reusable_socket();
        reservation.bind((Ipv4Addr::LOCALHOST, 0).into()).expect("a free loopback port");
        let address = reservation.local_addr().expect("a bound socket has an address");
        let control = Arc::new(Control {
            mode: watch::Sender::new(Mode::Pass),
            listening: watch::Sender::new(false),
            cuts: watch::Sender::new(0),
            drops: Mutex::default(),
            upstream: Mutex::new(upstream),
            strandings: AtomicU64::default(),
            connections: AtomicU64::default(),
            requests: AtomicU64::default(),
            commands: AtomicU64::default(),
            bytes_to_server: AtomicU64::default(),
            bytes_to_client: AtomicU64::default(),
        });
        let serving = tokio::spawn(serve(address, Arc::clone(&control))).abort_handle();
        let proxy = Self { address, control, serving, _reservation: reservation };
        proxy.set(Mode::Pass).await;
        proxy
    }

    /// Where clients connect to.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Switches the mode; it is in force when this returns.
    pub async fn set(&self, mode: Mode) {
        self.control.mode.send_replace(mode);
        let listens = mode != Mode::Refuse;
        let _ = self.control.listening.subscribe().wait_for(|now| *now == listens).await;
    }

    /// Every existing connection goes on and nothing on it is ever answered, as on a half-open socket. New ones get what
    /// the mode says.
    pub fn strand(&self) {
        self.control.strandings.fetch_add(1, Ordering::SeqCst);
    }

    /// Resets every existing connection. New ones get what the mode says.
    pub fn cut(&self) {
        self.control.cuts.send_modify(|cuts| *cuts += 1);
    }

    /// New connections lead to another server from now on; existing ones stay where they are.
    pub fn redirect(&self, upstream: SocketAddr) {
        *self.control.upstream.lock().unwrap() = upstream;
    }

    /// The server is gone: connections are reset and new ones refused.
    pub async fn down(&self) {
        self.set(Mode::Refuse).await;
        self.cut();
    }

    /// The server is back.
    pub async fn up(&self) {
        self.set(Mode::Pass).await;
    }

    /// The next `count` requests reach the server and take effect there, but their answers never arrive: the
    /// connection is reset instead. What a client sends to greet the server counts as a request.
    pub fn drop_answers(&self, count: usize) {
        self.drop_answers_to("", count);
    }

    /// As [`FaultProxy::drop_answers`], for requests that contain `text`.
    pub fn drop_answers_to(&self, text: &str, count: usize) {
        *self.control.drops.lock().unwrap() = Drops { left: count, containing: text.as_bytes().to_vec() };
    }

    pub fn traffic(&self) -> Traffic {
        let control = &self.control;
        Traffic {
            connections: control.connections.load(Ordering::SeqCst),
            requests: control.requests.load(Ordering::SeqCst),
            commands: control.commands.load(Ordering::SeqCst),
            bytes_to_server: control.bytes_to_server.load(Ordering::SeqCst),
            bytes_to_client: control.bytes_to_client.load(Ordering::SeqCst),
        }
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Control {
    fn mode(&self) -> Mode {
        *self.mode.borrow()
    }

    fn takes_the_answer_to(&self, request: &[u8]) -> bool {
        let mut drops = self.drops.lock().unwrap();
        let wanted = drops.left > 0
            && (drops.containing.is_empty()
                || request.windows(drops.containing.len()).any(|part| part == drops.containing));
        if wanted {
            drops.left -= 1;
        }
        wanted
    }
}

/// How many whole Redis commands there are, each an array of texts: `*2\r\n$3\r\nGET\r\n$1\r\nk\r\n`.
fn commands(mut request: &[u8]) -> u64 {
    fn number(request: &mut &[u8], mark: u8) -> Option<usize> {
        let end = request.windows(2).position(|pair| pair == b"\r\n")?;
        let text = std::str::from_utf8(request.get(..end)?.strip_prefix(&[mark])?).ok()?;
        *request = request.get(end + 2..)?;
        text.parse().ok()
    }
    fn command(request: &mut &[u8]) -> Option<()> {
        for _ in 0..number(request, b'*')? {
            let length = number(request, b'$')?;
            *request = request.get(length + 2..)?;
        }
        Some(())
    }
    let mut count = 0;
    while command(&mut request).is_some() {
        count += 1;
    }
    count
}

fn reusable_socket() -> TcpSocket {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_reuseaddr(true).expect("SO_REUSEADDR");
    // Lets the listener come and go on a port that the reservation keeps.
    socket.set_reuseport(true).expect("SO_REUSEPORT");
    socket
}

fn listen(address: SocketAddr) -> TcpListener {
    let socket = reusable_socket();
    socket.bind(address).expect("the port is reserved");
    socket.listen(1024).expect("a listening socket")
}

async fn serve(address: SocketAddr, control: Arc<Control>) {
    let mut mode = control.mode.subscribe();
    // Dropped with this task: every connection ends with the proxy.
    let mut connections = JoinSet::new();
    loop {
        let _ = mode.wait_for(|mode| *mode != Mode::Refuse).await;
        let listener = listen(address);
        control.listening.send_replace(true);
        loop {
            tokio::select! {
                Ok((client, _)) = listener.accept() => {
                    control.connections.fetch_add(1, Ordering::SeqCst);
                    let cuts = control.cuts.subscribe();
                    let upstream = *control.upstream.lock().unwrap();
                    connections.spawn(connection(client, upstream, Arc::clone(&control), cuts));
                }
                _ = mode.wait_for(|mode| *mode == Mode::Refuse) => break,
                Some(_) = connections.join_next() => {}
            }
        }
        drop(listener);
        control.listening.send_replace(false);
    }
}

async fn connection(
    mut client: TcpStream,
    upstream: SocketAddr,
    control: Arc<Control>,
    mut cuts: watch::Receiver<u64>,
) {
    let _ = client.set_nodelay(true);
    let end = tokio::select! {
        _ = cuts.changed() => End::Reset,
        end = relay(&mut client, upstream, &control) => end,
    };
    if end == End::Reset {
        // Without lingering, closing is a reset: the client can't take it for a polite end.
        let _ = client.set_zero_linger();
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Polite,
    Reset,
}

/// What the two directions of one connection know of each other.
struct Fate {
    hung: AtomicBool,
    drops_answer: AtomicBool,
    /// How many strandings it hasn't been in.
    born_after: u64,
}

impl Fate {
    fn is_hung(&self, control: &Control) -> bool {
        if control.mode() == Mode::Hang || control.strandings.load(Ordering::SeqCst) > self.born_after {
            self.hung.store(true, Ordering::SeqCst);
        }
        self.hung.load(Ordering::SeqCst)
    }
}

async fn relay(client: &mut TcpStream, upstream: SocketAddr, control: &Control) -> End {
    let Ok(mut server) = TcpStream::connect(upstream).await else {
        return End::Reset;
    };
    let _ = server.set_nodelay(true);
    let born_after = control.strandings.load(Ordering::SeqCst);
    let fate = Fate { hung: AtomicBool::new(false), drops_answer: AtomicBool::new(false), born_after };
    let (client_in, client_out) = client.split();
    let (server_in, server_out) = server.split();
    let (queue, queued) = mpsc::unbounded_channel();
    tokio::select! {
        () = requests(client_in, server_out, control, &fate) => End::Polite,
        () = answers(server_in, queue, control, &fate) => End::Reset,
        () = deliver(queued, client_out, control) => End::Polite,
    }
}

async fn requests(mut client: tcp::ReadHalf<'_>, mut server: tcp::WriteHalf<'_>, control: &Control, fate: &Fate) {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let Ok(length @ 1..) = client.read(&mut buffer).await else {
            return;
        };
        let request = &buffer[..length];
        control.requests.fetch_add(1, Ordering::SeqCst);
        control.commands.fetch_add(commands(request), Ordering::SeqCst);
        if fate.is_hung(control) {
            continue;
        }
        let drops_answer = control.takes_the_answer_to(request);
        if server.write_all(request).await.is_err() {
            return;
        }
        // Only now: the answer to an earlier request must not end the connection before this one is out.
        if drops_answer {
            fate.drops_answer.store(true, Ordering::SeqCst);
        }
        control.bytes_to_server.fetch_add(length as u64, Ordering::SeqCst);
    }
}

/// Returns when an answer was dropped; never otherwise.
async fn answers(
    mut server: tcp::ReadHalf<'_>,
    queue: mpsc::UnboundedSender<(Instant, Vec<u8>)>,
    control: &Control,
    fate: &Fate,
) {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = server.read(&mut buffer).await;
        let hung = fate.is_hung(control);
        let Ok(length @ 1..) = read else {
            if hung {
                std::future::pending::<()>().await;
            }
            // Answers on their way arrive before the end does.
            drop(queue);
            return std::future::pending().await;
        };
        if fate.drops_answer.load(Ordering::SeqCst) {
            return;
        }
        if hung {
            continue;
        }
        let delay = if let Mode::Delay(delay) = control.mode() { delay } else { Duration::ZERO };
        let _ = queue.send((Instant::now() + delay, buffer[..length].to_vec()));
    }
}

async fn deliver(
    mut queued: mpsc::UnboundedReceiver<(Instant, Vec<u8>)>,
    mut client: tcp::WriteHalf<'_>,
    control: &Control,
) {
    while let Some((due, answer)) = queued.recv().await {
        tokio::time::sleep_until(due).await;
        if client.write_all(&answer).await.is_err() {
            return;
        }
        control.bytes_to_client.fetch_add(answer.len() as u64, Ordering::SeqCst);
    }
}
