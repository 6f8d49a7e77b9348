//! The types that a column can have, as far as the remote side must tell them apart.

use serde::{Deserialize, Serialize};

/// A column's type. What no variant names is `Other`: its text goes to the local type's own input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Type {
    /// A truth value.
    Bool,
    /// 16-bit integer.
    Int2,
    /// 32-bit integer.
    Int4,
    /// 64-bit integer.
    Int8,
    /// Single precision: rounds what an API sends, so ranges over it are not sent.
    Float4,
    /// Double precision.
    Float8,
    /// Exact decimal of any length.
    Numeric,
    /// Text and varchar.
    Text,
    /// Blank-padded text (`char(n)`): decoded as text, never compared remotely.
    Bpchar,
    /// A calendar date.
    Date,
    /// Date and time without zone.
    Timestamp,
    /// An instant.
    TimestampTz,
    /// RFC 9562 UUID.
    Uuid,
    /// JSON, kept as the text that the API sent (json, jsonb, and composites built from an object).
    Json,
    /// Binary.
    Bytes,
    /// Any other type: its text is given to the type's input function.
    Other,
    /// An array of another type.
    Array(Box<Type>),
}

impl Type {
    /// Why an API's order of such values need not be that of SQL; `None` where it is the same, text
    /// under the same collation.
    pub fn unordered(&self) -> Option<&'static str> {
        match self {
            Type::Float4 => {
                Some("type real rounds the API's values; use double precision or numeric")
            }
            Type::Bpchar => Some("type char(n) ignores trailing spaces, an API does not; use text"),
            Type::Json => Some("an API has no order of JSON values"),
            Type::Bytes => Some("an API has no order of binary values"),
            Type::Array(_) => Some("an API has no order of arrays"),
            Type::Other => Some("the API may order this type in another way"),
            Type::Bool
            | Type::Int2
            | Type::Int4
            | Type::Int8
            | Type::Float8
            | Type::Numeric
            | Type::Text
            | Type::Date
            | Type::Timestamp
            | Type::TimestampTz
            | Type::Uuid => None,
        }
    }
}
