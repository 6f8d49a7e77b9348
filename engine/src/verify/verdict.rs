//! What the answers to the questions about a filter say.

use std::fmt;

/// How an API filters, or orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// As SQL does, as far as was asked.
    Ok,
    /// Not at all.
    Ignored,
    /// Rows that match are missing: results are wrong.
    Narrows,
    /// Rows come that do not match.
    Widens,
    /// Rows come in another order: results are wrong.
    Misorders,
    /// The API refuses it: queries fail.
    Refused,
    /// There was nothing to ask, or nothing was sent.
    Untested,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Verdict::Ok => "ok",
            Verdict::Ignored => "ignored",
            Verdict::Narrows => "narrows",
            Verdict::Widens => "widens",
            Verdict::Misorders => "misorders",
            Verdict::Refused => "refused",
            Verdict::Untested => "untested",
        })
    }
}

/// The answer to one question, beside what the sample says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answer {
    /// The condition, as SQL writes it.
    pub condition: String,
    /// Rows of the sample were expected.
    pub expected: bool,
    /// Why nothing was sent for it.
    pub unsent: Option<String>,
    /// The API's refusal.
    pub refusal: Option<String>,
    /// Rows that the API returned.
    pub fetched: u64,
    /// Those of them for which the condition is not true.
    pub removed: u64,
    /// Rows of the sample for which it is true.
    pub matching: u64,
    /// Those of them that the answer lacks, and that a second sample still had.
    pub missing: u64,
    /// One of them.
    pub example: Option<String>,
    /// More pages followed than were read.
    pub partial: bool,
}

/// A verdict, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The verdict.
    pub verdict: Verdict,
    /// What was seen, in a user's words.
    pub detail: String,
}

/// What the answers say, beside a sample for which the API returned `fetched` rows, of which `kept` are compared with. The
/// worst that was seen counts.
pub fn finding(answers: &[Answer], fetched: u64, kept: u64) -> Finding {
    let sent: Vec<&Answer> = answers
        .iter()
        .filter(|answer| answer.unsent.is_none())
        .collect();
    // An API may refuse a value that it does not know.
    let refused = |answer: &&Answer| answer.expected && answer.refusal.is_some();
    let found = sent
        .iter()
        .copied()
        .find(refused)
        .map(refusal)
        .or_else(|| {
            sent.iter()
                .copied()
                .filter(|answer| answer.missing > 0)
                .map(loss)
                .next()
        })
        .or_else(|| surplus(&sent, fetched));
    found.unwrap_or_else(
        || match sent.iter().find(|answer| answer.refusal.is_none()) {
            // Where every row of the sample matches, all rows are the right answer.
        Some(_) if sent.iter().all(|answer| answer.expected && answer.matching >= kept) => Finding {
            verdict: Verdict::Untested,
            detail: "every row of the sample matches, so that it does not show whether the API filters".to_owned(),
        },
        Some(_) => agreement(&sent),
            None => Finding {
                verdict: Verdict::Untested,
                detail: nothing_sent(answers),
            },
        },
    )
}

fn refusal(answer: &Answer) -> Finding {
    let reason = answer.refusal.clone().unwrap_or_default();
    Finding {
        verdict: Verdict::Refused,
        detail: format!("{}: {reason}", answer.condition),
    }
}

fn loss(answer: &Answer) -> Finding {
    let example = answer
        .example
        .as_ref()
        .map(|row| format!(", such as {row}"));
    Finding {
        verdict: Verdict::Narrows,
        detail: format!(
            "{}: {} of {} matching rows of the sample are missing{}",
            answer.condition,
            answer.missing,
            answer.matching,
            example.unwrap_or_default()
        ),
    }
}

/// Rows that do not match: all of the sample's, or some.
fn surplus(sent: &[&Answer], sampled: u64) -> Option<Finding> {
    let worst = sent.iter().copied().find(|answer| answer.removed > 0)?;
    let others = || sent.iter().filter(|answer| answer.refusal.is_none());
    if sampled > 0 && others().all(|answer| answer.fetched >= sampled) {
        return Some(Finding {
            verdict: Verdict::Ignored,
            detail: format!("{}: all rows came, as without it", worst.condition),
        });
    }
    Some(Finding {
        verdict: Verdict::Widens,
        detail: format!(
            "{}: {} of {} rows that came do not match",
            worst.condition, worst.removed, worst.fetched
        ),
    })
}

fn agreement(sent: &[&Answer]) -> Finding {
    let shown = sent
        .iter()
        .filter(|answer| answer.refusal.is_none())
        .map(|answer| {
            let more = if answer.partial { " or more" } else { "" };
            let s = if answer.fetched == 1 { "" } else { "s" };
            format!("{}: {} row{s}{more}", answer.condition, answer.fetched)
        });
    Finding {
        verdict: Verdict::Ok,
        detail: shown.collect::<Vec<_>>().join("; "),
    }
}

fn nothing_sent(answers: &[Answer]) -> String {
    let reason = answers
        .iter()
        .find_map(|answer| answer.unsent.clone().or(answer.refusal.clone()));
    reason.unwrap_or_else(|| "there is nothing to ask".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(condition: &str, fetched: u64, removed: u64) -> Answer {
        Answer {
            condition: condition.to_owned(),
            expected: true,
            fetched,
            removed,
            matching: fetched - removed,
            ..Answer::default()
        }
    }

    fn verdict(answers: &[Answer]) -> Verdict {
        finding(answers, 10, 10).verdict
    }

    #[test]
    fn the_worst_that_was_seen_counts() {
        let good = answer("a = 1", 3, 0);
        let all = answer("a = 2", 10, 9);
        let some = answer("a = 3", 4, 1);
        let lost = Answer {
            missing: 1,
            example: Some("(7)".to_owned()),
            ..answer("a = 4", 4, 1)
        };
        let refused = Answer {
            refusal: Some("status 400".to_owned()),
            ..answer("a = 5", 0, 0)
        };
        let unsent = Answer {
            unsent: Some("a comma".to_owned()),
            ..answer("a = 6", 10, 9)
        };
        assert_eq!(verdict(std::slice::from_ref(&good)), Verdict::Ok);
        assert_eq!(verdict(&[good.clone(), some.clone()]), Verdict::Widens);
        assert_eq!(verdict(&[good.clone(), all.clone()]), Verdict::Widens);
        assert_eq!(verdict(&[all.clone(), all.clone()]), Verdict::Ignored);
        assert_eq!(verdict(&[all.clone(), lost.clone()]), Verdict::Narrows);
        assert_eq!(verdict(&[lost, refused.clone()]), Verdict::Refused);
        assert_eq!(verdict(&[good.clone(), unsent.clone()]), Verdict::Ok);
        assert_eq!(verdict(&[unsent]), Verdict::Untested);
        assert_eq!(verdict(&[]), Verdict::Untested);
        let every = answer("a >= 0", 10, 0);
        assert_eq!(verdict(std::slice::from_ref(&every)), Verdict::Untested);
        assert_eq!(verdict(&[every, good.clone()]), Verdict::Ok);
        let absent = Answer {
            expected: false,
            ..refused
        };
        assert_eq!(verdict(&[good, absent]), Verdict::Ok);
    }

    #[test]
    fn the_detail_says_what_was_seen() {
        let detail = |answers: &[Answer]| finding(answers, 10, 10).detail;
        assert_eq!(
            detail(&[Answer {
                missing: 2,
                example: Some("(7,x)".to_owned()),
                ..answer("a = 4", 4, 0)
            }]),
            "a = 4: 2 of 4 matching rows of the sample are missing, such as (7,x)"
        );
        assert_eq!(
            detail(&[answer("a = 4", 4, 1)]),
            "a = 4: 1 of 4 rows that came do not match"
        );
        let partial = Answer {
            partial: true,
            ..answer("a < 4", 4, 0)
        };
        assert_eq!(
            detail(&[answer("a = 4", 1, 0), partial]),
            "a = 4: 1 row; a < 4: 4 rows or more"
        );
    }
}
