//! The page of a request whose filter's text carries it, instead of parameters.

use super::inputs::Inputs;
use crate::model::Table;
use crate::pushdown::{PAGE, paged_parameter};

/// The inputs of the page at `position`, where the table's text has a place for it; else `None`.
pub(crate) fn at_page(
    table: &Table,
    inputs: &Inputs,
    size: Option<u64>,
    position: Option<&str>,
) -> Option<Inputs> {
    let parameter = paged_parameter(table)?;
    let limit = match (size, position) {
        (Some(size), Some(position)) => format!(" LIMIT {size} OFFSET {position}"),
        _ => String::new(),
    };
    let mut inputs = inputs.clone();
    let texts = inputs.query.iter_mut();
    for (_, text) in texts.filter(|(name, _)| name == parameter) {
        *text = text.replace(PAGE, &limit);
    }
    Some(inputs)
}
