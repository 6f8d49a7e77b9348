//! A hostile API: it wants requests, or credentials, to go where they must not, and answers without an end.

use crate::server::{Received, Reply, Server, json, reply};
use crate::stage::{next_url, read, spec, table};
use rest_engine::Error;
use rest_engine::http::{Client, Dial, Egress, Network, Resolve, SystemDialler, SystemResolver};
use rest_engine::model::{
    Auth, BodyKind, BodyPlan, Credentials, KeyPlace, Location, Method, Paging, Secret, Table,
};
use rest_engine::request::Inputs;
use rest_engine::scan::{Polled, Scan};
use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex};

/// Answers each look-up with the next of its answers, the last one for good; whatever is dialled is the same server.
#[derive(Debug, Default)]
struct Recorder {
    answers: Mutex<VecDeque<SocketAddr>>,
    server: Option<SocketAddr>,
    looked_up: Mutex<Vec<String>>,
    dialled: Mutex<Vec<SocketAddr>>,
}

impl Resolve for Recorder {
    fn resolve(&self, host: &str, _: u16) -> io::Result<Vec<SocketAddr>> {
        self.looked_up.lock().unwrap().push(host.to_owned());
        let mut answers = self.answers.lock().unwrap();
        let answer = match answers.len() {
            1 => answers.front().copied(),
            _ => answers.pop_front(),
        };
        Ok(answer.into_iter().collect())
    }
}

impl Dial for Recorder {
    fn dial(&self, address: SocketAddr) -> io::Result<OwnedFd> {
        self.dialled.lock().unwrap().push(address);
        match self.server {
            Some(server) => SystemDialler.dial(server),
            None => Err(io::ErrorKind::ConnectionRefused.into()),
        }
    }
}

impl Recorder {
    fn new(answers: &[&str], server: Option<&Server>) -> Arc<Recorder> {
        Arc::new(Recorder {
            answers: Mutex::new(answers.iter().map(|text| text.parse().unwrap()).collect()),
            server: server.map(|server| server.address),
            ..Recorder::default()
        })
    }

    fn network(self: &Arc<Self>) -> Network {
        Network {
            resolver: self.clone(),
            dialler: self.clone(),
        }
    }

    fn looked_up(&self) -> Vec<String> {
        self.looked_up.lock().unwrap().clone()
    }

    fn dialled(&self) -> Vec<String> {
        let dialled = self.dialled.lock().unwrap();
        dialled.iter().map(SocketAddr::to_string).collect()
    }
}

const TOKEN: &str = "Zx9Q-the-token";

fn credentials() -> Credentials {
    Credentials {
        token: Some(Secret::new(TOKEN)),
        headers: vec![("X-Tenant".to_owned(), Secret::new("Zx9Q-tenant"))],
        ..Credentials::default()
    }
}

fn scan_over(network: Network, mut table: Table, egress: &str) -> (Vec<i64>, Option<Error>) {
    table.source.retry.max_retries = 0;
    let egress = Egress::restricted(egress).unwrap();
    let client = Client::over(network, &table.source, credentials(), egress).unwrap();
    read(&mut Scan::start(Arc::new(client), spec(&table)).unwrap())
}

/// Where an API must not lead: another host, or its own by another way.
const ELSEWHERE: [&str; 34] = [
    "http://127.0.0.1/x",
    "http://127.0.0.1:6379/x",
    "http://169.254.169.254/latest/meta-data/",
    "http://[::1]/x",
    "http://[::ffff:10.0.0.1]/x",
    "http://[::ffff:a9fe:a9fe]/x",
    "http://[2002:a00:1::]/x",
    "http://[64:ff9b::a00:1]/x",
    "http://2130706433/x",
    "http://017700000001/x",
    "http://0177.0.0.1/x",
    "http://0x7f000001/x",
    "http://0x7f.1/x",
    "http://127.1/x",
    "http://localhost/x",
    "http://localhost./x",
    "http://api.test./x",
    "http://api.test:8080/x",
    "https://api.test/x",
    "//evil.test/x",
    "///evil.test/x",
    "http:///evil.test/x",
    "http://api.test@evil.test/x",
    "http://api.test:80@evil.test/x",
    "http://api.test%40evil.test/x",
    "http://api.test\\@evil.test/x",
    "http://evil.test\\.api.test/x",
    "http://api.test#@evil.test:81\\@x/",
    "http://api.test.evil.test/x",
    "file:///etc/passwd",
    "gopher://api.test:70/_x",
    "ftp://api.test/x",
    "javascript:alert(1)",
    "http:evil",
];

/// A target that a strict parser takes for one at the own host: then it is asked for there, and nowhere else.
fn is_own(target: &str) -> bool {
    target.starts_with("http://api.test#") || target.starts_with("///") || target == "http:evil"
}

fn led_elsewhere(table: fn(&str) -> Table, answer: fn(&Received, &str) -> Reply) {
    for target in ELSEWHERE {
        let server = Server::start(move |request| match request.index {
            0 => answer(request, target),
            _ => json(r#"{"items": []}"#),
        });
        let recorder = Recorder::new(&["9.9.9.9:80"], Some(&server));
        let (_, error) = scan_over(recorder.network(), table("http://api.test"), "9.0.0.0/8");
        let refused = matches!(
            error,
            Some(Error::Forbidden { .. } | Error::Paging { .. } | Error::Status { .. })
        );
        assert!(refused || is_own(target), "{target}: {error:?}");
        for request in server.requests() {
            assert_eq!(request.header("host"), Some("api.test"), "{target}");
        }
        assert!(
            recorder.looked_up().iter().all(|host| host == "api.test"),
            "{target}"
        );
        assert!(
            recorder.dialled().iter().all(|to| to == "9.9.9.9:80"),
            "{target}"
        );
        let shown = format!("{error:?}");
        assert!(!shown.contains("Zx9Q"), "{target}: {shown}");
    }
}

#[test]
fn a_redirect_leads_nowhere_but_to_the_own_origin() {
    led_elsewhere(table, |_, target| reply(302, &[("location", target)], ""));
}

#[test]
fn a_next_url_in_the_body_leads_nowhere_but_to_the_own_origin() {
    led_elsewhere(next_url, |_, target| {
        let target = serde_json::to_string(target).unwrap();
        json(format!(r#"{{"items": [], "next": {target}}}"#))
    });
}

#[test]
fn a_link_header_leads_nowhere_but_to_the_own_origin() {
    led_elsewhere(table, |_, target| {
        reply(200, &[("link", &format!("<{target}>; rel=\"next\""))], "[]")
    });
}

/// However an address is written: the system's own parser says which one it is, and that one is checked. (It asks nobody.)
#[test]
fn every_spelling_of_an_inner_address_is_refused() {
    for host in [
        "127.0.0.1",
        "127.1",
        "127.0.1",
        "2130706433",
        "017700000001",
        "0177.0.0.1",
        "0x7f000001",
        "0x7f.1",
        "0x7F.0X0.0.1",
        "localhost",
        "LOCALHOST.",
        "api.localhost",
        "[::1]",
        "[0:0:0:0:0:0:0:1]",
        "[::127.0.0.1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::ffff:10.0.0.1]",
        "[::ffff:a9fe:a9fe]",
        "[::ffff:0:10.0.0.1]",
        "[2002:7f00:1::]",
        "[2002:a00:1::]",
        "[64:ff9b::7f00:1]",
        "[64:ff9b::169.254.169.254]",
        "[64:ff9b:1::a00:1]",
        "[2001::1]",
        "[fe80::1]",
        "[fd00::1]",
        "[ff02::1]",
        "[::]",
        "0.0.0.0",
        "0",
        "10.0.0.1",
        "0xa000001",
        "169.254.169.254",
        "2852039166",
        "0xA9FEA9FE",
        "0251.0376.0251.0376",
        "172.16.0.1",
        "192.168.0.1",
        "100.64.0.1",
        "192.0.2.1",
        "198.18.0.1",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "255.255.255.255",
    ] {
        let recorder = Recorder::new(&[], None);
        let network = Network {
            resolver: Arc::new(SystemResolver),
            dialler: recorder.clone(),
        };
        let (_, error) = scan_over(network, table(&format!("https://{host}")), "");
        assert!(
            matches!(error, Some(Error::Forbidden { .. })),
            "{host}: {error:?}"
        );
        assert_eq!(recorder.dialled(), Vec::<String>::new(), "{host}");
    }
}

/// Rebinding: a name that is a public address when it is checked, and an inner one when it is dialled.
#[test]
fn what_was_checked_is_what_is_dialled() {
    let server = Server::start(|_| {
        let mut once = reply(200, &[("connection", "close")], "[]");
        once.push(crate::server::Act::Close);
        once
    });
    // The rule is about addresses, so that each look-up is checked.
    let rule = "9.0.0.0/8";
    let recorder = Recorder::new(&["9.9.9.9:80", "127.0.0.1:80"], Some(&server));
    assert_eq!(
        scan_over(recorder.network(), table("http://api.test"), rule).1,
        None
    );
    assert_eq!(
        recorder.looked_up(),
        ["api.test"],
        "one look-up a connection"
    );
    let (_, error) = scan_over(recorder.network(), table("http://api.test"), rule);
    assert!(
        matches!(&error, Some(Error::Forbidden { target, .. }) if target == "api.test (127.0.0.1)"),
        "{error:?}"
    );
    assert_eq!(recorder.dialled(), ["9.9.9.9:80"]);
}

#[test]
fn a_page_that_needs_another_connection_is_checked_anew() {
    let server = Server::start(|request| match request.index {
        0 => {
            let mut first = reply(
                200,
                &[
                    ("connection", "close"),
                    ("link", "</items?page=2>; rel=next"),
                ],
                "[]",
            );
            first.push(crate::server::Act::Close);
            first
        }
        _ => json("[]"),
    });
    let recorder = Recorder::new(&["9.9.9.9:80", "[::1]:80"], Some(&server));
    let (_, error) = scan_over(recorder.network(), table("http://api.test"), "9.0.0.0/8");
    assert!(matches!(error, Some(Error::Forbidden { .. })), "{error:?}");
    assert_eq!(recorder.dialled(), ["9.9.9.9:80"]);
    assert_eq!(server.targets(), ["/items"]);
}

/// All that only the own origin may see.
fn signed_table(base_url: &str, place: KeyPlace) -> Table {
    let mut table = next_url(base_url);
    table.source.headers = vec![("X-Constant".to_owned(), "c".to_owned())];
    table.source.auth = Some(Auth::ApiKey {
        name: "apikey".to_owned(),
        place,
    });
    table
}

#[test]
fn a_next_page_at_a_host_that_is_allowed_gets_no_credentials() {
    for place in [KeyPlace::Header, KeyPlace::Query, KeyPlace::Cookie] {
        let cdn =
            Server::start(|_| json(r#"{"items": [{"id": 2, "name": "b"}], "next": "/last"}"#));
        let cdn_url = cdn.url();
        let own = Server::start(move |request| {
            let query = request
                .target
                .split_once('?')
                .map_or("a=b", |(_, query)| query);
            json(format!(
                r#"{{"items": [{{"id": 1, "name": "a"}}], "next": "{cdn_url}/page2?{query}&c=d"}}"#
            ))
        });
        let table = signed_table(&own.url(), place);
        let key = Credentials {
            api_key: Some(Secret::new(TOKEN)),
            headers: credentials().headers,
            ..Credentials::default()
        };
        let client = |egress| Arc::new(Client::new(&table.source, key.clone(), egress).unwrap());
        // Wherever a server may point, only what the setting names may be led to.
        let (ids, error) =
            read(&mut Scan::start(client(Egress::unrestricted()), spec(&table)).unwrap());
        assert_eq!(ids, [1]);
        assert!(
            matches!(&error, Some(Error::Forbidden { reason, .. }) if reason.contains("rest_fdw.allowed_hosts")),
            "{error:?}"
        );
        assert_eq!(cdn.targets(), Vec::<String>::new());
        for egress in [
            Egress::restricted("127.0.0.1").unwrap(),
            Egress::unrestricted_but_naming("127.0.0.1").unwrap(),
        ] {
            let before = cdn.requests().len();
            let (ids, error) = read(&mut Scan::start(client(egress), spec(&table)).unwrap());
            assert_eq!(ids, [1, 2, 2]);
            assert!(
                matches!(error, Some(Error::Paging { .. })),
                "the last page names itself: {error:?}"
            );
            let seen = &cdn.requests()[before..];
            let page2 = match place {
                KeyPlace::Query => "/page2?c=d",
                _ => "/page2?a=b&c=d",
            };
            assert_eq!(
                seen.iter()
                    .map(|request| request.target.as_str())
                    .collect::<Vec<_>>(),
                [page2, "/last"]
            );
            for request in seen {
                assert!(!request.head.contains("Zx9Q"), "{}", request.head);
                assert!(!request.head.contains("x-constant"), "{}", request.head);
                assert_eq!(request.header("user-agent"), Some("rest_fdw/test"));
            }
        }
        assert!(
            own.requests()
                .iter()
                .all(|request| request.head.contains("Zx9Q"))
        );
    }
}

#[test]
fn a_page_elsewhere_is_not_asked_for_in_the_clear_or_with_a_body() {
    let link = "http://cdn.test/page2";
    let server = Server::start(move |_| json(format!(r#"{{"items": [], "next": "{link}"}}"#)));
    let mut posted = next_url("http://api.test");
    posted.method = Method::Post;
    posted.body = Some(BodyPlan {
        kind: BodyKind::Json,
        template: None,
    });
    let recorder = Recorder::new(&["9.9.9.9:80"], Some(&server));
    let (_, error) = scan_over(recorder.network(), posted, "api.test, cdn.test");
    assert!(
        matches!(&error, Some(Error::Forbidden { target, reason, .. }) if target == "http://cdn.test" && reason.contains("body")),
        "{error:?}"
    );
    assert_eq!(recorder.looked_up(), ["api.test"]);
}

#[test]
fn line_breaks_of_an_api_make_no_header() {
    let server = Server::start(|request| match request.index {
        0 => json(r#"{"items": [], "cursor": "a\r\nX-Evil: 1\r\n\r\nGET /evil HTTP/1.1"}"#),
        1 => json(r#"{"items": [], "cursor": "b\n/../?#&x=1"}"#),
        _ => json(r#"{"items": [], "cursor": null}"#),
    });
    let mut table = next_url(&server.url());
    table.paging = Paging::Cursor {
        param: "cursor".to_owned(),
        at: Location::Body(vec!["cursor".to_owned()]),
    };
    let (_, error) = read(&mut crate::stage::scan(&table));
    assert_eq!(error, None);
    assert_eq!(
        server.targets(),
        [
            "/items",
            "/items?cursor=a%0D%0AX-Evil:%201%0D%0A%0D%0AGET%20%2Fevil%20HTTP%2F1.1",
            "/items?cursor=b%0A%2F..%2F%3F%23%26x%3D1",
        ]
    );
    let evil = |request: &Received| request.header("x-evil").is_some();
    assert!(!server.requests().iter().any(evil));
}

#[test]
fn a_cursor_that_cannot_be_sent_back_is_an_error_and_no_end() {
    let long = format!("\"{}\"", "x".repeat(2 << 20));
    for cursor in [
        r#""a\u0000""#,
        r#"{"after": 5}"#,
        "[7]",
        "[[]]",
        long.as_str(),
    ] {
        let text = format!(r#"{{"items": [], "cursor": {cursor}}}"#);
        let server = Server::start(move |_| json(&text));
        let mut table = next_url(&server.url());
        table.paging = Paging::Cursor {
            param: "cursor".to_owned(),
            at: Location::Body(vec!["cursor".to_owned()]),
        };
        let (_, error) = read(&mut crate::stage::scan(&table));
        let shown = cursor.get(..20).unwrap_or(cursor);
        assert!(
            matches!(&error, Some(Error::Paging { reason, .. }) if reason.starts_with("\"cursor\" is neither")),
            "{shown}: {error:?}"
        );
        assert_eq!(server.targets(), ["/items"]);
    }
    for nothing in ["null", "[]", "{}", "\"\"", "false"] {
        let text = format!(r#"{{"items": [], "cursor": {nothing}}}"#);
        let server = Server::start(move |_| json(&text));
        let mut table = next_url(&server.url());
        table.paging = Paging::Cursor {
            param: "cursor".to_owned(),
            at: Location::Body(vec!["cursor".to_owned()]),
        };
        assert_eq!(read(&mut crate::stage::scan(&table)).1, None, "{nothing}");
    }
}

#[test]
fn line_breaks_of_a_value_make_no_header() {
    let server = Server::start(|_| json("[]"));
    let table = table(&server.url());
    for value in ["a\r\nX-Evil: 1", "a\nX-Evil: 1", "a\rb", "a\0b"] {
        let mut spec = spec(&table);
        spec.requests = vec![Inputs {
            headers: vec![("X-Version".to_owned(), value.to_owned())],
            ..Inputs::default()
        }];
        let (_, error) = read(&mut Scan::start(crate::stage::client(&table), spec).unwrap());
        let error = error.expect(value).to_string();
        assert!(
            error.contains("a character that a header cannot carry"),
            "{error}"
        );
    }
    assert_eq!(server.targets(), Vec::<String>::new());
}

#[test]
fn a_cursor_that_never_ends_ends_with_max_pages_or_with_its_query() {
    let endless = || {
        Server::start(|request| {
            json(format!(
                r#"{{"items": [], "cursor": "c{}"}}"#,
                request.index
            ))
        })
    };
    let cursor = |server: &Server| Table {
        paging: Paging::Cursor {
            param: "cursor".to_owned(),
            at: Location::Body(vec!["cursor".to_owned()]),
        },
        ..next_url(&server.url())
    };
    let server = endless();
    let mut table = cursor(&server);
    table.source.max_pages = Some(5);
    let (_, error) = read(&mut crate::stage::scan(&table));
    assert!(
        matches!(&error, Some(Error::Limit { what, limit: 5, .. }) if what.contains("max_pages")),
        "{error:?}"
    );
    assert_eq!(server.targets().len(), 5);
    let server = endless();
    let mut scan = crate::stage::scan(&cursor(&server));
    while server.targets().len() < 4 {
        assert!(matches!(scan.poll(), Ok(Polled::Pending)));
        crate::stage::wakes(&scan, 5);
    }
    drop(scan);
    let asked = server.targets().len();
    std::thread::sleep(std::time::Duration::from_millis(20));
    assert_eq!(server.targets().len(), asked, "nobody asks on");
}
