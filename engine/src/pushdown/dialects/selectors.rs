//! `selectors`: `labelSelector=a=b,c in (x,y)&fieldSelector=metadata.name=x`, as Kubernetes reads it.
//!
//! Sources: k8s.io/apimachinery, `labels/selector.go` (grammar, and that `!=` and `notin` match objects
//! without the label), `validation/validation.go` (what a label's value can be), `fields/selector.go`.

#[cfg(test)]
mod tests;

use super::constant::constant;
use super::declared::{declared, declared_or_all};
use super::member::path;
use super::offered::judged;
use super::spelling::{Dialect, Fragment, Judged, Parameter, Term, parameters};
use crate::model::{Column, Filter, Operator, Table, Type};
use crate::predicate::Value;
use crate::pushdown::RemoteQuery;
use crate::pushdown::expression::{Given, Test};
use crate::request::{placeholder, write};

pub(super) struct Selectors;

const LABELS: &str = "labelSelector";
const FIELDS: &str = "fieldSelector";

impl Dialect for Selectors {
    fn name(&self) -> &'static str {
        "selectors"
    }

    fn judge(&self, _table: &Table, column: &Column, operator: Operator) -> Result<Judged, String> {
        use Operator::{Eq, In, IsNotNull, IsNull, Ne, NotIn};
        let target = target(column, operator)?;
        match (&target, operator) {
            (Target::Label { .. }, Eq | Ne | In | NotIn | IsNull | IsNotNull) => {
                Ok(judged(column, target.declaration(), true))
            }
            // An object without the field has an empty text there, which SQL does not have.
            (Target::Field { .. }, Eq | Ne | NotIn) => {
                Ok(judged(column, target.declaration(), false))
            }
            _ => Err(format!(
                "{} has no spelling in dialect selectors",
                operator.sql()
            )),
        }
    }

    fn test(&self, _table: &Table, column: &Column, test: &Test) -> Result<Term, String> {
        let target = target(column, test.operator)?;
        let values = values(column, &target, &test.given)?;
        let parameter = match &target {
            Target::Label { name, .. } => {
                Parameter::query(LABELS, label(name, test.operator, &values, column.not_null))
            }
            Target::Field { name, .. } => {
                Parameter::query(FIELDS, field(name, test.operator, &values))
            }
        };
        Ok(Term {
            fragment: Fragment::Parameters(vec![parameter]),
            precise: true,
        })
    }

    fn finish(
        &self,
        table: &Table,
        _query: &RemoteQuery,
        terms: &[&Fragment],
    ) -> Result<Vec<Parameter>, String> {
        let sent = parameters(terms);
        let selector = |name: &str| -> Option<Parameter> {
            let requirements = sent.iter().filter(|part| part.name == name);
            let mut texts: Vec<&str> = requirements.map(|part| part.value.as_str()).collect();
            if texts.is_empty() {
                return None;
            }
            texts.splice(0..0, constant(table, name));
            Some(Parameter::query(name, texts.join(",")))
        };
        Ok([LABELS, FIELDS].into_iter().filter_map(selector).collect())
    }
}

/// What a column is selected by.
enum Target<'a> {
    Label {
        name: String,
        declaration: Option<&'a Filter>,
    },
    Field {
        name: String,
        declaration: &'a Filter,
    },
}

impl<'a> Target<'a> {
    fn declaration(&self) -> Option<&'a Filter> {
        match self {
            Target::Label { declaration, .. } => *declaration,
            Target::Field { declaration, .. } => Some(declaration),
        }
    }
}

/// Every object can be selected by its labels; by which fields is the kind's own matter, so these are
/// declared.
fn target(column: &Column, operator: Operator) -> Result<Target<'_>, String> {
    let path = path(column)?;
    let is_null_test = matches!(operator, Operator::IsNull | Operator::IsNotNull);
    if let ["metadata", "labels", label] = path.as_slice() {
        let declaration = declared_or_all(column, operator)?;
        if column.ty != Type::Text && !is_null_test {
            return Err("labels are text, and the API compares them as text".to_owned());
        }
        let name = named(label, declaration);
        let is_name = |c: char| c.is_ascii_alphanumeric() || "-._/".contains(c);
        if name.is_empty() || !name.chars().all(is_name) {
            return Err(format!("\"{name}\" is not a label's name"));
        }
        return Ok(Target::Label { name, declaration });
    }
    let declaration = declared(column, operator)?;
    if !matches!(column.ty, Type::Text | Type::Bool) {
        return Err("fields are selected as text".to_owned());
    }
    let name = named(&path.join("."), Some(declaration));
    Ok(Target::Field { name, declaration })
}

fn named(own: &str, declaration: Option<&Filter>) -> String {
    let declared = declaration.and_then(|filter| filter.parameter.as_deref());
    declared.unwrap_or(own).to_owned()
}

/// The texts of the values, all of which the target can have.
fn values(column: &Column, target: &Target, given: &Given) -> Result<Vec<String>, String> {
    let values: &[Value] = match given {
        Given::Value(value) => std::slice::from_ref(value),
        Given::List(values) => values,
        Given::Placeholder(name) => return Ok(vec![placeholder(name)]),
        Given::Nothing | Given::Pattern(_) => &[],
    };
    let mut texts = Vec::with_capacity(values.len());
    for value in values {
        let text = write(column, Operator::Eq, value)?.text;
        match target {
            Target::Label { .. } => label_has(&text)?,
            Target::Field { .. } => field_has(&text)?,
        }
        texts.push(text);
    }
    Ok(texts)
}

/// `validation.IsValidLabelValue`, but for the empty text.
fn label_has(text: &str) -> Result<(), String> {
    let is_inner = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    let ends_well = text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.ends_with(|c: char| c.is_ascii_alphanumeric());
    if text.len() <= 63 && ends_well && text.chars().all(is_inner) {
        return Ok(());
    }
    Err("a label has 1 to 63 letters, digits, '-', '_' and '.'".to_owned())
}

fn field_has(text: &str) -> Result<(), String> {
    let is_plain = |c: char| c.is_ascii_graphic() && !",=!\\".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        return Ok(());
    }
    Err("the API may take a part of it for syntax".to_owned())
}

/// `!=` and `notin` also match objects without the label, unless it is asked for as well.
fn label(name: &str, operator: Operator, values: &[String], not_null: bool) -> String {
    let list = values.join(",");
    let exists = if not_null {
        String::new()
    } else {
        format!(",{name}")
    };
    match operator {
        Operator::IsNull => format!("!{name}"),
        Operator::IsNotNull => name.to_owned(),
        Operator::In => format!("{name} in ({list})"),
        Operator::NotIn => format!("{name} notin ({list}){exists}"),
        Operator::Ne => format!("{name}!={list}{exists}"),
        _ => format!("{name}={list}"),
    }
}

fn field(name: &str, operator: Operator, values: &[String]) -> String {
    let sign = if operator == Operator::Eq { "=" } else { "!=" };
    let each: Vec<String> = values
        .iter()
        .map(|value| format!("{name}{sign}{value}"))
        .collect();
    each.join(",")
}
