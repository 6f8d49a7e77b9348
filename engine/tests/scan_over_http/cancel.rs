//! Dropping a scan ends it at once, whatever it is waiting for; and what it waits for has a bound of its own.

use crate::server::{Act, Server, cut, json, reply, rows};
use crate::stage::{self, client_over, failure, next, numbered, range, scan, spec, table, until};
use nix::sys::socket::AddressFamily;
use nix::sys::socket::{
    Backlog, SockFlag, SockType, SockaddrIn, bind, getsockname, listen, socket,
};
use rest_engine::Error;
use rest_engine::http::{Dial, Egress, Network, Resolve, SystemDialler};
use rest_engine::model::Table;
use rest_engine::request::Inputs;
use rest_engine::scan::Scan;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Starts a scan, waits until `waits`, drops it: within 200 ms, in the best of three tries (the machine is shared).
fn drops_at_once(start: impl Fn() -> Scan, waits: impl Fn() -> bool) {
    let mut took = Vec::new();
    for _ in 0..3 {
        let scan = start();
        assert!(until(&waits), "it never came to wait");
        sleep(Duration::from_millis(20));
        let dropping = Instant::now();
        drop(scan);
        took.push(dropping.elapsed());
        if took.last().unwrap() < &Duration::from_millis(200) {
            return;
        }
    }
    panic!("{took:?}");
}

/// A listener that takes no further connection: its queue is full, so that a SYN stays unanswered.
struct Deaf {
    url: String,
    _listener: OwnedFd,
    _queued: Vec<OwnedFd>,
}

fn deaf() -> Deaf {
    let listener = socket(
        AddressFamily::Inet,
        SockType::Stream,
        SockFlag::SOCK_CLOEXEC,
        None,
    )
    .unwrap();
    bind(listener.as_raw_fd(), &SockaddrIn::new(127, 0, 0, 1, 0)).unwrap();
    listen(&listener, Backlog::new(0).unwrap()).unwrap();
    let address: SockaddrIn = getsockname(listener.as_raw_fd()).unwrap();
    let address = SocketAddr::from(([127, 0, 0, 1], address.port()));
    let queued = (0..4)
        .map(|_| SystemDialler.dial(address).unwrap())
        .collect();
    Deaf {
        url: format!("http://{address}"),
        _listener: listener,
        _queued: queued,
    }
}

#[test]
fn in_connect() {
    let deaf = deaf();
    drops_at_once(|| scan(&table(&deaf.url)), || true);
}

#[test]
fn in_the_tls_handshake() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}", silent.local_addr().unwrap());
    let accepted = std::thread::spawn(move || {
        (0..3)
            .map_while(|_| silent.accept().ok())
            .collect::<Vec<_>>()
    });
    drops_at_once(|| scan(&table(&url)), || true);
    drop(accepted);
}

#[test]
fn before_the_head() {
    let server = Server::start(|_| vec![Act::Stall]);
    drops_at_once(
        || scan(&table(&server.url())),
        || !server.targets().is_empty(),
    );
}

#[test]
fn with_as_many_requests_in_flight_as_may_be() {
    let server = Server::start(|_| vec![Act::Stall]);
    let table = table(&server.url());
    let start = || {
        let mut spec = spec(&table);
        spec.requests = vec![Inputs::default(); 20];
        Scan::start(stage::client(&table), spec).unwrap()
    };
    drops_at_once(start, || {
        server.targets().len().is_multiple_of(4) && !server.targets().is_empty()
    });
}

#[test]
fn in_the_middle_of_a_body() {
    let server = Server::start(|_| cut(json(rows(0, 1000)), 9000, Act::Stall));
    let begun = || {
        let mut scan = scan(&table(&server.url()));
        next(&mut scan).unwrap().expect("a batch");
        scan
    };
    drops_at_once(begun, || true);
}

#[test]
fn in_a_back_off() {
    let server = Server::start(|_| reply(503, &[("retry-after", "100")], ""));
    drops_at_once(
        || scan(&table(&server.url())),
        || !server.targets().is_empty(),
    );
}

#[test]
fn while_its_rows_wait_for_a_consumer_that_never_asks() {
    let server = Server::start(|_| json(rows(0, 50_000)));
    drops_at_once(
        || scan(&table(&server.url())),
        || !server.targets().is_empty(),
    );
}

#[derive(Debug)]
struct SlowResolver;

impl Resolve for SlowResolver {
    fn resolve(&self, _: &str, _: u16) -> io::Result<Vec<SocketAddr>> {
        sleep(Duration::from_secs(3));
        Err(io::Error::other("nobody knows"))
    }
}

fn slow_names() -> Network {
    Network {
        resolver: Arc::new(SlowResolver),
        ..Network::default()
    }
}

#[test]
fn in_a_name_lookup() {
    let table = table("http://slow.test");
    let start = || {
        Scan::start(
            client_over(slow_names(), &table, Egress::unrestricted()),
            spec(&table),
        )
        .unwrap()
    };
    drops_at_once(start, || true);
}

/// Phase and bound of the timeout that a scan of `table` ends with.
fn timeout(error: Error) -> (String, Duration) {
    match error {
        Error::Timeout { phase, after, .. } => (phase, after),
        other => panic!("{other:?}"),
    }
}

const SHORT: Duration = Duration::from_millis(120);

fn impatient(mut table: Table) -> Table {
    table.source.timeout = SHORT;
    table.source.retry.max_retries = 0;
    table
}

#[test]
fn each_phase_has_a_bound_and_a_name() {
    let deaf = deaf();
    let mut hurried = impatient(table(&deaf.url));
    hurried.source.timeout = Duration::from_secs(10);
    hurried.source.connect_timeout = SHORT;
    assert_eq!(timeout(failure(&hurried)), ("connecting".to_owned(), SHORT));

    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    hurried.source.base_url = format!("https://{}", silent.local_addr().unwrap());
    assert_eq!(
        timeout(failure(&hurried)),
        ("negotiating TLS".to_owned(), SHORT)
    );

    hurried.source.base_url = "http://slow.test".to_owned();
    let client = client_over(slow_names(), &hurried, Egress::unrestricted());
    let error = stage::read(&mut Scan::start(client, spec(&hurried)).unwrap())
        .1
        .unwrap();
    assert_eq!(
        timeout(error),
        ("looking up the host name".to_owned(), SHORT)
    );

    let server = Server::start(|_| vec![Act::Stall]);
    assert_eq!(
        timeout(failure(&impatient(table(&server.url())))),
        ("waiting for the response".to_owned(), SHORT)
    );

    let server = Server::start(|_| cut(json(rows(0, 10)), 100, Act::Stall));
    assert_eq!(
        timeout(failure(&impatient(table(&server.url())))),
        ("reading the response".to_owned(), SHORT)
    );
}

#[test]
fn a_body_that_drips_does_not_escape_the_bound() {
    let drip = || {
        (0..100).flat_map(|_| {
            [
                Act::Pause(Duration::from_millis(20)),
                Act::Send(b" ".to_vec()),
            ]
        })
    };
    let server = Server::start(move |_| {
        let head = Act::Send(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n".to_vec());
        std::iter::once(head).chain(drip()).collect()
    });
    let started = Instant::now();
    assert_eq!(timeout(failure(&impatient(table(&server.url())))).1, SHORT);
    assert!(
        started.elapsed() < Duration::from_millis(1500),
        "{:?}",
        started.elapsed()
    );
}

#[test]
fn a_slow_consumer_does_not_make_the_api_time_out() {
    let server = Server::start(|request| {
        json(if request.index == 0 {
            rows(0, 20_000)
        } else {
            rows(0, 0)
        })
    });
    let mut table = impatient(numbered(&server.url()));
    table.source.timeout = Duration::from_millis(500);
    let mut scan = scan(&table);
    let mut ids = stage::ids(&next(&mut scan).unwrap().unwrap());
    sleep(Duration::from_millis(1000));
    let (rest, error) = stage::read(&mut scan);
    ids.extend(rest);
    assert_eq!(error, None);
    assert_eq!(ids, range(0, 20_000));
}
