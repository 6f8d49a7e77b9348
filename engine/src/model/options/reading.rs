//! The options `method`, `body` and `body_type`: how rows are read by other methods than GET.

use super::error::{OptionError, OptionErrorKind};
use super::given::Given;
use super::secrets::names_a_credential;
use crate::model::{BodyKind, BodyPlan, Column, Method, ParameterPlace, Role};
use crate::request::BodyTemplate;

/// A method that reads.
pub(super) fn method(option: &str, value: &str) -> Result<Method, OptionError> {
    match value {
        "GET" => Ok(Method::Get),
        "POST" => Ok(Method::Post),
        "PUT" => Ok(Method::Put),
        "QUERY" => Ok(Method::Query),
        _ => Err(OptionError::invalid(
            option,
            format_args!("\"{value}\" is not a method to read with"),
        )
        .with_hint("Valid values are GET, POST, PUT and QUERY.")),
    }
}

/// What a body is.
pub(super) fn body_kind(option: &str, value: &str) -> Result<BodyKind, OptionError> {
    match value {
        "json" => Ok(BodyKind::Json),
        "form" => Ok(BodyKind::Form),
        "text" => Ok(BodyKind::Text),
        _ => Err(
            OptionError::invalid(option, format_args!("\"{value}\" is not a type of bodies"))
                .with_hint("Valid values are json, form and text."),
        ),
    }
}

/// A template of bodies. A credential in it is refused.
pub(super) fn body(option: &str, value: &str) -> Result<String, OptionError> {
    if let Some(name) = named(value).find(|name| names_a_credential(name)) {
        let message = format!("option \"{option}\" may not hold \"{name}\": it is a credential");
        return Err(
            OptionError::new(OptionErrorKind::Secret, message).with_hint(
                "Set token, api_key, or headers on the user mapping: secrets belong there only.",
            ),
        );
    }
    BodyTemplate::parse(value, BodyKind::Text)
        .map(|_| value.to_owned())
        .map_err(|reason| OptionError::invalid(option, reason).with_hint(EXAMPLE))
}

const EXAMPLE: &str =
    r#"For example: '{"size": {{ size }}{% if filter %}, "query": {{ filter }}{% endif %}}'."#;

/// The names in a text that have a value after them: `"name":`, `name=`.
fn named(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices([':', '=']).filter_map(|(at, _)| {
        let before = text[..at].trim_end().trim_end_matches('"');
        let is_name = |c: char| c.is_alphanumeric() || "_-.".contains(c);
        let start = before
            .char_indices()
            .rev()
            .take_while(|(_, c)| is_name(*c))
            .last()?
            .0;
        Some(&before[start..])
    })
}

/// The method of a table and what its bodies are made of.
pub(super) fn reading(
    given: &Given,
    own: &Given,
    columns: &[Column],
) -> Result<(Method, Option<BodyPlan>), OptionError> {
    let method = given.read("method", method)?.unwrap_or_default();
    if method == Method::Get {
        nothing_is_for_a_body(own, columns)?;
        return Ok((method, None));
    }
    let plan = BodyPlan {
        kind: given.read("body_type", body_kind)?.unwrap_or_default(),
        template: given.read("body", body)?,
    };
    match &plan.template {
        None if plan.kind == BodyKind::Text => {
            let message = "body_type 'text' needs option \"body\"";
            return Err(OptionError::new(OptionErrorKind::Missing, message)
                .with_hint("For example: '{{ filter }}'."));
        }
        None => {}
        Some(template) => {
            let template = BodyTemplate::parse(template, plan.kind)
                .map_err(|reason| OptionError::invalid("body", reason))?;
            every_column_is_used(&template, columns.iter().filter(is_in_body))?;
        }
    }
    Ok((method, Some(plan)))
}

fn is_in_body(column: &&Column) -> bool {
    matches!(
        &column.role,
        Role::Parameter {
            place: ParameterPlace::Body,
            ..
        }
    )
}

/// Refuses what only a body could carry, where requests have none.
fn nothing_is_for_a_body(own: &Given, columns: &[Column]) -> Result<(), OptionError> {
    for option in ["body", "body_type"] {
        if own.text(option).is_some() {
            let message = format!("option \"{option}\" has no effect with method 'GET'");
            return Err(OptionError::conflict(message).with_hint("Set method 'POST'."));
        }
    }
    if let Some(column) = columns.iter().find(is_in_body) {
        let message = format!(
            "column \"{}\" declares param_in 'body', and requests by GET have none",
            column.name
        );
        return Err(OptionError::conflict(message).with_hint("Set method 'POST'."));
    }
    Ok(())
}

fn every_column_is_used<'a>(
    template: &BodyTemplate,
    columns: impl Iterator<Item = &'a Column>,
) -> Result<(), OptionError> {
    for column in columns {
        if let Role::Parameter { name, .. } = &column.role
            && !template.uses_parameter(name)
        {
            let message = format!(
                "column \"{}\" declares param_in 'body', and option \"body\" does not use it",
                column.name
            );
            let hint = format!("Write {{{{ params.{name} }}}} where it goes.");
            return Err(OptionError::conflict(message).with_hint(hint));
        }
    }
    Ok(())
}
