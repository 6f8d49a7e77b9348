//! What can a role without rights not do: make servers, see secrets, reach what is inside?
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used)]

use cluster_tests::{Api, Database, Session, items, mock_api};

const SECRET: &str = "Zx9Q-the-secret-of-anna";

/// The superuser's server `api` with a table, and Anna's mapping for it.
fn place(test: &str) -> (Api, Database, Session) {
    let name = format!("boundaries_{test}");
    let api = Api::new(&name, &items(3, 10));
    let database = Database::create(&name);
    let mut admin = database.connect();
    api.create_server(&mut admin, "api", "");
    admin.run(
        "CREATE FOREIGN TABLE items (id int) SERVER api OPTIONS (endpoint '/items');
         GRANT SELECT ON items TO PUBLIC; GRANT CREATE ON SCHEMA public TO PUBLIC",
    );
    (api, database, admin)
}

#[test]
fn it_cannot_make_or_change_a_server_or_use_one_that_was_not_granted() {
    let (api, database, _admin) = place("rights");
    let role = database.create_role("guest");
    let mut guest = database.connect_as(&role);
    for sql in [
        format!("CREATE SERVER own FOREIGN DATA WRAPPER rest_fdw OPTIONS (base_url '{}')", api.url()),
        "ALTER SERVER api OPTIONS (SET base_url 'https://evil.test')".to_owned(),
        "CREATE FOREIGN TABLE own (id int) SERVER api OPTIONS (endpoint '/other')".to_owned(),
        "CREATE USER MAPPING FOR CURRENT_USER SERVER api OPTIONS (token 't')".to_owned(),
        "ALTER FOREIGN TABLE items OPTIONS (SET endpoint '/other')".to_owned(),
        "SET rest_fdw.allowed_hosts = '127.0.0.1'; SELECT count(id) FROM items; SET rest_fdw.allowed_hosts = '::1'".to_owned(),
    ] {
        let error = guest.error(&sql);
        assert_eq!(error.code, "42501", "{error:?}: {sql}");
    }
}

#[test]
fn it_cannot_see_the_secret_of_another_role() {
    let (_api, database, mut admin) = place("secrets");
    let (anna, guest) = (database.create_role("anna"), database.create_role("guest"));
    admin.run(&format!(
        "GRANT USAGE ON FOREIGN SERVER api TO {anna}, {guest};
         CREATE USER MAPPING FOR {anna} SERVER api OPTIONS (token '{SECRET}')"
    ));
    let mut session = database.connect_as(&guest);
    session.run("SET client_min_messages = debug1");
    let denied = session.error("SELECT umoptions FROM pg_user_mapping");
    assert_eq!(denied.code, "42501");
    assert_eq!(
        session.rows("SELECT usename, umoptions FROM pg_user_mappings"),
        [format!("{anna}|NULL")]
    );
    let mut seen = vec![
        format!(
            "{:?}",
            session.outcome(&format!(
                "ALTER USER MAPPING FOR {anna} SERVER api OPTIONS (SET token 'x')"
            ))
        ),
        format!(
            "{:?}",
            session.outcome(&format!("DROP USER MAPPING FOR {anna} SERVER api"))
        ),
        format!(
            "{:?}",
            session.outcome(&format!(
                "CREATE USER MAPPING FOR {anna} SERVER api OPTIONS (token 'x')"
            ))
        ),
        format!("{:?}", session.outcome(&format!("SET ROLE {anna}"))),
    ];
    assert!(
        seen.iter()
            .all(|outcome| outcome.contains("42501") || outcome.contains("42710")),
        "{seen:?}"
    );
    seen.extend(session.rows("EXPLAIN (ANALYZE, VERBOSE) SELECT id FROM items"));
    seen.extend(session.notices());
    assert!(!seen.join("\n").contains("Zx9Q"), "{seen:?}");
    // Who may see it does, so the above is not for want of a secret.
    let own = database
        .connect_as(&anna)
        .row("SELECT umoptions FROM pg_user_mappings");
    assert!(own.contains(SECRET), "{own}");
}

/// Ways to write an address of this machine.
const LOOPBACK: [&str; 12] = [
    "127.0.0.1",
    "127.1",
    "127.0.1",
    "2130706433",
    "017700000001",
    "0177.0.0.1",
    "0x7f000001",
    "0x7f.1",
    "localhost",
    "LOCALHOST.",
    "0",
    "0.0.0.0",
];
const LOOPBACK_V6: [&str; 5] = [
    "[::1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::127.0.0.1]",
    "[::]",
];

fn base_url(api: &Api, scheme: &str, host: &str) -> String {
    let of = match scheme {
        "https" => mock_api().tls_url(),
        _ => mock_api().url(),
    };
    let path = api.url().replace(mock_api().url(), "");
    let (_, port) = of.rsplit_once(':').unwrap();
    format!("{scheme}://{host}:{port}{path}")
}

#[test]
fn a_server_of_its_own_reaches_loopback_by_no_spelling() {
    let (api, database, mut admin) = place("loopback");
    let role = database.create_role("renter");
    admin.run(&format!(
        "GRANT USAGE ON FOREIGN DATA WRAPPER rest_fdw TO {role}"
    ));
    let mut renter = database.connect_as(&role);
    for host in LOOPBACK.iter().chain(&LOOPBACK_V6) {
        for scheme in ["https", "http"] {
            renter.run(&format!(
                "CREATE SERVER rented FOREIGN DATA WRAPPER rest_fdw OPTIONS (base_url '{}', max_retries '0');
                 CREATE FOREIGN TABLE rented_items (id int) SERVER rented OPTIONS (endpoint '/items')",
                base_url(&api, scheme, host)
            ));
            let error = renter.error("SELECT count(id) FROM rented_items");
            assert_eq!(error.code, "42501", "{scheme}://{host}: {error:?}");
            assert!(error.message.contains("is not allowed"), "{error:?}");
            renter.run("DROP SERVER rented CASCADE");
        }
    }
    assert_eq!(api.take_requests(), Vec::<String>::new());
    // The spellings are good ones: whoever may, gets there by them.
    for host in LOOPBACK {
        admin.run(&format!(
            "CREATE SERVER own FOREIGN DATA WRAPPER rest_fdw OPTIONS (base_url '{}');
             CREATE FOREIGN TABLE own_items (id int) SERVER own OPTIONS (endpoint '/items')",
            base_url(&api, "http", host)
        ));
        assert_eq!(admin.row("SELECT count(id) FROM own_items"), "3", "{host}");
        admin.run("DROP SERVER own CASCADE");
    }
    assert_eq!(api.take_requests().len(), LOOPBACK.len());
}

#[test]
fn a_next_page_at_another_origin_gets_no_token_and_only_where_it_is_allowed() {
    let (api, _database, mut admin) = place("next");
    // By another name it is another origin, and the same server.
    let elsewhere = base_url(&api, "http", "localhost");
    let scenario = serde_json::json!({"routes": {
        "/first": {"rows": [{"id": 1}], "headers": {"Link": format!("<{elsewhere}/second>; rel=\"next\"")}},
        "/second": {"rows": [{"id": 2}]},
    }});
    api.define(&scenario);
    admin.run(&format!(
        "CREATE USER MAPPING FOR CURRENT_USER SERVER api OPTIONS (token '{SECRET}');
         CREATE FOREIGN TABLE linked (id int) SERVER api OPTIONS (endpoint '/first', pagination 'link')"
    ));
    let error = admin.error("SELECT id FROM linked");
    assert_eq!(error.code, "42501", "{error:?}");
    assert!(
        error.message.contains("rest_fdw.allowed_hosts"),
        "{error:?}"
    );
    assert_eq!(api.take_requests(), ["GET /first"]);
    admin.run("SET rest_fdw.allowed_hosts = 'localhost'");
    assert_eq!(admin.rows("SELECT id FROM linked"), ["1", "2"]);
    let heads = api.take_heads();
    let sent: Vec<_> = heads
        .iter()
        .map(|head| (head.line(), head.header("Authorization")))
        .collect();
    assert_eq!(
        sent,
        [
            (
                "GET /first".to_owned(),
                Some(format!("Bearer {SECRET}").as_str())
            ),
            ("GET /second".to_owned(), None)
        ]
    );
}
