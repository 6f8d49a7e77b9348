//! Which way do connections take, whom do they believe, and who are they? Against nginx and tinyproxy, which nobody here wrote.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used)]

use cluster_tests::{Database, Session, SqlError};
use real_servers::nginx::Nginx;
use real_servers::tinyproxy::Tinyproxy;

const READ: &str = "SELECT count(id), sum(id) FROM items";
const ROWS: &str = "200|20100";

/// A database with a server `api` and a table `items` of it.
struct Place {
    nginx: Nginx,
    database: Database,
    session: Session,
}

impl Place {
    fn new(test: &str) -> Place {
        let rows: Vec<String> = (1..=200)
            .map(|id| format!(r#"{{"id": {id}, "title": "an item"}}"#))
            .collect();
        let nginx = Nginx::serving(&format!("[{}]", rows.join(","))).unwrap();
        let database = Database::create(&format!("connecting_{test}"));
        let session = database.connect();
        Place {
            nginx,
            database,
            session,
        }
    }

    /// A server in place of the one before.
    fn server(&mut self, base_url: &str, options: &str) {
        self.session.run(&format!(
            "DROP SERVER IF EXISTS api CASCADE;
             CREATE SERVER api FOREIGN DATA WRAPPER rest_fdw OPTIONS (base_url '{base_url}', max_retries '0'{options});
             CREATE FOREIGN TABLE items (id int, title text) SERVER api OPTIONS (endpoint '/items.json')"
        ));
    }

    /// The option `name` with a file of nginx's folder.
    fn file(&self, name: &str, file: &str) -> String {
        format!(", {name} '{}'", self.nginx.file(file))
    }

    fn rows(&mut self) {
        assert_eq!(self.session.row(READ), ROWS);
    }

    fn error(&mut self) -> SqlError {
        self.session.error(READ)
    }
}

#[test]
fn a_private_authority_is_believed_where_the_server_names_it() {
    let mut place = Place::new("authority");
    let (url, port) = (place.nginx.tls_url(), place.nginx.tls_port());
    let (ca, other) = (
        place.file("ca_file", "ca.pem"),
        place.file("ca_file", "other-ca.pem"),
    );
    place.server(&url, &ca);
    place.rows();
    place.rows();
    let requests = place.nginx.requests(2);
    let connections: Vec<&str> = requests
        .iter()
        .map(|request| request.split(", ").nth(1).unwrap())
        .collect();
    assert_eq!(connections.len(), 2, "{requests:?}");
    assert_eq!(connections[0], connections[1], "TLS is kept, too");
    for (base_url, options) in [
        (url.clone(), String::new()),
        (url.clone(), other),
        // The certificate is for the address.
        (format!("https://localhost:{port}"), ca),
    ] {
        place.server(&base_url, &options);
        let error = place.error();
        assert_eq!(error.code, "08001", "{error:?}");
        assert!(error.message.contains("TLS connection failed"), "{error:?}");
    }
    place.server(&url, ", tls_verify 'off'");
    place.rows();
    assert_eq!(place.nginx.requests(3).len(), 3);
}

#[test]
fn a_file_that_is_of_no_use_is_named_and_not_shown() {
    let mut place = Place::new("files");
    let url = place.nginx.tls_url();
    for (option, file, reason) in [
        ("ca_file", "nothing.pem", "cannot be read"),
        ("ca_file", "www", "is not a file"),
        ("ca_file", "users", "holds no certificate"),
        ("client_cert_file", "ca.pem", "holds no private key"),
        ("client_cert_file", "server.key", "holds no certificate"),
        ("client_cert_file", "mixed.pem", "its key cannot be used"),
    ] {
        let options = place.file(option, file);
        place.server(&url, &options);
        let error = place.error();
        assert_eq!(error.code, "22023", "{error:?}");
        assert!(
            error.message.contains(option) && error.message.contains(reason),
            "{error:?}"
        );
        assert!(!format!("{error:?}").contains("geheim"), "{error:?}");
    }
    assert_eq!(place.nginx.requests(0), Vec::<String>::new());
}

#[test]
fn a_client_shows_the_certificate_that_the_server_names() {
    let mut place = Place::new("mutual");
    let url = place.nginx.mutual_tls_url();
    let ca = place.file("ca_file", "ca.pem");
    let with = |place: &Place, file: &str| ca.clone() + &place.file("client_cert_file", file);
    let options = with(&place, "client.pem");
    place.server(&url, &options);
    place.rows();
    let requests = place.nginx.requests(1);
    assert!(
        requests[0].ends_with("certificate CN=client"),
        "{requests:?}"
    );
    let stranger = with(&place, "stranger.pem");
    for options in [ca.clone(), stranger] {
        place.server(&url, &options);
        // nginx answers with 400, or closes the connection while it is being made.
        let error = place.error();
        let is_answered = error.code == "HV00M" && error.message.contains("400");
        let is_closed = error.code == "08001" && error.message.contains("closed the connection");
        assert!(is_answered || is_closed, "{error:?}");
    }
}

#[test]
fn basic_authentication_and_gzip_work_with_a_real_server() {
    let mut place = Place::new("basic");
    let url = format!("{}/basic", place.nginx.tls_url());
    let ca = place.file("ca_file", "ca.pem");
    place.server(&url, &ca);
    assert_eq!(place.error().code, "28000");
    let mapping = "USER MAPPING FOR CURRENT_USER SERVER api OPTIONS";
    place.session.run(&format!(
        "CREATE {mapping} (username 'anna', password 'falsch')"
    ));
    assert_eq!(place.error().code, "28000");
    place
        .session
        .run(&format!("ALTER {mapping} (SET password 'geheim')"));
    place.rows();
    let last = place.nginx.requests(3).pop().unwrap();
    let ratio = last
        .split("gzip ")
        .nth(1)
        .unwrap()
        .split(',')
        .next()
        .unwrap();
    assert!(ratio.parse::<f64>().unwrap() > 2.0, "{last}");
}

#[test]
fn a_unix_socket_stands_for_the_host_of_the_base_url() {
    let mut place = Place::new("socket");
    let socket = place.file("unix_socket", "socket");
    place.server("http://api.invalid", &socket);
    place.rows();
    let nothing = place.file("unix_socket", "nothing");
    place.server("http://api.invalid", &nothing);
    let error = place.error();
    assert_eq!(error.code, "08001", "{error:?}");
    assert!(error.message.contains("nothing"), "{error:?}");
}

#[test]
fn a_proxy_gets_whole_urls_and_makes_tunnels_for_tls() {
    let mut place = Place::new("proxy");
    let proxy = Tinyproxy::tunnelling_to(place.nginx.tls_port()).unwrap();
    let by_proxy = format!(", proxy_url '{}'", proxy.url());
    let (plain, tls) = (place.nginx.url(), place.nginx.tls_url());
    place.server(&plain, &by_proxy);
    place.rows();
    place.rows();
    assert!(
        proxy
            .log()
            .contains(&format!("GET {plain}/items.json HTTP/1.1")),
        "{}",
        proxy.log()
    );
    let ca = place.file("ca_file", "ca.pem") + &by_proxy;
    place.server(&tls, &ca);
    place.rows();
    let authority = tls.trim_start_matches("https://");
    assert!(
        proxy
            .log()
            .contains(&format!("CONNECT {authority} HTTP/1.1")),
        "{}",
        proxy.log()
    );
    let refused = place.nginx.mutual_tls_url();
    place.server(&refused, &ca);
    let error = place.error();
    assert_eq!(error.code, "08001", "{error:?}");
    assert!(
        error.message.contains("the proxy answered with status 403"),
        "{error:?}"
    );
}

#[test]
fn an_ordinary_role_can_neither_set_these_options_nor_use_a_proxy_or_a_socket() {
    let mut place = Place::new("roles");
    let role = place.database.create_role("renter");
    place.session.run(&format!(
        "GRANT USAGE ON FOREIGN DATA WRAPPER rest_fdw TO {role}"
    ));
    let mut renter = place.database.connect_as(&role);
    for option in [
        "ca_file '/etc/passwd'",
        "client_cert_file '/etc/passwd'",
        "tls_verify 'off'",
        "proxy_url 'http://127.0.0.1:1'",
        "unix_socket '/run/docker.sock'",
    ] {
        let error = renter.error(&format!(
            "CREATE SERVER rented FOREIGN DATA WRAPPER rest_fdw OPTIONS (base_url 'http://api.invalid', {option})"
        ));
        assert_eq!(error.code, "42501", "{error:?}");
    }
    let socket = place.file("unix_socket", "socket");
    let proxy = ", proxy_url 'http://127.0.0.1:1'".to_owned();
    for options in [socket, proxy] {
        place.server("http://api.invalid", &options);
        place
            .session
            .run(&format!("ALTER SERVER api OWNER TO {role}"));
        let error = place.error();
        assert_eq!(error.code, "42501", "{error:?}");
    }
    assert_eq!(place.nginx.requests(0), Vec::<String>::new());
}
