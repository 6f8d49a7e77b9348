//! The USGS FDSN event API (<https://earthquake.usgs.gov/fdsnws/event/1/>) over a week of its own data.
//!
//! `query` and `count` take every parameter of [`search::Search`] and refuse unknown ones, as the service does. Unlike it, a search without
//! `starttime` looks at all events, not at the last thirty days, since the week is one of 2018.

mod events;
mod records;
mod search;

use crate::request::Request;
use crate::response::{Response, reason};
use events::{Event, events};
use jiff::Timestamp;
use search::{MAX_EVENTS, Search};
use serde_json::json;
use std::fmt::Write;

const QUERY: &str = "/fdsnws/event/1/query";
const COUNT: &str = "/fdsnws/event/1/count";
/// The version of the service that made the data.
const API_VERSION: &str = "1.5.8";

/// Answers a request for either method; `None` for any other path. `url` is where the request went, in whole.
pub(crate) fn respond(request: &Request, url: &str) -> Option<Response> {
    let answer = match request.path() {
        QUERY => query(request, url),
        COUNT => count(request),
        _ => return None,
    };
    Some(answer.unwrap_or_else(|problem| bad_request(&problem, &request.head.target)))
}

fn query(request: &Request, url: &str) -> Result<Response, String> {
    let search = Search::parse(&request.query())?;
    match search.format.as_deref() {
        Some("geojson") => {}
        Some("csv") => return Ok(records::response(&search.run(events())?)),
        None => {
            return Err(
                "Missing required parameter \"format\". This service has \"csv\" and \"geojson\" only."
                    .to_owned(),
            );
        }
        Some(other) => {
            return Err(format!(
                "Bad format value \"{other}\". Valid values are \"csv\", \"geojson\"."
            ));
        }
    }
    let found = search.run(events())?;
    Ok(Response::new(
        200,
        "application/json; charset=utf-8",
        collection(&search, &found, url),
    ))
}

fn count(request: &Request) -> Result<Response, String> {
    let search = Search::parse(&request.query())?;
    let count = search.count(events());
    match search.format.as_deref() {
        Some("geojson") => Ok(Response::json(
            200,
            &json!({"count": count, "maxAllowed": MAX_EVENTS}),
        )),
        None | Some("text") => Ok(Response::new(200, "text/plain", count.to_string())),
        Some(other) => Err(format!(
            "Bad format value \"{other}\". Valid values are \"geojson\", \"text\"."
        )),
    }
}

fn collection(search: &Search, found: &[&Event], url: &str) -> String {
    let features: Vec<&str> = found.iter().map(|event| event.text.get()).collect();
    let features = features.join(",\n");
    let mut text = String::with_capacity(features.len() + 512);
    let generated = Timestamp::now().as_millisecond();
    // Writing into a String cannot fail.
    let _ = write!(
        text,
        r#"{{"type":"FeatureCollection","metadata":{{"generated":{generated},"url":{},"title":"USGS Earthquakes","status":200,"api":"{API_VERSION}""#,
        json!(url)
    );
    if let Some(limit) = search.limit {
        let _ = write!(text, r#","limit":{limit}"#);
    }
    if search.limit.is_some() || search.offset.is_some() {
        let _ = write!(text, r#","offset":{}"#, search.offset.unwrap_or(1));
    }
    let _ = write!(
        text,
        r#","count":{}}},"features":[{features}]"#,
        found.len()
    );
    if let Some(bounds) = events::bounds(found) {
        let _ = write!(text, r#","bbox":{}"#, json!(bounds));
    }
    text.push('}');
    text
}

/// An error as the service writes it, in plain text.
fn bad_request(problem: &str, target: &str) -> Response {
    let now = Timestamp::now();
    let text = format!(
        "Error 400: {}\n\n{problem}\n\nUsage details are available from https://earthquake.usgs.gov/fdsnws/event/1\n\nRequest:\n\
         {target}\n\nRequest Submitted:\n{now}\n\nService version:\n{API_VERSION}\n",
        reason(400)
    );
    Response::new(400, "text/plain", text)
}
