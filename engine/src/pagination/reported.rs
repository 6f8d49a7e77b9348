//! What a response says of how much there is: `has_more_field`, totals, `page_count_field`.

use super::decision::PageFacts;
use crate::decode::{Envelope, Scalar};
use crate::model::{Segment, Table};

/// What a response says; `None` where it does not, or not yet.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Reported {
    pub(super) has_more: Option<bool>,
    pub(super) total: Option<u64>,
    pub(super) page_count: Option<u64>,
}

impl Reported {
    /// Reads what the table declares; an `Err` is the reason of a paging error.
    pub(super) fn read(table: &Table, facts: &PageFacts) -> Result<Self, String> {
        let body_total = counted("total_field", table.total_field.as_deref(), facts.envelope)?;
        let header_total = match &table.total_header {
            Some(name) => facts
                .header(name)
                .next()
                .map(|value| total_of_header(name, value))
                .transpose()?
                .flatten(),
            None => None,
        };
        Ok(Reported {
            has_more: has_more(table.has_more_field.as_deref(), facts.envelope)?,
            total: body_total.or(header_total),
            page_count: counted(
                "page_count_field",
                table.page_count_field.as_deref(),
                facts.envelope,
            )?,
        })
    }
}

fn has_more(path: Option<&[Segment]>, envelope: Option<&Envelope>) -> Result<Option<bool>, String> {
    let Some((path, scalar)) = find(path, envelope) else {
        return Ok(None);
    };
    let unclear = || {
        format!(
            "has_more_field \"{}\" is neither true nor false",
            path.join(".")
        )
    };
    match scalar {
        Scalar::Null => Ok(None),
        Scalar::Bool(more) => Ok(Some(*more)),
        Scalar::Number(text) | Scalar::Text(text) => match text.to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "y" => Ok(Some(true)),
            "false" | "0" | "no" | "n" | "" => Ok(Some(false)),
            _ => Err(unclear()),
        },
        Scalar::Other => Err(unclear()),
    }
}

fn counted(
    option: &str,
    path: Option<&[Segment]>,
    envelope: Option<&Envelope>,
) -> Result<Option<u64>, String> {
    let Some((path, scalar)) = find(path, envelope) else {
        return Ok(None);
    };
    let not_a_number = || {
        format!(
            "{option} \"{}\" is not a number of rows or pages",
            path.join(".")
        )
    };
    match scalar {
        Scalar::Null => Ok(None),
        Scalar::Number(text) | Scalar::Text(text) => {
            text.parse().map(Some).map_err(|_| not_a_number())
        }
        Scalar::Bool(_) | Scalar::Other => Err(not_a_number()),
    }
}

fn find<'a>(
    path: Option<&'a [Segment]>,
    envelope: Option<&'a Envelope>,
) -> Option<(&'a [Segment], &'a Scalar)> {
    let path = path?;
    envelope?.get(path).map(|scalar| (path, scalar))
}

/// A count, or the form of Content-Range (RFC 9110, section 14.4): `items 0-24/99`, `*/0`, `0-24/*`.
pub(crate) fn total_of_header(name: &str, value: &str) -> Result<Option<u64>, String> {
    let total = value
        .rsplit_once('/')
        .map_or(value, |(_, total)| total)
        .trim();
    if total == "*" || total.is_empty() {
        return Ok(None);
    }
    let not_a_number = || format!("header \"{name}\" holds no number of rows");
    total.parse().map(Some).map_err(|_| not_a_number())
}
