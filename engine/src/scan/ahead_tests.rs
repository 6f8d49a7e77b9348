//! Pages that are read before it is decided on them: whatever the API does, and in whatever order the pages come, the
//! rows are those that are read one page after the other.
#![allow(clippy::unwrap_used)]

use super::Polled;
use super::chain::{Ahead, Job, Next, Standing};
use super::flow::{Flow, Pace, Ticket};
use super::repetition::Fingerprint;
use super::succession::{Head, Report};
use crate::decode::{Batch, Envelope, PageEnd, Scalar};
use crate::error::Exchange;
use crate::http::CancelToken;
use crate::model::Table;
use crate::model::options::fixture;
use crate::pagination::{Decision, Pager, Stage};
use crate::request::Inputs;
use crate::{Error, Result};
use std::sync::Arc;

/// Numbers that look random and come again with the same seed.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) as usize % bound
    }
}

/// An API whose rows are the numbers below `total`.
#[derive(Debug, Clone)]
struct Api {
    is_paged: bool,
    /// Whether its total stands before the rows.
    total_first: bool,
    total: usize,
    /// By page number where there are pages, else by offset (modulo their number): the rows of a page.
    sizes: Vec<usize>,
    /// What it says its total is, by page or offset likewise.
    told: Vec<usize>,
    /// The offset or page at which it fails.
    fails_at: Option<usize>,
}

impl Api {
    fn random(chance: &mut Chance) -> Api {
        let total = chance.below(60);
        let is_paged = chance.below(2) == 0;
        let cap = 1 + chance.below(12);
        // Mostly honest, capped pages; sometimes one that is shorter.
        let is_even = chance.below(3) == 0;
        let mut size = || match chance.below(8) {
            0 if !is_even => 1 + chance.below(cap),
            _ => cap,
        };
        let sizes: Vec<usize> = (0..60).map(|_| size()).collect();
        let mut told = || match chance.below(30) {
            _ if is_even => total,
            0 => total + chance.below(20),
            1 => total.saturating_sub(chance.below(20)),
            _ => total,
        };
        let told = (0..60).map(|_| told()).collect();
        let fails_at = (chance.below(4) == 0).then(|| chance.below(40));
        Api {
            is_paged,
            total_first: chance.below(2) == 0,
            total,
            sizes,
            told,
            fails_at,
        }
    }

    /// Whether all its pages are equally large, and nothing goes wrong.
    fn is_honest(&self) -> bool {
        let is_even = self.sizes.iter().all(|size| *size == self.sizes[0]);
        let is_true = self.told.iter().all(|told| *told == self.total);
        is_even && is_true && self.fails_at.is_none()
    }

    fn table(&self) -> Table {
        let style = if self.is_paged { "page" } else { "offset" };
        let options = [
            ("endpoint", "/items"),
            ("pagination", style),
            ("page_size", "10"),
            ("page_size_param", "limit"),
            ("total_field", "total"),
            ("first_page", "0"),
        ];
        let options = options
            .iter()
            .filter(|(name, _)| self.is_paged || *name != "first_page");
        fixture::table(&[], &options.copied().collect::<Vec<_>>(), &[])
    }

    /// The rows of the page at `url`, and what is told beside them.
    fn answer(&self, url: &str) -> Result<(Vec<usize>, PageEnd)> {
        let name = if self.is_paged { "page=" } else { "offset=" };
        let position: usize = url
            .split(['?', '&'])
            .find_map(|pair| pair.strip_prefix(name)?.parse().ok())
            .unwrap();
        if self.fails_at == Some(position) {
            return Err(Error::System(format!("the page at {position} fails")));
        }
        let size = self.sizes[position % self.sizes.len()].min(10);
        let first = match self.is_paged {
            true => self.sizes[..position.min(60)]
                .iter()
                .map(|size| size.min(&10))
                .sum(),
            false => position,
        };
        let rows: Vec<usize> = (first..(first + size).min(self.total)).collect();
        let mut envelope = Envelope::default();
        let told = self.told[position % self.told.len()].to_string();
        envelope.insert(vec!["total".to_owned()], Scalar::Number(told));
        let end = PageEnd {
            rows: rows.len() as u64,
            envelope,
            ..PageEnd::default()
        };
        Ok((rows, end))
    }
}

/// What a scan gives: rows, and the error after them.
type Outcome = (Vec<usize>, Option<String>);

/// The outcome of a scan, and the URLs that it requested.
type Scanned = (Outcome, Vec<String>);

fn one_after_the_other(api: &Api, table: &Arc<Table>) -> Scanned {
    let mut urls = Vec::new();
    let outcome = walk(api, table, &mut urls);
    (outcome, urls)
}

fn walk(api: &Api, table: &Arc<Table>, urls: &mut Vec<String>) -> Outcome {
    let mut pager = Pager::new(Arc::clone(table), Inputs::default(), None).unwrap();
    let mut request = pager.first().unwrap();
    let mut all = Vec::new();
    loop {
        urls.push(request.url.clone());
        let (rows, end) = match api.answer(&request.url) {
            Ok(page) => page,
            Err(error) => return (all, Some(error.to_string())),
        };
        all.extend(rows);
        let head = Head {
            status: 200,
            url: request.url.clone(),
            headers: Vec::new(),
        };
        match pager.next(&head.facts(Stage::Page, &end)) {
            Ok(Decision::Next(next)) => request = next,
            Ok(_) => return (all, None),
            Err(error) => return (all, Some(error.to_string())),
        }
    }
}

/// A reader with a page, and the batches that it has not handed over.
struct Reading {
    ticket: Ticket,
    url: String,
    pager: Option<Box<Pager>>,
    page: Result<(Vec<usize>, PageEnd)>,
}

/// A scan of one chain whose readers and consumer move in random order.
struct Play<'a> {
    api: &'a Api,
    table: Arc<Table>,
    flow: Flow,
    cancel: CancelToken,
    readers: Vec<Option<Reading>>,
    most_at_once: usize,
    urls: Vec<String>,
}

impl Play<'_> {
    fn read(&mut self, index: usize) -> bool {
        match self.readers[index].take() {
            None => self.begin(index),
            Some(reading) => self.go_on(index, reading),
        }
    }

    fn begin(&mut self, index: usize) -> bool {
        let Some((ticket, job)) = self.flow.take() else {
            return false;
        };
        let job = job.map_or_else(|| first(&Arc::clone(&self.table)), |job| *job);
        let pager = match job.standing {
            Standing::Decided(pager) => Some(pager),
            Standing::Guessed(_) => None,
        };
        self.urls.push(job.request.url.clone());
        let mut reading = Reading {
            ticket,
            page: self.api.answer(&job.request.url),
            url: job.request.url,
            pager,
        };
        self.look_ahead(&mut reading);
        self.readers[index] = Some(reading);
        let busy = self.readers.iter().flatten().count();
        self.most_at_once = self.most_at_once.max(busy);
        true
    }

    /// What comes before the rows may tell how many pages there are.
    fn look_ahead(&mut self, reading: &mut Reading) {
        let (Some(pager), Ok((rows, end))) = (&mut reading.pager, &reading.page) else {
            return;
        };
        if !self.api.total_first || rows.is_empty() {
            return;
        }
        let head = Head {
            status: 200,
            url: reading.url.clone(),
            headers: Vec::new(),
        };
        let so_far = PageEnd {
            rows: 1,
            ..end.clone()
        };
        assert_eq!(
            pager.next(&head.facts(Stage::FirstRow, &so_far)),
            Ok(Decision::NotYet)
        );
        if let Some(forecast) = pager.forecast() {
            let ahead = Ahead::new(forecast, self.cancel.clone());
            self.flow.foresee(0, reading.ticket.page + 1, ahead);
        }
    }

    /// Hands over a batch of one or more rows, or ends the page.
    fn go_on(&mut self, index: usize, mut reading: Reading) -> bool {
        match &mut reading.page {
            Ok((rows, _)) if !rows.is_empty() => {
                if !self.flow.has_room(reading.ticket) {
                    self.readers[index] = Some(reading);
                    return false;
                }
                let value = rows.remove(0);
                let batch = Batch {
                    rows: value,
                    arena: Vec::with_capacity(8 << 20),
                    ..Batch::default()
                };
                match self.flow.push(reading.ticket, batch) {
                    Ok(_) => self.readers[index] = Some(reading),
                    Err(error) => self.end(reading.ticket, Err(error)),
                }
            }
            Ok(_) => self.tell(reading),
            Err(error) => {
                let error = error.clone();
                self.end(reading.ticket, Err(error));
            }
        }
        true
    }

    fn end(&mut self, ticket: Ticket, end: Result<()>) {
        self.flow.finish(ticket, end);
    }

    fn tell(&mut self, reading: Reading) {
        let Ok((_, end)) = reading.page else {
            return;
        };
        let head = Head {
            status: 200,
            url: reading.url.clone(),
            headers: Vec::new(),
        };
        match reading.pager {
            // What was handed over row by row must be counted anew.
            Some(pager) => self.decide(reading.ticket.page, pager, &head, &end),
            None => {
                let report = Report {
                    exchange: Exchange::default(),
                    head,
                    end,
                    fingerprint: Fingerprint {
                        chain: 0,
                        page: 0,
                        rows: 0,
                        hash: 0,
                    },
                    recording: None,
                };
                self.flow.report(reading.ticket, Box::new(report));
            }
        }
        while let Some((page, pager, report)) = self.flow.claim(0) {
            self.decide(page, pager, &report.head, &report.end);
        }
        self.end(reading.ticket, Ok(()));
    }

    fn decide(&mut self, page: u64, mut pager: Box<Pager>, head: &Head, end: &PageEnd) {
        let verdict = match pager.next(&head.facts(Stage::Page, end)) {
            Ok(Decision::Next(request)) => {
                let ahead = pager
                    .forecast()
                    .map(|forecast| Ahead::new(forecast, self.cancel.clone()));
                let job = Job {
                    chain: 0,
                    page: page as u32 + 2,
                    request,
                    standing: Standing::Decided(pager),
                };
                let next = Next::Known(Box::new(job));
                self.flow.decide(0, page, Ok(next), ahead);
                return;
            }
            Ok(_) => Ok(Next::Over),
            Err(error) => Err(error),
        };
        self.flow.decide(0, page, verdict, None);
    }
}

fn first(table: &Arc<Table>) -> Job {
    let pager = Pager::new(Arc::clone(table), Inputs::default(), None).unwrap();
    Job {
        chain: 0,
        page: 1,
        request: pager.first().unwrap(),
        standing: Standing::Decided(Box::new(pager)),
    }
}

fn at_once(api: &Api, table: &Arc<Table>, readers: usize, chance: &mut Chance) -> (Scanned, usize) {
    let pace = Pace {
        fetch_ahead: true,
        hint: None,
        most: readers,
    };
    let mut flow = Flow::new(pace, 1, Some(first(table)));
    flow.staff(readers);
    let mut play = Play {
        api,
        table: Arc::clone(table),
        flow,
        cancel: CancelToken::new().unwrap(),
        readers: (0..readers).map(|_| None).collect(),
        most_at_once: 0,
        urls: Vec::new(),
    };
    let outcome = perform(&mut play, readers, chance);
    ((outcome, play.urls), play.most_at_once)
}

fn perform(play: &mut Play, readers: usize, chance: &mut Chance) -> Outcome {
    let mut all = Vec::new();
    let mut idle = 0;
    while idle < 500 {
        let actor = chance.below(readers + 1);
        let moved = if actor < readers {
            play.read(actor)
        } else {
            match play.flow.poll() {
                Ok(Polled::Batch(batch)) => {
                    all.push(batch.rows);
                    true
                }
                Ok(Polled::Pending) => false,
                Ok(Polled::Done) => return (all, None),
                Err(error) => return (all, Some(error.to_string())),
            }
        };
        idle = if moved { 0 } else { idle + 1 };
    }
    panic!("everybody waits for somebody else: {:?}", play.flow);
}

#[test]
fn the_rows_and_the_error_are_those_of_one_page_after_the_other() {
    let mut chance = Chance(1);
    let mut parallel = 0;
    for round in 0..3000 {
        let api = Api::random(&mut chance);
        let table = Arc::new(api.table());
        let readers = 1 + chance.below(5);
        let expected = one_after_the_other(&api, &table);
        let ((outcome, mut asked), most) = at_once(&api, &table, readers, &mut chance);
        assert_eq!(outcome, expected.0, "round {round}: {api:?}");
        if api.is_honest() {
            let mut needed = expected.1;
            needed.sort();
            asked.sort();
            assert_eq!(asked, needed, "round {round}: {api:?}");
        }
        parallel += usize::from(most > 2);
    }
    assert!(parallel > 250, "only {parallel} scans read pages at once");
}
