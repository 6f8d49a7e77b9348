//! One scan of a foreign table: its operands, its stream of batches, its rows.

use super::aggregates::Results;
use super::ahead::{Ahead, Answer};
use super::announce::announced;
use super::lookups::{Key, Lookups, Recording};
use super::operands;
use super::parameters::Parameters;
use super::release::Streaming;
use super::source::{Found, Source};
use super::texts::Texts;
use super::values::Loader;
use super::{budget, read_ahead, release, trial, wait};
use crate::error::FdwError;
use crate::monitoring::{Account, WatchedScan};
use crate::plan::ScanPlan;
use crate::{cache, clients, compat, reported};
use pgrx::{PgList, pg_sys};
use rest_engine::decode::Batch;
use rest_engine::error::Error as EngineError;
use rest_engine::http::Client;
use rest_engine::model::{Operator, Table};
use rest_engine::pushdown::{self, RemoteQuery};
use rest_engine::request::{self, Bound, Inputs, Operand};
use rest_engine::scan::{ScanSpec, Statistics};
use std::cell::OnceCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

/// What a scan has done so far, over all its rescans; for EXPLAIN ANALYZE.
#[derive(Debug, Clone, Default)]
pub struct Totals {
    /// Requests, pages, bytes, rows, retries.
    pub statistics: Statistics,
    /// Rows that the API returned and the recheck left out.
    pub removed: u64,
    /// Executions that were answered by what an earlier one had read.
    pub remembered: u64,
    /// Executions that were asked for before their turn.
    pub ahead: u64,
    /// Time that the backend waited for the API.
    pub waiting: Duration,
}

/// The state of a ForeignScan node while it is executed.
pub struct ForeignScan {
    plan: ScanPlan,
    table: Arc<Table>,
    client: Option<Arc<Client>>,
    /// The table whose rows are read; none where the API aggregates them.
    relation: Option<pg_sys::Oid>,
    user: pg_sys::Oid,
    operands: Vec<*mut pg_sys::ExprState>,
    rechecks: Vec<*mut pg_sys::ExprState>,
    loaders: Vec<Loader>,
    texts: Texts,
    parameters: Parameters,
    results: Option<Results>,
    stream: Option<Stream>,
    /// The table that the endpoint of a single row answers as; made when it is first asked.
    entity: OnceCell<Arc<Table>>,
    /// What is asked of the API for all rows; made when it is first compared with.
    unfiltered: OnceCell<Option<Vec<Inputs>>>,
    /// What was asked of the API last are all rows: no filter was sent.
    asks_for_all: bool,
    /// The first request of the current execution; none where it needs none.
    asked: Option<String>,
    /// The execution before, if it was not read to its end: one with the same values goes on with it.
    paused: Option<Source>,
    lookups: Lookups,
    /// What is asked for of the executions that are known to come.
    ahead: Option<Ahead>,
    /// By which the node that reads ahead finds this one.
    place: (usize, usize),
    finished: bool,
    totals: Totals,
}

/// The rows of one execution.
struct Stream {
    source: Source,
    requests: Vec<Inputs>,
    batch: Rc<Batch>,
    next_row: usize,
    /// The request that the parameter columns' values are of.
    request: Option<usize>,
    /// Rechecks to be done: all but those that the table trusts the API with.
    checks: Vec<usize>,
}

impl ForeignScan {
    /// Prepares the scan of `node`, with the executor's `flags`.
    ///
    /// # Safety
    /// `node` is being initialised by the executor, and `plan` is its own.
    pub unsafe fn begin(
        node: *mut pg_sys::ForeignScanState,
        plan: ScanPlan,
        flags: i32,
    ) -> Result<Self, FdwError> {
        // SAFETY: by this function's contract: the node's plan, relation and estate are valid until
        // the query's memory context is deleted, which drops the result.
        unsafe {
            let context = (*(*node).ss.ps.state).es_query_cxt;
            let descriptor = (*(*node).ss.ss_ScanTupleSlot).tts_tupleDescriptor;
            let relation = (*node).ss.ss_currentRelation.as_ref();
            let table = plan.answering_table();
            let results = plan.query.aggregate.clone();
            let results = results.map(|asked| Results::new(&table, asked, descriptor, context));
            let (operands, rechecks) = initialise_expressions(node, plan.operands.len());
            let (attributes, wanted) = (&plan.attributes, &plan.wanted);
            let split = split_columns(&plan);
            Ok(ForeignScan {
                client: None,
                relation: relation.map(|relation| relation.rd_id),
                user: compat::scan_user(node),
                operands,
                rechecks,
                loaders: loaders(&plan.table, attributes, wanted, descriptor, context),
                texts: Texts::new(context),
                parameters: Parameters::new(&table, attributes, &split, descriptor, context),
                results,
                table: Arc::new(table),
                stream: None,
                entity: OnceCell::new(),
                unfiltered: OnceCell::new(),
                asks_for_all: false,
                asked: None,
                paused: None,
                lookups: lookups(node, flags),
                ahead: None,
                place: read_ahead::place_of(node),
                finished: false,
                totals: Totals::default(),
                plan,
            })
        }
    }

    /// Stores the next row into `slot`, or leaves it empty at the end.
    ///
    /// # Safety
    /// `node` is the node that this scan was begun for, `slot` its scan slot.
    pub unsafe fn next(
        &mut self,
        node: *mut pg_sys::ForeignScanState,
        slot: *mut pg_sys::TupleTableSlot,
    ) -> Result<(), FdwError> {
        // SAFETY: by this function's contract.
        unsafe {
            if self.stream.is_none() && !self.finished {
                self.start(node)?;
                clear(slot);
            }
            while let Some(stream) = &mut self.stream {
                while stream.next_row < stream.batch.rows {
                    let row = stream.next_row;
                    stream.next_row += 1;
                    let texts = &mut self.texts;
                    let filled = match &mut self.results {
                        Some(results) => results.fill(texts, &stream.batch, row, slot),
                        None => {
                            let (loaders, parameters) = (&mut self.loaders, &self.parameters);
                            fill(loaders, texts, parameters, &stream.batch, row, slot)
                        }
                    };
                    let complete = filled
                        .map_err(|error| in_table(&self.table, self.client.as_deref(), error))?;
                    if complete && passes(&self.rechecks, &stream.checks, node, slot) {
                        return Ok(());
                    }
                    super::clear(slot);
                    self.totals.removed += 1;
                    pg_sys::MemoryContextReset(
                        (*(*node).ss.ps.ps_ExprContext).ecxt_per_tuple_memory,
                    );
                }
                pgrx::check_for_interrupts!();
                self.advance()?;
            }
            self.end_of_rows(slot)
        }
    }

    /// Aggregates of no rows may be a row all the same.
    unsafe fn end_of_rows(&mut self, slot: *mut pg_sys::TupleTableSlot) -> Result<(), FdwError> {
        let Some(results) = &mut self.results else {
            return Ok(());
        };
        // SAFETY: by the caller's contract; the slot was emptied.
        let filled = unsafe { results.fill_without_rows(self.asked.clone(), slot) };
        filled.map_err(|error| in_table(&self.table, self.client.as_deref(), error))
    }

    /// Takes the next batch, waits for it, or finishes.
    fn advance(&mut self) -> Result<(), FdwError> {
        let Some(stream) = &mut self.stream else {
            return Ok(());
        };
        let found = stream.source.next(&mut self.lookups);
        match found.map_err(|error| remote(&self.table, error))? {
            Found::Batch(batch) => {
                if stream.request != Some(batch.request) {
                    self.parameters.set(&stream.requests[batch.request].columns);
                    stream.request = Some(batch.request);
                }
                self.texts.clear();
                let read = std::mem::replace(&mut stream.batch, batch);
                stream.source.recycle(read);
                stream.next_row = 0;
            }
            Found::Pending => {
                if let Some(wake) = stream.source.wake() {
                    self.totals.waiting += wait::wait(wake);
                }
            }
            Found::End => {
                if let Some(stream) = self.stream.take() {
                    self.end(stream.source);
                }
                self.finished = true;
            }
        }
        Ok(())
    }

    /// Evaluates the operands and starts the stream; nothing is sent where a value is NULL, or where the rows are
    /// known already.
    unsafe fn start(&mut self, node: *mut pg_sys::ForeignScanState) -> Result<(), FdwError> {
        // SAFETY: by the caller's contract.
        let operands = unsafe { self.evaluate_operands(node) };
        let bound = self
            .plan
            .bind(&operands)
            .map_err(|error| remote(&self.table, error))?;
        self.asked = None;
        let is_ordered = !self.plan.query.order.is_empty();
        let local = self.plan.local_reasons.first();
        trial::note_asked(self.is_filtered(&bound), is_ordered, local);
        let Some(first) = bound.requests.first() else {
            self.finished = true;
            return Ok(());
        };
        if self.results.is_some() {
            let request = request::build(&self.table, first, &[]);
            self.asked = request.ok().map(|request| request.redacted());
        }
        let key = Key::new(&bound.requests);
        let mut checks = self.checks(&bound);
        let source = match key.as_ref().and_then(|key| self.known(key)) {
            Some(source) => source,
            None => match self.asked_ahead(key.as_ref())? {
                Answer::Own(rows) => self.own(key.as_ref(), rows),
                Answer::Shared(rows) => {
                    // Rows of other values are among them.
                    checks = (0..self.rechecks.len()).collect();
                    Source::remembered(rows)
                }
                Answer::Unknown => self.ask(&bound, key)?,
            },
        };
        self.stream = Some(Stream {
            source,
            checks,
            requests: bound.requests,
            batch: Rc::default(),
            next_row: 0,
            request: None,
        });
        Ok(())
    }

    /// The rows of an earlier execution that made the same requests.
    fn known(&mut self, key: &Key) -> Option<Source> {
        let paused = self.paused.take_if(|paused| paused.is_of(key));
        let known = paused.or_else(|| self.lookups.find(key).map(Source::remembered));
        self.totals.remembered += u64::from(known.is_some());
        known
    }

    /// The rows of an execution that were asked for before its turn.
    fn asked_ahead(&mut self, key: Option<&Key>) -> Result<Answer, FdwError> {
        let (Some(ahead), Some(key)) = (&mut self.ahead, key) else {
            return Ok(Answer::Unknown);
        };
        let most = self.lookups.most();
        let answer = ahead
            .answer(key, most, &mut self.totals.waiting)
            .map_err(|error| remote(&self.table, error))?;
        self.totals.ahead += u64::from(!matches!(answer, Answer::Unknown));
        Ok(answer)
    }

    fn own(&mut self, key: Option<&Key>, rows: Recording) -> Source {
        let rows = Rc::new(rows);
        if let Some(key) = key {
            self.lookups.remember(key.clone(), Rc::clone(&rows));
        }
        Source::remembered(rows)
    }

    /// Asks for what the next executions will need, as far as it is not known: these are their operands, in the order
    /// in which they will come. What cannot be asked for now is asked for, or raises its error, when its turn comes.
    pub fn announce(&mut self, operands: Vec<Vec<Operand>>) {
        self.end_ahead();
        self.lookups.expect_more();
        let (announced, entity) = announced(&self.plan, &self.lookups, &operands);
        if announced.len() < 2 {
            return;
        }
        let spec = self.spec(announced.requests.clone(), entity, None);
        // A failure to start is the next look-up's, too.
        if let Ok(scan) = self.begin_scan(spec) {
            self.ahead = Some(Ahead::new(announced, scan));
            release::opened(self);
        }
    }

    fn end_ahead(&mut self) {
        if let Some(mut ahead) = self.ahead.take() {
            ahead.stop();
            self.totals.statistics.add(&ahead.statistics());
        }
    }

    /// Sends the requests of an execution.
    fn ask(&mut self, bound: &Bound, key: Option<Key>) -> Result<Source, FdwError> {
        if let Some(paused) = self.paused.take() {
            self.end(paused);
        }
        let whole = bound.unsent.is_empty() && bound.widened.is_empty();
        let hint = self.plan.hint.filter(|_| whole);
        let spec = self.spec(bound.requests.clone(), bound.entity, hint);
        let scan = self.begin_scan(spec)?;
        self.asks_for_all = self.results.is_none() && self.is_unfiltered(&bound.requests);
        release::opened(self);
        Ok(Source::running(scan, key))
    }

    fn begin_scan(&mut self, mut spec: ScanSpec) -> Result<WatchedScan, FdwError> {
        let client = self.client()?;
        // On trial is the API, not what it said before.
        if !trial::is_on() {
            let server = self.plan.server.into();
            spec.cache = cache::of_scan(&self.table, self.user, server, &client)?;
        }
        let account = Account {
            server: pg_sys::Oid::from(self.plan.server),
            name: self.table.source.name.clone(),
            user: self.user,
        };
        WatchedScan::start(client, spec, account).map_err(|error| remote(&self.table, error))
    }

    fn spec(&self, requests: Vec<Inputs>, entity: bool, hint: Option<u64>) -> ScanSpec {
        ScanSpec {
            table: if entity {
                let entity = || Arc::new(pushdown::entity(&self.table));
                Arc::clone(self.entity.get_or_init(entity))
            } else {
                Arc::clone(&self.table)
            },
            requests,
            wanted: match &self.results {
                Some(_) => (0..self.table.columns.len()).collect(),
                None => self.plan.wanted.clone(),
            },
            hint,
            fetch_ahead: self.plan.fetch_ahead,
            most_pages: trial::most_pages(),
            budget: budget::of_statement(),
            cache: None,
        }
    }

    /// Whether the requests say more than the values of parameter columns.
    fn is_filtered(&self, bound: &Bound) -> bool {
        let sent = self.plan.query.sent.iter().enumerate();
        let mut sent = sent.filter(|(index, _)| !bound.unsent.contains(index));
        let is_input = |column: usize| self.plan.table.columns[column].is_input();
        !bound.requests.is_empty()
            && sent.any(|(_, sent)| {
                !sent
                    .condition
                    .leaves()
                    .iter()
                    .all(|leaf| is_input(leaf.column))
            })
    }

    /// Whether these requests ask for all rows.
    fn is_unfiltered(&self, requests: &[Inputs]) -> bool {
        let all = self.unfiltered.get_or_init(|| {
            let all = request::bind(&self.plan.table, &RemoteQuery::default(), &[]);
            all.ok().map(|bound| bound.requests)
        });
        all.as_deref() == Some(requests)
    }

    /// The rechecks to be done: all but those that the table trusts the API with (`recheck 'off'`) and
    /// whose values went out just as they are.
    fn checks(&self, bound: &Bound) -> Vec<usize> {
        let is_precise =
            |sent: &usize| !bound.unsent.contains(sent) && !bound.widened.contains(sent);
        let trusts = !self.table.recheck && !trial::is_on();
        let is_trusted = |sent: &[usize]| trusts && sent.iter().all(is_precise);
        let rechecks = self.plan.rechecks.iter().enumerate();
        rechecks
            .filter(|(_, recheck)| !(recheck.exact && is_trusted(&recheck.sent)))
            .map(|(index, _)| index)
            .collect()
    }

    /// The values of the operands now.
    ///
    /// # Safety
    /// `node` is the node that this scan was begun for.
    pub unsafe fn evaluate_operands(&self, node: *mut pg_sys::ForeignScanState) -> Vec<Operand> {
        let context = |state: *mut pg_sys::ExprState, ty: u32| {
            let mut is_null = false;
            // SAFETY: the expressions were initialised for this node; each has the type that the
            // planner noted.
            unsafe {
                let econtext = (*node).ss.ps.ps_ExprContext;
                let datum = pg_sys::ExecEvalExprSwitchContext(state, econtext, &mut is_null);
                Operand::Value(operands::value(datum, is_null, pg_sys::Oid::from(ty)))
            }
        };
        let types = self.plan.operands.iter().map(|operand| operand.ty);
        self.operands
            .iter()
            .zip(types)
            .map(|(state, ty)| context(*state, ty))
            .collect()
    }

    /// The client of this scan: the one that the backend has for the user when the first request goes out.
    fn client(&mut self) -> Result<Arc<Client>, FdwError> {
        if let Some(client) = &self.client {
            return Ok(Arc::clone(client));
        }
        let server = pg_sys::Oid::from(self.plan.server);
        let client = clients::client(&self.table, self.user, server)?;
        self.client = Some(Arc::clone(&client));
        Ok(client)
    }

    /// The next row is the first of a new execution, which may have other values. Until they are known, the stream
    /// is kept.
    pub fn rewind(&mut self) {
        self.lookups.expect_more();
        self.finished = false;
        if let Some(results) = &mut self.results {
            results.rewind();
        }
        if let Some(mut stream) = self.stream.take() {
            if stream.source.rewind() {
                self.paused = Some(stream.source);
            } else {
                self.end(stream.source);
            }
        }
    }

    fn end(&mut self, mut source: Source) {
        if self.paused.is_none() && self.ahead.is_none() {
            release::closed(self);
        }
        source.stop();
        let statistics = source.statistics();
        let total = statistics.total.filter(|_| self.asks_for_all);
        if let (Some(total), Some(relation)) = (total, self.relation) {
            reported::note(relation, &self.table, total);
        }
        self.totals.statistics.add(&statistics);
    }

    /// What was done so far.
    pub fn totals(&self) -> Totals {
        let mut totals = self.totals.clone();
        let stream = self.stream.as_ref().map(|stream| &stream.source);
        for source in stream.into_iter().chain(&self.paused) {
            totals.statistics.add(&source.statistics());
        }
        if let Some(ahead) = &self.ahead {
            totals.statistics.add(&ahead.statistics());
        }
        totals
    }
}

impl Streaming for ForeignScan {
    fn close(&mut self) {
        self.finished = false;
        self.end_ahead();
        let stream = self.stream.take().map(|stream| stream.source);
        for source in stream.into_iter().chain(self.paused.take()) {
            self.end(source);
        }
        release::closed(self);
        self.client = None;
    }
}

impl Drop for ForeignScan {
    fn drop(&mut self) {
        trial::note_totals(&self.totals());
        read_ahead::ended(self.place);
        release::closed(self);
    }
}

pub(super) fn remote(table: &Table, error: EngineError) -> FdwError {
    FdwError::Remote {
        table: table.name.clone(),
        error: Box::new(error),
    }
}

/// The error of a value, with the table's name and without the secrets that the API repeats in it.
pub(super) fn in_table(of: &Table, client: Option<&Client>, error: FdwError) -> FdwError {
    match (error, client) {
        (FdwError::Remote { error, .. }, Some(client)) => {
            remote(of, client.redactor().error(*error))
        }
        (error, _) => error,
    }
}

/// What is remembered of executions. Only a hint: a scan is also run again where neither the flag nor a
/// parameter tells.
unsafe fn lookups(node: *mut pg_sys::ForeignScanState, flags: i32) -> Lookups {
    let mut lookups = Lookups::default();
    // SAFETY: the node is being initialised by the executor.
    let is_parameterised = unsafe { !(*(*node).ss.ps.plan).extParam.is_null() };
    if flags as u32 & pg_sys::EXEC_FLAG_REWIND != 0 || is_parameterised {
        lookups.expect_more();
    }
    lookups
}

/// Columns whose lists may be split into several requests: a row counts for its own request only.
fn split_columns(plan: &ScanPlan) -> Vec<usize> {
    if plan.query.aggregate.is_some() {
        return Vec::new();
    }
    let sent = plan.query.sent.iter();
    sent.flat_map(|sent| sent.condition.leaves())
        .filter(|leaf| leaf.operator == Operator::In)
        .map(|leaf| leaf.column)
        .collect()
}

/// The operands and the rechecks of a node, ready to be evaluated.
unsafe fn initialise_expressions(
    node: *mut pg_sys::ForeignScanState,
    operands: usize,
) -> (Vec<*mut pg_sys::ExprState>, Vec<*mut pg_sys::ExprState>) {
    // SAFETY: the plan node's own expressions, initialised with it as their parent.
    unsafe {
        let plan = (*node).ss.ps.plan.cast::<pg_sys::ForeignScan>();
        let expressions = PgList::<pg_sys::Expr>::from_pg((*plan).fdw_exprs);
        let parent = &mut (*node).ss.ps;
        let (mut values, mut checks) = (Vec::new(), Vec::new());
        for (index, expression) in expressions.iter_ptr().enumerate() {
            if index < operands {
                values.push(pg_sys::ExecInitExpr(expression, parent));
            } else {
                let mut qual = PgList::<pg_sys::Expr>::new();
                qual.push(expression);
                checks.push(pg_sys::ExecInitQual(qual.into_pg(), parent));
            }
        }
        (values, checks)
    }
}

/// The loaders of the columns `wanted` of `table`, whose attribute numbers are `attributes`.
///
/// # Safety
/// `descriptor` is the table's; `context` outlives the result.
pub(super) unsafe fn loaders(
    table: &Table,
    attributes: &[pg_sys::AttrNumber],
    wanted: &[usize],
    descriptor: pg_sys::TupleDesc,
    context: pg_sys::MemoryContext,
) -> Vec<Loader> {
    let load = |index: &usize| {
        let column = &table.columns[*index];
        // SAFETY: by this function's contract.
        unsafe {
            let attribute = compat::attribute(descriptor, attributes[*index] as usize - 1);
            Loader::new(&*attribute, &column.name, column.on_error, context)
        }
    };
    wanted.iter().map(load).collect()
}

/// Makes every attribute NULL: what the query does not need stays so.
unsafe fn clear(slot: *mut pg_sys::TupleTableSlot) {
    // SAFETY: the slot's arrays have an entry for each attribute of its descriptor.
    unsafe {
        let attributes = (*(*slot).tts_tupleDescriptor).natts as usize;
        std::slice::from_raw_parts_mut((*slot).tts_values, attributes).fill(pg_sys::Datum::from(0));
        std::slice::from_raw_parts_mut((*slot).tts_isnull, attributes).fill(true);
    }
}

/// Fills the slot's arrays with a row; `false`: the row is another request's.
unsafe fn fill(
    loaders: &mut [Loader],
    texts: &mut Texts,
    parameters: &Parameters,
    batch: &Batch,
    row: usize,
    slot: *mut pg_sys::TupleTableSlot,
) -> Result<bool, FdwError> {
    // SAFETY: the slot's arrays have an entry for each attribute.
    unsafe {
        let (values, nulls) = ((*slot).tts_values, (*slot).tts_isnull);
        let complete = load_row(loaders, texts, parameters, batch, row, values, nulls)?;
        super::store(slot);
        Ok(complete)
    }
}

/// Puts a row into arrays of values and nulls; `false`: the row is another request's.
///
/// # Safety
/// The arrays have an entry for each attribute of the table that the loaders are of.
pub(super) unsafe fn load_row(
    loaders: &mut [Loader],
    texts: &mut Texts,
    parameters: &Parameters,
    batch: &Batch,
    row: usize,
    values: *mut pg_sys::Datum,
    nulls: *mut bool,
) -> Result<bool, FdwError> {
    // SAFETY: by this function's contract; the loaders' positions are those of attributes.
    unsafe {
        for (loader, cell) in loaders.iter_mut().zip(batch.row(row)) {
            let datum = loader.load(batch, *cell, texts)?;
            *nulls.add(loader.position) = datum.is_none();
            *values.add(loader.position) = datum.unwrap_or(pg_sys::Datum::from(0));
        }
        Ok(parameters.fill(values, nulls))
    }
}

unsafe fn passes(
    rechecks: &[*mut pg_sys::ExprState],
    checks: &[usize],
    node: *mut pg_sys::ForeignScanState,
    slot: *mut pg_sys::TupleTableSlot,
) -> bool {
    // SAFETY: the expressions were initialised for this node, whose scan slot this is.
    unsafe {
        let context = (*node).ss.ps.ps_ExprContext;
        (*context).ecxt_scantuple = slot;
        checks
            .iter()
            .all(|index| pg_sys::ExecQual(rechecks[*index], context))
    }
}
