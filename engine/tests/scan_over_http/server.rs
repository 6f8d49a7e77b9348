//! An HTTP server on loopback that does what a test tells it, byte by byte, and remembers what it was asked.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// A request as it arrived.
#[derive(Debug, Clone)]
pub struct Received {
    /// Path and query.
    pub target: String,
    /// The whole head, in lower case up to each colon.
    pub head: String,
    pub body: String,
    /// How many came before it, on any connection.
    pub index: usize,
}

impl Received {
    pub fn method(&self) -> &str {
        self.head.split(' ').next().unwrap()
    }

    /// The value of a query parameter, as it was sent.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        let (_, query) = self.target.split_once('?')?;
        query
            .split('&')
            .find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.head
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }
}

/// What to do with a connection, in turn.
pub enum Act {
    Send(Vec<u8>),
    Pause(Duration),
    /// Goes on once this holds, or after ten seconds.
    Until(Box<dyn Fn() -> bool + Send>),
    /// Nothing more, until the client goes.
    Stall,
    Close,
}

pub type Reply = Vec<Act>;

/// A complete response.
pub fn reply(status: u16, headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> Reply {
    let body = body.as_ref();
    let mut text = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n", body.len());
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str("\r\n");
    vec![Act::Send([text.as_bytes(), body].concat())]
}

pub fn json(body: impl AsRef<[u8]>) -> Reply {
    reply(200, &[("content-type", "application/json")], body)
}

/// The first `bytes` of `reply`, and then `act`.
pub fn cut(reply: Reply, bytes: usize, act: Act) -> Reply {
    let first = reply.into_iter().next();
    let Some(Act::Send(mut text)) = first else {
        panic!("a reply begins with bytes")
    };
    assert!(
        bytes < text.len(),
        "there must be something left to cut off"
    );
    text.truncate(bytes);
    vec![Act::Send(text), act]
}

/// `[{"id": first, "name": "n…"}, …]`
pub fn rows(first: usize, count: usize) -> String {
    let rows: Vec<String> = (first..first + count)
        .map(|id| format!(r#"{{"id": {id}, "name": "n{id}"}}"#))
        .collect();
    format!("[{}]", rows.join(","))
}

pub struct Server {
    pub address: SocketAddr,
    received: Arc<Mutex<Vec<Received>>>,
    connections: Arc<AtomicUsize>,
    open: Arc<AtomicUsize>,
    /// The most requests that were being answered at once.
    pub busiest: Arc<AtomicUsize>,
    stopped: Arc<AtomicBool>,
    thread: Option<thread::JoinHandle<()>>,
}

type Answer = dyn Fn(&Received) -> Reply + Send + Sync;

impl Server {
    pub fn start(answer: impl Fn(&Received) -> Reply + Send + Sync + 'static) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut server = Server {
            address: listener.local_addr().unwrap(),
            received: Arc::default(),
            connections: Arc::default(),
            open: Arc::default(),
            busiest: Arc::default(),
            stopped: Arc::default(),
            thread: None,
        };
        let desk = Arc::new(Desk {
            received: Arc::clone(&server.received),
            busy: AtomicUsize::new(0),
            busiest: Arc::clone(&server.busiest),
            answer: Box::new(answer),
        });
        let (connections, stopped) = (Arc::clone(&server.connections), Arc::clone(&server.stopped));
        let open = Arc::clone(&server.open);
        server.thread = Some(thread::spawn(move || {
            for stream in listener.incoming() {
                if stopped.load(Ordering::SeqCst) {
                    return;
                }
                connections.fetch_add(1, Ordering::SeqCst);
                open.fetch_add(1, Ordering::SeqCst);
                let (desk, open) = (Arc::clone(&desk), Arc::clone(&open));
                thread::spawn(move || {
                    desk.serve(&mut stream.unwrap());
                    open.fetch_sub(1, Ordering::SeqCst);
                });
            }
        }));
        server
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn targets(&self) -> Vec<String> {
        self.received
            .lock()
            .unwrap()
            .iter()
            .map(|request| request.target.clone())
            .collect()
    }

    pub fn requests(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    /// Connections that were made so far.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// Those that are open, as far as the server has noticed.
    pub fn open(&self) -> usize {
        self.open.load(Ordering::SeqCst)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Desk {
    received: Arc<Mutex<Vec<Received>>>,
    busy: AtomicUsize,
    busiest: Arc<AtomicUsize>,
    answer: Box<Answer>,
}

impl Desk {
    fn serve(&self, stream: &mut TcpStream) {
        while let Some(request) = self.read(stream) {
            let busy = self.busy.fetch_add(1, Ordering::SeqCst) + 1;
            self.busiest.fetch_max(busy, Ordering::SeqCst);
            let going_on = (self.answer)(&request)
                .into_iter()
                .all(|act| perform(stream, act));
            self.busy.fetch_sub(1, Ordering::SeqCst);
            if !going_on {
                return;
            }
        }
    }

    fn read(&self, stream: &mut TcpStream) -> Option<Received> {
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") {
            match stream.read(&mut byte) {
                Ok(1) => head.push(byte[0]),
                _ => return None,
            }
        }
        let text = String::from_utf8_lossy(&head).into_owned();
        let target = text.split(' ').nth(1).unwrap().to_owned();
        let lines: Vec<String> = text.lines().map(lower_name).collect();
        let length = lines
            .iter()
            .find_map(|line| line.strip_prefix("content-length: "));
        let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
        stream.read_exact(&mut body).ok()?;
        let mut received = self.received.lock().unwrap();
        let request = Received {
            target,
            head: lines.join("\n"),
            body: String::from_utf8(body).unwrap(),
            index: received.len(),
        };
        received.push(request.clone());
        Some(request)
    }
}

fn lower_name(line: &str) -> String {
    match line.split_once(':') {
        Some((name, value)) => format!("{}:{value}", name.to_ascii_lowercase()),
        None => line.to_owned(),
    }
}

/// False when the connection is over.
fn perform(stream: &mut TcpStream, act: Act) -> bool {
    match act {
        Act::Send(bytes) => stream.write_all(&bytes).is_ok(),
        Act::Pause(time) => {
            thread::sleep(time);
            true
        }
        Act::Until(holds) => {
            let started = Instant::now();
            while !holds() && started.elapsed() < Duration::from_secs(10) {
                thread::sleep(Duration::from_millis(2));
            }
            // What was waited for in vain must show.
            holds()
        }
        Act::Stall => {
            let _ = stream.read(&mut [0]);
            false
        }
        Act::Close => {
            let _ = stream.shutdown(Shutdown::Both);
            false
        }
    }
}
