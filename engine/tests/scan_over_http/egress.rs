//! Where connections may go is decided before a packet is sent.

use crate::server::{Server, json};
use crate::stage::{client_over, read, spec, table};
use rest_engine::Error;
use rest_engine::http::{Dial, Egress, Network, Resolve, SystemDialler};
use rest_engine::scan::Scan;
use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex};

/// Names of `*.test` and the addresses that they have; who was looked up and dialled.
#[derive(Debug, Default)]
struct Recorder {
    addresses: Vec<SocketAddr>,
    looked_up: Mutex<Vec<String>>,
    dialled: Mutex<Vec<SocketAddr>>,
    /// Where a permitted connection goes in truth.
    real: Option<SocketAddr>,
}

impl Resolve for Recorder {
    fn resolve(&self, host: &str, _: u16) -> io::Result<Vec<SocketAddr>> {
        self.looked_up.lock().unwrap().push(host.to_owned());
        match self.addresses.is_empty() {
            true => Err(io::Error::other(
                "failed to lookup address information: Name or service not known",
            )),
            false => Ok(self.addresses.clone()),
        }
    }
}

impl Dial for Recorder {
    fn dial(&self, address: SocketAddr) -> io::Result<OwnedFd> {
        self.dialled.lock().unwrap().push(address);
        match self.real {
            Some(real) => SystemDialler.dial(real),
            None => Err(io::ErrorKind::ConnectionRefused.into()),
        }
    }
}

impl Recorder {
    fn knowing(addresses: &[&str]) -> Recorder {
        Recorder {
            addresses: addresses.iter().map(|text| text.parse().unwrap()).collect(),
            ..Recorder::default()
        }
    }

    /// Scans `url` over this network and gives the error.
    fn scan(self: &Arc<Self>, url: &str, egress: &str) -> Option<Error> {
        let network = Network {
            resolver: self.clone(),
            dialler: self.clone(),
        };
        let mut table = table(url);
        table.source.retry.max_retries = 0;
        let egress = match egress {
            "*" => Egress::unrestricted(),
            rules => Egress::restricted(rules).unwrap(),
        };
        let client = client_over(network, &table, egress);
        read(&mut Scan::start(client, spec(&table)).unwrap()).1
    }

    fn dialled(&self) -> Vec<String> {
        self.dialled
            .lock()
            .unwrap()
            .iter()
            .map(SocketAddr::to_string)
            .collect()
    }
}

#[test]
fn a_name_that_leads_inside_is_refused_and_nothing_is_dialled() {
    for inside in [
        "127.0.0.1:443",
        "10.0.0.7:443",
        "169.254.169.254:443",
        "[::1]:443",
        "[::ffff:10.0.0.7]:443",
        "[64:ff9b::a00:7]:443",
    ] {
        let recorder = Arc::new(Recorder::knowing(&[inside]));
        let error = recorder.scan("https://api.test", "").unwrap();
        let Error::Forbidden { target, .. } = &error else {
            panic!("{error:?}")
        };
        assert!(target.starts_with("api.test ("), "{target}");
        assert_eq!(recorder.dialled(), Vec::<String>::new(), "{inside}");
    }
}

#[test]
fn literal_addresses_are_checked_too() {
    for inside in [
        "https://127.0.0.1",
        "https://[::1]:8443",
        "https://localhost",
        "https://10.1.2.3",
    ] {
        let recorder = Arc::new(Recorder::default());
        let error = recorder.scan(inside, "").unwrap();
        assert!(
            matches!(error, Error::Forbidden { .. }),
            "{inside}: {error:?}"
        );
        assert_eq!(recorder.dialled(), Vec::<String>::new());
    }
}

#[test]
fn plain_http_is_refused_before_the_name_is_looked_up() {
    let recorder = Arc::new(Recorder::knowing(&["8.8.8.8:80"]));
    let error = recorder.scan("http://api.test", "").unwrap();
    assert!(matches!(error, Error::Forbidden { .. }), "{error:?}");
    assert!(recorder.looked_up.lock().unwrap().is_empty());
}

#[test]
fn of_several_addresses_only_the_permitted_ones_are_dialled() {
    let recorder = Arc::new(Recorder::knowing(&[
        "10.0.0.7:443",
        "9.9.9.9:443",
        "[2606:4700::1111]:443",
    ]));
    let error = recorder.scan("https://api.test", "").unwrap();
    assert!(
        matches!(&error, Error::Connect { reason, .. } if reason.contains("2606:4700::1111")),
        "{error:?}"
    );
    assert_eq!(recorder.dialled(), ["9.9.9.9:443", "[2606:4700::1111]:443"]);
}

#[test]
fn a_rule_opens_what_it_names() {
    let server = Server::start(|_| json("[]"));
    for (rule, opens) in [
        ("api.test", true),
        ("*.test", true),
        ("10.0.0.0/8", true),
        ("other.test,10.1.0.0/16", false),
    ] {
        let recorder = Arc::new(Recorder {
            real: Some(server.address),
            ..Recorder::knowing(&["10.0.0.7:80"])
        });
        let error = recorder.scan("http://api.test", rule);
        match opens {
            true => assert_eq!(error, None, "{rule}"),
            false => assert!(matches!(error, Some(Error::Forbidden { .. })), "{rule}"),
        }
        assert_eq!(recorder.dialled().len(), usize::from(opens));
    }
    assert_eq!(server.requests()[0].header("host"), Some("api.test"));
}

#[test]
fn a_name_that_nobody_knows_is_told_and_not_tried_again() {
    let recorder = Arc::new(Recorder::default());
    let error = recorder.scan("http://api.test", "*").unwrap();
    let Error::Resolve { host, reason, .. } = &error else {
        panic!("{error:?}")
    };
    assert_eq!(
        (host.as_str(), reason.as_str()),
        ("api.test", "Name or service not known")
    );
    assert_eq!(recorder.looked_up.lock().unwrap().len(), 1);
}

#[test]
fn a_panic_in_a_fetch_thread_is_an_error() {
    #[derive(Debug)]
    struct Broken;
    impl Dial for Broken {
        fn dial(&self, _: SocketAddr) -> io::Result<OwnedFd> {
            panic!("out of sockets")
        }
    }
    let table = table("http://127.0.0.1:9");
    let network = Network {
        dialler: Arc::new(Broken),
        ..Network::default()
    };
    let client = client_over(network, &table, Egress::unrestricted());
    let error = read(&mut Scan::start(client, spec(&table)).unwrap())
        .1
        .unwrap();
    assert!(
        matches!(&error, Error::System(text) if text.contains("out of sockets")),
        "{error:?}"
    );
}
