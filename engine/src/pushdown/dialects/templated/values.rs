//! Templates and values → parameters.

use crate::model::{Column, ParameterTemplate, Piece, Placeholder};
use crate::pushdown::dialects::Parameter;
use crate::pushdown::dialects::quoting::is_bare;
use crate::request::placeholder;

/// A value's text, plain and in JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Text {
    plain: String,
    json: String,
}

impl Text {
    /// A column's value.
    pub(super) fn of(column: &Column, plain: String) -> Text {
        let json = if is_bare(column) {
            plain.clone()
        } else {
            serde_json::Value::from(plain.as_str()).to_string()
        };
        Text { plain, json }
    }

    /// A value that only comes when the query runs.
    pub(super) fn unknown(name: &str) -> Text {
        let plain = placeholder(name);
        Text {
            json: plain.clone(),
            plain,
        }
    }
}

/// Why a comma cannot be sent in a list with commas.
pub(super) const COMMA: &str = "the API would take its comma for the end of a list's element";

/// The parameters that a template makes of values (none, one or a list).
///
/// # Errors
/// Why the list's syntax cannot carry a value.
pub(super) fn filled(
    template: &ParameterTemplate,
    name: &str,
    values: &[Text],
) -> Result<Vec<Parameter>, String> {
    let is_list = template.has(Placeholder::ValuesCsv);
    if is_list && values.iter().any(|value| value.plain.contains(',')) {
        return Err(COMMA.to_owned());
    }
    if template.has(Placeholder::ValuesRepeat) {
        let each = values.iter().enumerate();
        return Ok(each
            .map(|(index, value)| parameter(template, name, index, std::slice::from_ref(value)))
            .collect());
    }
    Ok(vec![parameter(template, name, 0, values)])
}

/// The name of the (first) parameter that a template makes.
pub(super) fn name(template: &ParameterTemplate, name: &str) -> String {
    text(&template.name, name, 0, &[])
}

fn parameter(template: &ParameterTemplate, name: &str, index: usize, values: &[Text]) -> Parameter {
    let parameter = Parameter::query(
        text(&template.name, name, index, values),
        text(&template.value, name, index, values),
    );
    let is_json = match (template.value.as_slice(), values) {
        ([Piece::Place(Placeholder::ValueJson | Placeholder::ValuesJson)], _) => true,
        // A number is one in JSON, too.
        ([Piece::Place(_)], [value]) => value.plain == value.json,
        _ => false,
    };
    if is_json {
        parameter.in_json()
    } else {
        parameter
    }
}

fn text(pieces: &[Piece], name: &str, index: usize, values: &[Text]) -> String {
    pieces
        .iter()
        .map(|piece| match piece {
            Piece::Literal(text) => text.clone(),
            Piece::Place(place) => filling(*place, name, index, values),
        })
        .collect()
}

fn filling(place: Placeholder, name: &str, index: usize, values: &[Text]) -> String {
    let joined = |text: fn(&Text) -> &str| {
        let texts: Vec<&str> = values.iter().map(text).collect();
        texts.join(",")
    };
    match place {
        Placeholder::Name => name.to_owned(),
        Placeholder::Index => index.to_string(),
        Placeholder::Value | Placeholder::ValuesCsv | Placeholder::ValuesRepeat => {
            joined(|value| &value.plain)
        }
        Placeholder::ValueJson | Placeholder::ValuesJsonCsv => joined(|value| &value.json),
        Placeholder::ValuesJson => format!("[{}]", joined(|value| &value.json)),
    }
}
