//! One page: requested, tried again, decoded, and what follows it decided as early as that can be known.

use super::Shared;
use super::chain::{Job, Next};
use super::flow::Ticket;
use super::ledger::{Ledger, RequestError, RequestRecord};
use super::repetition::Fingerprint;
use super::worker;
use crate::decode::{self, Batch, Cell, PageEnd, Sink, decode_page};
use crate::error::Exchange;
use crate::http::retry::{self, GiveUp, RetryDecision};
use crate::http::{Body, CacheUse, Response, metered, status};
use crate::model::RowsShape;
use crate::pagination::{Decision, PageFacts, Pager, Stage, total_of_header};
use crate::request::Request;
use crate::{Error, Result};
use std::io::{self, Read};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

/// Reads a page to its end, and hands its rows to the stream.
pub(super) fn read(shared: &Arc<Shared>, ticket: Ticket, job: Job) -> Result<()> {
    let exchange = shared.client.exchange(&job.request, job.page);
    within_page_cap(shared, ticket.number, &exchange)?;
    let mut page = Page {
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
    };
    let mut attempt = 1;
    while let Err(failure) = page.attempt(&job.request, attempt) {
        let policy = &shared.chains.table().source.retry;
        match retry::decide(
            policy,
            job.request.method,
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
    shared.repetition.note(table, fingerprint, &page.exchange)
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
}

/// What the current attempt's response began with.
#[derive(Default)]
struct Head {
    status: u16,
    url: String,
    headers: Vec<(String, String)>,
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
    fn attempt(&mut self, request: &Request, attempt: u32) -> Outcome {
        self.shared.ledger.admit(&self.exchange, attempt)?;
        let (started, clock) = (SystemTime::now(), Instant::now());
        let mut status = None;
        let mut volume = Volume::default();
        let shared = self.shared;
        let (sent, traffic) = metered(|| shared.client.send(request, self.page, &shared.cancel));
        let outcome = match sent {
            Ok(response) => {
                status = Some(response.status);
                self.receive(response, &mut volume)
            }
            Err(error) => Err(error.into()),
        };
        self.shared.ledger.count_traffic(traffic);
        if traffic.sent == 0
            && matches!(&outcome, Err(failure) if failure.error == Error::Cancelled)
        {
            self.shared.ledger.withdraw(attempt);
            return outcome;
        }
        self.shared.ledger.log(RequestRecord {
            started,
            request: self.exchange.request.clone(),
            status,
            error: outcome.as_ref().err().map(|failure| self.told(failure)),
            bytes: volume.bytes,
            transferred: volume.transferred,
            duration: clock.elapsed().saturating_sub(traffic.waited),
            waited: traffic.waited,
            attempt,
            cache: CacheUse::Off,
        });
        outcome
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

    fn receive(&mut self, mut response: Response, volume: &mut Volume) -> Outcome {
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
            200..300 => self.succeed(&mut response).map_err(Failure::from),
            _ => Err(self.refusal(&mut response)),
        };
        *volume = Volume::of(&response.body);
        if outcome.is_ok() {
            // A body that was read to its end leaves its connection to the next request.
            response.body.drain();
        }
        outcome
    }

    fn succeed(&mut self, response: &mut Response) -> Result<()> {
        if !std::mem::replace(&mut self.counted, true) {
            self.shared.ledger.count_page();
        }
        self.head = Head {
            status: response.status,
            url: std::mem::take(&mut response.url),
            headers: std::mem::take(&mut response.headers),
        };
        self.consider(Stage::Headers, &PageEnd::default());
        // RFC 9110 sections 15.3.5 and 15.3.6: there is no content.
        let end = match (&self.shared.chains.table().shape, response.status) {
            (RowsShape::Header(name), _) => {
                let row = self.row_of_header(name)?;
                self.batch(row)?;
                PageEnd::default()
            }
            (_, 204 | 205) => PageEnd::default(),
            _ => self.decode(&mut response.body)?,
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

    fn decode(&mut self, body: &mut Body) -> Result<PageEnd> {
        let shared = Arc::clone(self.shared);
        let mut counted = Counted {
            body,
            ledger: &shared.ledger,
        };
        let exchange = self.exchange.clone();
        let mut progress = self.progress;
        let decoding = &shared.decoding;
        let end = decode_page(
            &mut counted,
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

/// How much of a body was read.
#[derive(Debug, Clone, Copy, Default)]
struct Volume {
    /// After decompression.
    bytes: u64,
    /// As it came over the network.
    transferred: u64,
}

impl Volume {
    fn of(body: &Body) -> Volume {
        Volume {
            bytes: body.received(),
            transferred: body.transferred(),
        }
    }
}

/// A body whose bytes are counted as they come.
struct Counted<'a> {
    body: &'a mut Body,
    ledger: &'a Ledger,
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let before = self.body.transferred();
        let read = self.body.read(buffer)?;
        let transferred = self.body.transferred() - before;
        self.ledger.count_bytes(read as u64, transferred);
        Ok(read)
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
