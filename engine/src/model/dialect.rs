//! How an API spells filters, orders and lists of columns.

use serde::{Deserialize, Serialize};

/// The option `dialect`; what each looks like: docs/dialects.md.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Dialect {
    /// One parameter a condition, as the columns declare.
    #[default]
    Plain,
    /// `$filter=A ge 1`, OData version 4.
    Odata,
    /// `a=gte.1`, as PostgREST reads it.
    Postgrest,
    /// `query=up{job="x"}`: matchers inside a selector.
    Prometheus,
    /// `q=state:open created:>=2024-01-01`: qualifiers, as GitHub reads them.
    Search,
    /// `labelSelector=a=b`, as Kubernetes reads it.
    Selectors,
    /// `$where=a >= 1`, or a whole SELECT in a parameter.
    Sql,
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

impl Dialect {
    /// Whether a filter's name is that of a request parameter; else it stands in a filter's text.
    pub fn names_parameters(self) -> bool {
        !matches!(
            self,
            Dialect::Json(_)
                | Dialect::Odata
                | Dialect::Prometheus
                | Dialect::Search
                | Dialect::Selectors
                | Dialect::Sql
        )
    }

    /// Whether the API can be asked for aggregates (option `aggregates`).
    pub fn spells_aggregates(self) -> bool {
        matches!(
            self,
            Dialect::Odata
                | Dialect::Postgrest
                | Dialect::Sql
                | Dialect::Json(JsonFlavour::Directus | JsonFlavour::Elasticsearch)
        )
    }

    /// Whether every API of the dialect tells totals in the same place, if it is asked to.
    pub fn spells_totals(self) -> bool {
        matches!(
            self,
            Dialect::Odata | Dialect::Postgrest | Dialect::Json(JsonFlavour::Elasticsearch)
        )
    }
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
