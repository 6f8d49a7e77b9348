//! What follows a page: the pager is asked, as soon as enough is known, by whoever holds the baton.

use super::chain::{Ahead, Job, Next, Standing};
use super::flow::Ticket;
use super::repetition::Fingerprint;
use super::{Shared, worker};
use crate::decode::PageEnd;
use crate::error::Exchange;
use crate::http::cache::Recording;
use crate::pagination::{Decision, PageFacts, Pager, Stage};
use crate::request::Request;
use crate::{Error, Result};
use std::sync::Arc;

/// What a response began with.
#[derive(Debug, Default)]
pub(super) struct Head {
    pub(super) status: u16,
    pub(super) url: String,
    pub(super) headers: Vec<(String, String)>,
}

impl Head {
    /// What is known of the page at `stage`.
    pub(super) fn facts<'a>(&'a self, stage: Stage, end: &'a PageEnd) -> PageFacts<'a> {
        PageFacts {
            stage,
            status: self.status,
            url: &self.url,
            headers: &self.headers,
            envelope: (stage > Stage::Headers).then_some(&end.envelope),
            rows: end.rows,
            last_key: end.last_key.as_deref(),
        }
    }
}

/// What a page turned out to be that was requested before it was decided on.
#[derive(Debug)]
pub(super) struct Report {
    pub(super) exchange: Exchange,
    pub(super) head: Head,
    pub(super) end: PageEnd,
    pub(super) fingerprint: Fingerprint,
    /// The response as it will be stored if nothing is wrong with what follows.
    pub(super) recording: Option<Recording>,
}

/// What follows a page.
pub(super) enum Answer {
    /// More of the page must be known.
    NotYet,
    /// The page that this request asks for.
    Page(Request),
    /// Nothing.
    End,
    /// Nothing, and that is an error.
    Wrong(Error),
}

/// Asks the pager what follows the page at `exchange`, with what is known of it now.
pub(super) fn ask(
    shared: &Shared,
    exchange: &Exchange,
    pager: &mut Pager,
    facts: &PageFacts,
) -> Answer {
    let decision = pager.next(facts);
    shared
        .ledger
        .note_reported(pager.known_total(), pager.known_page_count());
    match decision {
        Ok(Decision::NotYet) if facts.stage < Stage::Page => Answer::NotYet,
        // Nobody else would ever decide, and the consumer would wait for good.
        Ok(Decision::NotYet) => Answer::Wrong(Error::Paging {
            exchange: exchange.clone(),
            reason: "the page does not tell whether another one follows".to_owned(),
        }),
        Ok(Decision::Next(_)) if shared.most_pages.is_some_and(|most| exchange.page >= most) => {
            shared.ledger.note_partial();
            Answer::End
        }
        Ok(Decision::Next(request)) => Answer::Page(request),
        Ok(Decision::End(_)) => Answer::End,
        Err(error) => Answer::Wrong(error),
    }
}

/// Hands the baton of page `page` (counted from 1) of `chain` on: whoever is free goes on with what follows.
pub(super) fn hand_on(
    shared: &Arc<Shared>,
    chain: usize,
    page: u32,
    answer: Answer,
    pager: Box<Pager>,
) {
    let place = u64::from(page) - 1;
    let (verdict, ahead) = match answer {
        Answer::Page(request) => {
            let ahead = ahead(shared, chain, &pager);
            let job = Job {
                chain,
                page: page.saturating_add(1),
                request,
                standing: Standing::Decided(pager),
            };
            (Ok(Next::Known(Box::new(job))), ahead)
        }
        Answer::Wrong(error) => {
            distrust(shared, chain);
            (Err(shared.client.redactor().error(error)), None)
        }
        Answer::End | Answer::NotYet => (Ok(Next::Over), None),
    };
    shared.stream.decide(chain, place, verdict, ahead);
    go_on(shared, chain);
}

/// Lets others request what can be told of the pages after page `page` (counted from 1) of `chain`, which is still
/// being read. False: nothing yet.
pub(super) fn foresee(shared: &Arc<Shared>, chain: usize, page: u32, pager: &Pager) -> bool {
    let Some(ahead) = ahead(shared, chain, pager) else {
        return false;
    };
    shared.stream.foresee(chain, u64::from(page), ahead);
    // Only a scan's first thread can fail to start, and this is one.
    let _ = worker::reinforce(shared);
    true
}

/// Asks the pager about the pages whose readers were faster than the decision on them.
pub(super) fn go_on(shared: &Arc<Shared>, chain: usize) {
    if let Some((_, mut pager, mut report)) = shared.stream.claim(chain) {
        let answer = answer(shared, &mut pager, &report);
        let recording = report.recording.take();
        if !matches!(answer, Answer::Wrong(_)) {
            recording.map(Recording::finish);
        }
        return hand_on(shared, chain, report.exchange.page, answer, pager);
    }
    // Only a scan's first thread can fail to start, and this is one.
    let _ = worker::reinforce(shared);
}

fn answer(shared: &Shared, pager: &mut Pager, report: &Report) -> Answer {
    if let Err(error) = note(shared, report.fingerprint, &report.exchange) {
        return Answer::Wrong(error);
    }
    let facts = report.head.facts(Stage::Page, &report.end);
    ask(shared, &report.exchange, pager, &facts)
}

/// Where `error` is that the cursor of a page has expired: starts its chain over, if that is possible. Returns the error
/// that its reader ends with.
pub(super) fn start_over(shared: &Arc<Shared>, ticket: Ticket, mut error: Error) -> Error {
    let Error::Expired { reason, .. } = &mut error else {
        return error;
    };
    // A stored page would lead to the same cursor again.
    distrust(shared, ticket.chain);
    shared.repetition.forget(ticket.chain);
    match shared.stream.start_over(ticket) {
        Ok(()) => {
            // Only a scan's first thread can fail to start, and this is one.
            let _ = worker::reinforce(shared);
            Error::Cancelled
        }
        Err(why) => {
            why.clone_into(reason);
            error
        }
    }
}

/// A chain has failed, perhaps because of stored responses that answered in it.
pub(super) fn distrust(shared: &Shared, chain: usize) {
    if let Some(cache) = &shared.cache {
        cache.forget(chain);
    }
}

/// Compares a page with those before it.
pub(super) fn note(shared: &Shared, page: Fingerprint, exchange: &Exchange) -> Result<()> {
    let table = shared.chains.table();
    shared.repetition.note(table, page, exchange)
}

/// What can be told of the pages after the pager's. Where stored ones may answer, that depends on those before them.
fn ahead(shared: &Shared, chain: usize, pager: &Pager) -> Option<Ahead> {
    let is_anew = || {
        let cache = shared.cache.as_ref();
        cache.is_none_or(|cache| cache.is_anew(chain))
    };
    let wanted = shared.looks_ahead && shared.most_pages.is_none() && is_anew();
    let forecast = wanted.then(|| pager.forecast()).flatten()?;
    Some(Ahead::new(forecast, shared.cancel.clone()))
}
