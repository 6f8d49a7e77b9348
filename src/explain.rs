//! EXPLAIN: what is sent, what is checked again, what is not sent and why; with ANALYZE, what happened.

use crate::encoding::{from_server, to_server};
use crate::executor::{self, ForeignScan, Totals};
use crate::plan::ScanPlan;
use crate::settings;
use pgrx::{PgList, pg_guard, pg_sys};
use rest_engine::error::Error as EngineError;
use rest_engine::model::{Caching, Method, Operator, Table};
use rest_engine::pagination::Pager;
use rest_engine::pushdown::{self, Condition, SortKey};
use rest_engine::request::{Bound, Operand};
use std::ffi::CString;
use std::sync::Arc;

/// `ExplainForeignScan`: adds the scan's properties to the plan's description. Sends nothing.
///
/// # Safety
/// Called by PostgreSQL's EXPLAIN only.
#[pg_guard]
pub unsafe extern "C-unwind" fn explain_foreign_scan(
    node: *mut pg_sys::ForeignScanState,
    state: *mut pg_sys::ExplainState,
) {
    // SAFETY: EXPLAIN's own pointers; the plan was made by this wrapper.
    unsafe {
        let plan_node = (*node).ss.ps.plan.cast::<pg_sys::ForeignScan>();
        let plan =
            ScanPlan::from_list((*plan_node).fdw_private).unwrap_or_else(|error| error.raise());
        let explainer = Explainer::new(node, &plan, state);
        explainer.request();
        explainer.filters();
        explainer.order_and_columns();
        let pages = Pager::describe(&plan.answering_table(), plan.fetch_ahead);
        text(state, "Pages", &pages);
        if let Some(limit) = plan.table.source.rate_limit {
            text(state, "Rate Limit", &limit.to_string());
        }
        if let Some(cache) = cache(&plan.table) {
            text(state, "Cache", &cache);
        }
        if (*state).analyze && !(*node).fdw_state.is_null() {
            let scan = &*(*node).fdw_state.cast::<ForeignScan>();
            report_totals(state, &scan.totals(), plan.table.caching);
        }
    }
}

struct Explainer<'a> {
    plan: &'a ScanPlan,
    state: *mut pg_sys::ExplainState,
    operands: Vec<ShownOperand>,
    sent: Vec<String>,
    local: Vec<String>,
}

/// An operand as EXPLAIN shows it.
struct ShownOperand {
    /// In the request: its value, or `$1` where it comes at run time.
    request: Operand,
    /// What `$1` stands for, unless that is the statement's own parameter.
    meaning: Option<(String, String)>,
}

impl<'a> Explainer<'a> {
    unsafe fn new(
        scan: *mut pg_sys::ForeignScanState,
        plan: &'a ScanPlan,
        state: *mut pg_sys::ExplainState,
    ) -> Self {
        // SAFETY: EXPLAIN's own pointers; `fdw_exprs` holds the operands first, then the rechecks.
        unsafe {
            let node = (*scan).ss.ps.plan.cast::<pg_sys::ForeignScan>();
            let parameters = (*(*scan).ss.ps.state).es_param_list_info.as_ref();
            let statement_parameters = parameters.map_or(0, |list| list.numParams);
            let context = pg_sys::set_deparse_context_plan(
                (*state).deparse_cxt,
                node.cast(),
                std::ptr::null_mut(),
            );
            let deparse = |expression: *mut pg_sys::Node| deparse(expression, context);
            let expressions: Vec<_> = PgList::<pg_sys::Node>::from_pg((*node).fdw_exprs)
                .iter_ptr()
                .collect();
            let (operands, sent) = expressions.split_at(plan.operands.len().min(expressions.len()));
            let local = PgList::<pg_sys::Node>::from_pg((*node).scan.plan.qual);
            Explainer {
                plan,
                state,
                operands: shown_operands(plan, operands, statement_parameters, deparse),
                sent: sent.iter().map(|expression| deparse(*expression)).collect(),
                local: local.iter_ptr().map(deparse).collect(),
            }
        }
    }

    /// The first request, and what its placeholders stand for.
    unsafe fn request(&self) {
        // SAFETY: EXPLAIN's own state.
        unsafe {
            text(self.state, "Remote Request", &self.remote_request());
            let meanings: Vec<String> = self
                .operands
                .iter()
                .filter_map(|operand| operand.meaning.as_ref())
                .map(|(name, meaning)| format!("{name} = {meaning}"))
                .collect();
            list(self.state, "Remote Parameters", &meanings);
            if let Some(aggregate) = &self.plan.aggregate {
                text(self.state, "Remote Aggregate", &aggregate.shown);
            }
        }
    }

    fn remote_request(&self) -> String {
        let table = &self.plan.table;
        let missing = pushdown::missing(table, &self.plan.query.sent);
        if !missing.is_empty() {
            let names: Vec<_> = missing
                .iter()
                .map(|index| table.columns[*index].name.as_str())
                .collect();
            return format!("none, no value for {}", names.join(", "));
        }
        let bound = match self.bound() {
            Ok(bound) => bound,
            Err(error) => return format!("none, {error}"),
        };
        let is_entity = bound.entity;
        let more = bound.requests.len().saturating_sub(1);
        let Some(inputs) = bound.requests.into_iter().next() else {
            return "none, a condition can never be true".to_owned();
        };
        let table = Arc::new(if is_entity {
            pushdown::entity(table)
        } else {
            self.plan.answering_table()
        });
        let first = Pager::new(table, inputs, self.plan.hint).and_then(|pager| pager.first());
        match (first, more) {
            (Ok(request), 0) => request.redacted(),
            (Ok(request), more) => format!("{} (and {more} more)", request.redacted()),
            (Err(error), _) => format!("none, {error}"),
        }
    }

    /// The requests, with the values that are known.
    fn bound(&self) -> Result<Bound, EngineError> {
        let operands: Vec<Operand> = self
            .operands
            .iter()
            .map(|operand| operand.request.clone())
            .collect();
        self.plan.bind(&operands)
    }

    /// What is sent, what is checked again, what is not sent.
    unsafe fn filters(&self) {
        let rechecks = self.plan.rechecks.iter().enumerate();
        let aggregate = self.plan.aggregate.iter();
        let exact = aggregate.flat_map(|aggregate| &aggregate.filters);
        let mut sent: Vec<String> = exact.map(|filter| format!("{filter} (exact)")).collect();
        let mut checked = Vec::new();
        // The endpoint of a single row is asked for its key only.
        let entity = self.bound().ok().filter(|bound| bound.entity);
        let is_asked = |part: &usize| {
            entity
                .as_ref()
                .is_none_or(|bound| !bound.widened.contains(part))
        };
        for (index, recheck) in rechecks {
            let clause = self.sent_clause(index);
            let verdict = if recheck.exact { "exact" } else { "superset" };
            let parts = &self.plan.query.sent;
            let is_sent = recheck
                .sent
                .iter()
                .any(|part| self.plan.is_sent(&parts[*part]) && is_asked(part));
            if is_sent {
                sent.push(format!("{clause} ({verdict})"));
            }
            if !is_sent || !recheck.exact || self.plan.table.recheck {
                checked.push(clause);
            }
        }
        let local: Vec<String> = self
            .local
            .iter()
            .zip(&self.plan.local_reasons)
            .map(|(clause, reason)| format!("{clause} ({reason})"))
            .collect();
        // SAFETY: EXPLAIN's own state.
        unsafe {
            list(self.state, "Remote Filter", &sent);
            list(self.state, "Recheck", &checked);
            list(self.state, "Local Filter", &local);
        }
    }

    /// The order and the columns that the API is asked for, and the order that it is not.
    unsafe fn order_and_columns(&self) {
        let query = &self.plan.query;
        let columns = query.fields.iter().flatten();
        let columns: Vec<String> = columns
            .map(|index| self.plan.table.columns[*index].name.clone())
            .collect();
        let order: Vec<String> = query.order.iter().map(|key| self.sort_key(key)).collect();
        // SAFETY: EXPLAIN's own state.
        unsafe {
            list(self.state, "Remote Order", &order);
            if let Some(local) = &self.plan.local_order {
                let keys: Vec<String> = local.keys.iter().map(|key| self.sort_key(key)).collect();
                let order = format!("{} ({})", keys.join(", "), local.reason);
                text(self.state, "Local Order", &order);
            }
            if settings::pushdown() {
                list(self.state, "Remote Columns", &columns);
            }
        }
    }

    /// A key as SQL writes it; NULLs are not spoken of where there are none.
    fn sort_key(&self, key: &SortKey) -> String {
        let column = &self.plan.table.columns[key.column];
        let direction = if key.descending { " DESC" } else { "" };
        let nulls = match (key.nulls_first, key.descending) {
            _ if column.not_null => "",
            (true, false) => " NULLS FIRST",
            (false, true) => " NULLS LAST",
            _ => "",
        };
        format!("{}{direction}{nulls}", column.name)
    }

    /// A clause that is sent. Where its value is another table's column, that is named: the plan
    /// itself only knows a numbered parameter.
    fn sent_clause(&self, index: usize) -> String {
        let parts = self.plan.rechecks[index].sent.first();
        let outer = parts.and_then(|part| match &self.plan.query.sent[*part].condition {
            Condition::Test(leaf) => {
                let outer = self.plan.operands[*leaf.operands.first()?]
                    .column
                    .as_ref()?;
                let column = &self.plan.table.columns[leaf.column].name;
                let operator = match leaf.operator {
                    Operator::In => "= ANY",
                    other => other.sql(),
                };
                Some(format!("({column} {operator} {outer})"))
            }
            Condition::Known(_) | Condition::All(_) | Condition::Any(_) => None,
        });
        outer.unwrap_or_else(|| self.sent.get(index).cloned().unwrap_or_default())
    }
}

/// Values for constants, `$n` for what comes at run time: the statement's own number for its
/// parameters, the next free one for everything else.
unsafe fn shown_operands(
    plan: &ScanPlan,
    expressions: &[*mut pg_sys::Node],
    statement_parameters: i32,
    deparse: impl Fn(*mut pg_sys::Node) -> String,
) -> Vec<ShownOperand> {
    // SAFETY: the operands are expressions of the plan.
    let own: Vec<Option<i32>> = expressions
        .iter()
        .map(|expression| unsafe { statement_parameter(*expression) })
        .collect();
    let mut next = statement_parameters;
    let mut shown = Vec::new();
    for ((expression, operand), own) in expressions.iter().zip(&plan.operands).zip(own) {
        // SAFETY: as above.
        if let Some(value) = unsafe { executor::constant(*expression) } {
            shown.push(ShownOperand {
                request: Operand::Value(value),
                meaning: None,
            });
            continue;
        }
        let number = own.unwrap_or_else(|| {
            next += 1;
            next
        });
        let name = format!("${number}");
        let meaning = own.is_none().then(|| {
            operand
                .column
                .clone()
                .unwrap_or_else(|| deparse(*expression))
        });
        shown.push(ShownOperand {
            request: Operand::Placeholder(name.clone()),
            meaning: meaning.map(|meaning| (name, meaning)),
        });
    }
    shown
}

/// The number of a parameter of the statement (`$1`).
unsafe fn statement_parameter(expression: *mut pg_sys::Node) -> Option<i32> {
    // SAFETY: each cast follows the node's tag.
    unsafe {
        let mut inner = expression;
        while pgrx::is_a(inner, pg_sys::NodeTag::T_RelabelType) {
            inner = (*inner.cast::<pg_sys::RelabelType>()).arg.cast();
        }
        if !pgrx::is_a(inner, pg_sys::NodeTag::T_Param) {
            return None;
        }
        let parameter = inner.cast::<pg_sys::Param>();
        ((*parameter).paramkind == pg_sys::ParamKind::PARAM_EXTERN).then_some((*parameter).paramid)
    }
}

unsafe fn deparse(expression: *mut pg_sys::Node, context: *mut pg_sys::List) -> String {
    // SAFETY: the context was made for the plan that the expression is of; the text is palloc'd.
    unsafe {
        from_server(pg_sys::deparse_expression(
            expression, context, false, false,
        ))
    }
}

/// Which cache answers instead of the API; nothing where none is declared.
fn cache(table: &Table) -> Option<String> {
    let declared = match table.caching {
        Caching::Off => return None,
        Caching::Http => "http".to_owned(),
        Caching::Ttl(time) => format!("ttl {time:?}"),
    };
    Some(match (table.method, settings::cache_size()) {
        (Method::Get, 0) => format!("off, by a setting (else {declared})"),
        (Method::Get, _) => declared,
        _ => "off, only GET is cached".to_owned(),
    })
}

unsafe fn report_totals(state: *mut pg_sys::ExplainState, totals: &Totals, caching: Caching) {
    let statistics = &totals.statistics;
    // SAFETY: EXPLAIN's own state.
    unsafe {
        if let Some(first) = &statistics.first_request {
            text(state, "First Request Sent", first);
        }
        count(state, "Requests", statistics.requests);
        count(state, "Pages Fetched", statistics.pages);
        count(state, "Bytes Received", statistics.bytes);
        if statistics.transferred != statistics.bytes {
            count(state, "Bytes Transferred", statistics.transferred);
        }
        count(state, "Rows Fetched", statistics.rows);
        count(state, "Rows Removed by Recheck", totals.removed);
        count(state, "Retries", statistics.retries);
        if statistics.waits > 0 {
            count(state, "Rate Limit Waits", statistics.waits);
        }
        if caching != Caching::Off {
            count(state, "Cache Hits", statistics.cache_hits);
            count(state, "Cache Revalidated", statistics.cache_revalidated);
        }
        if totals.remembered > 0 {
            count(state, "Lookups Remembered", totals.remembered);
        }
        if totals.ahead > 0 {
            count(state, "Lookups Read Ahead", totals.ahead);
        }
        if (*state).timing {
            let waiting = totals.waiting.as_secs_f64() * 1000.0;
            pg_sys::ExplainPropertyFloat(
                c"Time Waiting".as_ptr(),
                c"ms".as_ptr(),
                waiting,
                3,
                state,
            );
        }
    }
}

unsafe fn text(state: *mut pg_sys::ExplainState, label: &str, value: &str) {
    let (label, value) = (to_server(label), to_server(value));
    // SAFETY: both texts live during the call.
    unsafe { pg_sys::ExplainPropertyText(label.as_ptr(), value.as_ptr(), state) }
}

unsafe fn count(state: *mut pg_sys::ExplainState, label: &str, value: u64) {
    let label = to_server(label);
    // SAFETY: the label lives during the call; no unit.
    unsafe { pg_sys::ExplainPropertyUInteger(label.as_ptr(), std::ptr::null(), value, state) }
}

/// A list of texts; nothing where it is empty.
unsafe fn list(state: *mut pg_sys::ExplainState, label: &str, values: &[String]) {
    if values.is_empty() {
        return;
    }
    let label = to_server(label);
    let values: Vec<CString> = values.iter().map(|value| to_server(value)).collect();
    // SAFETY: label and texts live during the call, which copies them.
    unsafe {
        let mut list = PgList::<std::os::raw::c_char>::new();
        for value in &values {
            list.push(value.as_ptr().cast_mut());
        }
        pg_sys::ExplainPropertyList(label.as_ptr(), list.into_pg(), state);
    }
}
