//! What the answer to a request is, before it is known how it will be sent.

use crate::cache::RenderedPage;
use crate::dialects::{Dialect, Listing};
use crate::fdsn;
use crate::filters::{Selection, conditions, path_conditions};
use crate::paging::{Address, Page, page};
use crate::request::Request;
use crate::response::{Response, Wire, reason};
use crate::routes::{Content, PathParams, Route, Routes};
use crate::rows::Rows;
use crate::scenario::{Fault, RequireSpec, RouteSpec};
use crate::validation::is_current;
use std::io;
use std::sync::Arc;

/// A request and where it came in.
pub(crate) struct Incoming {
    /// Without the space's prefix in its target.
    pub(crate) request: Request,
    /// `/s/{space}` as received, or nothing.
    pub(crate) prefix: String,
    /// Scheme, host and port that the client used.
    pub(crate) origin: String,
}

/// A response, and what is to go wrong with it.
pub(crate) struct Answer {
    pub(crate) wire: Arc<Wire>,
    pub(crate) fault: Option<Fault>,
    pub(crate) delay_ms: u64,
    /// Whether the connection may serve another request.
    pub(crate) keep_alive: bool,
}

impl Answer {
    /// A response that nothing happens to.
    pub(crate) fn plain(response: Response, request: &Request) -> io::Result<Answer> {
        let wire = response.into_wire(&request.head.method, request.keep_alive)?;
        Ok(Answer {
            wire: Arc::new(wire),
            fault: None,
            delay_ms: 0,
            keep_alive: request.keep_alive,
        })
    }
}

/// Answers from a space's routes, else from the earthquakes.
pub(crate) fn respond(routes: &Routes, mut incoming: Incoming) -> io::Result<Answer> {
    if let Some((route, params)) = routes.find(incoming.request.path()) {
        incoming.request.keep_alive &= !route.spec.close;
        return of_route(routes, route, &params, &incoming);
    }
    let request = &incoming.request;
    let url = format!(
        "{}{}{}",
        incoming.origin, incoming.prefix, request.head.target
    );
    let response = fdsn::respond(request, &url);
    let nothing = || {
        Response::message(
            404,
            &format!("the mock API has no route {}", request.path()),
        )
    };
    Answer::plain(response.unwrap_or_else(nothing), request)
}

fn of_route(
    routes: &Routes,
    route: &Route,
    params: &PathParams,
    incoming: &Incoming,
) -> io::Result<Answer> {
    let request = &incoming.request;
    let number = route.faults.arrived();
    let (wire, page) = if !is_allowed(routes, &route.spec.require, request) {
        first_page(Response::message(401, "bad credentials"), request)?
    } else if route.spec.validates && is_current(&route.spec, &request.head) {
        let mut response = Response::new(304, "", Vec::new());
        response.headers = route.spec.headers.clone().into_iter().collect();
        first_page(response, request)?
    } else {
        content(routes, route, params, incoming)?
    };
    let fault = route.faults.pick(number, page);
    let wire = match &fault {
        Some(Fault::Status {
            status,
            headers,
            body,
        }) => {
            let mut response = match body {
                Some(body) => Response::new(*status, "application/json", body.clone()),
                None => Response::message(*status, reason(*status)),
            };
            response.headers = headers.clone().into_iter().collect();
            Arc::new(response.into_wire(&request.head.method, request.keep_alive)?)
        }
        _ => wire,
    };
    Ok(Answer {
        wire,
        fault,
        delay_ms: route.spec.delay_ms,
        keep_alive: request.keep_alive,
    })
}

fn is_allowed(routes: &Routes, require: &RequireSpec, request: &Request) -> bool {
    let query = request.query();
    let cookies = request.head.header("cookie").unwrap_or_default();
    let has_cookie = |name: &str, value: &str| {
        cookies
            .split(';')
            .filter_map(|pair| pair.trim().split_once('='))
            .any(|pair| pair == (name, value))
    };
    require
        .header
        .iter()
        .all(|(name, value)| request.head.header(name) == Some(value))
        && require
            .query
            .iter()
            .all(|(name, value)| query.get(name) == Some(value))
        && require
            .cookie
            .iter()
            .all(|(name, value)| has_cookie(name, value))
        && require.token_of.as_ref().is_none_or(|path| {
            let shown = request.head.header("authorization").unwrap_or_default();
            let endpoint = routes.token_endpoint(path);
            endpoint.is_some_and(|endpoint| endpoint.accepts(shown))
        })
}

fn content(
    routes: &Routes,
    route: &Route,
    params: &PathParams,
    incoming: &Incoming,
) -> io::Result<RenderedPage> {
    let request = &incoming.request;
    let response = match &route.content {
        Content::Rows(rows @ Rows::Items(_))
            if request.head.method == "GET" && request.keep_alive =>
        {
            let key = format!(
                "{} {} {}",
                incoming.origin, incoming.prefix, request.head.target
            );
            if let Some(kept) = route.cache.page(&key) {
                return Ok(kept);
            }
            let (response, number) = rows_response(route, rows, params, incoming);
            let page = (Arc::new(response.into_wire("GET", true)?), number);
            route.cache.keep_page(key, &page);
            return Ok(page);
        }
        Content::Rows(rows) => {
            let (response, number) = match &route.dialect {
                Some(dialect) => dialect_response(route, dialect, rows, params, incoming),
                None => rows_response(route, rows, params, incoming),
            };
            let wire = response.into_wire(&request.head.method, request.keep_alive)?;
            return Ok((Arc::new(wire), number));
        }
        Content::Body(body) => with_spec(route, 200, body.clone()),
        Content::Stream(stream) => Response {
            chunked: stream.chunked,
            stream: Some(Arc::clone(stream)),
            ..with_spec(route, 200, Vec::new())
        },
        Content::Tokens(endpoint) => endpoint.respond(request),
        Content::CountOf(other) => count_response(routes, route, other, incoming),
        Content::Redirect(target) => {
            let mut response = with_spec(route, 302, Vec::new());
            response
                .headers
                .push(("Location".to_owned(), location(target, incoming)));
            response
        }
    };
    first_page(response, request)
}

fn first_page(response: Response, request: &Request) -> io::Result<RenderedPage> {
    Ok((
        Arc::new(response.into_wire(&request.head.method, request.keep_alive)?),
        1,
    ))
}

/// A target below the space stays in it, and keeps the query unless it has its own.
fn location(target: &str, incoming: &Incoming) -> String {
    let prefix = if target.starts_with('/') {
        incoming.prefix.as_str()
    } else {
        ""
    };
    let query = incoming.request.raw_query();
    let question = if query.is_empty() || target.contains('?') {
        String::new()
    } else {
        format!("?{query}")
    };
    format!("{prefix}{target}{question}")
}

fn with_spec(route: &Route, status: u16, body: Vec<u8>) -> Response {
    let spec = &route.spec;
    let content_type = spec.content_type.as_deref();
    let content_type = content_type.unwrap_or_else(|| spec.shape.content_type());
    let length = spec
        .content_length
        .map(|length| ("Content-Length".to_owned(), length.to_string()));
    Response {
        headers: spec.headers.clone().into_iter().chain(length).collect(),
        codings: route.codings.clone(),
        chunked: spec.chunked,
        ..Response::new(spec.status.unwrap_or(status), content_type, body)
    }
}

/// The page that was found; else the answer that there is none, and the page's number.
fn present<T>(
    spec: &RouteSpec,
    found: Result<(Page, T), String>,
) -> Result<(Page, T), (Response, usize)> {
    match found {
        Err(problem) => Err((Response::message(400, &problem), 1)),
        Ok((page, _)) if spec.shape.is_single() && page.places.is_empty() => {
            Err((Response::message(404, "not found"), page.number))
        }
        Ok(found) => Ok(found),
    }
}

/// The page of rows that a request asks for, and its number.
fn rows_response(
    route: &Route,
    rows: &Rows,
    params: &PathParams,
    incoming: &Incoming,
) -> (Response, usize) {
    let spec = &route.spec;
    let query = incoming.request.query();
    let found = conditions(spec, &query, params).and_then(|conditions| {
        let selection = match rows {
            Rows::Items(_) if !conditions.is_empty() => route.cache.select(rows, &conditions),
            _ => crate::filters::select(rows, &conditions),
        };
        Ok((page(&spec.paging, &query, rows, &selection)?, selection))
    });
    let (page, selection) = match present(spec, found) {
        Ok(found) => found,
        Err(refusal) => return refusal,
    };
    let path = format!("{}{}", incoming.prefix, incoming.request.path());
    let address = Address {
        origin: &incoming.origin,
        path: &path,
        raw_query: incoming.request.raw_query(),
    };
    let mut extras = spec.envelope.clone();
    page.add_members(&spec.paging, address, &mut extras);
    let body = spec.shape.document(
        rows,
        &selection,
        page.places.clone(),
        extras,
        spec.envelope_first,
    );
    let mut response = with_spec(route, 200, body);
    response.headers.extend(page.headers(&spec.paging, address));
    (response, page.number)
}

/// The page of rows that a request asks for in the route's dialect, and its number.
fn dialect_response(
    route: &Route,
    dialect: &Dialect,
    rows: &Rows,
    params: &PathParams,
    incoming: &Incoming,
) -> (Response, usize) {
    let spec = &route.spec;
    let among = crate::filters::select(rows, &path_conditions(spec, params));
    let found = dialect
        .list(spec, &incoming.request, &among)
        .and_then(|listing| {
            let paged = listing.groups.as_ref().unwrap_or(rows);
            let page = page(&spec.paging, &listing.query, paged, &listing.selection)?;
            Ok((page, listing))
        });
    let (page, listing) = match present(spec, found) {
        Ok(found) => found,
        Err(refusal) => return refusal,
    };
    let path = format!("{}{}", incoming.prefix, incoming.request.path());
    let address = Address {
        origin: &incoming.origin,
        path: &path,
        raw_query: incoming.request.raw_query(),
    };
    let response = dialect_page(route, dialect, &listing, &page, address);
    (response, page.number)
}

fn dialect_page(
    route: &Route,
    dialect: &Dialect,
    listing: &Listing,
    page: &Page,
    address: Address<'_>,
) -> Response {
    let spec = &route.spec;
    let range = dialect.range(listing, &page.places);
    let status = range.as_ref().map_or(200, |(status, _)| *status);
    if status == 416 {
        return Response::message(416, "the offset is past the total");
    }
    let mut extras = spec.envelope.clone();
    page.add_members(&spec.paging, address, &mut extras);
    dialect.add_members(listing, address, &mut extras);
    let shown = dialect.rows(listing, page.places.clone());
    let body = spec.shape.document(
        &shown,
        &Selection::All(shown.len()),
        0..shown.len(),
        extras,
        spec.envelope_first,
    );
    let mut response = with_spec(route, status, body);
    response.headers.extend(page.headers(&spec.paging, address));
    let range = range.map(|(_, range)| ("Content-Range".to_owned(), range));
    response.headers.extend(range);
    response
}

/// How many rows another route has for this request's filters.
fn count_response(routes: &Routes, route: &Route, other: &str, incoming: &Incoming) -> Response {
    let request = &incoming.request;
    let Some((counted, params)) = routes.find(other) else {
        return Response::message(404, &format!("count_of names {other}, which is no route"));
    };
    let Content::Rows(rows) = &counted.content else {
        return Response::message(404, &format!("count_of names {other}, which has no rows"));
    };
    let count = match &counted.dialect {
        Some(dialect) => {
            let among = crate::filters::select(rows, &path_conditions(&counted.spec, &params));
            dialect.count(&counted.spec, request, &among)
        }
        None => conditions(&counted.spec, &request.query(), &params)
            .map(|conditions| crate::filters::select(rows, &conditions).len()),
    };
    match count {
        Ok(count) => {
            let field = route.spec.count_field.as_deref().unwrap_or("count");
            let mut members = serde_json::Map::new();
            let path = crate::filters::field_path(field);
            crate::shape::set_member(&mut members, &path, count.into());
            with_spec(
                route,
                200,
                serde_json::Value::Object(members).to_string().into_bytes(),
            )
        }
        Err(problem) => Response::message(400, &problem),
    }
}
