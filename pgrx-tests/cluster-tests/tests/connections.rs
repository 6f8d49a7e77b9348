//! Which scans of a backend share a client, with its connections, and when do those close?
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used)]

use cluster_tests::{Api, Database, Process, Session, items};

/// A database whose superuser made a server `api` and a table `items` of one page, which every role may read.
struct Place {
    api: Api,
    database: Database,
    admin: Session,
}

impl Place {
    fn new(test: &str) -> Place {
        let name = format!("connections_{test}");
        let api = Api::new(&name, &items(3, 10));
        let database = Database::create(&name);
        let mut admin = database.connect();
        api.create_server(&mut admin, "api", "");
        admin.run(
            "CREATE FOREIGN TABLE items (id int, title text) SERVER api OPTIONS (endpoint '/items');
             CREATE FOREIGN TABLE others (id int) SERVER api OPTIONS (endpoint '/items');
             GRANT SELECT ON items TO PUBLIC; GRANT USAGE ON FOREIGN SERVER api TO PUBLIC",
        );
        Place {
            api,
            database,
            admin,
        }
    }

    /// Runs statements that make `requests` requests; how many connections sent them.
    fn connections(&self, session: &mut Session, requests: usize, statements: &[&str]) -> usize {
        for statement in statements {
            session.run(statement);
        }
        let connections = self.api.connections();
        assert_eq!(self.api.take_requests().len(), requests, "{statements:?}");
        connections
    }
}

const READ: &str = "SELECT count(id) FROM items";

#[test]
fn the_scans_of_all_statements_and_tables_of_a_server_share_one_connection() {
    let place = Place::new("shared");
    let mut session = place.database.connect();
    let statements = [
        READ,
        READ,
        "SELECT id FROM others",
        "BEGIN; SELECT id FROM items; COMMIT",
        "BEGIN; SELECT id FROM items; ROLLBACK",
        "PREPARE read AS SELECT id FROM items; EXECUTE read; EXECUTE read",
    ];
    assert_eq!(place.connections(&mut session, 7, &statements), 1);
    // Each backend has its own.
    let mut another = place.database.connect();
    assert_eq!(place.connections(&mut another, 1, &[READ]), 1);
    assert_eq!(place.connections(&mut session, 1, &[READ]), 1);
}

#[test]
fn two_roles_share_none_even_by_the_mapping_of_public() {
    let mut place = Place::new("roles");
    let roles = [
        place.database.create_role("anna"),
        place.database.create_role("bert"),
    ];
    place
        .admin
        .run("CREATE USER MAPPING FOR PUBLIC SERVER api OPTIONS (token 'everybodys')");
    let mut session = place.database.connect();
    let as_role = |role: &str| format!("SET ROLE {role}; {READ}");
    let (anna, bert) = (as_role(&roles[0]), as_role(&roles[1]));
    let statements = [anna.as_str(), &bert, &anna, &bert];
    assert_eq!(place.connections(&mut session, 4, &statements), 2);
}

#[test]
fn a_mapping_of_ones_own_takes_the_place_of_publics_at_the_next_statement_and_gives_it_back() {
    let mut place = Place::new("own");
    let role = place.database.create_role("anna");
    place
        .admin
        .run("CREATE USER MAPPING FOR PUBLIC SERVER api OPTIONS (token 'everybodys')");
    let mut session = place.database.connect_as(&role);
    let mut sent = |place: &Place, expected: Option<&str>| {
        session.run(READ);
        let heads = place.api.take_heads();
        let expected = expected.map(|token| format!("Bearer {token}"));
        assert_eq!(heads[0].header("authorization"), expected.as_deref());
    };
    sent(&place, Some("everybodys"));
    let own =
        |verb: &str, options: &str| format!("{verb} USER MAPPING FOR {role} SERVER api {options}");
    place.admin.run(&own("CREATE", "OPTIONS (token 'own')"));
    sent(&place, Some("own"));
    place
        .admin
        .run(&own("ALTER", "OPTIONS (SET token 'renewed')"));
    sent(&place, Some("renewed"));
    place.admin.run(&own("DROP", ""));
    sent(&place, Some("everybodys"));
    place.admin.run(&own("CREATE", "OPTIONS (token 'again')"));
    sent(&place, Some("again"));
    place.admin.run(&own("DROP", ""));
    place.admin.run("DROP USER MAPPING FOR PUBLIC SERVER api");
    sent(&place, None);
}

#[test]
fn a_scan_in_flight_keeps_the_client_that_it_began_with() {
    let mut place = Place::new("in_flight");
    place.api.define(&items(40, 10));
    place
        .admin
        .run("CREATE USER MAPPING FOR PUBLIC SERVER api OPTIONS (token 'first')");
    let mut session = place.database.connect();
    session.run("BEGIN; DECLARE c CURSOR FOR SELECT id FROM items");
    assert_eq!(session.rows("FETCH 1 FROM c"), ["1"]);
    place.admin.run(
        "ALTER USER MAPPING FOR PUBLIC SERVER api OPTIONS (SET token 'second');
         ALTER SERVER api OPTIONS (ADD user_agent 'another')",
    );
    // Both in one transaction: the new statement signs in anew, the old one goes on.
    assert_eq!(session.row("SELECT count(id) FROM others"), "40");
    assert_eq!(session.rows("FETCH ALL FROM c").len(), 39);
    session.run("COMMIT");
    let tokens = place.api.take_heads();
    let with = |token: &str| {
        let of = tokens
            .iter()
            .filter(|head| head.header("authorization") == Some(token));
        of.count()
    };
    assert_eq!((with("Bearer first"), with("Bearer second")), (4, 4));
}

#[test]
fn what_the_settings_allow_is_looked_at_by_each_statement() {
    let mut place = Place::new("allowed");
    let role = place.database.create_role("renter");
    place.admin.run(&format!(
        "GRANT USAGE ON FOREIGN DATA WRAPPER rest_fdw TO {role}; ALTER SERVER api OWNER TO {role}"
    ));
    let mut session = place.database.connect();
    for (hosts, allowed) in [
        ("", false),
        ("127.0.0.1", true),
        ("127.0.0.0/8", true),
        ("api.test", false),
        ("127.0.0.1", true),
    ] {
        session.run(&format!("SET rest_fdw.allowed_hosts = '{hosts}'"));
        match allowed {
            true => assert_eq!(session.row(READ), "3", "{hosts}"),
            false => assert_eq!(session.error(READ).code, "42501", "{hosts}"),
        }
    }
    assert_eq!(place.api.take_requests().len(), 3);
    // A kept connection does not outlive the right to make it.
    session.run("SET rest_fdw.allowed_hosts = ''");
    assert_eq!(session.error(READ).code, "42501");
    session.run(&format!("ALTER ROLE {role} SUPERUSER"));
    assert_eq!(session.row(READ), "3");
    session.run(&format!("ALTER ROLE {role} NOSUPERUSER"));
    assert_eq!(session.error(READ).code, "42501");
}

#[test]
fn connections_close_when_their_server_or_mapping_changes_in_whatever_session() {
    let mut place = Place::new("changes");
    place
        .admin
        .run("CREATE USER MAPPING FOR PUBLIC SERVER api OPTIONS (token 'everybodys')");
    let mut session = place.database.connect();
    session.close_kept_connections();
    let sockets = |session: &mut Session| {
        // Changes are heard of when a transaction starts.
        session.run("SELECT 1");
        let held = Process::new(session.pid()).resources().descriptors;
        held.iter().filter(|held| *held == "socket").count()
    };
    let without = sockets(&mut session);
    for change in [
        "ALTER SERVER api OPTIONS (ADD user_agent 'a')",
        "ALTER USER MAPPING FOR PUBLIC SERVER api OPTIONS (SET token 'b')",
        "ALTER FOREIGN DATA WRAPPER rest_fdw VALIDATOR rest_fdw_validator",
        "DROP USER MAPPING FOR PUBLIC SERVER api",
        "DROP SERVER api CASCADE",
    ] {
        session.run(READ);
        assert_eq!(sockets(&mut session), without + 1, "before {change}");
        place.admin.run(change);
        assert_eq!(sockets(&mut session), without, "after {change}");
    }
}

#[test]
fn a_backend_keeps_the_connections_of_a_bounded_number_of_servers() {
    let mut place = Place::new("bounded");
    let mut session = place.database.connect();
    session.run(READ);
    let held = |session: &Session| Process::new(session.pid()).resources().descriptors.len();
    let with_one = held(&session);
    for number in 1..=40 {
        let server = format!("api_{number}");
        place.api.create_server(&mut place.admin, &server, "");
        place.admin.run(&format!(
            "CREATE FOREIGN TABLE items_{number} (id int) SERVER {server} OPTIONS (endpoint '/items')"
        ));
        assert_eq!(
            session.row(&format!("SELECT count(id) FROM items_{number}")),
            "3"
        );
    }
    let more = held(&session) - with_one;
    assert!(more <= 16, "{more} descriptors for 40 servers");
}
