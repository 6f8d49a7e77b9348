//! How an API spells filters, orders and lists of columns.

use serde::{Deserialize, Serialize};

/// The option `dialect`; what each looks like: docs/dialects.md.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Dialect {
    /// One parameter a condition, as the columns declare.
    #[default]
    Plain,
    /// The operator in brackets after the parameter's name.
    Brackets(BracketsFlavour),
    /// The operator at the end of the parameter's name.
    Suffix(SuffixFlavour),
    /// JSON:API's `filter[name]`.
    JsonApi,
    /// As the option `operators` says, and nothing else.
    Operators,
    /// A JSON document.
    Json(JsonFlavour),
}

/// The flavours of `brackets`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum BracketsFlavour {
    /// `created[gte]=1`
    Stripe,
    /// `filters[created][$gte]=1`
    Strapi,
}

/// The flavours of `suffix`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum SuffixFlavour {
    /// `created__gte=1`, lists with commas
    Django,
    /// `created__gte=1`, lists as repeated parameters
    NetBox,
    /// `created_gte=1`
    JsonServer,
}

/// The flavours of `json`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum JsonFlavour {
    /// `{"created": {"_gte": 1}}`
    Directus,
    /// `{"range": {"created": {"gte": 1}}}`
    Elasticsearch,
    /// As the option `operators` says, and nothing else.
    Operators,
}
