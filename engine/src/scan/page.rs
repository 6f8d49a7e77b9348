//! One page: requested, tried again, decoded, and what follows it decided as early as that can be known.

use super::Shared;
use super::body::{Received, Replayed, Volume};
use super::chain::{Job, Standing};
use super::flow::Ticket;
use super::ledger::{RequestError, RequestRecord};
use super::repetition::Fingerprint;
use super::succession::{self, Answer, Head, Report};
use crate::decode::{self, Batch, Cell, Envelope, PageEnd, Sink, Span, decode_page};
use crate::error::Exchange;
use crate::http::cache::{Found, Recording, Stored};
use crate::http::retry::{self, Failed, RetryDecision};
use crate::http::{self, Authorization, CacheUse, CancelToken, Response, Traffic, metered, status};
use crate::infer::Sample;
use crate::model::{Paging, RowsShape};
use crate::pagination::{Pager, Stage, total_of_header};
use crate::request::Request;
use crate::{Error, Result};
use std::io::Read;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

/// Reads a page to its end, and hands its rows to the stream.
pub(super) fn read(shared: &Arc<Shared>, ticket: Ticket, job: Job) -> Result<()> {
    let exchange = shared.client.exchange(&job.request, job.page);
    within_page_cap(shared, ticket.number, &exchange)?;
    let (baton, cancel) = match job.standing {
        Standing::Decided(pager) => (Some(pager), shared.cancel.clone()),
        Standing::Guessed(cancel) => (None, cancel),
    };
    let page = Page {
        shared,
        is_guess: baton.is_none(),
        cancel,
        ticket,
        exchange,
        chain: job.chain,
        page: job.page,
        baton,
        has_foreseen: false,
        is_wrong: false,
        started: Instant::now(),
        blocked: Duration::ZERO,
        head: Head::default(),
        end: PageEnd::default(),
        progress: decode::Progress::default(),
        counted: false,
        recording: None,
    };
    match page.persist(&job.request) {
        Ok(page) => {
            page.leave();
            Ok(())
        }
        Err(error) => {
            let error = succession::start_over(shared, ticket, error);
            if error != Error::Cancelled {
                succession::distrust(shared, job.chain);
            }
            Err(error)
        }
    }
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
    /// Whether nobody has decided on it.
    is_guess: bool,
    /// The scan's own token; of a guess, which may not be wanted, one of its own.
    cancel: CancelToken,
    ticket: Ticket,
    exchange: Exchange,
    chain: usize,
    page: u32,
    /// Until it is decided what follows. None for a page that nobody has decided on.
    baton: Option<Box<Pager>>,
    /// Whether the pages after this one were told that can be told.
    has_foreseen: bool,
    /// Whether there is something wrong with what follows it.
    is_wrong: bool,
    /// When the first request was sent.
    started: Instant,
    /// For how long its rows waited for the consumer.
    blocked: Duration,
    head: Head,
    /// What is known at its end.
    end: PageEnd,
    progress: decode::Progress,
    counted: bool,
    /// The response as it will be stored, read to its end.
    recording: Option<Recording>,
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
enum Told {
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
    /// Tries until the page was read, or no further try makes sense.
    fn persist(mut self, request: &Request) -> Result<Self> {
        let mut tries = 1;
        while let Err(failure) = self.attempt(request, tries) {
            let policy = &self.shared.chains.table().source.retry;
            let failed = Failed {
                tries,
                elapsed: self.started.elapsed().saturating_sub(self.blocked),
                error: &failure.error,
                asked: failure.asked,
            };
            match retry::decide(policy, request.method, failed, retry::chance()) {
                // Who asks one reader to wait means all of them.
                RetryDecision::Again(wait) if failure.asked.is_some() => {
                    self.shared.client.throttle().pause(wait);
                }
                RetryDecision::Again(wait) => self.cancel.sleep(wait)?,
                RetryDecision::GiveUp(reason) => {
                    return Err(retry::explained(failure.error, &reason));
                }
            }
            tries += 1;
        }
        Ok(self)
    }

    /// The page was read. What somebody else decides on is reported.
    fn leave(mut self) {
        let (shared, chain, ticket) = (self.shared, self.chain, self.ticket);
        if self.is_guess {
            shared.stream.report(ticket, Box::new(self.report()));
            succession::go_on(shared, chain);
        } else if !self.is_wrong {
            self.recording.take().map(Recording::finish);
        }
    }

    fn report(self) -> Report {
        let fingerprint = self.fingerprint();
        Report {
            exchange: self.exchange,
            head: self.head,
            end: self.end,
            fingerprint,
            recording: self.recording,
        }
    }

    fn fingerprint(&self) -> Fingerprint {
        Fingerprint {
            chain: self.chain,
            page: self.page,
            rows: self.progress.rows,
            hash: self.progress.hash,
        }
    }

    /// Reads the page from a stored response, or asks the API for it.
    fn attempt(&mut self, request: &Request, attempt: u32) -> Outcome {
        let cache = self.shared.cache.as_ref();
        match cache.map(|cache| cache.find(self.chain, request, self.is_guess)) {
            Some(Found::Answer(stored)) => {
                let mut noted = Noted::begin();
                let outcome = self.replay(request, stored, CacheUse::Hit, &mut noted);
                self.log(noted, &outcome, attempt);
                outcome
            }
            Some(Found::Candidate(stored)) => match self.ask(request, Some(stored), attempt)? {
                Told::Page => Ok(()),
                Told::OfAnother => self.ask(request, None, attempt).map(drop),
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
    ) -> std::result::Result<Told, Failure> {
        let shared = self.shared;
        shared.client.throttle().wait(&self.cancel)?;
        if attempt == 1 {
            self.started = Instant::now();
        }
        let (authorization, traffic) =
            metered(|| shared.client.sign_in(&self.cancel, &shared.ledger));
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
    ) -> std::result::Result<Told, Failure> {
        let mut sent = request.clone();
        if let Some(stored) = &candidate {
            stored.ask_in(&mut sent);
        }
        let shared = self.shared;
        let (cancel, ledger) = (&self.cancel, &shared.ledger);
        let (response, traffic) = metered(|| {
            let client = &shared.client;
            client.send(&sent, self.page, authorization, cancel, ledger)
        });
        noted.traffic = traffic;
        let mut response = response?;
        noted.status = Some(response.status);
        if response.status < 400
            && let Some(wait) = http::exhausted(&response.headers, SystemTime::now())
        {
            shared.client.throttle().pause(wait);
        }
        match (candidate, &shared.cache) {
            (Some(mut stored), Some(cache)) if response.status == 304 => {
                response.body.drain();
                if !cache.validated(&mut stored, request, &response.headers) {
                    return Ok(Told::OfAnother);
                }
                self.replay(request, stored, CacheUse::Revalidated, noted)?;
            }
            _ => self.receive(request, response, &mut noted.volume)?,
        }
        Ok(Told::Page)
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
        self.read_page(&mut body)
    }

    fn receive(
        &mut self,
        request: &Request,
        mut response: Response,
        volume: &mut Volume,
    ) -> Outcome {
        let table = self.shared.chains.table();
        let outcome = match response.status {
            status if self.has_expired(status) => Err(self.expired(&mut response).into()),
            status if table.empty_on.contains(&status) => self.succeed_without(&mut response),
            200..300 => self.succeed(request, &mut response),
            _ => Err(self.refusal(&mut response)),
        };
        *volume = Volume::of(&response.body);
        if outcome.is_ok() {
            // A body that was read to its end leaves its connection to the next request.
            response.body.drain();
        }
        outcome
    }

    fn succeed(&mut self, request: &Request, response: &mut Response) -> Outcome {
        if !std::mem::replace(&mut self.counted, true) {
            self.shared.ledger.count_page();
        }
        self.meet(response);
        let head = &self.head;
        let shared = Arc::clone(self.shared);
        let cache = shared.cache.as_ref();
        let recording =
            cache.and_then(|cache| cache.record(request, head.status, &head.url, &head.headers));
        if shared.decoding.layout.format.is_bare() {
            response.body.expect_lines();
        }
        let mut body = Received::new(&mut response.body, &shared.ledger, recording);
        self.read_page(&mut body)?;
        self.recording = body.whole();
        Ok(())
    }

    /// Reads the body of a response whose head is known.
    fn read_page(&mut self, body: &mut dyn Read) -> Outcome {
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
        self.conclude(end)
    }

    /// A status that means that there are no rows.
    fn succeed_without(&mut self, response: &mut Response) -> Outcome {
        self.meet(response);
        self.conclude(PageEnd::default())
    }

    fn meet(&mut self, response: &mut Response) {
        self.head = Head {
            status: response.status,
            url: std::mem::take(&mut response.url),
            headers: std::mem::take(&mut response.headers),
        };
    }

    /// All of the page is known.
    fn conclude(&mut self, end: PageEnd) -> Outcome {
        // A status without content, where an earlier try had rows: the decoder has not seen it.
        if end.rows < self.progress.rows {
            let reason = format!("page {} changed while it was being read again", self.page);
            let exchange = self.exchange.clone();
            return Err(Error::Paging { exchange, reason }.into());
        }
        if !self.is_guess {
            succession::note(self.shared, self.fingerprint(), &self.exchange)?;
        }
        self.consider(Stage::Page, &end);
        self.end = end;
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
        let (headers, exchange) = (&self.head.headers, &self.exchange);
        let told = &self.shared.decoding.layout.format;
        let sample = match status {
            204 | 205 => Sample {
                request: exchange.request.clone(),
                headers: headers.clone(),
                ..Sample::default()
            },
            _ => Sample::read(headers, told, body, exchange)?,
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
        Failure {
            asked: http::asked_to_wait(&response.headers, SystemTime::now()),
            error: Error::Status {
                exchange: self.exchange.clone(),
                status: response.status,
                message: self.message(response),
            },
        }
    }

    /// Whether a status means that the API does not know the cursor or URL any more that it gave for this page.
    fn has_expired(&self, status: u16) -> bool {
        let table = self.shared.chains.table();
        let is_given = matches!(
            table.paging,
            Paging::Auto | Paging::Link | Paging::NextUrl { .. } | Paging::Cursor { .. }
        );
        is_given && self.page > 1 && table.expired_on.contains(&status)
    }

    fn expired(&self, response: &mut Response) -> Error {
        Error::Expired {
            exchange: self.exchange.clone(),
            status: response.status,
            reason: String::new(),
            message: self.message(response),
        }
    }

    /// The API's own words.
    fn message(&self, response: &mut Response) -> Option<String> {
        let redactor = self.shared.client.redactor();
        let field = self.shared.chains.table().error_field.as_deref();
        status::message(&mut response.body, &response.headers, field, redactor)
    }

    /// Asks the pager what follows, with what is known now.
    fn consider(&mut self, stage: Stage, end: &PageEnd) {
        let Some(pager) = &mut self.baton else {
            return;
        };
        let facts = self.head.facts(stage, end);
        match succession::ask(self.shared, &self.exchange, pager, &facts) {
            Answer::NotYet if self.has_foreseen => {}
            Answer::NotYet => {
                self.has_foreseen = succession::foresee(self.shared, self.chain, self.page, pager);
            }
            answer => {
                self.is_wrong = matches!(answer, Answer::Wrong(_));
                self.hand_on(answer);
            }
        }
    }

    /// Hands the baton on, once.
    fn hand_on(&mut self, answer: Answer) {
        if let Some(pager) = self.baton.take() {
            succession::hand_on(self.shared, self.chain, self.page, answer, pager);
        }
    }
}

impl Sink for Page<'_> {
    fn first_row(&mut self, before: &Envelope) -> Result<()> {
        let so_far = PageEnd {
            rows: 1,
            envelope: before.clone(),
            ..PageEnd::default()
        };
        self.consider(Stage::FirstRow, &so_far);
        Ok(())
    }

    fn batch(&mut self, batch: Batch) -> Result<()> {
        // Before they are handed over: a consumer that stops at once reads the counts right away.
        self.shared.ledger.count_rows(batch.rows);
        let waiting = Instant::now();
        let pushed = self.shared.stream.push(self.ticket, batch);
        self.blocked += waiting.elapsed();
        pushed
    }

    fn is_first_page(&self) -> bool {
        self.ticket.number == 0
    }

    fn spare(&mut self) -> Option<Batch> {
        self.shared.stream.spare()
    }
}
