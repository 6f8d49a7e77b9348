//! The page of a request whose filter's text carries it, instead of parameters.

use super::inputs::Inputs;
use crate::model::{Paging, Table};
use crate::pushdown::{PAGE, paged_parameter};
use std::borrow::Cow;

/// Whether a text carries the page, so that no parameters do.
pub(crate) fn is_in_text(table: &Table) -> bool {
    matches!(table.paging, Paging::Offset { .. }) && paged_parameter(table).is_some()
}

/// The inputs of the page at `position`, where the table's text has a place for it.
pub(crate) fn at_page<'a>(
    table: &Table,
    inputs: &'a Inputs,
    size: Option<u64>,
    position: Option<&str>,
) -> Cow<'a, Inputs> {
    let Some(parameter) = paged_parameter(table) else {
        return Cow::Borrowed(inputs);
    };
    let limit = match (size, position) {
        (Some(size), Some(position)) => format!(" LIMIT {size} OFFSET {position}"),
        _ => String::new(),
    };
    let mut inputs = inputs.clone();
    let in_url = inputs.query.iter_mut().map(|(name, text)| (name, text));
    let in_body = inputs.body.iter_mut();
    let in_body = in_body.map(|member| (&mut member.name, &mut member.value));
    for (_, text) in in_url.chain(in_body).filter(|(name, _)| *name == parameter) {
        *text = text.replace(PAGE, &limit);
    }
    Cow::Owned(inputs)
}
