//! What the fuzz targets share: tables made from options, requests taken apart by a parser that nobody here wrote.
#![forbid(unsafe_code)]

pub mod scene;
pub mod truth;
pub mod values;

use rest_engine::Error;
use rest_engine::model::options::{self, ColumnDefinition, Definition, OptionError};
use rest_engine::model::{Operator, Table, Type};
use rest_engine::pagination::Pager;
use rest_engine::predicate::{Predicate, Semantics, Value};
use rest_engine::pushdown::{RemoteQuery, plan};
use rest_engine::request::{Inputs, Operand, Request, bind};
use std::sync::Arc;
use url::Url;

/// A column: name, type, options.
pub type Column<'a> = (&'a str, Type, &'a [(&'a str, &'a str)]);

/// Where all tables here are.
pub const BASE_URL: &str = "https://api.test/v1";

/// Reads a foreign table `items` at [`BASE_URL`] from its options.
///
/// # Errors
/// The options are refused.
pub fn table(table: &[(&str, &str)], columns: &[Column]) -> Result<Table, OptionError> {
    let owned = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
        let pairs = pairs.iter();
        pairs
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    };
    let columns: Vec<ColumnDefinition> = columns
        .iter()
        .map(|(name, ty, options)| ColumnDefinition {
            name: (*name).to_owned(),
            ty: ty.clone(),
            not_null: false,
            options: owned(options),
            type_name: format!("{ty:?}").to_lowercase(),
        })
        .collect();
    options::table(&Definition {
        table_name: "items",
        server_name: "api",
        server: &owned(&[("base_url", BASE_URL)]),
        table: &owned(table),
        columns: &columns,
        version: "0.1.0",
    })
}

/// The request for the rows whose columns have these texts; `None` where one of them is not sent.
///
/// # Errors
/// No request can be made of them.
pub fn request(table: &Table, values: &[(usize, &str)]) -> Result<Option<Request>, Error> {
    let operands: Vec<Operand> = values
        .iter()
        .map(|(_, text)| Operand::Value(Value::Text((*text).to_owned())))
        .collect();
    let columns = values.iter().enumerate();
    let predicates: Vec<Predicate> = columns
        .map(|(operand, (column, _))| Predicate::Compare {
            column: *column,
            operator: Operator::Eq,
            operand,
            semantics: Semantics {
                collation_is_c: true,
                deterministic: true,
            },
        })
        .collect();
    let query = RemoteQuery {
        sent: plan(table, &predicates, &[], true).sent,
        ..RemoteQuery::default()
    };
    let is_all = query.sent.len() == predicates.len();
    let bound = bind(table, &query, &operands)?;
    let mut requests = bound.requests.into_iter();
    let inputs = requests
        .next()
        .filter(|_| is_all && bound.unsent.is_empty());
    inputs.map(|inputs| first_page(table, inputs)).transpose()
}

/// The request for the first page.
///
/// # Errors
/// None can be made.
pub fn first_page(table: &Table, inputs: Inputs) -> Result<Request, Error> {
    Pager::new(Arc::new(table.clone()), inputs, None)?.first()
}

/// A request's path segments and query parameters, decoded.
pub type Parts = (Vec<String>, Vec<(String, String)>);

/// Takes a request's URL apart as the WHATWG's URL standard says.
///
/// # Panics
/// If it is no URL at [`BASE_URL`]'s origin, or has user information or a fragment.
pub fn parts(request: &Request) -> Parts {
    let url = own_url(&request.url);
    let decoded = |segment: &str| percent_decoded(segment);
    let segments = url.path_segments().expect("a path").map(decoded).collect();
    (segments, url.query_pairs().into_owned().collect())
}

/// The URL, which is at [`BASE_URL`]'s origin.
///
/// # Panics
/// If it is not.
pub fn own_url(text: &str) -> Url {
    assert!(
        text.is_ascii(),
        "not a URL as it goes over the wire: {text}"
    );
    let url = Url::parse(text).unwrap_or_else(|error| panic!("{error}: {text}"));
    let own = Url::parse(BASE_URL).expect("a URL");
    assert_eq!(url.origin(), own.origin(), "{text}");
    assert_eq!(
        (url.username(), url.password(), url.fragment()),
        ("", None, None),
        "{text}"
    );
    url
}

fn percent_decoded(segment: &str) -> String {
    // A query without = is decoded as one name; + would be a space there.
    let pair = segment.replace('+', "%2B");
    let mut url = Url::parse("https://x.test/").expect("a URL");
    url.set_query(Some(&pair.replace('&', "%26").replace('=', "%3D")));
    let first = url.query_pairs().next();
    first.map_or_else(String::new, |(name, _)| name.into_owned())
}
