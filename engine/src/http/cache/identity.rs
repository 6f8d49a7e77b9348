//! Whose a response is, and to which request: what must agree for one to answer the other.

use crate::http::Egress;
use crate::model::{Caching, Credentials, Secret, Source};
use crate::request::Request;
use ring::digest::{Context, SHA256};
use std::fmt;

/// A SHA-256 of parts, each with its length, so that no two lists of parts look alike.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Identity([u8; 32]);

impl Identity {
    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Identity {
    /// Not the hash itself, which a short password could be guessed by.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identity(***)")
    }
}

struct Parts(Context);

impl Parts {
    fn of(what: &str) -> Parts {
        let mut parts = Parts(Context::new(&SHA256));
        parts.add(what);
        parts
    }

    fn add(&mut self, part: impl AsRef<[u8]>) {
        let part = part.as_ref();
        self.0.update(&(part.len() as u64).to_le_bytes());
        self.0.update(part);
    }

    fn add_secret(&mut self, secret: Option<&Secret>) {
        self.add([u8::from(secret.is_some())]);
        self.add(secret.map_or("", Secret::expose));
    }

    fn identity(self) -> Identity {
        let mut identity = [0; 32];
        identity.copy_from_slice(self.0.finish().as_ref());
        Identity(identity)
    }
}

/// What a client asks, from where it may ask it, and who signs in: whatever is altered makes another one.
pub(crate) fn of_client(source: &Source, egress: &Egress, credentials: &Credentials) -> Identity {
    let mut parts = Parts::of("client");
    // It always works: a source has no maps, and no names that are no text.
    parts.add(serde_json::to_vec(source).unwrap_or_default());
    parts.add(format!("{egress:?}"));
    parts.add(of_credentials(credentials).as_bytes());
    parts.identity()
}

fn of_credentials(credentials: &Credentials) -> Identity {
    // Named one by one: a kind of secret that is added must be added here.
    let Credentials {
        token,
        username,
        password,
        api_key,
        client_id,
        client_secret,
        refresh_token,
        // What is there stands in its place by now.
        elsewhere: _,
        headers,
    } = credentials;
    let mut parts = Parts::of("credentials");
    let of_oauth2 = [client_id, client_secret, refresh_token];
    for secret in [token, username, password, api_key]
        .into_iter()
        .chain(of_oauth2)
    {
        parts.add_secret(secret.as_ref());
    }
    for (name, value) in headers {
        parts.add(name);
        parts.add_secret(Some(value));
    }
    parts.identity()
}

/// Whose responses: `owner` is what the caller tells them apart by.
pub(super) fn of_scope(owner: &[&str], client: Identity) -> Identity {
    let mut parts = Parts::of("scope");
    parts.add(client.as_bytes());
    owner.iter().for_each(|part| parts.add(part));
    parts.identity()
}

/// A request in a scope. Every header that goes out counts, so that a response never depends on one that differs.
pub(super) fn of_request(scope: Identity, mode: Caching, request: &Request) -> Identity {
    let mut parts = Parts::of("request");
    parts.add(scope.as_bytes());
    parts.add(match mode {
        Caching::Off => "off",
        Caching::Http => "http",
        // How long is asked when it is read.
        Caching::Ttl(_) => "ttl",
    });
    parts.add(request.method.name());
    parts.add(&request.url);
    for (name, value) in &request.headers {
        parts.add(name.to_ascii_lowercase());
        parts.add(value);
    }
    parts.identity()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::model::Method;
    use crate::model::options::fixture;
    use std::collections::HashSet;
    use std::time::Duration;

    fn request(url: &str, headers: &[(&str, &str)]) -> Request {
        let header = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Request {
            method: Method::Get,
            url: url.to_owned(),
            headers: headers.iter().map(header).collect(),
            body: None,
        }
    }

    fn all_differ(identities: &[Identity]) {
        let distinct: HashSet<_> = identities.iter().collect();
        assert_eq!(distinct.len(), identities.len());
    }

    #[test]
    fn every_secret_makes_another_identity() {
        let secret = || Some(Secret::new("s"));
        let header = |name: &str, value: &str| (name.to_owned(), Secret::new(value));
        let none = Credentials::default();
        let with = |change: fn(&mut Credentials, Option<Secret>)| {
            let mut credentials = Credentials::default();
            change(&mut credentials, secret());
            credentials
        };
        let all = [
            with(|credentials, secret| credentials.token = secret),
            with(|credentials, secret| credentials.username = secret),
            with(|credentials, secret| credentials.password = secret),
            with(|credentials, secret| credentials.api_key = secret),
            with(|credentials, secret| credentials.client_id = secret),
            with(|credentials, secret| credentials.client_secret = secret),
            with(|credentials, secret| credentials.refresh_token = secret),
            Credentials {
                token: Some(Secret::new("")),
                ..none.clone()
            },
            Credentials {
                headers: vec![header("a", "bc")],
                ..none.clone()
            },
            Credentials {
                headers: vec![header("ab", "c")],
                ..none.clone()
            },
            none,
        ];
        all_differ(&all.each_ref().map(of_credentials));
    }

    #[test]
    fn another_source_or_egress_makes_another_identity() {
        let source = fixture::table(&[], &[], &[]).source;
        let other = Source {
            max_pages: Some(7),
            ..source.clone()
        };
        let credentials = Credentials::default();
        let restricted = |hosts: &str| Egress::restricted(hosts).unwrap();
        all_differ(&[
            of_client(&source, &Egress::unrestricted(), &credentials),
            of_client(&other, &Egress::unrestricted(), &credentials),
            of_client(&source, &restricted(""), &credentials),
            of_client(&source, &restricted("api.test"), &credentials),
        ]);
    }

    #[test]
    fn whatever_differs_in_a_request_makes_another_identity() {
        let who = of_credentials(&Credentials::default());
        let scope = of_scope(&["1", "2"], who);
        let of = |request: &Request| of_request(scope, Caching::Http, request);
        let first = request("http://api.test/a", &[("Accept", "x")]);
        all_differ(&[
            of(&first),
            of(&request("http://api.test/a?", &[("Accept", "x")])),
            of(&request("http://api.test/a", &[("Accept", "y")])),
            of(&request("http://api.test/a", &[])),
            of_request(scope, Caching::Ttl(Duration::from_secs(1)), &first),
            of_request(of_scope(&["1", "3"], who), Caching::Http, &first),
            of_request(of_scope(&["12", ""], who), Caching::Http, &first),
        ]);
        let lower = request("http://api.test/a", &[("accept", "x")]);
        assert_eq!(of(&first), of(&lower), "names of headers have no case");
        let ttl = |seconds| of_request(scope, Caching::Ttl(Duration::from_secs(seconds)), &first);
        assert_eq!(ttl(1), ttl(2), "how long is asked when it is read");
    }

    #[test]
    fn an_identity_does_not_show() {
        let shown = format!("{:?}", of_credentials(&Credentials::default()));
        assert_eq!(shown, "Identity(***)");
    }
}
