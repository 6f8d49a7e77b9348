//! The option `operators`: a JSON object of templates, one an operator.

use super::constants::Members;
use super::error::OptionError;
use crate::model::{
    Dialect, Operators, ParameterTemplate, Spelled, Takes, TemplateError, Word, unknown_placeholder,
};
use serde_json::Value;

/// Reads the templates. Whether they are those of a dialect of parameters or of JSON documents shows
/// with the dialect: [`fitting`].
pub(super) fn operators(option: &str, value: &str) -> Result<Operators, OptionError> {
    let members: Members = serde_json::from_str(value).map_err(|error| {
        OptionError::invalid(option, format_args!("not a JSON object: {error}")).with_hint(EXAMPLE)
    })?;
    let mut operators = Operators::default();
    for (name, raw) in members.0 {
        let word = word(option, &name)?;
        if operators.spelled(word).is_some() {
            let reason = format!("\"{name}\" is given twice");
            return Err(OptionError::invalid(option, reason));
        }
        let template = serde_json::from_str(raw.get())
            .map_err(|error| OptionError::invalid(option, format_args!("\"{name}\": {error}")))?;
        let spelled = spelled(word, template).map_err(|error| {
            OptionError::invalid(option, format_args!("\"{name}\": {}", error.reason))
                .with_hint(error.hint)
        })?;
        operators.0.push((word, spelled));
    }
    Ok(operators)
}

const EXAMPLE: &str =
    r#"For example: '{">=": "{name}__gte={value}", "in": "{name}__in={values:csv}"}'."#;

fn word(option: &str, name: &str) -> Result<Word, OptionError> {
    Word::parse(name).ok_or_else(|| {
        let nearest = Word::all().min_by_key(|word| strsim::damerau_levenshtein(word, name));
        let hint = match nearest {
            Some(word) if strsim::damerau_levenshtein(word, name) <= 2 && name.len() > 2 => {
                format!("Perhaps you meant \"{word}\".")
            }
            _ => format!(
                "Operators are {}.",
                Word::all().collect::<Vec<_>>().join(", ")
            ),
        };
        OptionError::invalid(option, format_args!("\"{name}\" is not an operator")).with_hint(hint)
    })
}

fn spelled(word: Word, template: Value) -> Result<Spelled, TemplateError> {
    match template {
        Value::Null => Ok(Spelled::Never),
        Value::String(text) if word == Word::And && text == "merge" => Ok(Spelled::Merged),
        Value::String(text) => {
            let template = ParameterTemplate::parse(&text)?;
            fits(word, template.takes_value(), template.takes_list())?;
            Ok(Spelled::Parameter(template))
        }
        Value::Object(_) | Value::Array(_) => {
            let used = json_placeholders(&template)?;
            let has = |names: &[&str]| used.iter().any(|used| names.contains(&used.as_str()));
            if word.takes() == Takes::Arms {
                return if has(&["arms"]) {
                    Ok(Spelled::Json(template))
                } else {
                    Err(without("{arms}"))
                };
            }
            fits(word, has(SCALARS), has(&["values"]))?;
            Ok(Spelled::Json(template))
        }
        Value::Bool(_) | Value::Number(_) => Err(TemplateError::new(
            "a template is a text or, for dialect json, a JSON object",
            EXAMPLE,
        )),
    }
}

/// Whether a template takes what its operator has.
fn fits(word: Word, takes_value: bool, takes_list: bool) -> Result<(), TemplateError> {
    match word.takes() {
        Takes::Value if takes_value || takes_list => Ok(()),
        Takes::Value => Err(without("{value}")),
        Takes::List if takes_value => Err(TemplateError::new(
            "an operator with a list takes no {value}",
            "Write {values:csv}, {values:json}, {values:json_csv} or {values:repeat}; in dialect json \"{values}\".",
        )),
        Takes::List if takes_list => Ok(()),
        Takes::List => Err(without("{values:csv}")),
        Takes::Nothing if takes_value || takes_list => Err(TemplateError::new(
            "the operator has no value",
            "Write for example {name}__isnull=true.",
        )),
        Takes::Nothing => Ok(()),
        Takes::Arms => Err(TemplateError::new(
            "a parameter of its own cannot join conditions",
            "Only dialect json spells and, or: write a JSON object with \"{arms}\" in it.",
        )),
    }
}

fn without(placeholder: &str) -> TemplateError {
    TemplateError::new(
        format!("the template has no {placeholder}"),
        format!("Write {placeholder} where it goes."),
    )
}

const SCALARS: &[&str] = &["value", "value:text", "value:base64", "next:base64"];
const JSON_PLACEHOLDERS: [&str; 7] = [
    "name",
    "value",
    "value:text",
    "value:base64",
    "next:base64",
    "values",
    "arms",
];

/// The placeholders in a JSON template.
fn json_placeholders(template: &Value) -> Result<Vec<String>, TemplateError> {
    let mut found = Vec::new();
    match template {
        Value::String(text) => found.extend(placeholder(text)?),
        Value::Array(elements) => {
            for element in elements {
                found.extend(json_placeholders(element)?);
            }
        }
        Value::Object(members) => {
            for (name, member) in members {
                found.extend(placeholder(name)?);
                found.extend(json_placeholders(member)?);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
    Ok(found)
}

/// A text in a JSON template is a placeholder or itself.
fn placeholder(text: &str) -> Result<Option<String>, TemplateError> {
    let Some(name) = text
        .strip_prefix('{')
        .and_then(|text| text.strip_suffix('}'))
    else {
        return Ok(None);
    };
    if JSON_PLACEHOLDERS.contains(&name) {
        return Ok(Some(name.to_owned()));
    }
    Err(unknown_placeholder(name, &JSON_PLACEHOLDERS))
}

/// These dialects have one spelling, which no template changes.
fn no_effect(operators: &Operators) -> Result<(), OptionError> {
    if operators.0.is_empty() {
        return Ok(());
    }
    let message = "option \"operators\" has no effect in this dialect";
    Err(OptionError::conflict(message).with_hint(
        "The dialects plain, brackets, suffix, jsonapi, operators and json have templates.",
    ))
}

/// Whether the templates are of the dialect's kind.
pub(super) fn fitting(operators: &Operators, dialect: Dialect) -> Result<(), OptionError> {
    let takes_json = match dialect {
        Dialect::Json(_) => true,
        Dialect::Plain
        | Dialect::Brackets(_)
        | Dialect::Suffix(_)
        | Dialect::JsonApi
        | Dialect::Operators => false,
        Dialect::Odata
        | Dialect::Postgrest
        | Dialect::Prometheus
        | Dialect::Search
        | Dialect::Selectors
        | Dialect::Sql => return no_effect(operators),
    };
    let misfits = operators.0.iter().any(|(_, spelled)| match spelled {
        Spelled::Never => false,
        Spelled::Parameter(_) => takes_json,
        Spelled::Json(_) | Spelled::Merged => !takes_json,
    });
    if !misfits {
        return Ok(());
    }
    Err(if takes_json {
        OptionError::conflict("dialect 'json' takes JSON templates in option \"operators\"")
            .with_hint(r#"For example: '{">=": {"{name}": {"gte": "{value}"}}}'."#)
    } else {
        OptionError::conflict("only dialect 'json' takes JSON templates in option \"operators\"")
            .with_hint(EXAMPLE)
    })
}
