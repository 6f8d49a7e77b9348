//! A chain of pages: what one of a scan's requests begins with, and what follows a page.

use crate::Result;
use crate::http::{CancelToken, Egress};
use crate::model::Table;
use crate::pagination::{Forecast, Pager};
use crate::request::{Inputs, Request};
use std::sync::Arc;

/// A page to read.
#[derive(Debug)]
pub(super) struct Job {
    /// Which of the scan's chains, counted from 0.
    pub(super) chain: usize,
    /// The page within its chain, counted from 1.
    pub(super) page: u32,
    /// What to send.
    pub(super) request: Request,
    /// Why it is read.
    pub(super) standing: Standing,
}

/// Why a page is read.
#[derive(Debug)]
pub(super) enum Standing {
    /// The pager decided on it. Its reader holds the baton: whoever holds it decides what is read next.
    Decided(Box<Pager>),
    /// It is expected, and may turn out to be another one than the pager decides on: then this is cancelled.
    Guessed(CancelToken),
}

/// Pages that may be read before it is decided on them.
#[derive(Debug)]
pub(super) struct Ahead {
    forecast: Forecast,
    /// The scan's own token, of which each of them gets a child.
    cancel: CancelToken,
}

impl Ahead {
    pub(super) fn new(forecast: Forecast, cancel: CancelToken) -> Self {
        Ahead { forecast, cancel }
    }

    /// How many are left.
    pub(super) fn left(&self) -> usize {
        usize::try_from(self.forecast.left()).unwrap_or(usize::MAX)
    }

    /// Rows that each should have; 0 where that is not known.
    pub(super) fn rows_a_page(&self) -> u64 {
        self.forecast.rows_a_page()
    }

    /// The next of them, and what cancels it. `None` where that cannot be had.
    pub(super) fn take(&mut self) -> Option<(Request, CancelToken)> {
        let cancel = self.cancel.child().ok()?;
        Some((self.forecast.take()?, cancel))
    }

    /// Leaves out so many, which were requested already.
    pub(super) fn skip(&mut self, pages: u64) {
        self.forecast.skip(pages);
    }
}

/// What is known of the page after the last one that was taken.
#[derive(Debug)]
pub(super) enum Next {
    /// It is the chain's first page, whose request is not made yet.
    First,
    /// It is this one.
    Known(Box<Job>),
    /// Whoever reads the page before it will decide.
    Undecided,
    /// There is none.
    Over,
}

/// All chains of a scan.
#[derive(Debug)]
pub(super) struct Chains {
    table: Arc<Table>,
    inputs: Vec<Inputs>,
    hint: Option<u64>,
    permitted: Arc<Egress>,
}

impl Chains {
    /// `permitted` names the hosts that pages may be at besides the server's own origin.
    pub(super) fn new(
        table: Arc<Table>,
        inputs: Vec<Inputs>,
        hint: Option<u64>,
        permitted: Arc<Egress>,
    ) -> Self {
        Chains {
            table,
            inputs,
            hint,
            permitted,
        }
    }

    pub(super) fn table(&self) -> &Table {
        &self.table
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.inputs.len()
    }

    /// The first page of chain `index`, which is below [`Chains::len`].
    pub(super) fn begin(&self, index: usize) -> Result<Job> {
        let inputs = self.inputs[index].clone();
        let pager = Pager::new(Arc::clone(&self.table), inputs, self.hint)?
            .permitting(Arc::clone(&self.permitted));
        Ok(Job {
            chain: index,
            page: 1,
            request: pager.first()?,
            standing: Standing::Decided(Box::new(pager)),
        })
    }
}
