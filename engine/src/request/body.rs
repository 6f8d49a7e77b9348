//! What is sent → the body of a request, and what its template leaves for the URL.

#[cfg(test)]
mod tests;

use super::inputs::BodyMember;
use super::percent::encode_value;
use super::template::BodyTemplate;
use crate::model::{BodyKind, BodyPlan, Paging, Table};
use crate::pushdown::filter_param;
use crate::{Error, Result};
use serde_json::{Map, Value};

/// A body, and the parameters that it does not carry.
pub(super) struct Built {
    pub(super) text: String,
    pub(super) others: Vec<(String, String)>,
}

/// The body of a request for these inputs and this page.
///
/// # Errors
/// [`Error::Unsendable`] where two parameters take each other's place, or the template makes no JSON;
/// [`Error::Option`] where the template cannot be filled.
pub(super) fn body(
    table: &Table,
    plan: &BodyPlan,
    inputs: &[BodyMember],
    paging: &[(String, String)],
) -> Result<Built> {
    let mut members = inputs.to_vec();
    members.extend(paging.iter().map(|(name, value)| BodyMember {
        name: name.clone(),
        value: value.clone(),
        is_json: is_json(table, name),
    }));
    match (&plan.template, plan.kind) {
        (Some(template), kind) => templated(table, template, kind, &members),
        (None, BodyKind::Json) => Ok(Built {
            text: object(table, &members)?.to_string(),
            others: Vec::new(),
        }),
        (None, BodyKind::Form | BodyKind::Text) => Ok(Built {
            text: form(&members),
            others: Vec::new(),
        }),
    }
}

/// Whether a paging parameter is JSON: a number, or a key that is an object. A cursor is a text, whatever it looks
/// like.
fn is_json(table: &Table, name: &str) -> bool {
    table.page_size_param.as_deref() == Some(name)
        || matches!(&table.paging, Paging::Page { param, .. } | Paging::Offset { param, .. } | Paging::AfterKey { param, .. } if param == name)
}

fn form(members: &[BodyMember]) -> String {
    let pairs: Vec<String> = members
        .iter()
        .map(|member| {
            format!(
                "{}={}",
                encode_value(&member.name),
                encode_value(&member.value)
            )
        })
        .collect();
    pairs.join("&")
}

/// All members in one object: a name with dots leads to a member of a member, a repeated name has a list.
fn object(table: &Table, members: &[BodyMember]) -> Result<Value> {
    let mut all = Map::new();
    let mut done: Vec<&str> = Vec::new();
    for member in members {
        if done.contains(&member.name.as_str()) {
            continue;
        }
        done.push(&member.name);
        let same = members.iter().filter(|other| other.name == member.name);
        let mut values: Vec<Value> = same.map(BodyMember::json).collect();
        let value = match values.len() {
            1 => values.remove(0),
            _ => Value::Array(values),
        };
        let path: Vec<&str> = member.name.split('.').collect();
        place(&mut all, &path, value).ok_or_else(|| Error::Unsendable {
            column: table.name.clone(),
            reason: format!(
                "member \"{}\" of the body already has another value",
                member.name
            ),
        })?;
    }
    Ok(Value::Object(all))
}

fn place(all: &mut Map<String, Value>, path: &[&str], value: Value) -> Option<()> {
    match path {
        [] => None,
        [name] if all.contains_key(*name) => None,
        [name] => {
            all.insert((*name).to_owned(), value);
            Some(())
        }
        [first, deeper @ ..] => {
            let inner = all
                .entry((*first).to_owned())
                .or_insert_with(|| Value::Object(Map::new()));
            place(inner.as_object_mut()?, deeper, value)
        }
    }
}

fn templated(
    table: &Table,
    template: &str,
    kind: BodyKind,
    members: &[BodyMember],
) -> Result<Built> {
    let template = BodyTemplate::parse(template, kind).map_err(of_option)?;
    let mut variables = Map::new();
    let filter = filter_param(table);
    let mut params = Map::new();
    let mut others = Vec::new();
    for member in members {
        let variable = variable(table, &member.name, filter);
        let is_used = variable.is_some_and(|variable| template.uses(variable))
            || template.uses_parameter(&member.name);
        if !is_used {
            others.push((member.name.clone(), member.value.clone()));
        }
        if let Some(variable) = variable {
            variables.insert(variable.to_owned(), member.json());
        }
        params.insert(member.name.clone(), member.json());
    }
    variables.insert("params".to_owned(), Value::Object(params));
    let text = template.filled(variables).map_err(of_option)?;
    if kind == BodyKind::Json && serde_json::from_str::<serde::de::IgnoredAny>(&text).is_err() {
        return Err(Error::option("body", "with its values it is no JSON"));
    }
    Ok(Built { text, others })
}

/// The variable of its own that a parameter has in templates.
fn variable<'a>(table: &Table, name: &str, filter: Option<&str>) -> Option<&'a str> {
    if filter == Some(name) {
        return Some("filter");
    }
    if table.page_size_param.as_deref() == Some(name) {
        return Some("size");
    }
    match &table.paging {
        Paging::Page { param, .. } if param == name => Some("page"),
        Paging::Offset { param, .. } if param == name => Some("offset"),
        Paging::Cursor { param, .. } | Paging::Keyset { param, .. } if param == name => {
            Some("cursor")
        }
        _ => None,
    }
}

fn of_option(reason: String) -> Error {
    Error::option("body", reason)
}
