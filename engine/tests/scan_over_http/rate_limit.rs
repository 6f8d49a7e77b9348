//! A rate limit is asked before whatever goes out: pages, repetitions, what redirects lead to, token requests.

use crate::server::{Server, json, reply, rows};
use crate::stage::{range, read, spec, table};
use rest_engine::http::{Client, Egress, Gate};
use rest_engine::model::{Auth, ClientAuth, Credentials, Grant, OAuth2, Secret};
use rest_engine::scan::Scan;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Makes every request wait once, and counts those that it let through.
#[derive(Debug, Default)]
struct Waiting {
    asked: AtomicU64,
    passed: AtomicU64,
}

impl Gate for Waiting {
    fn pass(&self) -> Result<(), Duration> {
        if self.asked.fetch_add(1, Ordering::Relaxed).is_multiple_of(2) {
            return Err(Duration::from_millis(1));
        }
        self.passed.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

#[test]
fn all_that_goes_out_waits_for_its_turn_and_is_counted() {
    let server = Server::start(|request| match (request.index, request.target.as_str()) {
        (_, "/token") => json(r#"{"access_token": "abc", "token_type": "Bearer"}"#),
        (1, _) => reply(503, &[], "busy"),
        (_, "/items") => reply(302, &[("location", "/moved")], ""),
        _ => json(rows(0, 3)),
    });
    let mut table = table(&server.url());
    table.source.auth = Some(Auth::OAuth2(OAuth2 {
        grant: Grant::ClientCredentials,
        token_url: format!("{}/token", server.url()),
        scope: None,
        client_auth: ClientAuth::Basic,
        scheme: None,
    }));
    let credentials = Credentials {
        client_id: Some(Secret::new("app")),
        client_secret: Some(Secret::new("the secret")),
        ..Credentials::default()
    };
    let gate = Arc::new(Waiting::default());
    let client = Client::new(&table.source, credentials, Egress::unrestricted()).unwrap();
    let client = Arc::new(client.limited_by(Some(Arc::clone(&gate) as Arc<dyn Gate>)));
    let mut scan = Scan::start(client, spec(&table)).unwrap();
    assert_eq!(read(&mut scan), (range(0, 3), None));
    assert_eq!(server.targets(), ["/token", "/items", "/items", "/moved"]);
    assert_eq!(gate.passed.load(Ordering::Relaxed), 4);
    let statistics = scan.statistics();
    assert_eq!(statistics.waits, 4);
    assert!(
        statistics.waited >= Duration::from_millis(4),
        "{statistics:?}"
    );
    let waited: Vec<bool> = scan
        .take_log()
        .iter()
        .map(|record| record.waited > Duration::ZERO)
        .collect();
    assert_eq!(
        waited,
        [true, true, true],
        "the token, the page, the page again"
    );
}
