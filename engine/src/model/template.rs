//! Templates of request parameters: `{name}__gte={value}`, taken apart.

use serde::{Deserialize, Serialize};

/// A parameter with places to fill in. It splits at the first `=` outside of a placeholder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParameterTemplate {
    /// What makes the parameter's name.
    pub name: Vec<Piece>,
    /// What makes its value.
    pub value: Vec<Piece>,
}

/// A piece of a template.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Piece {
    /// This text.
    Literal(String),
    /// What a place is filled with.
    Place(Placeholder),
}

/// What a place in a template is filled with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Placeholder {
    /// `{name}`: the column's name at the API.
    Name,
    /// `{index}`: the number of the value in its list, from 0.
    Index,
    /// `{value}`: the value.
    Value,
    /// `{value:json}`: the value in JSON, text quoted.
    ValueJson,
    /// `{values:csv}`: the values with commas between.
    ValuesCsv,
    /// `{values:json}`: a JSON array.
    ValuesJson,
    /// `{values:json_csv}`: the values in JSON with commas between.
    ValuesJsonCsv,
    /// `{values:repeat}`: a value; the whole template once a value.
    ValuesRepeat,
}

/// All placeholders, as they are written.
const PLACEHOLDERS: [(&str, Placeholder); 8] = [
    ("name", Placeholder::Name),
    ("index", Placeholder::Index),
    ("value", Placeholder::Value),
    ("value:json", Placeholder::ValueJson),
    ("values:csv", Placeholder::ValuesCsv),
    ("values:json", Placeholder::ValuesJson),
    ("values:json_csv", Placeholder::ValuesJsonCsv),
    ("values:repeat", Placeholder::ValuesRepeat),
];

/// What is wrong with a template, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateError {
    /// What is wrong.
    pub reason: String,
    /// What to do.
    pub hint: String,
}

impl TemplateError {
    /// A mistake and what to do about it.
    pub(crate) fn new(reason: impl Into<String>, hint: impl Into<String>) -> Self {
        TemplateError {
            reason: reason.into(),
            hint: hint.into(),
        }
    }
}

impl ParameterTemplate {
    /// Takes a template apart.
    ///
    /// # Errors
    /// What no parameter can be made of: an unknown placeholder, braces that are not balanced, no `=`, no name.
    pub fn parse(text: &str) -> Result<ParameterTemplate, TemplateError> {
        let pieces = pieces(text, &|written| {
            let found = PLACEHOLDERS.iter().find(|(name, _)| *name == written);
            found
                .map(|(_, placeholder)| *placeholder)
                .ok_or_else(|| unknown(written, &PLACEHOLDERS.map(|(name, _)| name)))
        })?;
        let template = split(pieces).ok_or_else(|| {
            TemplateError::new(
                format!("\"{text}\" has no = between a parameter's name and its value"),
                "Write for example {name}__gte={value}.",
            )
        })?;
        template.check(text).map(|()| template)
    }

    /// Whether `placeholder` occurs.
    pub fn has(&self, placeholder: Placeholder) -> bool {
        let is_it = |piece: &Piece| *piece == Piece::Place(placeholder);
        self.name.iter().chain(&self.value).any(is_it)
    }

    /// Whether it takes a list.
    pub fn takes_list(&self) -> bool {
        [
            Placeholder::ValuesCsv,
            Placeholder::ValuesJson,
            Placeholder::ValuesJsonCsv,
            Placeholder::ValuesRepeat,
        ]
        .into_iter()
        .any(|placeholder| self.has(placeholder))
    }

    /// Whether it takes one value.
    pub fn takes_value(&self) -> bool {
        self.has(Placeholder::Value) || self.has(Placeholder::ValueJson)
    }

    fn check(&self, text: &str) -> Result<(), TemplateError> {
        let mistake = |reason: &str, hint: &str| {
            Err(TemplateError::new(format!("\"{text}\" {reason}"), hint))
        };
        if self.name.is_empty() {
            return mistake(
                "has no parameter's name before its =",
                "Write for example {name}__gte={value}.",
            );
        }
        let is_value = |piece: &Piece| {
            !matches!(
                piece,
                Piece::Literal(_) | Piece::Place(Placeholder::Name | Placeholder::Index)
            )
        };
        if self.name.iter().any(is_value) {
            return mistake(
                "has a value in the parameter's name",
                "The name may hold {name} and {index}; values belong after the first =.",
            );
        }
        if self.has(Placeholder::Index) && !self.has(Placeholder::ValuesRepeat) {
            return mistake(
                "has {index} without {values:repeat}",
                "Only a template that is repeated for each value can number them.",
            );
        }
        Ok(())
    }
}

/// Splits a text at its placeholders; `read` understands what stands in braces.
fn pieces(
    text: &str,
    read: &impl Fn(&str) -> Result<Placeholder, TemplateError>,
) -> Result<Vec<Piece>, TemplateError> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(open) = rest.find(['{', '}']) {
        let inside = rest[open..]
            .strip_prefix('{')
            .ok_or_else(|| unbalanced(text))?;
        let close = inside.find(['{', '}']).ok_or_else(|| unbalanced(text))?;
        if !inside[close..].starts_with('}') {
            return Err(unbalanced(text));
        }
        if open > 0 {
            pieces.push(Piece::Literal(rest[..open].to_owned()));
        }
        pieces.push(Piece::Place(read(&inside[..close])?));
        rest = &inside[close + 1..];
    }
    if !rest.is_empty() {
        pieces.push(Piece::Literal(rest.to_owned()));
    }
    Ok(pieces)
}

fn unbalanced(text: &str) -> TemplateError {
    TemplateError::new(
        format!("the braces of \"{text}\" are not balanced"),
        "Braces stand around placeholders only, for example {value}.",
    )
}

fn split(pieces: Vec<Piece>) -> Option<ParameterTemplate> {
    let mut template = ParameterTemplate {
        name: Vec::new(),
        value: Vec::new(),
    };
    let mut is_split = false;
    for piece in pieces {
        match piece {
            Piece::Literal(text) if !is_split => match text.split_once('=') {
                Some((before, after)) => {
                    is_split = true;
                    template.name.extend(literal(before));
                    template.value.extend(literal(after));
                }
                None => template.name.push(Piece::Literal(text)),
            },
            piece if is_split => template.value.push(piece),
            piece => template.name.push(piece),
        }
    }
    is_split.then_some(template)
}

fn literal(text: &str) -> Option<Piece> {
    (!text.is_empty()).then(|| Piece::Literal(text.to_owned()))
}

/// The mistake of a placeholder that is none, with the nearest one that is.
pub(crate) fn unknown(written: &str, valid: &[&str]) -> TemplateError {
    let nearest = valid
        .iter()
        .min_by_key(|name| strsim::damerau_levenshtein(name, written));
    let braced: Vec<String> = valid.iter().map(|name| format!("{{{name}}}")).collect();
    let hint = match nearest {
        Some(name) if strsim::damerau_levenshtein(name, written) <= 4 => {
            format!("Perhaps you meant {{{name}}}.")
        }
        _ => format!("Placeholders are {}.", braced.join(", ")),
    };
    TemplateError::new(format!("{{{written}}} is not a placeholder"), hint)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn a_template_splits_at_its_first_equals_sign() {
        let template = ParameterTemplate::parse("{name}[in]=a={value}").unwrap();
        assert_eq!(
            template.name,
            [
                Piece::Place(Placeholder::Name),
                Piece::Literal("[in]".to_owned())
            ]
        );
        assert_eq!(
            template.value,
            [
                Piece::Literal("a=".to_owned()),
                Piece::Place(Placeholder::Value)
            ]
        );
    }

    #[test]
    fn mistakes_are_told_with_what_to_do() {
        for (text, reason, hint) in [
            (
                "{nam}={value}",
                "{nam} is not a placeholder",
                "Perhaps you meant {name}.",
            ),
            (
                "{name}={values:jsn}",
                "{values:jsn} is not a placeholder",
                "Perhaps you meant {values:json}.",
            ),
            (
                "{name",
                "the braces of \"{name\" are not balanced",
                "for example {value}",
            ),
            ("{name}}=1", "are not balanced", "for example {value}"),
            ("{name}{value}", "has no = between", "{name}__gte={value}"),
            ("={value}", "has no parameter's name", "{name}__gte={value}"),
            (
                "{value}={name}",
                "has a value in the parameter's name",
                "belong after",
            ),
            (
                "{name}[{index}]={value}",
                "{index} without {values:repeat}",
                "repeated",
            ),
        ] {
            let error = ParameterTemplate::parse(text).unwrap_err();
            assert!(error.reason.contains(reason), "{text}: {}", error.reason);
            assert!(error.hint.contains(hint), "{text}: {}", error.hint);
        }
    }
}
