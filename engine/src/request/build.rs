//! Inputs and paging parameters → a URL and headers.

use super::inputs::Inputs;
use super::percent::{encode_literal, encode_value, legible};
use super::redact::redacted_url;
use crate::model::options::{Endpoint, Piece};
use crate::model::{ParameterPlace, Role, Table};
use crate::{Error, Result};

/// A request by GET that is ready to be sent, credentials left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The absolute URL.
    pub url: String,
    /// All headers but the credentials and what the HTTP client writes itself (Host, Accept-Encoding):
    /// User-Agent and Accept, the constants, the parameter columns.
    pub headers: Vec<(String, String)>,
}

impl Request {
    /// `GET https://…`, with `***` for user information and for values of parameters whose name tells
    /// that they are secret.
    pub fn redacted(&self) -> String {
        legible(&format!("GET {}", redacted_url(&self.url)))
    }
}

/// Builds the request that sends `inputs` and `paging_params`.
///
/// Query parameters: the server's constants, the table's, the inputs, paging. One that is set again
/// replaces the earlier value in its place; only inputs may repeat a name among themselves.
///
/// # Errors
/// [`Error::MissingParameters`] where the endpoint names a parameter without value;
/// [`Error::Unsendable`] where values would make a `.` or `..` segment.
pub fn build(
    table: &Table,
    inputs: &Inputs,
    paging_params: &[(String, String)],
) -> Result<Request> {
    let mut query = Query::default();
    let constants = table.source.query.iter().chain(&table.query);
    constants.for_each(|(name, value)| query.set(name, encode_value(value)));
    for (index, (name, value)) in inputs.query.iter().enumerate() {
        let is_repeated = inputs.query[..index].iter().any(|(other, _)| other == name);
        if is_repeated {
            query.add(name, encode_value(value));
        } else {
            query.set(name, encode_value(value));
        }
    }
    finish(table, inputs, query, paging_params)
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
        finish(table, inputs, Query::default(), paging_params)
    }
}

fn finish<'a>(
    table: &Table,
    inputs: &Inputs,
    mut query: Query<'a>,
    paging_params: &'a [(String, String)],
) -> Result<Request> {
    paging_params
        .iter()
        .for_each(|(name, value)| query.set(name, encode_value(value)));
    let path = path(table, inputs)?;
    Ok(Request {
        url: format!("{}{path}{}", table.source.base_url, query.text()),
        headers: headers(table, inputs),
    })
}

/// Query parameters in the order first set, values encoded.
#[derive(Default)]
struct Query<'a>(Vec<(&'a str, String)>);

impl<'a> Query<'a> {
    fn set(&mut self, name: &'a str, value: String) {
        match self.0.iter_mut().find(|(other, _)| *other == name) {
            Some((_, old)) => *old = value,
            None => self.0.push((name, value)),
        }
    }

    /// Another value of the same name.
    fn add(&mut self, name: &'a str, value: String) {
        let last = self.0.iter().rposition(|(other, _)| *other == name);
        self.0
            .insert(last.map_or(self.0.len(), |at| at + 1), (name, value));
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
    if path
        .split('/')
        .any(|segment| segment == "." || segment == "..")
    {
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
        ("User-Agent", &source.user_agent),
        ("Accept", &source.accept),
    ];
    let own = own
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.clone()));
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
