//! A chain of pages: what one of a scan's requests begins with, and what follows a page.

use crate::Result;
use crate::http::Egress;
use crate::model::Table;
use crate::pagination::Pager;
use crate::request::{Inputs, Request};
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
            pager,
        })
    }
}
