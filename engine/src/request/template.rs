//! The option `body`: a template over what is sent (minijinja's syntax, which is Jinja's).

use super::percent::encode_value;
use crate::model::BodyKind;
use minijinja::{AutoEscape, Environment, ErrorKind, UndefinedBehavior};
use serde_json::Map;
use std::collections::HashSet;
use std::io::{self, Write};

/// A template of bodies.
#[derive(Debug)]
pub(crate) struct BodyTemplate {
    environment: Environment<'static>,
    uses: HashSet<String>,
}

/// Steps that filling one template may take: more is a loop that its author did not mean.
const STEPS: u64 = 1_000_000;

/// Bytes that a body made by a template may have: more are a repetition that its author did not mean.
const MOST_BYTES: usize = 16 << 20;

const NAME: &str = "body";

impl BodyTemplate {
    /// Reads a template. In a body of JSON every value is written as JSON, in a form percent-encoded.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn parse(text: &str, kind: BodyKind) -> Result<BodyTemplate, String> {
        let mut environment = Environment::new();
        environment.set_fuel(Some(STEPS));
        environment.set_undefined_behavior(UndefinedBehavior::Lenient);
        environment.set_auto_escape_callback(move |_| match kind {
            BodyKind::Json => AutoEscape::Json,
            BodyKind::Form | BodyKind::Text => AutoEscape::None,
        });
        if kind == BodyKind::Form {
            environment.set_formatter(|out, _, value| {
                let text = if value.is_undefined() || value.is_none() {
                    String::new()
                } else {
                    value.to_string()
                };
                if text.len() > MOST_BYTES {
                    return Err(minijinja::Error::new(ErrorKind::WriteFailure, too_long()));
                }
                out.write_str(&encode_value(&text))
                    .map_err(minijinja::Error::from)
            });
        }
        environment
            .add_template_owned(NAME, text.to_owned())
            .map_err(told)?;
        let template = environment.get_template(NAME).map_err(told)?;
        let uses = template.undeclared_variables(true);
        let known = ["filter", "params", "size", "page", "offset", "cursor"];
        let first = |path: &str| path.split('.').next().unwrap_or_default().to_owned();
        if let Some(unknown) = uses
            .iter()
            .find(|path| !known.contains(&first(path).as_str()))
        {
            return Err(format!(
                "{{{{ {unknown} }}}} is nothing that it knows; there are {}",
                known.join(", ")
            ));
        }
        Ok(BodyTemplate { environment, uses })
    }

    /// Whether it uses a variable, or a member of it.
    pub(crate) fn uses(&self, variable: &str) -> bool {
        let is_of = |rest: &str| rest.is_empty() || rest.starts_with('.');
        let mut used = self.uses.iter();
        used.any(|path| path.strip_prefix(variable).is_some_and(is_of))
    }

    /// Whether it uses a parameter, or all of them.
    pub(crate) fn uses_parameter(&self, name: &str) -> bool {
        self.uses.contains("params") || self.uses(&format!("params.{name}"))
    }

    /// The template with its variables.
    ///
    /// # Errors
    /// Why it cannot be filled.
    pub(crate) fn filled(
        &self,
        variables: Map<String, serde_json::Value>,
    ) -> Result<String, String> {
        let template = self.environment.get_template(NAME).map_err(told)?;
        let mut body = Bounded::default();
        let rendered = template.render_captured_to(&variables, &mut body).map(drop);
        match rendered {
            Err(_) if body.is_full => Err(too_long()),
            Err(error) => Err(told(error)),
            Ok(()) => String::from_utf8(body.bytes).map_err(|error| error.to_string()),
        }
    }
}

/// A body, up to the bytes that one may have.
#[derive(Default)]
struct Bounded {
    bytes: Vec<u8>,
    is_full: bool,
}

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.len() > MOST_BYTES - self.bytes.len() {
            self.is_full = true;
            return Err(io::ErrorKind::WriteZero.into());
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn too_long() -> String {
    format!("the body is longer than {MOST_BYTES} bytes")
}

/// minijinja's message in this project's form.
fn told(error: minijinja::Error) -> String {
    let mut reason = error.kind().to_string();
    if let Some(detail) = error.detail() {
        reason = format!("{reason}: {detail}");
    }
    match error.line() {
        Some(line) => format!("{reason} (line {line})"),
        None => reason,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use serde_json::json;

    fn filled(text: &str, kind: BodyKind, variables: serde_json::Value) -> Result<String, String> {
        let serde_json::Value::Object(variables) = variables else {
            unreachable!("variables are an object");
        };
        BodyTemplate::parse(text, kind)?.filled(variables)
    }

    #[test]
    fn values_are_written_for_their_place() {
        let variables = || json!({"params": {"a": "x\" & ü"}, "size": 5});
        assert_eq!(
            filled(
                r#"{"a": {{ params.a }}, "n": {{ size }}}"#,
                BodyKind::Json,
                variables()
            ),
            Ok(r#"{"a": "x\" & ü", "n": 5}"#.to_owned())
        );
        assert_eq!(
            filled(
                "a={{ params.a }}&b={{ params.b }}",
                BodyKind::Form,
                variables()
            ),
            Ok("a=x%22%20%26%20%C3%BC&b=".to_owned())
        );
        assert_eq!(
            filled(
                "{% if filter %}{{ filter }}{% else %}1=1{% endif %}",
                BodyKind::Text,
                variables()
            ),
            Ok("1=1".to_owned())
        );
    }

    #[test]
    fn what_it_uses_is_known_and_mistakes_are_told() {
        let template = BodyTemplate::parse("{{ params.a }}{{ filter }}", BodyKind::Text).unwrap();
        assert!(template.uses("filter") && template.uses_parameter("a"));
        assert!(!template.uses("size") && !template.uses_parameter("b"));
        let template = BodyTemplate::parse("{{ filter.key }}{{ size }}", BodyKind::Json).unwrap();
        assert!(template.uses("filter") && template.uses("size") && !template.uses("filt"));
        let refused = |text: &str| BodyTemplate::parse(text, BodyKind::Json).unwrap_err();
        assert!(
            refused("{{ filtr }}").contains("{{ filtr }} is nothing"),
            "{}",
            refused("{{ filtr }}")
        );
        assert!(refused("{% if x %}").contains("syntax error"));
        let endless =
            "{% for a in 10000 * [1] %}{% for b in 10000 * [1] %}{% endfor %}{% endfor %}";
        let error = filled(endless, BodyKind::Json, json!({})).unwrap_err();
        assert!(error.contains("ran out of fuel"), "{error}");
    }

    #[test]
    fn a_body_is_bounded() {
        let repeated = "{% for a in 1000 * [1] %}{{ 5000000 * params.a }}{% endfor %}";
        for (kind, text) in [
            (BodyKind::Text, repeated),
            (BodyKind::Json, repeated),
            (BodyKind::Form, repeated),
            (BodyKind::Form, "{{ 90000000 * params.a }}"),
        ] {
            let error = filled(text, kind, json!({"params": {"a": "x"}})).unwrap_err();
            assert!(
                error.contains("the body is longer than 16777216 bytes"),
                "{error}"
            );
        }
        let long = "{{ 16777216 * params.a }}";
        let body = filled(long, BodyKind::Text, json!({"params": {"a": "x"}})).unwrap();
        assert_eq!(body.len(), 16 << 20);
    }
}
