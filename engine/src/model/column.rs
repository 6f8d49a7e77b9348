//! A column: where its value comes from, and what the API can do with it.

use super::Type;
use serde::{Deserialize, Serialize};

/// A column of a foreign table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Column {
    /// The column's name in SQL.
    pub name: String,
    /// Its type.
    pub ty: Type,
    /// Whether it is declared NOT NULL.
    pub not_null: bool,
    /// Where its value comes from.
    pub role: Role,
    /// What the API can filter on, in the order declared. For a parameter column: its own `=`.
    pub filters: Vec<Filter>,
    /// `filter 'none'`: nothing, though the dialect could.
    pub unfiltered: bool,
    /// How the API names it when it orders by it, where that is declared.
    pub sort: Option<Sort>,
    /// `sort 'none'`: the API cannot order by it, though the dialect could say so.
    pub unsorted: bool,
    /// Where the API puts NULLs when it orders by it, where that is declared.
    pub sort_nulls: Option<NullsOrder>,
    /// How the API writes its values, both ways.
    pub format: Option<ValueFormat>,
    /// What to do with a value that does not fit.
    pub on_error: OnError,
    /// How the API compares this column's text, where it is declared.
    pub collation: Option<TextCollation>,
}

impl Column {
    /// Whether it is a parameter column: an input, whose value is the one that was sent (rule R3).
    pub fn is_input(&self) -> bool {
        matches!(self.role, Role::Parameter { .. })
    }
}

/// Where a column's value comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Role {
    /// A member of each row that the API returns.
    Field(FieldPath),
    /// An input that the response does not carry: its value is the one that was sent (rule R3).
    Parameter {
        /// The request parameter's name; for `Path`, the name in the endpoint's braces.
        name: String,
        /// Where it goes.
        place: ParameterPlace,
        /// Without a value there is no request (rule R8). Always true for `Path`.
        required: bool,
        /// Sent where the query gives no value, as text.
        default: Option<String>,
    },
}

/// Where a parameter goes in a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ParameterPlace {
    /// The query string.
    Query,
    /// A header.
    Header,
    /// A `{name}` of the endpoint.
    Path,
    /// The body.
    Body,
}

/// A path to a value in a JSON document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum FieldPath {
    /// The column's own name, else its camelCase form (nothing was declared).
    Default(String),
    /// `$`: the whole row.
    Whole,
    /// `@key`: the key under which the row stands (`rows_shape 'map'`).
    Key,
    /// `user.login`, `/a~1b/0`: a member of a member; at least one segment.
    Path(Vec<Segment>),
}

/// One step of a path: the member of that name, or, where the value is an array and the text is an
/// index, the element.
pub type Segment = String;

/// One thing that the API can filter on: `OPERATOR [parameter] [exact] [as FORMAT]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filter {
    /// The comparison.
    pub operator: Operator,
    /// The request parameter that carries the value, or the name that the dialect's spelling is made
    /// from; `None`: as the dialect names the column.
    pub parameter: Option<String>,
    /// Declared `exact`: the API returns precisely the rows that SQL would.
    pub exact: bool,
    /// How the parameter's value is written, where that differs from the response's values.
    pub format: Option<ValueFormat>,
}

impl Filter {
    /// How the parameter's value is written: as declared for it, else as `column` is.
    pub fn format_of<'a>(&'a self, column: &'a Column) -> Option<&'a ValueFormat> {
        self.format.as_ref().or(column.format.as_ref())
    }
}

/// How an API is asked to order by a column: `'updated'`, or both spellings `'time-asc/time'`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sort {
    /// Its name there; with `descending`, the whole spelling of the ascending order.
    pub name: String,
    /// The whole spelling of the descending order, where both are written out.
    pub descending: Option<String>,
}

/// Where NULLs stand in an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum NullsOrder {
    /// Before all values, in both directions.
    First,
    /// After all values, in both directions.
    Last,
    /// As if smaller than every value.
    Low,
    /// As if larger than every value.
    High,
}

/// What a filter compares with, from the column's side: `column OPERATOR value`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Operator {
    /// `=`
    Eq,
    /// `<>`
    Ne,
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `>`
    Gt,
    /// `>=`
    Ge,
    /// `in`: equal to one of a list
    In,
    /// `not_in`: equal to none of a list
    NotIn,
    /// `like`: matches a pattern of `%`, `_` and `\`
    Like,
    /// Does not match such a pattern.
    NotLike,
    /// `ilike`: matches such a pattern without regard to case
    ILike,
    /// Does not match such a pattern without regard to case.
    NotILike,
    /// Begins with this text (`^@`, `starts_with`).
    StartsWith,
    /// Does not begin with it.
    NotStartsWith,
    /// `is_null`
    IsNull,
    /// `is_not_null`
    IsNotNull,
    /// IS DISTINCT FROM
    Distinct,
    /// IS NOT DISTINCT FROM
    NotDistinct,
    /// `contains`: for JSON and arrays, the value is contained in the column (`@>`, `= ANY (column)`); for
    /// text, the column holds the value as a part of it
    Contains,
    /// Does not contain it.
    NotContains,
}

impl Operator {
    /// The comparison that is true where this one is false.
    pub fn opposite(self) -> Operator {
        match self {
            Operator::Eq => Operator::Ne,
            Operator::Ne => Operator::Eq,
            Operator::Lt => Operator::Ge,
            Operator::Le => Operator::Gt,
            Operator::Gt => Operator::Le,
            Operator::Ge => Operator::Lt,
            Operator::In => Operator::NotIn,
            Operator::NotIn => Operator::In,
            Operator::Like => Operator::NotLike,
            Operator::NotLike => Operator::Like,
            Operator::ILike => Operator::NotILike,
            Operator::NotILike => Operator::ILike,
            Operator::StartsWith => Operator::NotStartsWith,
            Operator::NotStartsWith => Operator::StartsWith,
            Operator::IsNull => Operator::IsNotNull,
            Operator::IsNotNull => Operator::IsNull,
            Operator::Distinct => Operator::NotDistinct,
            Operator::NotDistinct => Operator::Distinct,
            Operator::Contains => Operator::NotContains,
            Operator::NotContains => Operator::Contains,
        }
    }

    /// Whether it is unknown for a NULL; else it is true or false.
    pub fn may_be_unknown(self) -> bool {
        !matches!(
            self,
            Operator::IsNull | Operator::IsNotNull | Operator::Distinct | Operator::NotDistinct
        )
    }

    /// Whether it has an order of values.
    pub fn is_range(self) -> bool {
        matches!(
            self,
            Operator::Lt | Operator::Le | Operator::Gt | Operator::Ge
        )
    }

    /// As SQL writes it.
    pub fn sql(self) -> &'static str {
        match self {
            Operator::Eq => "=",
            Operator::Ne => "<>",
            Operator::Lt => "<",
            Operator::Le => "<=",
            Operator::Gt => ">",
            Operator::Ge => ">=",
            Operator::In => "IN",
            Operator::NotIn => "NOT IN",
            Operator::Like => "LIKE",
            Operator::NotLike => "NOT LIKE",
            Operator::ILike => "ILIKE",
            Operator::NotILike => "NOT ILIKE",
            Operator::StartsWith => "^@",
            Operator::NotStartsWith => "NOT ^@",
            Operator::IsNull => "IS NULL",
            Operator::IsNotNull => "IS NOT NULL",
            Operator::Distinct => "IS DISTINCT FROM",
            Operator::NotDistinct => "IS NOT DISTINCT FROM",
            Operator::Contains => "@>",
            Operator::NotContains => "NOT @>",
        }
    }
}

/// How the API writes a column's values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ValueFormat {
    /// `2026-11-13T08:00:00Z`
    Rfc3339,
    /// `2026-11-13`
    Date,
    /// Seconds since 1970, a fraction allowed.
    Unix,
    /// Milliseconds since 1970.
    UnixMs,
    /// Microseconds since 1970.
    UnixUs,
    /// Nanoseconds since 1970.
    UnixNs,
    /// RFC 4648 base64, standard or URL-safe alphabet, padded or not, for binary columns.
    Base64,
    /// A list in one text, separated by commas, for array columns.
    Csv,
    /// A strftime pattern.
    Strftime(String),
}

/// What to do with a value that does not fit its column (rule R11).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum OnError {
    /// Raise an error that names table, column, page and value.
    #[default]
    Error,
    /// Make it NULL.
    Null,
}

/// How the API orders text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum TextCollation {
    /// By code point, as COLLATE "C".
    C,
    /// As the named collation of PostgreSQL.
    Named(String),
}
