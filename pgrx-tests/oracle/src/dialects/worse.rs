//! In which ways is an API worse than its dialect promises?

use super::Service;
use crate::random::Random;
use crate::tables::{Column, Table};

/// What an API does that it should not, and that its tables must be declared for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Worse {
    /// It answers every filter with all rows.
    ignores_filters: bool,
    /// It compares text without case.
    ignores_case: bool,
    /// It ignores filters on this column.
    ignores: Option<String>,
}

impl Worse {
    /// Mostly an API that keeps its promises; `name` is what it calls a column.
    pub(super) fn draw(
        random: &mut Random,
        service: &mut Service,
        table: &Table,
        name: fn(&Column) -> String,
    ) -> Worse {
        let mut worse = Worse::default();
        match random.between(0, 11) {
            0 => {
                worse.ignores_filters = true;
                service.serve("ignore_filters", true);
            }
            1 | 2 => {
                worse.ignores_case = true;
                service.serve("case_insensitive", true);
            }
            3 => {
                let column = random.pick(&table.columns);
                worse.ignores = Some(column.name.clone());
                service.serve("ignore", vec![name(column)]);
            }
            _ => {}
        }
        worse
    }

    /// Whether an answer to a filter on this column holds at least the rows that it should.
    pub(super) fn may_declare(&self, column: &Column, operator: &str) -> bool {
        let loses_no_row = matches!(
            operator,
            "=" | "in" | "like" | "ilike" | "contains" | "is_null" | "is_not_null"
        );
        !(self.ignores_case && column.kind.is_text()) || loses_no_row
    }

    /// Whether an answer to a filter on this column holds only the rows that it should.
    pub(super) fn may_be_exact(&self, column: &Column) -> bool {
        let other_case = self.ignores_case && column.kind.is_text();
        !self.ignores_filters
            && !other_case
            && self.ignores.as_deref() != Some(column.name.as_str())
    }
}
