//! Inputs and paging parameters → a URL, headers, a body.

use super::body::body;
use super::inputs::{BodyMember, Inputs};
use super::percent::{encode_literal, encode_value, legible};
use super::redact::{redacted_body, redacted_url};
use crate::model::options::{Endpoint, Piece, is_dot_segment};
use crate::model::{Method, ParameterPlace, Role, Table};
use crate::{Error, Result};

/// A request that is ready to be sent, credentials left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// GET, or another method that reads.
    pub method: Method,
    /// The absolute URL.
    pub url: String,
    /// All headers but the credentials and what the HTTP client writes itself (Host, Accept-Encoding,
    /// Content-Length): User-Agent and Accept, Content-Type, the constants, the parameter columns.
    pub headers: Vec<(String, String)>,
    /// The body, where the method has one.
    pub body: Option<String>,
}

impl Request {
    /// `GET https://…` or `POST https://… {"query":…}`, with `***` for user information and for values of
    /// parameters whose name tells that they are secret.
    pub fn redacted(&self) -> String {
        let mut shown = format!("{} {}", self.method.name(), redacted_url(&self.url));
        if let Some(body) = &self.body {
            let body = legible(&redacted_body(body));
            shown.push(' ');
            shown.extend(body.chars().take(SHOWN));
            if body.chars().nth(SHOWN).is_some() {
                shown.push('…');
            }
        }
        legible(&shown)
    }

    /// What tells it from other requests of its scan.
    pub(crate) fn identity(&self) -> String {
        identity(&self.url, self.body.as_deref())
    }
}

/// What tells a request from others.
pub(crate) fn identity(url: &str, body: Option<&str>) -> String {
    match body {
        None => url.to_owned(),
        Some(body) => format!("{url}\n{body}"),
    }
}

/// Characters of a body that are shown.
const SHOWN: usize = 1000;

/// Builds the request that sends `inputs` and `paging_params`.
///
/// Query parameters: the server's constants, the table's, the inputs, paging. One that is set again
/// replaces the earlier value in its place; only inputs may repeat a name among themselves. Where requests
/// have a body, what the dialect wrote and the paging go into that, or what of it the body's template uses.
///
/// # Errors
/// [`Error::MissingParameters`] where the endpoint names a parameter without value;
/// [`Error::Unsendable`] where values would make a `.` or `..` segment, or no body can be made of them.
pub fn build(
    table: &Table,
    inputs: &Inputs,
    paging_params: &[(String, String)],
) -> Result<Request> {
    let mut query = Query::default();
    let constants = table.source.query.iter().chain(&table.query);
    constants.for_each(|(name, value)| query.set(name, encode_value(value)));
    query.extend(&inputs.query);
    finish(table, inputs, &inputs.body, query, paging_params)
}

/// As [`build`], for a page after the first: without constants and inputs where the table says so
/// (`keep_params 'off'`).
pub(crate) fn build_page(
    table: &Table,
    inputs: &Inputs,
    paging_params: &[(String, String)],
) -> Result<Request> {
    if table.keep_params {
        build(table, inputs, paging_params)
    } else {
        finish(table, inputs, &[], Query::default(), paging_params)
    }
}

fn finish(
    table: &Table,
    inputs: &Inputs,
    members: &[BodyMember],
    mut query: Query,
    paging_params: &[(String, String)],
) -> Result<Request> {
    let mut text = None;
    let mut headers = headers(table, inputs);
    let others = match &table.body {
        None => paging_params.to_vec(),
        Some(plan) => {
            let built = body(table, plan, members, paging_params)?;
            text = Some(built.text);
            let is_type = |(name, _): &(String, String)| name.eq_ignore_ascii_case(CONTENT_TYPE);
            if !headers.iter().any(is_type) {
                headers.push((CONTENT_TYPE.to_owned(), plan.kind.content_type().to_owned()));
            }
            built.others
        }
    };
    query.extend(&others);
    let path = path(table, inputs)?;
    Ok(Request {
        method: table.method,
        url: format!("{}{path}{}", table.source.base_url, query.text()),
        headers,
        body: text,
    })
}

const CONTENT_TYPE: &str = "Content-Type";

/// Query parameters in the order first set, values encoded.
#[derive(Default)]
struct Query(Vec<(String, String)>);

impl Query {
    fn set(&mut self, name: &str, value: String) {
        match self.0.iter_mut().find(|(other, _)| other == name) {
            Some((_, old)) => *old = value,
            None => self.0.push((name.to_owned(), value)),
        }
    }

    /// Sets parameters that may repeat a name among themselves.
    fn extend(&mut self, parameters: &[(String, String)]) {
        for (index, (name, value)) in parameters.iter().enumerate() {
            if parameters[..index].iter().any(|(other, _)| other == name) {
                self.add(name, encode_value(value));
            } else {
                self.set(name, encode_value(value));
            }
        }
    }

    /// Another value of the same name.
    fn add(&mut self, name: &str, value: String) {
        let last = self.0.iter().rposition(|(other, _)| other == name);
        self.0.insert(
            last.map_or(self.0.len(), |at| at + 1),
            (name.to_owned(), value),
        );
    }

    fn text(&self) -> String {
        let pairs: Vec<String> = self
            .0
            .iter()
            .map(|(name, value)| format!("{}={value}", encode_value(name)))
            .collect();
        if pairs.is_empty() {
            String::new()
        } else {
            format!("?{}", pairs.join("&"))
        }
    }
}

fn path(table: &Table, inputs: &Inputs) -> Result<String> {
    let endpoint =
        Endpoint::split(&table.endpoint).map_err(|reason| Error::option("endpoint", reason))?;
    let mut path = String::new();
    for piece in endpoint.pieces() {
        match piece {
            Piece::Literal(text) => path.push_str(&encode_literal(text)),
            Piece::Variable(name) => path.push_str(&segment(table, inputs, name)?),
        }
    }
    if path.split('/').any(is_dot_segment) {
        let column = endpoint
            .variables()
            .next()
            .map_or_else(String::new, |name| column_of(table, name));
        let reason = format!("the path \"{path}\" would lead elsewhere");
        return Err(Error::Unsendable { column, reason });
    }
    let authority_only = table.source.base_url.split('/').count() == 3;
    Ok(if path.is_empty() && authority_only {
        "/".to_owned()
    } else {
        path
    })
}

fn segment(table: &Table, inputs: &Inputs, name: &str) -> Result<String> {
    let value = inputs.path.iter().find(|(other, _)| other == name);
    let (_, value) = value.ok_or_else(|| Error::MissingParameters(vec![column_of(table, name)]))?;
    Ok(encode_value(value))
}

fn column_of(table: &Table, variable: &str) -> String {
    let is_it = |role: &Role| matches!(role, Role::Parameter { name, place: ParameterPlace::Path, .. } if name == variable);
    let column = table.columns.iter().find(|column| is_it(&column.role));
    column.map_or_else(|| variable.to_owned(), |column| column.name.clone())
}

fn headers(table: &Table, inputs: &Inputs) -> Vec<(String, String)> {
    let source = &table.source;
    let own = [
        ("User-Agent", source.user_agent.as_str()),
        (
            "Accept",
            source.accept.as_deref().unwrap_or(table.format.accept()),
        ),
    ];
    let own = own
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
    let mut headers: Vec<(String, String)> = Vec::new();
    for (name, value) in own.chain(
        source
            .headers
            .iter()
            .chain(&table.headers)
            .chain(&inputs.headers)
            .cloned(),
    ) {
        match headers
            .iter_mut()
            .find(|(other, _)| other.eq_ignore_ascii_case(&name))
        {
            Some((_, old)) => *old = value,
            None => headers.push((name, value)),
        }
    }
    headers
}
