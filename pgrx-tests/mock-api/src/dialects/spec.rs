//! What a test may write about a route's dialect.

use super::value::ColumnType;
use serde::Deserialize;
use std::collections::BTreeMap;

/// The route key `dialect`; the crate's documentation says what each member means.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DialectSpec {
    pub(crate) name: DialectName,
    pub(crate) flavour: Option<Flavour>,
    /// The columns' types, by field name; a dotted path reaches into objects.
    pub(crate) columns: BTreeMap<String, ColumnType>,
    /// The parameter that carries the filter's text.
    pub(crate) param: Option<String>,
    /// The parameter with the list of columns.
    pub(crate) fields_param: Option<String>,
    /// For `prometheus`.
    pub(crate) endpoint: Option<Endpoint>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DialectName {
    Plain,
    Operators,
    Brackets,
    Suffix,
    Postgrest,
    Odata,
    Jsonapi,
    Selectors,
    Prometheus,
    Json,
    Search,
    Sql,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Flavour {
    Stripe,
    Strapi,
    Django,
    Netbox,
    JsonServer,
    Directus,
    Elasticsearch,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Endpoint {
    Instant,
    Series,
}

/// The route key `sort`.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct SortSpec {
    pub(crate) param: Option<String>,
    pub(crate) style: Option<SortStyle>,
    pub(crate) order_param: Option<String>,
    pub(crate) desc_param: Option<String>,
    pub(crate) nulls: Option<NullsPlace>,
    pub(crate) unstable: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SortStyle {
    Minus,
    Colon,
    Space,
    OrderParam,
    DescParam,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum NullsPlace {
    First,
    Last,
    /// As if less than every value.
    Low,
    /// As if greater than every value.
    High,
}

impl NullsPlace {
    pub(crate) fn first(self, descending: bool) -> bool {
        match self {
            NullsPlace::First => true,
            NullsPlace::Last => false,
            NullsPlace::Low => !descending,
            NullsPlace::High => descending,
        }
    }
}

impl DialectSpec {
    /// Why the dialect has no such flavour.
    pub(crate) fn check(&self) -> Result<(), String> {
        let fits = match self.flavour {
            None => true,
            Some(Flavour::Stripe | Flavour::Strapi) => self.name == DialectName::Brackets,
            Some(Flavour::Django | Flavour::Netbox | Flavour::JsonServer) => {
                self.name == DialectName::Suffix
            }
            Some(Flavour::Directus | Flavour::Elasticsearch) => self.name == DialectName::Json,
        };
        if !fits {
            return Err(format!(
                "dialect: {:?} has no flavour {:?}",
                self.name, self.flavour
            ));
        }
        if self.endpoint.is_some() && self.name != DialectName::Prometheus {
            return Err("dialect: endpoint is for prometheus".to_owned());
        }
        Ok(())
    }
}
