//! Where a redirect may lead: within the own origin, not in a circle, not for ever.

use crate::error::Exchange;
use crate::model::Method;
use crate::request::{origin, resolve};
use crate::{Error, Result};

/// Redirects that one request may take.
const MOST_HOPS: usize = 10;

/// The URLs that one request went through, the first one included.
#[derive(Debug)]
pub(super) struct Trail {
    visited: Vec<String>,
    /// How many of them were asked for by another method than those after them.
    turned: usize,
}

impl Trail {
    pub(super) fn new(url: &str) -> Self {
        Trail {
            visited: vec![url.to_owned()],
            turned: 0,
        }
    }

    /// Where the request stands now.
    pub(super) fn url(&self) -> &str {
        self.visited.last().map_or("", String::as_str)
    }

    /// From here on it is asked by GET: the same URL may answer that.
    pub(super) fn turn(&mut self) {
        self.turned = self.visited.len();
    }

    /// Goes on to `location` (absolute, or relative to where the request stands: RFC 9110 section 10.2.2).
    pub(super) fn follow(&mut self, status: u16, location: &str) -> Result<()> {
        let refused = |message: String| Error::Status {
            exchange: Exchange::default(),
            status,
            message: Some(message),
        };
        let target = resolve(self.url(), location)
            .map(String::from)
            .ok_or_else(|| refused("it redirects to something that is not a URL".to_owned()))?;
        let (own, other) = (origin(self.url()), origin(&target));
        if own != other {
            return Err(Error::Forbidden {
                exchange: Exchange::default(),
                target: other.clone().unwrap_or_else(|| "another origin".to_owned()),
                reason: format!(
                    "the API redirected there from {}, and credentials go to the server's own origin only; set base_url to where the API is",
                    own.unwrap_or_default()
                ),
            });
        }
        if self.visited[self.turned..].contains(&target) {
            return Err(refused("it redirects in a circle".to_owned()));
        }
        if self.visited.len() > MOST_HOPS {
            return Err(refused(format!(
                "it redirected more than {MOST_HOPS} times"
            )));
        }
        self.visited.push(target);
        Ok(())
    }
}

/// Whether a redirected request goes on as a GET without its body: after 303 always, after 301 and 302 where it
/// was a POST, as all clients do (RFC 9110, sections 15.4.2 to 15.4.4).
pub(super) fn becomes_get(status: u16, method: Method) -> bool {
    match status {
        303 => method != Method::Get,
        301 | 302 => method == Method::Post,
        _ => false,
    }
}

/// Where a response redirects a request to, if it does (RFC 9110 section 15.4).
pub(super) fn location(status: u16, headers: &[(String, String)]) -> Option<&str> {
    if !matches!(status, 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    let found = headers.iter().find(|(name, _)| name == "location");
    found.map(|(_, value)| value.trim())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn relative_and_absolute_locations_within_the_origin_are_followed() {
        for (location, expected) in [
            ("/b?x=1", "http://api.test/b?x=1"),
            ("c", "http://api.test/a/c"),
            ("?p=2", "http://api.test/a/i?p=2"),
            ("http://API.test:80/z#top", "http://API.test:80/z"),
            ("//api.test/y", "http://api.test/y"),
            ("/with space|ä", "http://api.test/with%20space%7C%C3%A4"),
        ] {
            let mut trail = Trail::new("http://api.test/a/i?q=1");
            trail.follow(302, location).expect(location);
            assert_eq!(trail.url(), expected);
        }
    }

    #[test]
    fn another_scheme_host_or_port_is_refused_by_name() {
        for (location, origin) in [
            ("https://api.test/", "https://api.test"),
            ("http://api.test:8080/", "http://api.test:8080"),
            ("http://evil.test/", "http://evil.test"),
            ("//api.test.evil/", "http://api.test.evil"),
            ("http://api.test@evil.test/", "http://evil.test"),
        ] {
            let error = Trail::new("http://api.test/")
                .follow(301, location)
                .unwrap_err();
            assert!(
                matches!(&error, Error::Forbidden { target, .. } if target == origin),
                "{location}: {error}"
            );
        }
        for odd in ["file:///etc/passwd", "javascript:alert(1)", "http://"] {
            assert!(
                Trail::new("http://api.test/").follow(301, odd).is_err(),
                "{odd}"
            );
        }
    }

    #[test]
    fn circles_and_endless_chains_are_errors() {
        let mut trail = Trail::new("http://api.test/a");
        trail.follow(302, "/b").unwrap();
        let circle = trail.follow(302, "/a").unwrap_err();
        assert!(
            matches!(circle, Error::Status { status: 302, message: Some(text), .. } if text.contains("circle"))
        );
        let mut trail = Trail::new("http://api.test/");
        for hop in 0..10 {
            trail.follow(307, &format!("/{hop}")).unwrap();
        }
        let endless = trail.follow(307, "/more").unwrap_err();
        assert!(
            matches!(endless, Error::Status { message: Some(text), .. } if text.contains("10 times"))
        );
    }

    #[test]
    fn a_post_is_answered_elsewhere_by_get_or_repeated() {
        let turned = |method| [301, 302, 303, 307, 308].map(|status| becomes_get(status, method));
        assert_eq!(turned(Method::Get), [false; 5]);
        assert_eq!(turned(Method::Post), [true, true, true, false, false]);
        assert_eq!(turned(Method::Put), [false, false, true, false, false]);
        let mut trail = Trail::new("http://api.test/a");
        trail.turn();
        trail.follow(303, "/a").unwrap();
        assert!(trail.follow(302, "/a").is_err(), "a GET in a circle");
    }

    #[test]
    fn only_redirects_with_a_location_lead_anywhere() {
        let headers = [("location".to_owned(), " /x ".to_owned())];
        for status in [301, 302, 303, 307, 308] {
            assert_eq!(location(status, &headers), Some("/x"));
        }
        for status in [200, 201, 300, 304, 305, 404] {
            assert_eq!(location(status, &headers), None);
        }
        assert_eq!(location(302, &[]), None);
    }
}
