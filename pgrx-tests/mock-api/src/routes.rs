//! Which route a path belongs to.

use crate::cache::{Budget, RouteCache};
use crate::dialects::Dialect;
use crate::encoding::Coding;
use crate::faults::FaultSchedule;
use crate::query::percent_decode;
use crate::rows::Rows;
use crate::scenario::{RouteSpec, ScenarioSpec};
use crate::stream::Stream;
use crate::tokens::TokenEndpoint;
use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The values of a path's named segments, decoded.
pub(crate) type PathParams = BTreeMap<String, String>;

/// A route, ready to answer.
#[derive(Debug)]
pub(crate) struct Route {
    pattern: Vec<Segment>,
    pub(crate) spec: RouteSpec,
    pub(crate) content: Content,
    pub(crate) dialect: Option<Dialect>,
    /// How the body is compressed, in the order applied.
    pub(crate) codings: Vec<Coding>,
    pub(crate) faults: FaultSchedule,
    pub(crate) cache: RouteCache,
}

/// What a route answers with.
#[derive(Debug)]
pub(crate) enum Content {
    Rows(Rows),
    Body(Vec<u8>),
    Stream(Arc<Stream>),
    Redirect(String),
    /// How many rows another route has for a request.
    CountOf(String),
    Tokens(Box<TokenEndpoint>),
}

#[derive(Debug, PartialEq, Eq)]
enum Segment {
    Literal(String),
    Named(String),
}

/// All routes of a space.
#[derive(Debug, Default)]
pub(crate) struct Routes(Vec<Route>);

impl Routes {
    /// Makes a scenario's routes; the error says what is wrong with which.
    pub(crate) fn new(scenario: ScenarioSpec, budget: &Arc<Budget>) -> Result<Routes, String> {
        let route = |(path, spec): (String, RouteSpec)| {
            Route::new(&path, spec, budget).map_err(|problem| format!("route {path}: {problem}"))
        };
        let mut routes: Vec<Route> = scenario
            .routes
            .into_iter()
            .map(route)
            .collect::<Result<_, _>>()?;
        routes.sort_by_key(Route::named_segments);
        Ok(Routes(routes))
    }

    /// The route of a path that was not decoded yet: the one with the fewest named segments.
    pub(crate) fn find(&self, path: &str) -> Option<(&Route, PathParams)> {
        let segments: Vec<String> = path.split('/').map(percent_decode).collect();
        self.0
            .iter()
            .find_map(|route| Some((route, route.matched(&segments)?)))
    }
}

impl Routes {
    /// The token endpoint at `path`.
    pub(crate) fn token_endpoint(&self, path: &str) -> Option<&TokenEndpoint> {
        match &self.find(path)?.0.content {
            Content::Tokens(endpoint) => Some(endpoint),
            _ => None,
        }
    }

    /// Makes all access tokens of all token endpoints worthless.
    pub(crate) fn revoke_tokens(&self) {
        for route in &self.0 {
            if let Content::Tokens(endpoint) = &route.content {
                endpoint.revoke();
            }
        }
    }
}

impl Route {
    fn new(path: &str, mut spec: RouteSpec, budget: &Arc<Budget>) -> Result<Route, String> {
        let dialect = match (spec.dialect.take(), &spec.rows) {
            (Some(dialect), Some(rows)) => Some(Dialect::new(dialect, rows)?),
            _ => None,
        };
        let codings = match spec.encoding.as_deref() {
            Some(text) => Coding::list(text)?,
            None if spec.gzip => vec![Coding::Gzip],
            None => Vec::new(),
        };
        let content = if let Some(rows) = Rows::of(&mut spec)? {
            spec.shape.check(&rows)?;
            Content::Rows(rows)
        } else if let Some(stream) = spec.stream.take() {
            Content::Stream(Arc::new(Stream {
                spec: stream,
                codings: codings.clone(),
                chunked: spec.content_length.is_none(),
            }))
        } else if let Some(target) = spec.redirect.take() {
            Content::Redirect(target)
        } else if let Some(tokens) = spec.tokens.take() {
            Content::Tokens(Box::new(TokenEndpoint::new(tokens)))
        } else if let Some(other) = spec.count_of.take() {
            Content::CountOf(other)
        } else if let Some(encoded) = spec.body_base64.take() {
            Content::Body(
                BASE64
                    .decode(encoded)
                    .map_err(|error| format!("body_base64: {error}"))?,
            )
        } else {
            Content::Body(spec.body.take().unwrap_or_default().into_bytes())
        };
        let pattern = path.split('/').map(Segment::parse).collect();
        let faults = FaultSchedule::new(std::mem::take(&mut spec.faults));
        Ok(Route {
            pattern,
            spec,
            content,
            dialect,
            codings,
            faults,
            cache: RouteCache::new(Arc::clone(budget)),
        })
    }

    fn named_segments(&self) -> usize {
        self.pattern
            .iter()
            .filter(|segment| matches!(segment, Segment::Named(_)))
            .count()
    }

    fn matched(&self, segments: &[String]) -> Option<PathParams> {
        if segments.len() != self.pattern.len() {
            return None;
        }
        let mut params = PathParams::new();
        for (expected, found) in self.pattern.iter().zip(segments) {
            match expected {
                Segment::Literal(literal) if literal == found => {}
                Segment::Literal(_) => return None,
                Segment::Named(name) => {
                    params.insert(name.clone(), found.clone());
                }
            }
        }
        Some(params)
    }
}

impl Segment {
    fn parse(text: &str) -> Segment {
        match text
            .strip_prefix('{')
            .and_then(|rest| rest.strip_suffix('}'))
        {
            Some(name) => Segment::Named(name.to_owned()),
            None => Segment::Literal(text.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn literal_paths_win_and_segments_are_decoded() {
        let scenario = r#"{"routes": {"/r/{owner}/{repo}": {"body": "named"}, "/r/{owner}/x": {"body": "half"},
                                      "/r/a b/x": {"body": "literal"}}}"#;
        let routes = Routes::new(
            ScenarioSpec::parse(scenario.as_bytes()).unwrap(),
            &Arc::default(),
        )
        .unwrap();
        let found = |path: &str| {
            let (route, params) = routes.find(path)?;
            let Content::Body(body) = &route.content else {
                return None;
            };
            Some((
                String::from_utf8(body.clone()).unwrap(),
                params.into_values().collect::<Vec<_>>(),
            ))
        };
        assert_eq!(found("/r/a%20b/x"), Some(("literal".to_owned(), vec![])));
        assert_eq!(
            found("/r/a/x"),
            Some(("half".to_owned(), vec!["a".to_owned()]))
        );
        assert_eq!(
            found("/r/a%2Fb/y"),
            Some(("named".to_owned(), vec!["a/b".to_owned(), "y".to_owned()]))
        );
        assert_eq!(found("/r/a"), None);
    }
}
