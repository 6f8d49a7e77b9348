//! In which ways is an API worse than its dialect promises?

use super::Service;
use crate::random::Random;

/// What an API does that it should not, and that its tables must be declared for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Worse {
    /// It answers every filter with all rows.
    pub(super) ignores_filters: bool,
    /// It compares text without case.
    pub(super) ignores_case: bool,
}

impl Worse {
    /// Mostly an API that keeps its promises.
    pub(super) fn draw(random: &mut Random, service: &mut Service) -> Worse {
        let worse = match random.between(0, 9) {
            0 => Worse {
                ignores_filters: true,
                ..Worse::default()
            },
            1 | 2 => Worse {
                ignores_case: true,
                ..Worse::default()
            },
            _ => Worse::default(),
        };
        if worse.ignores_filters {
            service.serve("ignore_filters", true);
        }
        if worse.ignores_case {
            service.serve("case_insensitive", true);
        }
        worse
    }
}
