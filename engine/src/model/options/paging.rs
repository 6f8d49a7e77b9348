//! How a table is paged.

use super::definition::ColumnDefinition;
use super::error::{OptionError, OptionErrorKind};
use super::given::Given;
use super::{columns, header, path, quantity};
use crate::model::{Column, Location, Paging, Role};

/// A name of `pagination`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    None,
    Link,
    NextUrl,
    Cursor,
    Page,
    Offset,
    Keyset,
}

/// The styles of paging.
pub(super) fn style(option: &str, value: &str) -> Result<Option<Style>, OptionError> {
    match value {
        "auto" => Ok(None),
        "none" => Ok(Some(Style::None)),
        "link" => Ok(Some(Style::Link)),
        "next_url" => Ok(Some(Style::NextUrl)),
        "cursor" => Ok(Some(Style::Cursor)),
        "page" => Ok(Some(Style::Page)),
        "offset" => Ok(Some(Style::Offset)),
        "keyset" => Ok(Some(Style::Keyset)),
        _ => Err(OptionError::invalid(
            option,
            format_args!("\"{value}\" is not a style of paging"),
        )
        .with_hint(
            "Valid values are auto, none, link, next_url, cursor, page, offset and keyset.",
        )),
    }
}

/// A request parameter's name.
pub(super) fn parameter(option: &str, value: &str) -> Result<String, OptionError> {
    if value.is_empty() || value.contains(char::is_control) {
        return Err(OptionError::invalid(
            option,
            "a parameter's name is empty or holds a control character",
        ));
    }
    Ok(value.to_owned())
}

/// Reads a table's paging; `columns` were read from `definitions`.
pub(super) fn paging(
    given: &Given,
    definitions: &[ColumnDefinition],
    columns: &[Column],
) -> Result<Paging, OptionError> {
    let Some(style) = given.read("pagination", style)?.flatten() else {
        refuse_details_of_no_style(given)?;
        return Ok(Paging::Auto);
    };
    Ok(match style {
        Style::None => Paging::None,
        Style::Link => Paging::Link,
        Style::NextUrl => Paging::NextUrl {
            at: location(given, "next_url")?,
        },
        Style::Cursor => Paging::Cursor {
            param: needed(given, "cursor_param", "cursor", parameter)?,
            at: location(given, "cursor")?,
        },
        Style::Page => Paging::Page {
            param: given
                .read("page_param", parameter)?
                .unwrap_or_else(|| "page".to_owned()),
            first: given.read("first_page", quantity::count)?.unwrap_or(1),
        },
        Style::Offset => Paging::Offset {
            param: given
                .read("offset_param", parameter)?
                .unwrap_or_else(|| "offset".to_owned()),
            first: given.read("first_offset", quantity::count)?.unwrap_or(0),
        },
        Style::Keyset => keyset(given, definitions, columns)?,
    })
}

fn keyset(
    given: &Given,
    definitions: &[ColumnDefinition],
    columns: &[Column],
) -> Result<Paging, OptionError> {
    let param = needed(given, "cursor_param", "keyset", parameter)?;
    let name = needed(given, "cursor_column", "keyset", columns::name)?;
    let index = columns::find("cursor_column", &name, definitions)?;
    match &columns[index].role {
        Role::Field(field) => Ok(Paging::Keyset {
            param,
            field: field.clone(),
        }),
        Role::Parameter { .. } => {
            let message = format!(
                "option \"cursor_column\" names \"{name}\", which is an input of the request"
            );
            Err(OptionError::conflict(message)
                .with_hint("Name a column that the response carries."))
        }
    }
}

fn location(given: &Given, what: &str) -> Result<Location, OptionError> {
    if let Some(name) = given.read(&format!("{what}_header"), header::token)? {
        return Ok(Location::Header(name));
    }
    match given.read(&format!("{what}_field"), path::member)? {
        Some(at) => Ok(Location::Body(at)),
        None => {
            let message =
                format!("pagination '{what}' needs option \"{what}_field\" or \"{what}_header\"");
            Err(OptionError::new(OptionErrorKind::Missing, message))
        }
    }
}

fn needed<T>(
    given: &Given,
    option: &str,
    style: &str,
    parse: impl Fn(&str, &str) -> Result<T, OptionError>,
) -> Result<T, OptionError> {
    let missing = || {
        let message = format!("pagination '{style}' needs option \"{option}\"");
        OptionError::new(OptionErrorKind::Missing, message)
    };
    given.read(option, parse)?.ok_or_else(missing)
}

/// Details of a style that was never chosen are a mistake: they would be ignored in silence.
fn refuse_details_of_no_style(given: &Given) -> Result<(), OptionError> {
    const DETAILS: [(&str, &str); 10] = [
        ("page_param", "page"),
        ("first_page", "page"),
        ("offset_param", "offset"),
        ("first_offset", "offset"),
        ("cursor_field", "cursor"),
        ("cursor_header", "cursor"),
        ("cursor_column", "keyset"),
        ("cursor_param", "cursor"),
        ("next_url_field", "next_url"),
        ("next_url_header", "next_url"),
    ];
    match DETAILS
        .iter()
        .find(|(option, _)| given.text(option).is_some())
    {
        None => Ok(()),
        Some((option, style)) => {
            let message =
                format!("option \"{option}\" has no effect without option \"pagination\"");
            Err(OptionError::conflict(message).with_hint(format!("Set pagination '{style}'.")))
        }
    }
}
