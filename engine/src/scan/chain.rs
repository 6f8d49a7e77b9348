//! A chain of pages: what one request's pages are, and which chain follows it.

use crate::model::Table;
use crate::pagination::Pager;
use crate::request::{Inputs, Request};
use crate::{Error, Result};
use std::sync::Arc;

/// A page to read, with the baton: whoever holds it decides what is read after it.
#[derive(Debug)]
pub(super) struct Job {
    /// Which of the scan's chains, counted from 0.
    pub(super) chain: usize,
    /// The page within its chain, counted from 1.
    pub(super) page: u32,
    /// What to send.
    pub(super) request: Request,
    /// Decides what follows.
    pub(super) pager: Pager,
}

/// What is known of the page after the last one that was taken.
#[derive(Debug)]
pub(super) enum Next {
    /// It is this one.
    Known(Box<Job>),
    /// There is one, but its request cannot be made.
    Failed(Error),
    /// Whoever reads the page before it will decide.
    Undecided,
    /// There is none.
    Over,
}

impl Next {
    /// The scan's first page: what cannot be requested is an error at once.
    pub(super) fn into_first(self) -> Result<Next> {
        match self {
            Next::Failed(error) => Err(error),
            next => Ok(next),
        }
    }
}

/// All chains of a scan.
#[derive(Debug)]
pub(super) struct Chains {
    table: Arc<Table>,
    inputs: Vec<Inputs>,
    hint: Option<u64>,
}

impl Chains {
    pub(super) fn new(table: Arc<Table>, inputs: Vec<Inputs>, hint: Option<u64>) -> Self {
        Chains {
            table,
            inputs,
            hint,
        }
    }

    pub(super) fn table(&self) -> &Table {
        &self.table
    }

    /// The first page of chain `index`, if there is such a chain.
    pub(super) fn begin(&self, index: usize) -> Next {
        let Some(inputs) = self.inputs.get(index) else {
            return Next::Over;
        };
        let begun = Pager::new(Arc::clone(&self.table), inputs.clone(), self.hint)
            .and_then(|pager| Ok((pager.first()?, pager)));
        match begun {
            Err(error) => Next::Failed(error),
            Ok((request, pager)) => Next::Known(Box::new(Job {
                chain: index,
                page: 1,
                request,
                pager,
            })),
        }
    }
}
