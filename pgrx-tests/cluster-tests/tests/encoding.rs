//! Do texts arrive right in databases whose encoding is not UTF-8?
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used)]

use cluster_tests::{Api, Database, Session};
use serde_json::json;

fn scenario() -> serde_json::Value {
    json!({"routes": {
        "/words": {
            "rows": [
                {"id": 1, "word": "café", "größe": 1, "tags": ["naïf", "ÿ"], "more": {"schlüssel": "Übergröße"}},
                {"id": 2, "word": "plain", "größe": 2, "tags": [], "more": {}},
            ],
            "filters": [{"param": "word"}],
        },
        "/foreign": {"rows": [{"word": "日本"}]},
        "/straße": {"rows": [{"word": "weg"}]},
        "/denied": {"status": 403, "body": "{\"message\": \"日本… is not for you\"}"},
        "/broken": {"status": 500, "body": "{\"message\": \"das geht nicht: Größe\"}"},
    }})
}

fn place(test: &str, encoding: &str) -> (Api, Database, Session) {
    let name = format!("encoding_{test}_{}", encoding.to_lowercase());
    let api = Api::new(&name, &scenario());
    let database = Database::create_with(&name, &format!("ENCODING '{encoding}' LOCALE 'C'"));
    let mut session = database.connect();
    assert_eq!(session.row("SHOW server_encoding"), encoding);
    api.create_server(&mut session, "api", "");
    session.run(
        "CREATE FOREIGN TABLE words (id int, word text OPTIONS (filter '='), word_varchar varchar(10) OPTIONS (field 'word'),
                                     tags text[], more jsonb, as_json json OPTIONS (field 'more'))
           SERVER api OPTIONS (endpoint '/words');
         CREATE FOREIGN TABLE foreign_words (word text) SERVER api OPTIONS (endpoint '/foreign');
         CREATE FOREIGN TABLE denied (word text) SERVER api OPTIONS (endpoint '/denied');
         CREATE FOREIGN TABLE broken (word text) SERVER api OPTIONS (endpoint '/broken')",
    );
    (api, database, session)
}

const BOTH: [&str; 2] = ["LATIN1", "SQL_ASCII"];

#[test]
fn texts_of_every_kind_round_trip() {
    for encoding in BOTH {
        let (_api, _database, mut session) = place("texts", encoding);
        let rows = session
            .rows("SELECT id, word, word_varchar, tags, more, as_json FROM words ORDER BY id");
        assert_eq!(
            rows,
            [
                "1|café|café|{naïf,ÿ}|{\"schlüssel\": \"Übergröße\"}|{\"schlüssel\":\"Übergröße\"}",
                "2|plain|plain|{}|{}|{}",
            ],
            "{encoding}"
        );
    }
}

#[test]
fn texts_are_stored_in_the_encoding_of_the_database() {
    let lengths = "SELECT octet_length(word), octet_length(word_varchar), octet_length(tags[2]), octet_length(more ->> 'schlüssel')
                   FROM words WHERE id = 1";
    for (encoding, bytes) in [("LATIN1", "4|4|1|9"), ("SQL_ASCII", "5|5|2|12")] {
        let (_api, _database, mut session) = place("bytes", encoding);
        assert_eq!(session.row(lengths), bytes, "{encoding}");
    }
}

#[test]
fn functions_speak_the_encoding_of_the_database() {
    for encoding in BOTH {
        let (api, _database, mut session) = place("functions", encoding);
        let statement = session
            .row("SELECT rest_fdw_infer('api', '/words', 'wörter', query => '{\"q\": \"ä\"}')");
        session.run(&statement);
        assert!(
            api.take_requests()
                .contains(&"GET /words?q=%C3%A4".to_owned()),
            "{encoding}"
        );
        assert_eq!(
            session.row("SELECT word, \"größe\", \"more_schlüssel\" FROM \"wörter\" WHERE id = 1"),
            "café|1|Übergröße",
            "{encoding}"
        );
        assert_eq!(
            session.rows("SELECT verdict, detail FROM rest_fdw_verify('words')"),
            ["ok|word = 'café': 1 row; word = 'CAFé': 0 rows; word = 'no such value 7f3a': 0 rows"],
            "{encoding}"
        );
    }
}

#[test]
fn filters_are_sent_in_utf_8() {
    for encoding in BOTH {
        let (api, _database, mut session) = place("filters", encoding);
        assert_eq!(
            session.rows("SELECT id FROM words WHERE word = 'café'"),
            ["1"],
            "{encoding}"
        );
        assert_eq!(
            api.take_requests(),
            ["GET /words?word=caf%C3%A9"],
            "{encoding}"
        );
        let client = session.client();
        let rows = client
            .query("SELECT id FROM words WHERE word = $1", &[&"café"])
            .unwrap();
        assert_eq!(
            rows.iter()
                .map(|row| row.get::<_, i32>(0))
                .collect::<Vec<_>>(),
            [1],
            "{encoding}"
        );
        assert_eq!(
            api.take_requests(),
            ["GET /words?word=caf%C3%A9"],
            "{encoding}"
        );
    }
}

#[test]
fn explain_shows_texts_as_the_client_reads_them() {
    for encoding in BOTH {
        let (_api, _database, mut session) = place("explain", encoding);
        let plan = session.rows(
            "EXPLAIN (COSTS OFF) SELECT id FROM words WHERE word = 'café' AND more ->> 'ü' = 'ö'",
        );
        let plan = plan.join("\n");
        for part in ["/words?word=caf%C3%A9", "'café'", "'ü'", "'ö'"] {
            assert!(plan.contains(part), "{encoding}: {part} in {plan}");
        }
    }
}

#[test]
fn latin1_refuses_what_it_cannot_hold_and_says_where_it_stands() {
    let (_api, _database, mut session) = place("refused", "LATIN1");
    let error = session.error("SELECT word FROM foreign_words");
    assert_eq!(error.code, "HV004", "{error:?}");
    assert!(
        error.message.contains("column \"word\"") && error.message.contains("LATIN1"),
        "{error:?}"
    );
    assert!(
        error.detail.contains("foreign_words") && error.detail.contains("/foreign"),
        "{error:?}"
    );
    session.run("ALTER FOREIGN TABLE foreign_words ALTER word OPTIONS (ADD on_error 'null')");
    assert_eq!(session.rows("SELECT word FROM foreign_words"), ["NULL"]);
}

#[test]
fn sql_ascii_keeps_every_character() {
    let (_api, _database, mut session) = place("kept", "SQL_ASCII");
    assert_eq!(session.rows("SELECT word FROM foreign_words"), ["日本"]);
}

#[test]
fn bytes_that_are_no_text_are_not_sent_as_another_one() {
    let (api, _database, mut session) = place("bytes_only", "SQL_ASCII");
    let error = session.error(r"SELECT id FROM words WHERE word = E'caf\351'");
    assert_eq!(error.code, "22021", "{error:?}");
    assert_eq!(api.take_requests(), Vec::<String>::new());
}

#[test]
fn messages_are_readable() {
    for encoding in BOTH {
        let (_api, _database, mut session) = place("messages", encoding);
        let error = session.error("SELECT word FROM broken");
        assert_eq!(error.code, "HV00M", "{encoding}: {error:?}");
        // A message must not fail over a character that the database lacks, so it escapes them all.
        let said = match encoding {
            "LATIN1" => r"das geht nicht: Gr\u{f6}\u{df}e",
            _ => "das geht nicht: Größe",
        };
        assert!(error.detail.contains(said), "{encoding}: {error:?}");
        let error = session.error("SELECT word FROM denied");
        assert_eq!(error.code, "28000", "{encoding}: {error:?}");
        assert!(
            error.detail.contains("the API says: "),
            "{encoding}: {error:?}"
        );
        assert!(
            error.hint.contains("CREATE USER MAPPING"),
            "{encoding}: {error:?}"
        );
        // UTF-8 that was taken for LATIN1 has control characters in it.
        let text = [error.message, error.detail, error.hint].concat();
        assert!(
            !text.contains(|character| ('\u{80}'..'\u{a0}').contains(&character)),
            "{encoding}: {text:?}"
        );
    }
}

#[test]
fn names_and_options_are_read_in_the_encoding_of_the_database() {
    for encoding in BOTH {
        let (api, _database, mut session) = place("names", encoding);
        session.run(
            "CREATE FOREIGN TABLE maße (größe int, schlüssel text OPTIONS (field 'more.schlüssel'))
               SERVER api OPTIONS (endpoint '/words');
             CREATE FOREIGN TABLE straße (word text) SERVER api OPTIONS (endpoint '/straße')",
        );
        assert_eq!(
            session.rows("SELECT größe, schlüssel FROM maße"),
            ["1|Übergröße", "2|NULL"],
            "{encoding}"
        );
        assert_eq!(
            session.rows("SELECT word FROM straße"),
            ["weg"],
            "{encoding}"
        );
        assert_eq!(
            api.take_requests(),
            ["GET /words", "GET /stra%C3%9Fe"],
            "{encoding}"
        );
    }
}
