//! How an API is asked for an order, and for some members of its rows only.

use super::definition::ColumnDefinition;
use super::error::{OptionError, OptionErrorKind};
use super::given::Given;
use super::{paging, quantity};
use crate::model::{Format, NullsOrder, Role, RowsShape, Sort, SortStyle, Sorting, Table};
use crate::pushdown;

#[cfg(test)]
mod tests;

/// A style of writing directions, before the parameter that it needs is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    Minus,
    Colon,
    Space,
    OrderParam,
    DescParam,
    AscendingOnly,
}

/// The styles of writing directions.
pub(super) fn style(option: &str, value: &str) -> Result<Style, OptionError> {
    match value {
        "minus" => Ok(Style::Minus),
        "colon" => Ok(Style::Colon),
        "space" => Ok(Style::Space),
        "order_param" => Ok(Style::OrderParam),
        "desc_param" => Ok(Style::DescParam),
        "none" => Ok(Style::AscendingOnly),
        _ => Err(OptionError::invalid(
            option,
            format_args!("\"{value}\" is not a style of writing directions"),
        )
        .with_hint("Valid values are minus, colon, space, order_param, desc_param and none.")),
    }
}

/// What a column is declared with that the API cannot order by, though the dialect could say so.
const NO_SORT: &str = "none";

/// `none`, a name, or both spellings: `ascending/descending`.
pub(super) fn sort(option: &str, value: &str) -> Result<Option<Sort>, OptionError> {
    if value.trim() == NO_SORT {
        return Ok(None);
    }
    let spellings: Vec<&str> = value.split('/').map(str::trim).collect();
    if spellings
        .iter()
        .any(|text| text.is_empty() || text.contains(char::is_control))
    {
        return Err(
            OptionError::invalid(option, "a name is empty or holds a control character")
                .with_hint(EXAMPLE),
        );
    }
    match spellings.as_slice() {
        [name] if name.starts_with('-') => Err(OptionError::invalid(
            option,
            format_args!("\"{name}\" begins with a minus, which writes a descending order"),
        )
        .with_hint(EXAMPLE)),
        [name] => Ok(Some(Sort {
            name: (*name).to_owned(),
            descending: None,
        })),
        [ascending, descending] => Ok(Some(Sort {
            name: (*ascending).to_owned(),
            descending: Some((*descending).to_owned()),
        })),
        _ => Err(OptionError::invalid(
            option,
            format_args!("\"{value}\" has more than two spellings"),
        )
        .with_hint(EXAMPLE)),
    }
}

const EXAMPLE: &str = "Write the API's name, for example 'updated', or the whole of both spellings, ascending/descending, for example 'time-asc/time'.";

/// Where the API puts NULLs.
pub(super) fn nulls(option: &str, value: &str) -> Result<NullsOrder, OptionError> {
    match value {
        "first" => Ok(NullsOrder::First),
        "last" => Ok(NullsOrder::Last),
        "low" => Ok(NullsOrder::Low),
        "high" => Ok(NullsOrder::High),
        _ => Err(
            OptionError::invalid(option, format_args!("\"{value}\" is not a place for NULLs"))
                .with_hint("Valid values are first and last (in both directions), low and high (as if smaller or larger than every value)."),
        ),
    }
}

/// Whether the column is never ordered by.
pub(super) fn is_unsorted(given: &Given) -> bool {
    given
        .text("sort")
        .is_some_and(|text| text.trim() == NO_SORT)
}

/// What a column declares; it must be able to have an effect.
pub(super) fn of_column(
    column: &ColumnDefinition,
    role: &Role,
) -> Result<Option<Sort>, OptionError> {
    let given = Given::one(&column.options);
    let declared = given.read("sort", sort)?.flatten();
    for option in ["sort", "sort_nulls"] {
        if given.text(option).is_some() && matches!(role, Role::Parameter { .. }) {
            let message = format!(
                "a parameter column takes no option \"{option}\": all rows of a request have its value"
            );
            return Err(OptionError::conflict(message));
        }
    }
    if is_unsorted(&given) && given.text("sort_nulls").is_some() {
        let message = "option \"sort_nulls\" has no effect with sort 'none'";
        return Err(OptionError::conflict(message));
    }
    match column.ty.unordered() {
        Some(reason) if declared.is_some() => {
            let message = format!(
                "option \"sort\" has no effect on type {}: {reason}",
                column.type_name
            );
            Err(OptionError::conflict(message))
        }
        _ => Ok(declared),
    }
}

/// A table's way to ask for an order; `own` are the options of the table alone.
pub(super) fn of_table(given: &Given, own: &Given) -> Result<Sorting, OptionError> {
    let declared = given.read("sort_style", style)?;
    for (option, name, its_style) in [
        ("order_param", "order_param", Style::OrderParam),
        ("sort_desc_param", "desc_param", Style::DescParam),
    ] {
        if own.text(option).is_some() && declared != Some(its_style) {
            let message = format!("option \"{option}\" has no effect without sort_style '{name}'");
            return Err(OptionError::conflict(message));
        }
    }
    let style = declared.map(|style| with_its_parameter(style, given));
    Ok(Sorting {
        param: given.read("sort_param", paging::parameter)?,
        style: style.transpose()?,
        max_keys: given
            .read("max_sort_keys", quantity::positive)?
            .map(|most| usize::try_from(most).unwrap_or(usize::MAX)),
    })
}

fn with_its_parameter(style: Style, given: &Given) -> Result<SortStyle, OptionError> {
    Ok(match style {
        Style::Minus => SortStyle::Minus,
        Style::Colon => SortStyle::Colon,
        Style::Space => SortStyle::Space,
        Style::AscendingOnly => SortStyle::AscendingOnly,
        Style::OrderParam => SortStyle::OrderParam(
            given
                .read("order_param", paging::parameter)?
                .unwrap_or_else(|| "order".to_owned()),
        ),
        Style::DescParam => match given.read("sort_desc_param", paging::parameter)? {
            Some(name) => SortStyle::DescParam(name),
            None => {
                let message = "sort_style 'desc_param' needs option \"sort_desc_param\"";
                let error = OptionError::new(OptionErrorKind::Missing, message.to_owned());
                return Err(error.with_hint("Name the parameter that asks for a descending order."));
            }
        },
    })
}

/// The parameters that an order and a list of fields are asked by, and what sets them.
pub(super) fn parameters(table: &Table) -> Vec<(String, &'static str)> {
    let order = pushdown::order_parameters(table).into_iter();
    let fields = table.fields_param.iter();
    order
        .map(|name| (name, "the order"))
        .chain(fields.map(|name| (name.clone(), "option \"fields_param\"")))
        .collect()
}

/// Refuses options that never come to anything; `own` are the options of the table alone.
pub(super) fn has_effect(table: &Table, own: &Given) -> Result<(), OptionError> {
    let sortable = |index: &usize| pushdown::sorts(table, *index).is_ok();
    let sortable: Vec<usize> = (0..table.columns.len()).filter(sortable).collect();
    if sortable.is_empty() {
        let of_order = ["sort_param", "sort_style", "max_sort_keys"];
        if let Some(option) = of_order.iter().find(|name| own.text(name).is_some()) {
            let message =
                format!("option \"{option}\" has no effect: no column declares option \"sort\"");
            return Err(OptionError::conflict(message)
                .with_hint("Set option \"sort\" on the columns that the API can order by."));
        }
    }
    for (index, column) in table.columns.iter().enumerate() {
        if let (Some(_), Err(reason)) = (&column.sort, pushdown::sorts(table, index)) {
            let message = format!("option \"sort\" has no effect: {reason}");
            return Err(OptionError::conflict(message).in_column(&column.name, &table.name));
        }
    }
    let is_idle =
        |index: &usize| table.columns[*index].sort_nulls.is_some() && !sortable.contains(index);
    if let Some(index) = (0..table.columns.len()).find(is_idle) {
        let message = "option \"sort_nulls\" has no effect without option \"sort\"";
        return Err(
            OptionError::conflict(message).in_column(&table.columns[index].name, &table.name)
        );
    }
    fields_have_names(table, own)
}

/// Refuses a list of columns where rows are read by their places.
fn fields_have_names(table: &Table, own: &Given) -> Result<(), OptionError> {
    let by_place = match table.shape {
        RowsShape::Arrays { .. } if matches!(table.format, Format::Csv(_)) => {
            Some("csv_header 'off'")
        }
        RowsShape::Arrays {
            columns_field: None,
        } => Some("rows_shape 'arrays'"),
        RowsShape::Values => Some("rows_shape 'values'"),
        _ => None,
    };
    match by_place {
        Some(declared) if own.text("fields_param").is_some() => {
            let message = format!(
                "option \"fields_param\" has no effect with {declared}: its rows have no names"
            );
            Err(OptionError::conflict(message))
        }
        _ => Ok(()),
    }
}
