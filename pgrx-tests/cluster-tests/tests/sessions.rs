//! Whose credentials are sent, when do changes take effect, who may reach what, and where do secrets show?
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used)]

use cluster_tests::{Api, Database, Process, Session, items, mock_api};
use serde_json::json;
use std::fs;

/// A database whose superuser made a server `api` and a table `items`, which every role may read.
struct Place {
    api: Api,
    database: Database,
    admin: Session,
}

impl Place {
    fn new(test: &str) -> Place {
        let name = format!("sessions_{test}");
        let api = Api::new(&name, &items(3, 10));
        let database = Database::create(&name);
        let mut admin = database.connect();
        api.create_server(&mut admin, "api", "");
        admin.run(
            "CREATE FOREIGN TABLE items (id int, title text) SERVER api OPTIONS (endpoint '/items');
             GRANT SELECT ON items TO PUBLIC; GRANT USAGE ON FOREIGN SERVER api TO PUBLIC;
             GRANT CREATE ON SCHEMA public TO PUBLIC",
        );
        Place {
            api,
            database,
            admin,
        }
    }

    /// A role with a token of its own, and a session of it.
    fn role_with_token(&mut self, role: &str, token: &str) -> (String, Session) {
        let name = self.database.create_role(role);
        self.admin.run(&format!(
            "CREATE USER MAPPING FOR {name} SERVER api OPTIONS (token '{token}')"
        ));
        let session = self.database.connect_as(&name);
        (name, session)
    }

    /// The Authorization headers of the requests since the last call.
    fn authorizations(&self) -> Vec<Option<String>> {
        let heads = self.api.take_heads();
        heads
            .iter()
            .map(|head| head.header("Authorization").map(str::to_owned))
            .collect()
    }

    /// What a statement of a session sends as Authorization; it must read the three items.
    fn sent(&self, session: &mut Session, sql: &str) -> String {
        assert_eq!(session.row(sql), "3", "{sql}");
        match <[Option<String>; 1]>::try_from(self.authorizations()) {
            Ok([authorization]) => authorization.unwrap_or_else(|| "none".to_owned()),
            Err(all) => panic!("{} requests instead of one: {sql}", all.len()),
        }
    }
}

const COUNT: &str = "SELECT count(id) FROM items";

#[test]
fn each_role_sends_its_own_token_and_one_without_a_mapping_sends_none() {
    let mut place = Place::new("own");
    let (_, mut anna) = place.role_with_token("anna", "annas-token");
    let (_, mut bert) = place.role_with_token("bert", "berts-token");
    let name = place.database.create_role("carla");
    let mut carla = place.database.connect_as(&name);
    for _ in 0..2 {
        assert_eq!(place.sent(&mut anna, COUNT), "Bearer annas-token");
        assert_eq!(place.sent(&mut bert, COUNT), "Bearer berts-token");
        assert_eq!(place.sent(&mut carla, COUNT), "none");
    }
}

#[test]
fn one_session_that_changes_its_role_changes_the_token() {
    let mut place = Place::new("set_role");
    let (anna, _) = place.role_with_token("anna", "annas-token");
    let (bert, _) = place.role_with_token("bert", "berts-token");
    let mut session = place.database.connect();
    session.run(
        "SET plan_cache_mode = force_generic_plan; PREPARE read AS SELECT count(id) FROM items",
    );
    for (role, token) in [(&anna, "Bearer annas-token"), (&bert, "Bearer berts-token")] {
        session.run(&format!("SET ROLE {role}"));
        assert_eq!(place.sent(&mut session, COUNT), token);
        assert_eq!(place.sent(&mut session, "EXECUTE read"), token);
    }
}

#[test]
fn a_public_mapping_serves_whoever_has_none_of_their_own() {
    let mut place = Place::new("public");
    let (_, mut anna) = place.role_with_token("anna", "annas-token");
    let name = place.database.create_role("bert");
    let mut bert = place.database.connect_as(&name);
    place
        .admin
        .run("CREATE USER MAPPING FOR PUBLIC SERVER api OPTIONS (token 'everybodys-token')");
    assert_eq!(place.sent(&mut anna, COUNT), "Bearer annas-token");
    assert_eq!(place.sent(&mut bert, COUNT), "Bearer everybodys-token");
}

#[test]
fn a_view_and_a_security_definer_function_use_their_owners_mapping() {
    let mut place = Place::new("view");
    let (_, mut owner) = place.role_with_token("owner", "owners-token");
    let (_, mut reader) = place.role_with_token("reader", "readers-token");
    owner.run(
        "CREATE VIEW owned AS SELECT * FROM items;
         CREATE FUNCTION counted() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT count(id) FROM public.items';
         CREATE FUNCTION invoked() RETURNS bigint LANGUAGE sql AS 'SELECT count(id) FROM public.items';
         GRANT SELECT ON owned TO PUBLIC",
    );
    assert_eq!(
        place.sent(&mut reader, "SELECT count(id) FROM owned"),
        "Bearer owners-token"
    );
    assert_eq!(
        place.sent(&mut reader, "SELECT counted()"),
        "Bearer owners-token"
    );
    assert_eq!(
        place.sent(&mut reader, "SELECT invoked()"),
        "Bearer readers-token"
    );
    assert_eq!(place.sent(&mut reader, COUNT), "Bearer readers-token");
    assert_eq!(
        place.sent(&mut owner, "SELECT count(id) FROM owned"),
        "Bearer owners-token"
    );
    // Both in one statement, each with its own.
    assert_eq!(
        reader.row("SELECT count(*) FROM owned JOIN items USING (id)"),
        "3"
    );
    let mut both = place.authorizations();
    both.sort();
    both.dedup();
    let token = |whose: &str| Some(format!("Bearer {whose}-token"));
    assert_eq!(both, [token("owners"), token("readers")]);
}

#[test]
fn a_role_cannot_read_another_roles_secrets() {
    let mut place = Place::new("secrets");
    let (anna, mut annas_session) = place.role_with_token("anna", "annas-token");
    let (bert, mut berts_session) = place.role_with_token("bert", "berts-token");
    let options =
        |of: &str| format!("SELECT umoptions FROM pg_user_mappings WHERE usename = '{of}'");
    assert_eq!(annas_session.row(&options(&anna)), "{token=annas-token}");
    assert_eq!(annas_session.row(&options(&bert)), "NULL");
    assert_eq!(berts_session.row(&options(&anna)), "NULL");
    assert_eq!(
        berts_session.error("SELECT * FROM pg_user_mapping").code,
        "42501"
    );
    let visible = "SELECT option_value FROM information_schema.user_mapping_options";
    assert!(
        !berts_session
            .rows(visible)
            .contains(&"annas-token".to_owned())
    );
}

#[test]
fn an_altered_mapping_counts_from_the_next_statement() {
    let mut place = Place::new("mapping");
    let (role, mut session) = place.role_with_token("role", "first");
    session.run(
        "SET plan_cache_mode = force_generic_plan; PREPARE read AS SELECT count(id) FROM items",
    );
    assert_eq!(place.sent(&mut session, COUNT), "Bearer first");
    assert_eq!(place.sent(&mut session, "EXECUTE read"), "Bearer first");
    place.admin.run(&format!(
        "ALTER USER MAPPING FOR {role} SERVER api OPTIONS (SET token 'second')"
    ));
    assert_eq!(place.sent(&mut session, "EXECUTE read"), "Bearer second");
    assert_eq!(place.sent(&mut session, COUNT), "Bearer second");
    place
        .admin
        .run(&format!("DROP USER MAPPING FOR {role} SERVER api"));
    assert_eq!(place.sent(&mut session, "EXECUTE read"), "none");
}

#[test]
fn altered_servers_tables_and_columns_count_from_the_next_execute() {
    let mut place = Place::new("altered");
    let second = Api::new(
        "sessions_altered_second",
        &json!({"routes": {
            "/items": {"rows": [{"id": 10, "title": "second"}]},
            "/others": {"rows": [{"id": 20, "title": "others", "name": "renamed"}]},
        }}),
    );
    let mut session = place.database.connect();
    session.run(
        "SET plan_cache_mode = force_generic_plan;
         PREPARE read(int) AS SELECT id, title FROM items WHERE id >= $1 ORDER BY id LIMIT 1;
         CREATE FUNCTION read_item() RETURNS text LANGUAGE plpgsql AS $$
           BEGIN RETURN (SELECT title FROM items ORDER BY id LIMIT 1); END $$",
    );
    let mut read = |expected: &str| {
        assert_eq!(session.row("EXECUTE read(0)"), expected);
        assert_eq!(
            session.row("SELECT read_item()"),
            expected.split_once('|').unwrap().1
        );
    };
    let first_title = place.admin.row("SELECT title FROM items WHERE id = 1");
    read(&format!("1|{first_title}"));
    place.admin.run(&format!(
        "ALTER SERVER api OPTIONS (SET base_url '{}')",
        second.url()
    ));
    read("10|second");
    place
        .admin
        .run("ALTER FOREIGN TABLE items OPTIONS (SET endpoint '/others')");
    read("20|others");
    place
        .admin
        .run("ALTER FOREIGN TABLE items ALTER title OPTIONS (ADD field 'name')");
    read("20|renamed");
    second.take_requests();
    place
        .admin
        .run("ALTER FOREIGN TABLE items ALTER id OPTIONS (ADD filter '>= from_id')");
    read("20|renamed");
    assert_eq!(
        second.take_requests(),
        ["GET /others?from_id=0", "GET /others"]
    );
}

/// A role that owns a server which points at loopback, and a session that has not used rest_fdw before.
fn server_of_an_ordinary_role(test: &str) -> (Place, String) {
    let mut place = Place::new(test);
    let role = place.database.create_role("renter");
    place.admin.run(&format!(
        "GRANT USAGE ON FOREIGN DATA WRAPPER rest_fdw TO {role}"
    ));
    let mut session = place.database.connect_as(&role);
    place.api.create_server(&mut session, "rented", "");
    session.run(&format!(
        "CREATE FOREIGN TABLE rented_items (id int) SERVER rented OPTIONS (endpoint '/items');
         CREATE SERVER rented_tls FOREIGN DATA WRAPPER rest_fdw OPTIONS (base_url '{}', max_retries '0');
         CREATE FOREIGN TABLE rented_tls_items (id int) SERVER rented_tls OPTIONS (endpoint '/items')",
        mock_api().tls_url()
    ));
    (place, role)
}

const RENTED: &str = "SELECT count(id) FROM rented_items";
const RENTED_TLS: &str = "SELECT count(id) FROM rented_tls_items";

#[test]
fn loopback_is_refused_to_a_server_of_an_ordinary_role_unless_it_is_allowed() {
    let (mut place, role) = server_of_an_ordinary_role("egress");
    let mut session = place.database.connect_as(&role);
    for sql in [RENTED, RENTED_TLS] {
        let error = session.error(sql);
        assert_eq!(error.code, "42501", "{error:?}");
        assert!(
            error.message.contains("127.0.0.1") && error.message.contains("rest_fdw.allowed_hosts"),
            "{error:?}"
        );
    }
    // Who reads does not matter, but whose server it is.
    assert_eq!(place.admin.error(RENTED).code, "42501");
    assert_eq!(place.api.take_requests(), Vec::<String>::new());

    let allow = |hosts: &str| {
        format!(
            "ALTER DATABASE {} SET rest_fdw.allowed_hosts = '{hosts}'",
            place.database.name()
        )
    };
    for (hosts, allowed) in [
        ("10.0.0.0/8, *.example.com", false),
        ("127.0.0.1", true),
        ("api.test,127.0.0.0/8", true),
    ] {
        place.admin.run(&allow(hosts));
        let mut session = place.database.connect_as(&role);
        match allowed {
            true => assert_eq!(session.row(RENTED), "3", "{hosts}"),
            false => assert_eq!(session.error(RENTED).code, "42501", "{hosts}"),
        }
        assert_eq!(
            place.api.take_requests().len(),
            usize::from(allowed),
            "{hosts}"
        );
    }
}

#[test]
fn an_ordinary_role_cannot_allow_itself_more_hosts() {
    let (place, role) = server_of_an_ordinary_role("allowed");
    // Before the library is loaded the setting is a placeholder that everybody may set.
    let mut session = place.database.connect_as(&role);
    session.run("SET rest_fdw.allowed_hosts = '127.0.0.1'");
    assert_eq!(session.error(RENTED).code, "42501");
    assert_eq!(
        session
            .error("SET rest_fdw.allowed_hosts = '127.0.0.1'")
            .code,
        "42501"
    );
    assert_eq!(session.error(RENTED).code, "42501");
    let mut session = place.database.connect_as(&role);
    let settings = "SET rest_fdw.allowed_hosts = '0.0.0.0/0'; SELECT count(id) FROM rented_items";
    assert_eq!(session.error(settings).code, "42501");
    assert_eq!(place.api.take_requests(), Vec::<String>::new());
}

#[test]
fn hosts_that_no_scan_could_use_are_refused_where_they_are_set() {
    let place = Place::new("bad_hosts");
    let mut session = place.database.connect();
    session.run("LOAD 'rest_fdw'");
    session.run("SET rest_fdw.allowed_hosts = 'api.example.com, *.corp, 10.0.0.0/8, ::1'");
    for (hosts, detail) in [
        (
            "http://api.example.com",
            "\"http://api.example.com\": must be a host name, *.suffix, an address or a CIDR block",
        ),
        (
            "fine.test 10.0.0.0/33",
            "\"10.0.0.0/33\": after the slash there must be a number from 0 to 32",
        ),
        ("käse.test", "\"k?se.test\": must be a host name"),
    ] {
        let error = session.error(&format!("SET rest_fdw.allowed_hosts = '{hosts}'"));
        assert_eq!(
            (error.code.as_str(), error.message.as_str()),
            (
                "22023",
                format!("invalid value for parameter \"rest_fdw.allowed_hosts\": \"{hosts}\"")
                    .as_str()
            )
        );
        assert!(error.detail.contains(detail), "{error:?}");
    }
    assert_eq!(
        session.row("SHOW rest_fdw.allowed_hosts"),
        "api.example.com, *.corp, 10.0.0.0/8, ::1"
    );
}

#[test]
fn a_server_that_passes_to_an_ordinary_role_loses_its_reach() {
    let mut place = Place::new("owner");
    let role = place.database.create_role("heir");
    let mut session = place.database.connect_as(&role);
    session.run(
        "SET plan_cache_mode = force_generic_plan; PREPARE read AS SELECT count(id) FROM items",
    );
    assert_eq!(session.row("EXECUTE read"), "3");
    place.admin.run(&format!(
        "GRANT USAGE ON FOREIGN DATA WRAPPER rest_fdw TO {role}; ALTER SERVER api OWNER TO {role}"
    ));
    assert_eq!(session.error("EXECUTE read").code, "42501");
}

/// How a secret is given, and how the API is told it.
struct Credential {
    name: &'static str,
    server_options: &'static str,
    mapping: &'static str,
    /// What must not show.
    secrets: &'static [&'static str],
    /// A part of the request as the API received it, which shows that the secret was sent.
    sent: &'static str,
}

const CREDENTIALS: [Credential; 6] = [
    Credential {
        name: "token",
        server_options: "",
        mapping: "token 'Geheim-1111'",
        secrets: &["Geheim-1111"],
        sent: "Bearer Geheim-1111",
    },
    Credential {
        name: "password",
        server_options: "",
        mapping: "username 'anna', password 'Geheim-2222'",
        // The second is the Base64 of anna:Geheim-2222.
        secrets: &["Geheim-2222", "YW5uYTpHZWhlaW0tMjIyMg=="],
        sent: "Basic YW5uYTpHZWhlaW0tMjIyMg==",
    },
    Credential {
        name: "key_in_header",
        server_options: "",
        mapping: "api_key 'Geheim-3333'",
        secrets: &["Geheim-3333"],
        sent: "Geheim-3333",
    },
    Credential {
        name: "key_in_query",
        server_options: ", api_key_in 'query', api_key_name 'visitor'",
        mapping: "api_key 'Geheim-4444'",
        secrets: &["Geheim-4444"],
        sent: "visitor=Geheim-4444",
    },
    Credential {
        name: "headers",
        server_options: "",
        mapping: "headers '{\"X-Tenant\": \"Geheim-5555\"}'",
        secrets: &["Geheim-5555"],
        sent: "Geheim-5555",
    },
    Credential {
        name: "oauth2",
        server_options: ", auth 'oauth2_refresh_token', token_auth 'post', token_url '{url}/token'",
        mapping: "client_id 'Geheim-6666', client_secret 'Geheim-7777', refresh_token 'Geheim-8888'",
        secrets: &[
            "Geheim-7777",
            "Geheim-8888",
            "access-token-1",
            "refresh-token-1",
        ],
        sent: "Bearer access-token-1",
    },
];

/// All answers to a credential: rows, and errors that say what was sent.
fn answers(credential: &Credential) -> serde_json::Value {
    let echo = credential.secrets.join(" and ");
    json!({"routes": {
        "/items": items(3, 2)["routes"]["/items"],
        "/token": {"tokens": {
            "client_id": "Geheim-6666", "client_secret": "Geheim-7777", "refresh_token": "Geheim-8888", "rotate": true,
        }},
        "/denied": {"status": 403, "body": json!({"message": format!("{echo} may not do this")}).to_string()},
        "/failed": {"status": 500, "content_type": "text/plain", "body": format!("{} is what was sent", credential.sent)},
        "/no_json": {"body": format!("<p>{}: {echo}</p>", credential.sent)},
        "/misfit": {"rows": [{"id": echo}]},
    }})
}

#[test]
fn secrets_show_in_no_log_no_message_and_no_plan() {
    for credential in CREDENTIALS {
        let name = format!("sessions_log_{}", credential.name);
        let api = Api::new(&name, &answers(&credential));
        let database = Database::create(&name);
        let mut session = database.connect();
        let options = credential.server_options.replace("{url}", &api.url());
        api.create_server(&mut session, "api", &options);
        session.run(&format!(
            "CREATE USER MAPPING FOR PUBLIC SERVER api OPTIONS ({})",
            credential.mapping
        ));
        let seen = everything_seen(&mut session);
        let mut requests = api.take_heads();
        requests.retain(|head| head.target != "/token");
        let was_sent = |head: &mock_api::RequestHead| {
            head.target.contains(credential.sent)
                || head
                    .headers
                    .iter()
                    .any(|(_, value)| value.contains(credential.sent))
        };
        assert!(
            requests.len() >= 6 && requests.iter().all(was_sent),
            "{}: {requests:?}",
            credential.name
        );
        assert!(
            seen.contains("may not do this"),
            "{}: the API's message is missing: {seen}",
            credential.name
        );
        assert!(
            seen.contains("rest_fdw: GET"),
            "{}: the requests were not logged: {seen}",
            credential.name
        );
        for secret in credential.secrets {
            assert!(
                !seen.contains(secret),
                "{}: {secret} shows in {seen}",
                credential.name
            );
            let log = fs::read(Process::new(session.pid()).log_file()).unwrap();
            let log = String::from_utf8_lossy(&log);
            assert!(
                log.contains("rest_fdw: GET"),
                "{}: the requests are not in the server's log",
                credential.name
            );
            assert!(
                !log.contains(secret),
                "{}: {secret} shows in the server's log",
                credential.name
            );
        }
    }
}

/// Runs scans that succeed and scans that fail; returns all that the client was told of them.
fn everything_seen(session: &mut Session) -> String {
    let mut seen = Vec::new();
    session.run(
        "SET client_min_messages = log; SET rest_fdw.log_requests = on; SET log_statement = 'none'",
    );
    for endpoint in ["items", "denied", "failed", "no_json", "misfit"] {
        session.run(&format!(
            "CREATE FOREIGN TABLE {endpoint} (id int) SERVER api OPTIONS (endpoint '/{endpoint}')"
        ));
        seen.push(format!(
            "{:?}",
            session.outcome(&format!("SELECT id FROM {endpoint}"))
        ));
        seen.extend(session.rows(&format!("EXPLAIN (VERBOSE) SELECT id FROM {endpoint}")));
    }
    for format in ["TEXT", "JSON", "XML", "YAML"] {
        seen.extend(session.rows(&format!(
            "EXPLAIN (ANALYZE, VERBOSE, FORMAT {format}) SELECT id FROM items"
        )));
    }
    seen.extend(session.notices());
    seen.join("\n")
}

#[test]
fn each_request_is_logged_also_of_a_query_that_stops_early_or_fails() {
    let database = Database::create("sessions_log");
    let mut scenario = items(30, 10);
    scenario["routes"]["/items"]["faults"] =
        json!([{"kind": "status", "status": 500, "on_page": 3, "times": 0}]);
    let api = Api::new("sessions_log", &scenario);
    let mut session = database.connect();
    api.create_server(&mut session, "api", "");
    session.run(
        "CREATE FOREIGN TABLE items (id int) SERVER api OPTIONS (endpoint '/items');
         SET client_min_messages = log; SET log_statement = 'none'; SET rest_fdw.log_requests = on",
    );
    let mut logged = |sql: &str| {
        let _ = session.outcome(sql);
        let notices = session.notices().into_iter();
        let mut lines: Vec<String> = notices
            .filter(|line| line.starts_with("rest_fdw: "))
            .collect();
        // The time that it took is another one each time.
        for line in &mut lines {
            *line = line.split(", ").next().unwrap_or_default().to_owned();
        }
        lines
    };
    let url = api.url();
    let page = |number: u32, outcome: &str| match number {
        1 => format!("rest_fdw: GET {url}/items -> {outcome}"),
        number => format!("rest_fdw: GET {url}/items?page={number} -> {outcome}"),
    };
    assert_eq!(logged("SELECT id FROM items LIMIT 1"), [page(1, "200")]);
    assert_eq!(
        logged("SELECT count(*) FROM items"),
        [page(1, "200"), page(2, "200"), page(3, "500")]
    );
}
