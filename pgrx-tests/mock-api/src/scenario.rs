//! What a test may write into a scenario: the JSON, its defaults, and what is refused.

use crate::dialects::{DialectSpec, SortSpec};
use crate::shape::Shape;
use crate::stream::StreamSpec;
use crate::tokens::TokensSpec;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The document that defines a space.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ScenarioSpec {
    pub(crate) routes: BTreeMap<String, RouteSpec>,
}

/// One route; the crate's documentation says what each key means.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RouteSpec {
    pub(crate) rows: Option<Vec<Box<RawValue>>>,
    pub(crate) dialect: Option<DialectSpec>,
    pub(crate) sort: SortSpec,
    pub(crate) unstable: bool,
    pub(crate) ignore: Vec<String>,
    pub(crate) count_of: Option<String>,
    pub(crate) count_field: Option<String>,
    pub(crate) generate: Option<GenerateSpec>,
    pub(crate) shape: Shape,
    pub(crate) envelope: Map<String, Value>,
    pub(crate) envelope_first: bool,
    pub(crate) paging: PagingSpec,
    pub(crate) filters: Vec<FilterSpec>,
    pub(crate) ignore_filters: bool,
    pub(crate) case_insensitive: bool,
    pub(crate) path_filters: BTreeMap<String, String>,
    pub(crate) require: RequireSpec,
    pub(crate) status: Option<u16>,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) validates: bool,
    pub(crate) content_type: Option<String>,
    pub(crate) body: Option<String>,
    pub(crate) body_base64: Option<String>,
    pub(crate) delay_ms: u64,
    pub(crate) gzip: bool,
    pub(crate) encoding: Option<String>,
    pub(crate) chunked: bool,
    pub(crate) content_length: Option<u64>,
    pub(crate) stream: Option<StreamSpec>,
    pub(crate) close: bool,
    pub(crate) redirect: Option<String>,
    pub(crate) tokens: Option<TokensSpec>,
    pub(crate) faults: Vec<FaultSpec>,
}

/// Rows that are made instead of listed.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct GenerateSpec {
    pub(crate) kind: GeneratedKind,
    pub(crate) count: usize,
    #[serde(default)]
    pub(crate) seed: u64,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum GeneratedKind {
    Items,
}

/// How rows are cut into pages.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct PagingSpec {
    pub(crate) style: PagingStyle,
    pub(crate) page_size: usize,
    pub(crate) max_page_size: Option<usize>,
    pub(crate) size_param: String,
    pub(crate) page_param: String,
    pub(crate) first_page: usize,
    pub(crate) offset_param: String,
    pub(crate) first_offset: usize,
    pub(crate) cursor_param: String,
    pub(crate) cursor_field: Option<String>,
    pub(crate) cursor_header: Option<String>,
    pub(crate) next_url_field: Option<String>,
    pub(crate) next_url_header: Option<String>,
    pub(crate) relative_urls: bool,
    pub(crate) keyset_field: String,
    pub(crate) has_more_field: Option<String>,
    pub(crate) total_field: Option<String>,
    pub(crate) total_header: Option<String>,
    pub(crate) page_count_field: Option<String>,
    pub(crate) fault: Option<PagingFault>,
    pub(crate) fault_page: usize,
}

impl Default for PagingSpec {
    fn default() -> PagingSpec {
        PagingSpec {
            style: PagingStyle::None,
            page_size: 100,
            max_page_size: None,
            size_param: "per_page".to_owned(),
            page_param: "page".to_owned(),
            first_page: 1,
            offset_param: "offset".to_owned(),
            first_offset: 0,
            cursor_param: "cursor".to_owned(),
            cursor_field: None,
            cursor_header: None,
            next_url_field: None,
            next_url_header: None,
            relative_urls: false,
            keyset_field: "id".to_owned(),
            has_more_field: None,
            total_field: None,
            total_header: None,
            page_count_field: None,
            fault: None,
            fault_page: 2,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PagingStyle {
    None,
    Link,
    NextUrl,
    Cursor,
    Page,
    Offset,
    Keyset,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PagingFault {
    RepeatCursor,
    RepeatUrl,
    WrongTotal,
    ForeignNext,
    DuplicatePage,
}

/// One parameter that the route filters by.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FilterSpec {
    pub(crate) param: String,
    pub(crate) field: Option<String>,
    #[serde(default)]
    pub(crate) op: FilterOp,
    #[serde(default, rename = "type")]
    pub(crate) value_type: FilterType,
    /// How lists, or single values, are written; only where the route has a dialect.
    #[serde(default)]
    pub(crate) encoding: ListEncoding,
}

impl FilterSpec {
    /// Whether its parameters give several values.
    pub(crate) fn is_list(&self) -> bool {
        matches!(self.op, FilterOp::In | FilterOp::NotIn)
    }

    /// What needs columns with types.
    fn needs_dialect(&self) -> bool {
        use FilterOp::{Ilike, IsNotNull, IsNull, Like, NotIn};
        matches!(self.op, Like | Ilike | IsNull | IsNotNull | NotIn)
            || self.encoding != ListEncoding::Csv
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ListEncoding {
    #[default]
    Csv,
    Json,
    JsonCsv,
    Repeat,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub(crate) enum FilterOp {
    #[default]
    #[serde(rename = "=")]
    Equal,
    #[serde(rename = "<>")]
    NotEqual,
    #[serde(rename = "<")]
    Less,
    #[serde(rename = "<=")]
    LessOrEqual,
    #[serde(rename = ">")]
    Greater,
    #[serde(rename = ">=")]
    GreaterOrEqual,
    #[serde(rename = "in")]
    In,
    #[serde(rename = "contains")]
    Contains,
    #[serde(rename = "not_in")]
    NotIn,
    #[serde(rename = "like")]
    Like,
    #[serde(rename = "ilike")]
    Ilike,
    #[serde(rename = "is_null")]
    IsNull,
    #[serde(rename = "is_not_null")]
    IsNotNull,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FilterType {
    #[default]
    Text,
    Number,
    Time,
}

/// What a request must carry.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RequireSpec {
    pub(crate) header: BTreeMap<String, String>,
    pub(crate) query: BTreeMap<String, String>,
    pub(crate) cookie: BTreeMap<String, String>,
    pub(crate) token_of: Option<String>,
}

/// A misbehaviour and when it happens.
#[derive(Debug, Deserialize)]
#[serde(try_from = "Map<String, Value>")]
pub(crate) struct FaultSpec {
    pub(crate) fault: Fault,
    /// How often; 0 is always.
    pub(crate) times: u64,
    /// From the nth request to the route on.
    pub(crate) on: Option<u64>,
    /// Only for the nth page, from 1.
    pub(crate) on_page: Option<usize>,
}

/// A misbehaviour; the crate's documentation says what each does.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Fault {
    Status {
        status: u16,
        #[serde(default)]
        headers: BTreeMap<String, String>,
        #[serde(default)]
        body: Option<String>,
    },
    Reset {},
    Close {},
    StallBeforeHeaders {},
    StallInBody {
        after: usize,
    },
    Truncate {
        after: usize,
        #[serde(default)]
        pause_ms: u64,
    },
    WrongLength {
        by: i64,
    },
    Change {
        from: String,
        to: String,
    },
    Drip {
        #[serde(default = "one")]
        bytes_per_write: usize,
        #[serde(default = "ten")]
        interval_ms: u64,
    },
    Delay {
        ms: u64,
    },
}

fn one() -> usize {
    1
}

fn ten() -> u64 {
    10
}

impl TryFrom<Map<String, Value>> for FaultSpec {
    type Error = String;

    fn try_from(mut object: Map<String, Value>) -> Result<FaultSpec, String> {
        let mut count = |key: &str| match object.remove(key) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => value
                .as_u64()
                .map(Some)
                .ok_or_else(|| format!("fault: {key} is not a count: {value}")),
        };
        let (times, on, on_page) = (count("times")?, count("on")?, count("on_page")?);
        let fault = serde_json::from_value(Value::Object(object))
            .map_err(|error| format!("fault: {error}"))?;
        let on_page = on_page.map(|page| usize::try_from(page).unwrap_or(usize::MAX));
        Ok(FaultSpec {
            fault,
            times: times.unwrap_or(1),
            on,
            on_page,
        })
    }
}

impl ScenarioSpec {
    /// Reads a scenario; the error says what is wrong with it and where.
    pub(crate) fn parse(text: &[u8]) -> Result<ScenarioSpec, String> {
        let mut spec: ScenarioSpec =
            serde_json::from_slice(text).map_err(|error| error.to_string())?;
        for (path, route) in &mut spec.routes {
            if let (Some(dialect), true) = (&route.dialect, route.shape == Shape::default()) {
                route.shape = dialect.shape();
            }
            route
                .check(path)
                .map_err(|problem| format!("route {path}: {problem}"))?;
        }
        Ok(spec)
    }
}

impl RouteSpec {
    fn check(&self, path: &str) -> Result<(), String> {
        let sources = [
            self.rows.is_some(),
            self.generate.is_some(),
            self.body.is_some(),
            self.body_base64.is_some(),
            self.redirect.is_some(),
            self.count_of.is_some(),
            self.stream.is_some(),
            self.tokens.is_some(),
        ];
        let sources = sources.into_iter().filter(|given| *given).count();
        if sources > 1 {
            let message = "give only one of rows, generate, body, body_base64, stream, redirect, count_of, tokens";
            return Err(message.to_owned());
        }
        if sources == 0 && self.status.is_none() {
            let message = "give rows, generate, body, body_base64, stream, redirect, count_of, tokens or status";
            return Err(message.to_owned());
        }
        if !path.starts_with('/') || path.contains('?') {
            return Err("a path begins with a slash and has no query".to_owned());
        }
        if self.gzip && self.encoding.is_some() {
            return Err("gzip and encoding exclude each other".to_owned());
        }
        self.check_path_filters(path)?;
        self.check_faults()?;
        self.check_dialect()?;
        self.check_statuses()?;
        self.paging.check()?;
        self.check_members()
    }

    fn check_path_filters(&self, path: &str) -> Result<(), String> {
        for name in self.path_filters.keys() {
            if !path
                .split('/')
                .any(|segment| segment == format!("{{{name}}}"))
            {
                return Err(format!(
                    "path_filters names {name}, which the path does not have"
                ));
            }
        }
        Ok(())
    }

    fn check_faults(&self) -> Result<(), String> {
        for FaultSpec { fault, .. } in &self.faults {
            match fault {
                Fault::Drip {
                    bytes_per_write: 0, ..
                } => return Err("a drip of 0 bytes never ends".to_owned()),
                Fault::WrongLength { by: 0 } => {
                    return Err("a length that is wrong by 0 is right".to_owned());
                }
                Fault::Change { from, to } if from.is_empty() || from.len() != to.len() => {
                    return Err("a change is of a text to another one of its length".to_owned());
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// What needs columns with types needs a dialect, and that needs listed rows.
    fn check_dialect(&self) -> Result<(), String> {
        if self.dialect.is_some() && self.rows.is_none() {
            return Err("a dialect needs rows".to_owned());
        }
        if self.count_field.is_some() && self.count_of.is_none() {
            return Err("count_field needs count_of".to_owned());
        }
        let filter = self.filters.iter().find(|filter| filter.needs_dialect());
        let needs = match filter {
            Some(filter) => format!("the filter {}", filter.param),
            None if self.sort != SortSpec::default() => "sort".to_owned(),
            None if self.unstable || !self.ignore.is_empty() => "unstable or ignore".to_owned(),
            None => return Ok(()),
        };
        match self.dialect {
            Some(_) => Ok(()),
            None => Err(format!("{needs} needs a dialect with the columns' types")),
        }
    }

    fn check_statuses(&self) -> Result<(), String> {
        let of_faults = self.faults.iter().filter_map(|spec| match spec.fault {
            Fault::Status { status, .. } => Some(status),
            _ => None,
        });
        match self
            .status
            .into_iter()
            .chain(of_faults)
            .find(|status| !(200..=599).contains(status))
        {
            Some(status) => Err(format!("status {status} is not between 200 and 599")),
            None => Ok(()),
        }
    }

    /// Members beside the rows need a top-level object to be in.
    fn check_members(&self) -> Result<(), String> {
        if self.shape.has_object() {
            return Ok(());
        }
        let paging = &self.paging;
        let flags = [
            &paging.has_more_field,
            &paging.total_field,
            &paging.page_count_field,
        ];
        let in_body = paging.cursor_field().is_some() || paging.next_url_field().is_some();
        if in_body || !self.envelope.is_empty() || flags.into_iter().any(Option::is_some) {
            return Err(
                "this shape has no top-level object for the envelope or for paging fields: use \
                        {\"path\": …}, or a header"
                    .to_owned(),
            );
        }
        Ok(())
    }
}

impl PagingSpec {
    /// The most rows that a page may have.
    pub(crate) fn max_page_size(&self) -> usize {
        self.max_page_size.unwrap_or(self.page_size.max(100))
    }

    /// Where in the body the next cursor stands.
    pub(crate) fn cursor_field(&self) -> Option<&str> {
        let default = self.cursor_header.is_none().then_some("meta.next_cursor");
        let field = self.cursor_field.as_deref().or(default);
        field.filter(|_| self.style == PagingStyle::Cursor)
    }

    /// Where in the body the next URL stands.
    pub(crate) fn next_url_field(&self) -> Option<&str> {
        let default = self.next_url_header.is_none().then_some("next");
        let field = self.next_url_field.as_deref().or(default);
        field.filter(|_| self.style == PagingStyle::NextUrl)
    }

    fn check(&self) -> Result<(), String> {
        use PagingFault::{DuplicatePage, ForeignNext, RepeatCursor, RepeatUrl, WrongTotal};
        use PagingStyle::{Cursor, Link, NextUrl, None as NoPaging};
        let unpaged = self.style == NoPaging && self.max_page_size().min(self.page_size) > 0;
        if !unpaged && (self.page_size == 0 || self.max_page_size() < self.page_size) {
            return Err("page_size must be at least 1 and at most max_page_size".to_owned());
        }
        let fits = match self.fault {
            None => true,
            Some(RepeatCursor) => self.style == Cursor,
            Some(RepeatUrl | ForeignNext) => matches!(self.style, Link | NextUrl),
            Some(WrongTotal) => self.total_field.is_some() || self.total_header.is_some(),
            Some(DuplicatePage) => self.style != NoPaging && self.fault_page > 1,
        };
        if fits {
            Ok(())
        } else {
            Err(format!(
                "the paging fault {:?} cannot happen with this paging",
                self.fault
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use serde_json::json;

    fn refusal(route: Value) -> String {
        let scenario = json!({"routes": {"/items": route}});
        ScenarioSpec::parse(scenario.to_string().as_bytes()).unwrap_err()
    }

    #[test]
    fn typing_mistakes_are_named_at_every_level() {
        assert!(refusal(json!({"rowss": []})).contains("unknown field `rowss`"));
        assert!(
            refusal(json!({"rows": [], "paging": {"stile": "page"}}))
                .contains("unknown field `stile`")
        );
        assert!(
            refusal(json!({"rows": [], "paging": {"style": "pages"}}))
                .contains("unknown variant `pages`")
        );
        assert!(
            refusal(json!({"rows": [], "shape": {"pathh": "a"}})).contains("unknown field `pathh`")
        );
        let mistyped = refusal(json!({"rows": [], "faults": [{"kind": "reset", "afterr": 1}]}));
        assert!(mistyped.contains("unknown field `afterr`"), "{mistyped}");
        let misplaced = refusal(json!({"rows": [], "faults": [{"kind": "reset", "after": 1}]}));
        assert!(misplaced.contains("unknown field `after`"), "{misplaced}");
    }

    #[test]
    fn contradictions_are_refused() {
        let paged = |paging: Value| refusal(json!({"rows": [], "paging": paging}));
        assert!(refusal(json!({})).contains("give rows"));
        assert!(refusal(json!({"rows": [], "body": ""})).contains("only one"));
        assert!(
            refusal(json!({"rows": [], "path_filters": {"a": "b"}}))
                .contains("path_filters names a")
        );
        assert!(refusal(json!({"rows": [], "status": 99})).contains("status 99"));
        let faulty = |fault: Value| refusal(json!({"rows": [], "faults": [fault]}));
        assert!(faulty(json!({"kind": "drip", "bytes_per_write": 0})).contains("never ends"));
        assert!(faulty(json!({"kind": "wrong_length", "by": 0})).contains("wrong by 0"));
        let longer = json!({"kind": "change", "from": "a", "to": "bc"});
        assert!(faulty(longer).contains("of its length"));
        let dialect = || json!({"name": "odata", "columns": {}});
        let without_rows = refusal(json!({"body": "", "dialect": dialect()}));
        assert!(without_rows.contains("a dialect needs rows"));
        for key in [
            json!({"rows": [], "sort": {"param": "s"}}),
            json!({"rows": [], "unstable": true}),
            json!({"rows": [], "ignore": ["a"]}),
            json!({"rows": [], "filters": [{"param": "a", "op": "like"}]}),
        ] {
            assert!(refusal(key).contains("needs a dialect"));
        }
        assert!(refusal(json!({"rows": [], "count_field": "n"})).contains("count_of"));
        assert!(paged(json!({"style": "cursor"})).contains("no top-level object"));
        assert!(paged(json!({"style": "page", "fault": "repeat_url"})).contains("RepeatUrl"));
        let sizes = json!({"style": "page", "page_size": 10, "max_page_size": 5});
        assert!(paged(sizes).contains("page_size"));
    }

    #[test]
    fn defaults_are_those_of_the_documentation() {
        let scenario = json!({"routes": {"/items": {"rows": [], "faults": [{"kind": "drip"}], "filters": [{"param": "a"}]}}});
        let spec = ScenarioSpec::parse(scenario.to_string().as_bytes()).unwrap();
        let route = &spec.routes["/items"];
        assert_eq!(
            route.faults[0].fault,
            Fault::Drip {
                bytes_per_write: 1,
                interval_ms: 10
            }
        );
        assert_eq!((route.faults[0].times, route.faults[0].on), (1, None));
        assert_eq!(
            (route.filters[0].op, route.filters[0].value_type),
            (FilterOp::Equal, FilterType::Text)
        );
        assert_eq!(route.paging.max_page_size(), 100);
    }
}
