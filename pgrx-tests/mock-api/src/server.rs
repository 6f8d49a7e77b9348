//! How the server starts, accepts, and stops.

use crate::cache::Budget;
use crate::connection::{Transport, serve};
use crate::control::Info;
use crate::ports::{RefusedPort, StalledPort};
use crate::spaces::Spaces;
use crate::tls;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustls::ServerConfig;
use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread::{self, JoinHandle};

/// A running mock API. Dropping it closes every connection and ends every thread.
#[derive(Debug)]
pub struct Server {
    shared: Arc<Shared>,
    listeners: Vec<Arc<TcpListener>>,
    acceptors: Vec<JoinHandle<()>>,
    /// Open for as long as the server.
    _stalled: StalledPort,
    _refused: RefusedPort,
}

/// What all threads of a server see.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) spaces: Spaces,
    pub(crate) info: Info,
    pub(crate) budget: Arc<Budget>,
    pub(crate) stopping: AtomicBool,
    next_connection: AtomicU64,
    connections: Mutex<HashMap<u64, Connection>>,
}

#[derive(Debug)]
struct Connection {
    socket: Weak<TcpStream>,
    thread: JoinHandle<()>,
}

impl Server {
    /// Starts on 127.0.0.1, at a port or, with 0, at any free one; also a TLS port and the ports that misbehave.
    ///
    /// # Errors
    /// The port is taken, or the system gives no more sockets or threads.
    pub fn start(port: u16) -> io::Result<Server> {
        let identity = tls::self_signed()?;
        let (stalled, refused) = (StalledPort::open()?, RefusedPort::open()?);
        let bind = |port: u16| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map(Arc::new);
        let (plain, secure, silent) = (bind(port)?, bind(0)?, bind(0)?);
        let info = Info {
            url: format!("http://{}", plain.local_addr()?),
            tls_url: format!("https://{}", secure.local_addr()?),
            stalled_port: stalled.port()?,
            refused_port: refused.port(),
            silent_port: silent.local_addr()?.port(),
            certificate_pem: identity.certificate_pem,
        };
        let shared = Arc::new(Shared {
            spaces: Spaces::default(),
            info,
            budget: Arc::default(),
            stopping: AtomicBool::new(false),
            next_connection: AtomicU64::new(0),
            connections: Mutex::default(),
        });
        let mut server = Server {
            shared: Arc::clone(&shared),
            listeners: Vec::new(),
            acceptors: Vec::new(),
            _stalled: stalled,
            _refused: refused,
        };
        server.accept_on(plain, |listener, shared| accept(listener, &shared, None))?;
        let config = identity.config;
        server.accept_on(secure, move |listener, shared| {
            accept(listener, &shared, Some(config))
        })?;
        server.accept_on(silent, |listener, shared| hold(listener, &shared))?;
        Ok(server)
    }

    fn accept_on(
        &mut self,
        listener: Arc<TcpListener>,
        run: impl FnOnce(&TcpListener, Arc<Shared>) + Send + 'static,
    ) -> io::Result<()> {
        let (shared, accepting) = (Arc::clone(&self.shared), Arc::clone(&listener));
        self.listeners.push(listener);
        self.acceptors
            .push(spawn("mock-api-accept", move || run(&accepting, shared))?);
        Ok(())
    }

    /// `http://127.0.0.1:PORT`
    pub fn url(&self) -> &str {
        &self.shared.info.url
    }

    /// `https://127.0.0.1:PORT`, with a self-signed certificate.
    pub fn tls_url(&self) -> &str {
        &self.shared.info.tls_url
    }

    /// A port of 127.0.0.1 where connecting hangs.
    pub fn stalled_port(&self) -> u16 {
        self.shared.info.stalled_port
    }

    /// A port of 127.0.0.1 that refuses connections.
    pub fn closed_port(&self) -> u16 {
        self.shared.info.refused_port
    }

    /// A port of 127.0.0.1 that accepts connections and never says anything, so that a TLS handshake hangs.
    pub fn silent_tls_port(&self) -> u16 {
        self.shared.info.silent_port
    }

    /// All of these together, as a client in another process gets them.
    pub fn info(&self) -> &Info {
        &self.shared.info
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::Relaxed);
        for listener in &self.listeners {
            // On Linux this ends a waiting accept(2) with EINVAL. It cannot fail on a socket that listens.
            let _ = rustix::net::shutdown(listener, rustix::net::Shutdown::Both);
        }
        for acceptor in self.acceptors.drain(..) {
            let _ = acceptor.join();
        }
        let connections = std::mem::take(&mut *self.shared.connections());
        for Connection { socket, thread } in connections.into_values() {
            if let Some(socket) = socket.upgrade() {
                let _ = socket.shutdown(std::net::Shutdown::Both);
            }
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn connections(&self) -> std::sync::MutexGuard<'_, HashMap<u64, Connection>> {
        self.connections
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }
}

/// Gives each connection a thread of its own.
fn accept(listener: &TcpListener, shared: &Arc<Shared>, tls: Option<Arc<ServerConfig>>) {
    while let Some(socket) = next_connection(listener, shared) {
        // A connection that cannot be set up is closed; its client sees that.
        let _ = start_connection(socket, shared, tls.clone());
    }
}

/// The next connection, or `None` when the server stops.
fn next_connection(listener: &TcpListener, shared: &Shared) -> Option<TcpStream> {
    loop {
        let accepted = listener.accept();
        if shared.is_stopping() {
            return None;
        }
        match accepted {
            Ok((socket, _)) => return Some(socket),
            // Out of descriptors, perhaps, or the client left already: neither lasts.
            Err(_) => thread::sleep(std::time::Duration::from_millis(5)),
        }
    }
}

fn start_connection(
    socket: TcpStream,
    shared: &Arc<Shared>,
    tls: Option<Arc<ServerConfig>>,
) -> io::Result<()> {
    socket.set_nodelay(true)?;
    let socket = Arc::new(socket);
    let weak = Arc::downgrade(&socket);
    let transport = Transport::new(socket, tls)?;
    let id = shared.next_connection.fetch_add(1, Ordering::Relaxed);
    let owned = Arc::clone(shared);
    // Held across the start, so that the thread cannot strike itself off the list before it is on it.
    let mut connections = shared.connections();
    let thread = spawn("mock-api-conn", move || {
        // An error is the client's doing: it left in the middle of something.
        let _ = serve(&owned, id, transport);
        owned.connections().remove(&id);
    })?;
    connections.insert(
        id,
        Connection {
            socket: weak,
            thread,
        },
    );
    Ok(())
}

/// Keeps connections open without a word, until their clients leave.
fn hold(listener: &TcpListener, shared: &Shared) {
    let mut held: Vec<TcpStream> = Vec::new();
    while let Some(socket) = next_connection(listener, shared) {
        let at_once = Timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        held.retain(|socket| {
            let mut fds = [PollFd::new(socket, PollFlags::RDHUP)];
            poll(&mut fds, Some(&at_once)).is_ok_and(|ready| ready == 0)
        });
        held.push(socket);
    }
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
    thread::Builder::new().name(name.to_owned()).spawn(run)
}
