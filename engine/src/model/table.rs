//! A table: an endpoint, the shape of its rows, and how it is paged.

use super::{
    Aggregates, BodyPlan, Caching, Column, Dialect, FieldPath, Format, Method, Operators, Segment,
    Source,
};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// A foreign table with its server: everything that a plan needs to know of both.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Table {
    /// Its name in SQL, schema-qualified where needed, for messages.
    pub name: String,
    /// The API it belongs to.
    pub source: Source,
    /// Path below `base_url`; `{column}` are required parameter columns.
    pub endpoint: String,
    /// By which method rows are read.
    pub method: Method,
    /// What bodies are made of; none with GET.
    pub body: Option<BodyPlan>,
    /// Constant query parameters, the table's after (and instead of) the server's.
    pub query: Vec<(String, String)>,
    /// Constant headers, the table's after (and instead of) the server's.
    pub headers: Vec<(String, String)>,
    /// How a response is written.
    pub format: Format,
    /// Where the rows are in a response.
    pub rows: RowsPath,
    /// What the rows look like there.
    pub shape: RowsShape,
    /// How the next page is asked for.
    pub paging: Paging,
    /// Rows a page: asked for by `page_size_param`, and for estimates.
    pub page_size: Option<u64>,
    /// The request parameter for the page size.
    pub page_size_param: Option<String>,
    /// The most rows that may be asked for a page.
    pub max_page_size: Option<u64>,
    /// `has_more_field`
    pub has_more_field: Option<Vec<Segment>>,
    /// `total_field`
    pub total_field: Option<Vec<Segment>>,
    /// `total_header`
    pub total_header: Option<String>,
    /// `page_count_field`
    pub page_count_field: Option<Vec<Segment>>,
    /// A page shorter than asked for is the last one (`page` and `offset`).
    pub end_on_short_page: bool,
    /// Whether pages after the first repeat the filters and constants.
    pub keep_params: bool,
    /// How filters, orders and lists of columns are written.
    pub dialect: Dialect,
    /// Spellings that go before those of the dialect.
    pub operators: Operators,
    /// The parameter that carries a filter's text, in the dialects that have one.
    pub filter_param: Option<String>,
    /// What stands around a filter's text.
    pub filter_template: Option<String>,
    /// Values that one list may have.
    pub max_list_size: Option<usize>,
    /// Bytes that the values of a list may take in a URL.
    pub max_url_length: usize,
    /// How the API is asked for an order, as far as that is declared.
    pub sorting: Sorting,
    /// The parameter that lists the members of a row that are wanted, where the API has one.
    pub fields_param: Option<String>,
    /// What the API can be asked for instead of rows.
    pub aggregates: Aggregates,
    /// Path of the endpoint that answers with a single row, by its key.
    pub entity_endpoint: Option<String>,
    /// Where the row is in its response; `None`: the whole of it.
    pub entity_field: Option<Vec<Segment>>,
    /// Columns that identify a row, as indexes into `columns`.
    pub key: Vec<usize>,
    /// Statuses that mean no rows.
    pub empty_on: Vec<u16>,
    /// Statuses of a page after the first that mean that its cursor or URL is not known any more.
    pub expired_on: Vec<u16>,
    /// Where the API's own message is in an error's body; `None` looks in the usual places.
    pub error_field: Option<Vec<Segment>>,
    /// Whether `exact` filters are checked locally too.
    pub recheck: bool,
    /// Which responses answer later requests.
    pub caching: Caching,
    /// Rows that the planner expects without statistics.
    pub rows_estimate: Option<f64>,
    /// What one request takes.
    pub latency: Duration,
    /// The columns, in attribute order, dropped ones left out.
    pub columns: Vec<Column>,
}

impl Table {
    /// The same for responses that do not say how many rows there are: they hold groups, say, or one of them.
    pub(crate) fn without_totals(self) -> Table {
        Table {
            has_more_field: None,
            total_field: None,
            total_header: None,
            page_count_field: None,
            ..self
        }
    }
}

/// How the API is asked for an order; what is not declared is as the dialect has it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sorting {
    /// The parameter that names the columns.
    pub param: Option<String>,
    /// How the direction is written.
    pub style: Option<SortStyle>,
    /// The most columns that one order can have.
    pub max_keys: Option<usize>,
}

/// How the direction of an order is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum SortStyle {
    /// `-name`
    Minus,
    /// `name:desc`
    Colon,
    /// `name desc`
    Space,
    /// `asc` or `desc` in this parameter.
    OrderParam(String),
    /// In this parameter instead where it is descending.
    DescParam(String),
    /// Not at all: ascending only.
    AscendingOnly,
}

/// Where the rows are in a response.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum RowsPath {
    /// The root array, or the only array of objects within two levels.
    Auto,
    /// A path from the root; empty is the root itself.
    Path(Vec<Segment>),
    /// A path from the root. There are no rows where the last of its members is missing.
    Optional(Vec<Segment>),
}

/// What the rows look like.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum RowsShape {
    /// An array of objects.
    Objects,
    /// An array of arrays; the names of their elements stand in `columns_field`, else fields are
    /// positions: the n-th field column takes element n.
    Arrays {
        /// Path from the root to the array of names.
        columns_field: Option<Vec<Segment>>,
    },
    /// An object whose members are the rows; `@key` is the member's name.
    Map,
    /// An array of scalars; `$` is the value.
    Values,
    /// The document at `rows` is the one row.
    Single,
    /// The one row is the number in this header, whatever the body is. No option says so: it is how a
    /// count is read from a total.
    Header(String),
    /// The one row is what the whole response looks like ([`Sample`](crate::infer::Sample)), whatever it is. No option
    /// says so: it is how a table is inferred.
    Survey,
}

/// How the next page is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Paging {
    /// A Link rel=next header, else a next URL in the body, else one page.
    Auto,
    /// One page.
    None,
    /// RFC 8288: the Link header's `rel="next"`.
    Link,
    /// A URL in the body or in a header.
    NextUrl {
        /// Where it is.
        at: Location,
    },
    /// A token in the body or in a header.
    Cursor {
        /// The request parameter that carries it.
        param: String,
        /// Where the next one is.
        at: Location,
    },
    /// A page number.
    Page {
        /// The request parameter.
        param: String,
        /// The first page's number.
        first: u64,
    },
    /// A row number.
    Offset {
        /// The request parameter.
        param: String,
        /// The first row's number.
        first: u64,
    },
    /// The last row's value of a column.
    Keyset {
        /// The request parameter.
        param: String,
        /// Where the value is in a row.
        field: FieldPath,
    },
    /// The key of the page's last group, an object. No option says so: it is how groups are paged in
    /// Elasticsearch.
    AfterKey {
        /// The member of the body that carries it; dots lead to members of members.
        param: String,
        /// Where the object is in the response; none ends the pages.
        at: Vec<Segment>,
        /// Its members.
        members: Vec<Segment>,
    },
}

/// A place in a response.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Location {
    /// A member of the body.
    Body(Vec<Segment>),
    /// A header.
    Header(String),
}
