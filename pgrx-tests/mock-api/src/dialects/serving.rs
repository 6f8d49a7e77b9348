//! How a route that speaks a dialect turns a request into rows and what is said about them.

use super::asked::{Asked, Plan};
use super::frame::Frame;
use super::spec::{DialectName, DialectSpec, Endpoint, Flavour};
use super::table::Table;
use super::{
    aggregations, brackets, directus, elasticsearch, jsonapi, odata, overlay, postgrest,
    prometheus, search, selectors, sort, sql, suffix,
};
use crate::filters::Selection;
use crate::paging::Address;
use crate::query::{Query, with_param};
use crate::request::Request;
use crate::rows::Rows;
use crate::scenario::{PagingStyle, RouteSpec};
use crate::shape::{Shape, set_member};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A route's dialect and the rows that it speaks of.
#[derive(Debug)]
pub(crate) struct Dialect {
    spec: DialectSpec,
    table: Table,
    frames: Vec<Frame>,
    /// Requests so far: the seed of the next order among equals.
    requests: AtomicU64,
}

/// The rows that a request sees, in its order.
#[derive(Debug)]
pub(crate) struct Listing {
    plan: Plan,
    /// The request's parameters, with those of a form in its body.
    pub(crate) query: Query,
    /// Rows, or groups, before the request's own limits.
    total: usize,
    /// Where the rows begin among them.
    first: usize,
    pub(crate) selection: Selection,
    /// Groups instead of rows.
    pub(crate) groups: Option<Rows>,
    /// Aggregates of all rows that passed the filters.
    aggregations: Option<Value>,
    /// Whether the server's bound left out rows that were asked for.
    cut: bool,
}

impl Dialect {
    /// Parses the rows; the error says which one does not fit the columns.
    pub(crate) fn new(spec: DialectSpec, listed: &[Box<RawValue>]) -> Result<Dialect, String> {
        spec.check()?;
        let mut frames = Vec::with_capacity(listed.len());
        let mut rows = Vec::with_capacity(listed.len());
        for (number, row) in listed.iter().enumerate() {
            let (frame, inner) = Frame::of(&spec, number, row)
                .map_err(|problem| format!("row {number}: {problem}"))?;
            frames.push(frame);
            rows.push(inner);
        }
        Ok(Dialect {
            table: Table::new(&spec, &rows)?,
            spec,
            frames,
            requests: AtomicU64::new(0),
        })
    }

    /// How many rows there are.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.table.rows.len()
    }

    /// The rows that a request asks for, out of `among`; the error is a message for the client.
    pub(crate) fn list(
        &self,
        route: &RouteSpec,
        request: &Request,
        among: &Selection,
    ) -> Result<Listing, String> {
        let asked = Asked::new(&self.table, &self.spec, route, request);
        let mut plan = self.plan(&asked)?;
        let filter = std::mem::replace(&mut plan.filter, super::condition::Condition::all());
        let ignored = route.ignore.iter().map(|name| self.table.column(name));
        let filter = filter.ignoring(&ignored.collect::<Result<Vec<_>, _>>()?, true);
        let mut rows: Vec<usize> = (0..among.len())
            .map(|place| among.row(place))
            .filter(|row| {
                let values = &self.table.rows[*row].values;
                route.ignore_filters || filter.holds(values, route.case_insensitive)
            })
            .collect();
        let query = asked.query;
        if let Some(grouping) = &plan.grouping {
            let groups = grouping.groups(&self.table, &rows, route.case_insensitive);
            let texts = groups.iter().map(|group| grouping.text(group)).collect();
            return Ok(grouped(plan, query, texts));
        }
        let seed = self.requests.fetch_add(1, Ordering::Relaxed);
        if (route.unstable || route.sort.unstable) && !plan.order.is_empty() {
            sort::shuffle(&mut rows, seed);
        }
        sort::sort(&mut rows, &plan.order, |row| &self.table.rows[row].values);
        let total = rows.len();
        let (places, cut) = plan.window(total, cap(route));
        let asked = (!plan.aggregations.is_empty()).then_some(&plan.aggregations);
        let aggregations = asked.map(|asked| aggregations::answer(asked, &self.table, &rows));
        Ok(Listing {
            aggregations,
            plan,
            query,
            total,
            first: places.start,
            cut,
            selection: Selection::Some(Arc::new(rows[places].to_vec())),
            groups: None,
        })
    }

    /// How many rows a request's filters let pass.
    pub(crate) fn count(
        &self,
        route: &RouteSpec,
        request: &Request,
        among: &Selection,
    ) -> Result<usize, String> {
        Ok(self.list(route, request, among)?.total)
    }

    fn plan(&self, asked: &Asked<'_>) -> Result<Plan, String> {
        let flavour = self.spec.flavour;
        let mut plan = match self.spec.name {
            DialectName::Plain | DialectName::Operators => overlay::plan(asked),
            DialectName::Postgrest => postgrest::plan(asked),
            DialectName::Odata => odata::plan(asked),
            DialectName::Suffix => suffix::plan(asked),
            DialectName::Brackets => brackets::plan(asked),
            DialectName::Sql => sql::plan(asked),
            DialectName::Json if flavour == Some(Flavour::Elasticsearch) => {
                elasticsearch::plan(asked)
            }
            DialectName::Json => directus::plan(asked),
            DialectName::Jsonapi => jsonapi::plan(asked),
            DialectName::Selectors => selectors::plan(asked),
            DialectName::Prometheus => prometheus::plan(asked),
            DialectName::Search => search::plan(asked),
        }?;
        let declared = overlay::conditions(asked)?;
        if !declared.is_empty() {
            let others = std::iter::once(plan.filter).chain(declared);
            plan.filter = super::condition::Condition::And(others.collect());
        }
        Ok(plan)
    }

    /// The rows at some places of a listing, as they go out.
    pub(crate) fn rows(&self, listing: &Listing, places: Range<usize>) -> Rows {
        let texts = places.map(|place| {
            if let Some(groups) = &listing.groups {
                let mut text = Vec::new();
                groups.write(place, &mut text);
                return String::from_utf8_lossy(&text).into_owned();
            }
            let row = listing.selection.row(place);
            match &listing.plan.columns {
                Some(columns) => self.frames[row].around(&self.table.projected(row, columns)),
                None => self.frames[row].around(&self.table.rows[row].text),
            }
        });
        Rows::Texts(texts.collect())
    }

    /// Adds what the body says beside the rows.
    pub(crate) fn add_members(
        &self,
        listing: &Listing,
        address: Address<'_>,
        members: &mut Map<String, Value>,
    ) {
        let mut set = |path: &[&str], value: Value| {
            let path: Vec<String> = path.iter().map(|name| (*name).to_owned()).collect();
            set_member(members, &path, value);
        };
        match (self.spec.name, self.spec.flavour) {
            (DialectName::Odata, _) => {
                if listing.plan.count {
                    set(&["@odata.count"], json!(listing.total));
                }
                if listing.cut {
                    set(&["@odata.nextLink"], json!(listing.next_link(address)));
                }
            }
            (DialectName::Search, _) => set(&["total_count"], json!(listing.total)),
            (DialectName::Json, Some(Flavour::Elasticsearch)) => {
                let total = json!({"value": listing.total, "relation": "eq"});
                set(&["hits", "total"], total);
                if let Some(aggregations) = &listing.aggregations {
                    set(&["aggregations"], aggregations.clone());
                }
            }
            (DialectName::Prometheus, _) => {
                set(&["status"], json!("success"));
                if self.spec.endpoint != Some(Endpoint::Series) {
                    set(&["data", "resultType"], json!("vector"));
                }
            }
            _ => {}
        }
    }

    /// The status and the header that tell a range, for the rows at these places of the listing.
    pub(crate) fn range(&self, listing: &Listing, places: &Range<usize>) -> Option<(u16, String)> {
        (self.spec.name == DialectName::Postgrest).then(|| {
            let shown = listing.first + places.start..listing.first + places.end;
            let asked_from = listing.plan.offset.max(shown.start);
            postgrest::content_range(shown, asked_from, listing.total, listing.plan.count)
        })
    }
}

/// The most rows of one answer, where the route's own paging does not say.
fn cap(route: &RouteSpec) -> Option<usize> {
    let own = route.paging.style == PagingStyle::None;
    route.paging.max_page_size.filter(|_| own)
}

fn grouped(plan: Plan, query: Query, texts: Vec<String>) -> Listing {
    let total = texts.len();
    let (places, cut) = plan.window(total, None);
    let texts = texts[places.clone()].to_vec();
    Listing {
        plan,
        query,
        total,
        first: places.start,
        cut,
        selection: Selection::All(texts.len()),
        groups: Some(Rows::Texts(texts)),
        aggregations: None,
    }
}

impl Plan {
    /// The places that are asked for, at most so many, and whether that leaves some out.
    fn window(&self, total: usize, cap: Option<usize>) -> (Range<usize>, bool) {
        let start = self.offset.min(total);
        let wanted = self.limit.unwrap_or(total).min(total - start);
        let resumed = self.resume.min(wanted);
        let shown = (wanted - resumed).min(cap.unwrap_or(usize::MAX));
        let first = start + resumed;
        (first..first + shown, resumed + shown < wanted)
    }
}

impl Listing {
    /// The request's own URL, going on where this page ends.
    fn next_link(&self, address: Address<'_>) -> String {
        let token = self.first - self.plan.offset + self.selection.len();
        let query = with_param(address.raw_query, odata::SKIP_TOKEN, &token.to_string());
        format!("{}{}?{query}", address.origin, address.path)
    }
}

impl DialectSpec {
    /// Where the dialect has its rows, unless the route says.
    pub(crate) fn shape(&self) -> Shape {
        let path: &[&str] = match (self.name, self.flavour) {
            (DialectName::Odata, _) => &["value"],
            (DialectName::Jsonapi, _) => &["data"],
            (DialectName::Selectors | DialectName::Search, _) => &["items"],
            (DialectName::Json, Some(Flavour::Elasticsearch)) => &["hits", "hits"],
            (DialectName::Json, _) => &["data"],
            (DialectName::Prometheus, _) if self.endpoint == Some(Endpoint::Series) => &["data"],
            (DialectName::Prometheus, _) => &["data", "result"],
            _ => &[],
        };
        Shape::at(path)
    }
}
