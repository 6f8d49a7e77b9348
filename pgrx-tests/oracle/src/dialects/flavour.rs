//! What do the flavours of a dialect serve and declare that write operators into the names of parameters?

use super::declare::{self, Sorting, Spelled};
use super::worse::Worse;
use super::{Service, general_options, paging};
use crate::random::Random;
use crate::tables::Table;
use crate::values::Kind;

/// What tells one flavour from another.
pub(super) struct Flavour {
    /// The option `dialect` of its tables.
    pub(super) option: &'static str,
    /// The mock API's name of the dialect.
    pub(super) dialect: &'static str,
    /// The mock API's name of the flavour.
    pub(super) name: &'static str,
    /// What it answers for columns of each type.
    pub(super) operators: fn(Kind) -> &'static [Spelled],
    /// How it writes orders.
    pub(super) sorting: Sorting,
}

impl Flavour {
    /// Draws an API and a foreign table for a table.
    pub(super) fn serve(&self, random: &mut Random, table: &Table) -> Service {
        let mut service = Service::default();
        service.table("dialect", self.option);
        general_options(random, &mut service);
        paging::draw(random, &mut service, paging::ALL);
        declare::speak(
            &mut service,
            table,
            self.dialect,
            Some(self.name),
            declare::path,
        );
        let worse = Worse::draw(random, &mut service, table, declare::path);
        declare::filters(
            random,
            &mut service,
            table,
            &worse,
            self.operators,
            |_, _| None,
        );
        declare::sorts(random, &mut service, table, &self.sorting);
        declare::entity(random, &mut service, table);
        service
    }
}
