//! One page: requested, tried again, decoded, and what follows it decided as early as that can be known.

use super::Shared;
use super::body::{Received, Replayed, Volume};
use super::chain::{Job, Next};
use super::flow::Ticket;
use super::ledger::{RequestError, RequestRecord};
use super::repetition::Fingerprint;
use super::worker;
use crate::decode::{self, Batch, Cell, PageEnd, Sink, Span, decode_page};
use crate::error::Exchange;
use crate::http::cache::{Found, Recording, Stored};
use crate::http::retry::{self, GiveUp, RetryDecision};
use crate::http::{Authorization, CacheUse, Response, Traffic, metered, status};
use crate::infer::{self, Sample};
use crate::model::RowsShape;
use crate::pagination::{Decision, PageFacts, Pager, Stage, total_of_header};
use crate::request::Request;
use crate::{Error, Result};
use std::io::Read;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

/// Reads a page to its end, and hands its rows to the stream.
pub(super) fn read(shared: &Arc<Shared>, ticket: Ticket, job: Job) -> Result<()> {
    let exchange = shared.client.exchange(&job.request, job.page);
    within_page_cap(shared, ticket.number, &exchange)?;
    let page = Page {
        shared,
        ticket,
        exchange,
        chain: job.chain,
        page: job.page,
        baton: Some(job.pager),
        contradiction: None,
        head: Head::default(),
        progress: decode::Progress::default(),
        counted: false,
        recording: None,
    };
    let read = tried(page, &job.request);
    if let (Err(error), Some(cache)) = (&read, &shared.cache)
        && *error != Error::Cancelled
    {
        cache.forget(job.chain);
    }
    read
}

/// Reads a page, as often as it takes.
fn tried(mut page: Page, request: &Request) -> Result<()> {
    let shared = page.shared;
    let mut attempt = 1;
    while let Err(failure) = page.attempt(request, attempt) {
        let policy = &shared.chains.table().source.retry;
        match retry::decide(
            policy,
            request.method,
            attempt,
            &failure.error,
            failure.asked,
            retry::chance(),
        ) {
            RetryDecision::Again(wait) => shared.cancel.sleep(wait)?,
            RetryDecision::GiveUp(reason) => return Err(explained(failure.error, &reason)),
        }
        attempt += 1;
    }
    page.contradiction.map_or(Ok(()), Err)?;
    let fingerprint = Fingerprint {
        chain: page.chain,
        page: page.page,
        rows: page.progress.rows,
        hash: page.progress.hash,
    };
    let table = shared.chains.table();
    shared.repetition.note(table, fingerprint, &page.exchange)?;
    page.recording.map(Recording::finish);
    Ok(())
}

fn within_page_cap(shared: &Shared, number: u64, exchange: &Exchange) -> Result<()> {
    let cap = shared.chains.table().source.max_pages;
    match cap.filter(|cap| number >= *cap) {
        None => Ok(()),
        Some(limit) => Err(Error::Limit {
            exchange: exchange.clone(),
            what: "another page (option \"max_pages\")".to_owned(),
            limit,
        }),
    }
}

/// A page that is being read. It is the sink of its own decoder.
struct Page<'a> {
    shared: &'a Arc<Shared>,
    ticket: Ticket,
    exchange: Exchange,
    chain: usize,
    page: u32,
    /// Until it is decided what follows.
    baton: Option<Pager>,
    /// What is wrong with the paging: raised after the page's own rows.
    contradiction: Option<Error>,
    head: Head,
    progress: decode::Progress,
    counted: bool,
    /// The response as it will be stored, read to its end.
    recording: Option<Recording>,
}

/// What the current attempt's response began with.
#[derive(Default)]
struct Head {
    status: u16,
    url: String,
    headers: Vec<(String, String)>,
}

/// What is logged of an attempt, as far as it went.
struct Noted {
    started: SystemTime,
    clock: Instant,
    status: Option<u16>,
    volume: Volume,
    traffic: Traffic,
    cache: CacheUse,
}

impl Noted {
    fn begin() -> Noted {
        Noted {
            started: SystemTime::now(),
            clock: Instant::now(),
            status: None,
            volume: Volume::default(),
            traffic: Traffic::default(),
            cache: CacheUse::Off,
        }
    }
}

/// What a response to a request is.
enum Answer {
    Page,
    /// It says that a stored response is valid, but not which was asked about.
    OfAnother,
}

/// How an attempt ended.
type Outcome = std::result::Result<(), Failure>;

struct Failure {
    error: Error,
    asked: Option<Duration>,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Failure { error, asked: None }
    }
}

impl Page<'_> {
    /// Reads the page from a stored response, or asks the API for it.
    fn attempt(&mut self, request: &Request, attempt: u32) -> Outcome {
        let cache = self.shared.cache.as_ref();
        match cache.map(|cache| cache.find(self.chain, request)) {
            Some(Found::Answer(stored)) => {
                let mut noted = Noted::begin();
                let outcome = self.replay(request, stored, CacheUse::Hit, &mut noted);
                self.log(noted, &outcome, attempt);
                outcome
            }
            Some(Found::Candidate(stored)) => match self.ask(request, Some(stored), attempt)? {
                Answer::Page => Ok(()),
                Answer::OfAnother => self.ask(request, None, attempt).map(drop),
            },
            Some(Found::Nothing) | None => self.ask(request, None, attempt).map(drop),
        }
    }

    /// Sends the request; with a candidate, asks whether that is still valid.
    fn ask(
        &mut self,
        request: &Request,
        candidate: Option<Stored>,
        attempt: u32,
    ) -> std::result::Result<Answer, Failure> {
        let shared = self.shared;
        let (authorization, traffic) =
            metered(|| shared.client.sign_in(&shared.cancel, &shared.ledger));
        shared.ledger.count_traffic(traffic);
        let authorization = authorization?;
        shared.ledger.admit(&self.exchange, attempt)?;
        let mut noted = Noted::begin();
        if self.shared.cache.is_some() {
            noted.cache = CacheUse::Miss;
        }
        let outcome = self.exchange(request, candidate, &authorization, &mut noted);
        self.shared.ledger.count_traffic(noted.traffic);
        if noted.traffic.sent == 0
            && matches!(&outcome, Err(failure) if failure.error == Error::Cancelled)
        {
            self.shared.ledger.withdraw(attempt);
            return outcome;
        }
        self.log(noted, &outcome, attempt);
        outcome
    }

    fn exchange(
        &mut self,
        request: &Request,
        candidate: Option<Stored>,
        authorization: &Authorization,
        noted: &mut Noted,
    ) -> std::result::Result<Answer, Failure> {
        let mut sent = request.clone();
        if let Some(stored) = &candidate {
            stored.ask_in(&mut sent);
        }
        let shared = self.shared;
        let (cancel, ledger) = (&shared.cancel, &shared.ledger);
        let (response, traffic) = metered(|| {
            let client = &shared.client;
            client.send(&sent, self.page, authorization, cancel, ledger)
        });
        noted.traffic = traffic;
        let mut response = response?;
        noted.status = Some(response.status);
        match (candidate, &shared.cache) {
            (Some(mut stored), Some(cache)) if response.status == 304 => {
                response.body.drain();
                if !cache.validated(&mut stored, request, &response.headers) {
                    return Ok(Answer::OfAnother);
                }
                self.replay(request, stored, CacheUse::Revalidated, noted)?;
            }
            _ => self.receive(request, response, &mut noted.volume)?,
        }
        Ok(Answer::Page)
    }

    fn log<T>(&self, noted: Noted, outcome: &std::result::Result<T, Failure>, attempt: u32) {
        self.shared.ledger.log(RequestRecord {
            started: noted.started,
            request: self.exchange.request.clone(),
            status: noted.status,
            error: outcome.as_ref().err().map(|failure| self.told(failure)),
            bytes: noted.volume.bytes,
            transferred: noted.volume.transferred,
            duration: noted.clock.elapsed().saturating_sub(noted.traffic.waited),
            waited: noted.traffic.waited,
            attempt,
            cache: noted.cache,
        });
    }

    /// A failure as the log tells it.
    fn told(&self, failure: &Failure) -> RequestError {
        match &failure.error {
            Error::Cancelled => RequestError::Cancelled,
            error => {
                let redactor = self.shared.client.redactor();
                RequestError::Failed(redactor.text(&error.to_string()))
            }
        }
    }

    /// Reads the page from a stored response.
    fn replay(
        &mut self,
        request: &Request,
        mut stored: Stored,
        part: CacheUse,
        noted: &mut Noted,
    ) -> Outcome {
        noted.status.get_or_insert(stored.status());
        noted.cache = part;
        self.head = Head {
            status: stored.status(),
            url: stored.redirected_to().unwrap_or(&request.url).to_owned(),
            headers: stored.headers().to_vec(),
        };
        let exchange = self.exchange.clone();
        let mut body = Replayed {
            body: stored.body(),
            exchange: &exchange,
        };
        Ok(self.read_page(&mut body)?)
    }

    fn receive(
        &mut self,
        request: &Request,
        mut response: Response,
        volume: &mut Volume,
    ) -> Outcome {
        let is_empty = self
            .shared
            .chains
            .table()
            .empty_on
            .contains(&response.status);
        let outcome = match response.status {
            _ if is_empty => {
                self.end_chain();
                Ok(())
            }
            200..300 => self.succeed(request, &mut response).map_err(Failure::from),
            _ => Err(self.refusal(&mut response)),
        };
        *volume = Volume::of(&response.body);
        if outcome.is_ok() {
            // A body that was read to its end leaves its connection to the next request.
            response.body.drain();
        }
        outcome
    }

    fn succeed(&mut self, request: &Request, response: &mut Response) -> Result<()> {
        if !std::mem::replace(&mut self.counted, true) {
            self.shared.ledger.count_page();
        }
        let head = Head {
            status: response.status,
            url: std::mem::take(&mut response.url),
            headers: std::mem::take(&mut response.headers),
        };
        let shared = Arc::clone(self.shared);
        let cache = shared.cache.as_ref();
        let recording =
            cache.and_then(|cache| cache.record(request, head.status, &head.url, &head.headers));
        if shared.decoding.layout.format.is_bare() {
            response.body.expect_lines();
        }
        let mut body = Received::new(&mut response.body, &shared.ledger, recording);
        self.head = head;
        self.read_page(&mut body)?;
        self.recording = body.whole();
        Ok(())
    }

    /// Reads the body of a response whose head is known.
    fn read_page(&mut self, body: &mut dyn Read) -> Result<()> {
        self.consider(Stage::Headers, &PageEnd::default());
        // RFC 9110 sections 15.3.5 and 15.3.6: there is no content.
        let end = match (&self.shared.chains.table().shape, self.head.status) {
            (RowsShape::Header(name), _) => {
                let row = self.row_of_header(name)?;
                self.batch(row)?;
                PageEnd::default()
            }
            (RowsShape::Survey, status) => {
                let row = self.survey(status, body)?;
                self.batch(row)?;
                PageEnd::default()
            }
            (_, 204 | 205) => PageEnd::default(),
            _ => self.decode(body)?,
        };
        self.consider(Stage::Page, &end);
        Ok(())
    }

    /// The number in a header, as the page's only row.
    fn row_of_header(&self, name: &str) -> Result<Batch> {
        let mut headers = self.head.headers.iter();
        let header = headers.find(|(other, _)| other.eq_ignore_ascii_case(name));
        let total = match header {
            None => Err(format!("there is no header \"{name}\"")),
            Some((_, value)) => total_of_header(name, value).and_then(|total| {
                let total = total.and_then(|total| i64::try_from(total).ok());
                total.ok_or_else(|| format!("header \"{name}\" tells no total: \"{value}\""))
            }),
        };
        let total = total.map_err(|reason| Error::Rows {
            exchange: self.exchange.clone(),
            reason,
        })?;
        Ok(Batch {
            width: 1,
            rows: 1,
            cells: vec![Cell::Int(total)],
            request: self.chain,
            exchange: self.exchange.clone(),
            ..Batch::default()
        })
    }

    /// What the response looks like, as the page's only row.
    fn survey(&self, status: u16, body: &mut dyn Read) -> Result<Batch> {
        let body = match status {
            204 | 205 => None,
            _ => Some(infer::read(body, &self.exchange)?),
        };
        let sample = Sample {
            request: self.exchange.request.clone(),
            headers: self.head.headers.clone(),
            body,
        };
        let text = serde_json::to_vec(&sample)
            .map_err(|error| Error::System(format!("could not describe the response: {error}")))?;
        let len = u32::try_from(text.len())
            .map_err(|_| Error::System("the response has too many members".to_owned()))?;
        Ok(Batch {
            width: 1,
            rows: 1,
            cells: vec![Cell::Text(Span { start: 0, len })],
            arena: text,
            request: self.chain,
            exchange: self.exchange.clone(),
            ..Batch::default()
        })
    }

    fn decode(&mut self, body: &mut dyn Read) -> Result<PageEnd> {
        let shared = Arc::clone(self.shared);
        let exchange = self.exchange.clone();
        let mut progress = self.progress;
        let decoding = &shared.decoding;
        let end = decode_page(
            body,
            &decoding.plan,
            &decoding.layout,
            &exchange,
            self.chain,
            &mut progress,
            self,
        );
        self.progress = progress;
        end
    }

    fn refusal(&self, response: &mut Response) -> Failure {
        let redactor = self.shared.client.redactor();
        let field = self.shared.chains.table().error_field.as_deref();
        let asked = retry::asked_to_wait(&response.headers, SystemTime::now());
        let message = status::message(&mut response.body, &response.headers, field, redactor);
        Failure {
            error: Error::Status {
                exchange: self.exchange.clone(),
                status: response.status,
                message,
            },
            asked,
        }
    }

    /// Asks the pager what follows, with what is known now.
    fn consider(&mut self, stage: Stage, end: &PageEnd) {
        let Some(pager) = &mut self.baton else {
            return;
        };
        let facts = PageFacts {
            stage,
            status: self.head.status,
            url: &self.head.url,
            headers: &self.head.headers,
            envelope: (stage == Stage::Page).then_some(&end.envelope),
            rows: end.rows,
            last_key: end.last_key.as_deref(),
        };
        let decision = pager.next(&facts);
        self.shared
            .ledger
            .note_reported(pager.known_total(), pager.known_page_count());
        match decision {
            Ok(Decision::NotYet) if stage < Stage::Page => {}
            // Nobody else would ever decide, and the consumer would wait for good.
            Ok(Decision::NotYet) => self.contradict(Error::Paging {
                exchange: self.exchange.clone(),
                reason: "the page does not tell whether another one follows".to_owned(),
            }),
            Ok(Decision::Next(request)) => self.next_page(request),
            Ok(Decision::End(_)) => self.end_chain(),
            Err(error) => self.contradict(error),
        }
    }

    /// This page is the last one, and its end an error.
    fn contradict(&mut self, error: Error) {
        self.contradiction = Some(error);
        self.pass_on(|_, _| Next::Over);
    }

    fn end_chain(&mut self) {
        self.pass_on(|_, _| Next::Over);
    }

    fn next_page(&mut self, request: Request) {
        if self.shared.most_pages.is_some_and(|most| self.page >= most) {
            self.shared.ledger.note_partial();
            return self.end_chain();
        }
        self.pass_on(|page, pager| {
            Next::Known(Box::new(Job {
                chain: page.chain,
                page: page.page.saturating_add(1),
                request,
                pager,
            }))
        });
    }

    /// Hands the baton on, once: whoever is free goes on with what follows.
    fn pass_on(&mut self, next: impl FnOnce(&Self, Pager) -> Next) {
        let Some(pager) = self.baton.take() else {
            return;
        };
        let next = next(self, pager);
        self.shared.stream.decide(self.chain, next);
        // Only a scan's first thread can fail to start, and this is one.
        let _ = worker::reinforce(self.shared);
    }
}

impl Sink for Page<'_> {
    fn first_row(&mut self) -> Result<()> {
        let so_far = PageEnd {
            rows: 1,
            ..PageEnd::default()
        };
        self.consider(Stage::FirstRow, &so_far);
        Ok(())
    }

    fn batch(&mut self, batch: Batch) -> Result<()> {
        // Before they are handed over: a consumer that stops at once reads the counts right away.
        self.shared.ledger.count_rows(batch.rows);
        self.shared.stream.push(self.ticket, batch)
    }
}

/// Why an error that may pass was final, where the user could not know.
fn explained(mut error: Error, reason: &GiveUp) -> Error {
    if let (Error::Status { message, .. }, GiveUp::AskedToWait(wait)) = (&mut error, reason) {
        let asked = format!(
            "it asks to be called again in {} s, which is longer than is waited for",
            wait.as_secs()
        );
        *message = Some(match message.take() {
            Some(text) => format!("{text} ({asked})"),
            None => asked,
        });
    }
    error
}
