//! What a request asks, and what every dialect needs to read it: the columns, the parameters, the route's settings.

use super::aggregations::Aggregation;
use super::condition::{Check, Comparison, Condition, Nulls};
use super::grouping::Grouping;
use super::sort::{SortDefaults, SortKey, listed};
use super::spec::{DialectSpec, NullsPlace};
use super::table::Table;
use super::value::Value;
use crate::query::Query;
use crate::request::Request;
use crate::scenario::{PagingStyle, RouteSpec};

/// What a request wants to see.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) filter: Condition,
    pub(crate) order: Vec<SortKey>,
    /// `None`: whole rows.
    pub(crate) columns: Option<Vec<usize>>,
    pub(crate) offset: usize,
    pub(crate) limit: Option<usize>,
    /// Rows of that window that were shown already.
    pub(crate) resume: usize,
    /// Whether the total is to be told.
    pub(crate) count: bool,
    pub(crate) grouping: Option<Grouping>,
    /// What is said of all rows that pass, beside those that are shown (Elasticsearch).
    pub(crate) aggregations: Vec<Aggregation>,
}

impl Default for Plan {
    fn default() -> Plan {
        Plan {
            filter: Condition::all(),
            order: Vec::new(),
            columns: None,
            offset: 0,
            limit: None,
            resume: 0,
            count: false,
            grouping: None,
            aggregations: Vec::new(),
        }
    }
}

/// A request to a route that speaks a dialect.
pub(crate) struct Asked<'a> {
    pub(crate) table: &'a Table,
    pub(crate) dialect: &'a DialectSpec,
    pub(crate) route: &'a RouteSpec,
    pub(crate) request: &'a Request,
    /// Of the URL, then of a form in the body.
    pub(crate) query: Query,
}

impl<'a> Asked<'a> {
    pub(crate) fn new(
        table: &'a Table,
        dialect: &'a DialectSpec,
        route: &'a RouteSpec,
        request: &'a Request,
    ) -> Asked<'a> {
        let content_type = request.head.header("content-type").unwrap_or_default();
        let mut raw = request.raw_query().to_owned();
        if content_type.starts_with("application/x-www-form-urlencoded") {
            raw = format!("{raw}&{}", String::from_utf8_lossy(&request.body));
        }
        Asked {
            table,
            dialect,
            route,
            request,
            query: Query::parse(&raw),
        }
    }

    /// The body as text, if there is one.
    pub(crate) fn body(&self) -> Option<std::borrow::Cow<'_, str>> {
        let body = &self.request.body;
        (!body.is_empty()).then(|| String::from_utf8_lossy(body))
    }

    /// The parameter that carries the filter's text.
    pub(crate) fn filter_param(&self, default: &'static str) -> &str {
        self.dialect.param.as_deref().unwrap_or(default)
    }

    /// Whether a parameter pages, sorts or signs in, so that it filters nothing.
    pub(crate) fn is_own(&self, param: &str) -> bool {
        let (paging, sort) = (&self.route.paging, &self.route.sort);
        let sorts = [&sort.param, &sort.order_param, &sort.desc_param];
        let pages = [
            &paging.size_param,
            &paging.page_param,
            &paging.offset_param,
            &paging.cursor_param,
        ];
        (paging.style != PagingStyle::None && pages.into_iter().any(|own| own == param))
            || sorts.into_iter().any(|own| own.as_deref() == Some(param))
            || self.route.require.query.contains_key(param)
            || self
                .route
                .filters
                .iter()
                .any(|filter| filter.param == param)
    }

    /// A comparison with a text in the spelling of the column's type; the error is a message for the client.
    pub(crate) fn compare(
        &self,
        column: usize,
        comparison: Comparison,
        text: &str,
        nulls: Nulls,
    ) -> Result<Condition, String> {
        let check = Check::Compare(comparison, self.value(column, text)?);
        self.checked(column, check, nulls)
    }

    /// A test, refused where the column's type has no such operator.
    pub(crate) fn checked(
        &self,
        column: usize,
        check: Check,
        nulls: Nulls,
    ) -> Result<Condition, String> {
        let column_type = self.table.column_type(column);
        let fits = match &check {
            Check::Compare(comparison, _) => !comparison.is_order() || column_type.is_ordered(),
            Check::Like { .. } => column_type.is_text(),
            Check::Holds(_) => column_type.is_array || !column_type.is_ordered(),
            Check::IsTrue => matches!(column_type.scalar, super::value::Scalar::Bool),
            _ => true,
        };
        if !fits {
            let name = &self.table.columns[column].name;
            return Err(format!("column {name} has no such operator"));
        }
        Ok(Condition::test(column, check, nulls))
    }

    /// The value of a text by the column's type.
    pub(crate) fn value(&self, column: usize, text: &str) -> Result<Value, String> {
        let found = &self.table.columns[column];
        found
            .column_type
            .of_text(text)
            .map_err(|problem| format!("{}: {problem}", found.name))
    }

    /// The values of several texts.
    pub(crate) fn values<'t>(
        &self,
        column: usize,
        texts: impl IntoIterator<Item = &'t str>,
    ) -> Result<Vec<Value>, String> {
        texts
            .into_iter()
            .map(|text| self.value(column, text))
            .collect()
    }

    /// Where NULLs come, if a request does not say.
    pub(crate) fn nulls(&self, default: NullsPlace) -> NullsPlace {
        self.route.sort.nulls.unwrap_or(default)
    }

    /// A key, with NULLs where the route or the dialect has them.
    pub(crate) fn sort_key(
        &self,
        column: usize,
        descending: bool,
        default: NullsPlace,
    ) -> Result<SortKey, String> {
        let found = &self.table.columns[column];
        if !found.column_type.is_ordered() {
            return Err(format!("column {} has no order", found.name));
        }
        Ok(SortKey {
            column,
            descending,
            nulls_first: self.nulls(default).first(descending),
        })
    }

    /// The order that the sort parameter asks for.
    pub(crate) fn sorted(&self, defaults: SortDefaults) -> Result<Vec<SortKey>, String> {
        let keys = listed(&self.route.sort, defaults, &self.query)?;
        let key = |(name, descending): (String, bool)| {
            self.sort_key(self.table.column(&name)?, descending, defaults.nulls)
        };
        keys.into_iter().map(key).collect()
    }

    /// The columns that a parameter lists with commas between; `*` is all.
    pub(crate) fn listed_columns(&self, param: &str) -> Result<Option<Vec<usize>>, String> {
        match self.query.get(param) {
            None | Some("" | "*") => Ok(None),
            Some(text) => {
                let names = text.split(',');
                Ok(Some(
                    names
                        .map(|name| self.table.column(name.trim()))
                        .collect::<Result<_, _>>()?,
                ))
            }
        }
    }

    /// A count in a parameter, unless the route's paging looks at it.
    pub(crate) fn count(&self, param: &str) -> Result<Option<usize>, String> {
        let paging = &self.route.paging;
        let claimed = [&paging.size_param, &paging.offset_param];
        if paging.style != PagingStyle::None && claimed.into_iter().any(|own| own == param) {
            return Ok(None);
        }
        let parse = |text: &str| {
            text.parse()
                .map_err(|_| format!("{param}: '{text}' is not a count"))
        };
        self.query.get(param).map(parse).transpose()
    }
}
