//! Secrets that a user mapping only names: in a setting of the session, and in Supabase's vault.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used)]

use cluster_tests::{Api, Database, Process, Session, items};
use std::fs;

const READ: &str = "SELECT count(id) FROM items";

/// A database with a table `items` that every role may read, and a stand-in for the extension `vault`.
struct Place {
    api: Api,
    database: Database,
    admin: Session,
}

impl Place {
    fn new(test: &str, options: &str) -> Place {
        let name = format!("elsewhere_{test}");
        let api = Api::new(&name, &items(3, 10));
        let database = Database::create(&name);
        let mut admin = database.connect();
        api.create_server(&mut admin, "api", options);
        admin.run(
            "CREATE FOREIGN TABLE items (id int) SERVER api OPTIONS (endpoint '/items');
             GRANT SELECT ON items TO PUBLIC; GRANT USAGE ON FOREIGN SERVER api TO PUBLIC;
             CREATE SCHEMA vault;
             CREATE TABLE vault.secrets (id uuid PRIMARY KEY, name text, secret text);
             CREATE VIEW vault.decrypted_secrets AS SELECT id, name, secret AS decrypted_secret FROM vault.secrets;
             INSERT INTO vault.secrets VALUES
               ('00000000-0000-4000-8000-00000000000A', 'api key', 'Geheim-of-the-vault'),
               ('00000000-0000-4000-8000-00000000000b', 'twice', 'a'),
               ('00000000-0000-4000-8000-00000000000c', 'twice', 'b'),
               ('00000000-0000-4000-8000-00000000000d', 'empty', '')",
        );
        Place {
            api,
            database,
            admin,
        }
    }

    /// What the session's next statement signs in with, in the header `name`.
    fn sent(&self, session: &mut Session, name: &str) -> Option<String> {
        assert_eq!(session.row(READ), "3");
        let heads = self.api.take_heads();
        assert_eq!(heads.len(), 1);
        heads[0].header(name).map(str::to_owned)
    }
}

#[test]
fn a_token_of_a_setting_is_the_one_that_the_session_has_now() {
    let mut place = Place::new("setting", "");
    place
        .admin
        .run("CREATE USER MAPPING FOR PUBLIC SERVER api OPTIONS (token_setting 'app.jwt')");
    let mut session = place.database.connect();
    let missing = session.error(READ);
    assert_eq!(missing.code, "22023", "{missing:?}");
    assert_eq!(
        missing.message,
        "invalid value for option \"token_setting\": the setting \"app.jwt\" is not set in this session, or empty"
    );
    session.run("PREPARE read AS SELECT count(id) FROM items");
    for token in ["first", "second", "first"] {
        session.run(&format!("SET app.jwt = '{token}'"));
        let expected = Some(format!("Bearer {token}"));
        assert_eq!(place.sent(&mut session, "authorization"), expected);
        session.run("EXECUTE read");
        let heads = place.api.take_heads();
        assert_eq!(heads[0].header("authorization"), expected.as_deref());
    }
    session.run("BEGIN; SET LOCAL app.jwt = 'local'");
    assert_eq!(
        place.sent(&mut session, "authorization").as_deref(),
        Some("Bearer local")
    );
    session.run("COMMIT");
    assert_eq!(
        place.sent(&mut session, "authorization").as_deref(),
        Some("Bearer first")
    );
    for empty in ["SET app.jwt = ''", "RESET app.jwt"] {
        session.run(empty);
        assert_eq!(session.error(READ).code, "22023", "{empty}");
    }
    session.run("SET app.jwt = E'Geheim-1\\nX-Injected: yes'");
    let error = session.error(READ);
    assert!(
        error.message.contains("line break") && !error.message.contains("Geheim"),
        "{error:?}"
    );
    assert_eq!(place.api.take_requests(), Vec::<String>::new());
}

#[test]
fn a_secret_of_the_vault_is_found_by_name_or_id_and_read_again_by_each_statement() {
    let mut place = Place::new("vault", "");
    let mut session = place.database.connect();
    place
        .admin
        .run("CREATE USER MAPPING FOR PUBLIC SERVER api OPTIONS (vault_secret 'api key')");
    let expected = Some("Bearer Geheim-of-the-vault".to_owned());
    assert_eq!(place.sent(&mut session, "authorization"), expected);
    let named = |place: &mut Place, name: &str| {
        place.admin.run(&format!(
            "ALTER USER MAPPING FOR PUBLIC SERVER api OPTIONS (SET vault_secret '{name}')"
        ));
    };
    for id in [
        "00000000-0000-4000-8000-00000000000a",
        "00000000-0000-4000-8000-00000000000A",
    ] {
        named(&mut place, id);
        assert_eq!(place.sent(&mut session, "authorization"), expected, "{id}");
    }
    place
        .admin
        .run("UPDATE vault.secrets SET secret = 'renewed' WHERE name = 'api key'");
    assert_eq!(
        place.sent(&mut session, "authorization").as_deref(),
        Some("Bearer renewed")
    );
    for (name, reason) in [
        ("nobody", "is no secret"),
        ("twice", "more than one secret"),
        ("empty", "is empty"),
    ] {
        named(&mut place, name);
        let error = session.error(READ);
        assert_eq!(error.code, "22023", "{error:?}");
        assert!(error.message.contains(reason), "{error:?}");
    }
    assert_eq!(place.api.take_requests(), Vec::<String>::new());
}

#[test]
fn it_is_the_secret_of_the_servers_kind_of_sign_in() {
    let mut place = Place::new("kinds", ", auth 'api_key'");
    let mut session = place.database.connect();
    place
        .admin
        .run("CREATE USER MAPPING FOR PUBLIC SERVER api OPTIONS (vault_secret 'api key')");
    assert_eq!(
        place.sent(&mut session, "x-api-key").as_deref(),
        Some("Geheim-of-the-vault")
    );
    place.admin.run(
        "ALTER SERVER api OPTIONS (SET auth 'basic');
         ALTER USER MAPPING FOR PUBLIC SERVER api OPTIONS (ADD username 'anna')",
    );
    // base64 of anna:Geheim-of-the-vault
    assert_eq!(
        place.sent(&mut session, "authorization").as_deref(),
        Some("Basic YW5uYTpHZWhlaW0tb2YtdGhlLXZhdWx0")
    );
    place
        .admin
        .run("ALTER USER MAPPING FOR PUBLIC SERVER api OPTIONS (ADD password 'x')");
    let error = session.error(READ);
    assert!(error.message.contains("\"password\", too"), "{error:?}");
}

#[test]
fn the_vault_is_read_with_the_rights_of_the_mappings_user() {
    let mut place = Place::new("rights", "");
    let (owner, reader) = (
        place.database.create_role("owner"),
        place.database.create_role("reader"),
    );
    place.admin.run(&format!(
        "GRANT USAGE ON SCHEMA vault TO {owner}; GRANT SELECT ON vault.decrypted_secrets TO {owner};
         GRANT CREATE ON SCHEMA public TO {owner};
         CREATE USER MAPPING FOR {owner} SERVER api OPTIONS (vault_secret 'api key');
         CREATE USER MAPPING FOR {reader} SERVER api OPTIONS (vault_secret 'api key')"
    ));
    // By a mapping of one's own nobody gets at a secret that one may not read.
    let mut session = place.database.connect_as(&reader);
    let refused = session.error(READ);
    assert_eq!(refused.code, "42501", "{refused:?}");
    assert_eq!(place.api.take_requests(), Vec::<String>::new());
    place
        .database
        .connect_as(&owner)
        .run("CREATE VIEW owned AS SELECT * FROM items; GRANT SELECT ON owned TO PUBLIC");
    // The reader's own operators must not run with the rights of the view's owner.
    place.admin.run(&format!(
        "CREATE SCHEMA mine AUTHORIZATION {reader};
         SET ROLE {reader};
         CREATE FUNCTION mine.steal(text, text) RETURNS boolean LANGUAGE plpgsql AS
           $$ BEGIN RAISE EXCEPTION 'run as %', current_user; END $$;
         CREATE OPERATOR mine.= (FUNCTION = mine.steal, LEFTARG = text, RIGHTARG = text)"
    ));
    session.run("SET search_path = mine, pg_catalog, public");
    assert_eq!(session.row("SELECT count(id) FROM public.owned"), "3");
    let heads = place.api.take_heads();
    assert_eq!(
        heads[0].header("authorization"),
        Some("Bearer Geheim-of-the-vault")
    );
    assert_eq!(session.row("SELECT current_user"), reader);
}

#[test]
fn secrets_from_elsewhere_show_in_no_log_and_no_message() {
    let mut place = Place::new("log", "");
    place.api.define(&serde_json::json!({"routes": {
        "/items": {"status": 403, "body": "{\"message\": \"Geheim-of-the-vault and Geheim-setting\"}"},
    }}));
    place
        .admin
        .run("CREATE USER MAPPING FOR PUBLIC SERVER api OPTIONS (vault_secret 'api key')");
    let mut session = place.database.connect();
    session.run(
        "SET client_min_messages = log; SET rest_fdw.log_requests = on; SET log_statement = 'none'",
    );
    let mut seen = vec![format!("{:?}", session.error(READ))];
    session.run("SET app.jwt = 'Geheim-setting'");
    place.admin.run(
        "ALTER USER MAPPING FOR PUBLIC SERVER api OPTIONS (DROP vault_secret, ADD token_setting 'app.jwt')",
    );
    seen.push(format!("{:?}", session.error(READ)));
    seen.extend(session.rows("EXPLAIN (VERBOSE) SELECT id FROM items"));
    seen.extend(session.notices());
    let seen = seen.join("\n");
    assert!(
        seen.contains("*** and Geheim-setting") && seen.contains("Geheim-of-the-vault and ***"),
        "{seen}"
    );
    let log = fs::read(Process::new(session.pid()).log_file()).unwrap();
    let log = String::from_utf8_lossy(&log);
    let lines = log.lines().filter(|line| line.contains("rest_fdw: GET"));
    for line in lines {
        assert!(!line.contains("Geheim"), "{line}");
    }
}
