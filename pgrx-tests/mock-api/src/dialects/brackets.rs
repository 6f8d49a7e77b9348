//! What a request says with operators in brackets: Stripe (`created[gte]=1`), Strapi (`filters[f][$eq]=x`).

use super::asked::{Asked, Plan};
use super::condition::{Check, Comparison, Condition, Nulls};
use super::pattern::Pattern;
use super::sort::SortDefaults;
use super::spec::{Flavour, SortStyle};
use std::collections::BTreeMap;

/// The texts of a column's list, by their place in the request.
type Lists<'a> = BTreeMap<(usize, bool), Vec<&'a str>>;

pub(crate) fn plan(asked: &Asked<'_>) -> Result<Plan, String> {
    let is_strapi = asked.dialect.flavour == Some(Flavour::Strapi);
    let mut conditions = Vec::new();
    let mut lists = Lists::new();
    let mut tree = Node::default();
    for (name, text) in asked.query.pairs() {
        if asked.is_own(name) {
            continue;
        }
        let Some(segments) = segments(name) else {
            return Err(format!("the brackets of {name} do not close"));
        };
        match segments.as_slice() {
            ["filters", path @ ..] if is_strapi => tree.add(asked, path, text)?,
            _ if is_strapi => {}
            segments => conditions.extend(stripe(asked, segments, text, &mut lists)?),
        }
    }
    conditions.push(tree.condition(asked)?);
    conditions.extend(listed(asked, lists)?);
    let fields_param = asked.dialect.fields_param.as_deref().unwrap_or("fields");
    let style = if is_strapi {
        SortStyle::Colon
    } else {
        SortStyle::Minus
    };
    Ok(Plan {
        filter: Condition::And(conditions),
        order: asked.sorted(SortDefaults::of("sort", style))?,
        columns: asked.listed_columns(fields_param)?,
        ..Plan::default()
    })
}

/// `a[b][c]` is `a`, `b`, `c`; `None` if a bracket does not close.
fn segments(name: &str) -> Option<Vec<&str>> {
    let Some((first, rest)) = name.split_once('[') else {
        return Some(vec![name]);
    };
    let inner = rest.strip_suffix(']')?;
    let mut segments = vec![first];
    segments.extend(inner.split("]["));
    Some(segments)
}

fn stripe<'a>(
    asked: &Asked<'_>,
    segments: &[&str],
    text: &'a str,
    lists: &mut Lists<'a>,
) -> Result<Option<Condition>, String> {
    let compare = |name: &str, comparison| {
        let column = asked.table.column(name)?;
        asked
            .compare(column, comparison, text, Nulls::Kept)
            .map(Some)
    };
    match segments {
        [name] if asked.table.find(name).is_some() => compare(name, Comparison::Equal),
        [name, "gt"] => compare(name, Comparison::Greater),
        [name, "gte"] => compare(name, Comparison::GreaterOrEqual),
        [name, "lt"] => compare(name, Comparison::Less),
        [name, "lte"] => compare(name, Comparison::LessOrEqual),
        [name, "ne"] => compare(name, Comparison::NotEqual),
        [name, "in", index] => {
            index_of(index)?;
            let column = asked.table.column(name)?;
            lists.entry((column, false)).or_default().push(text);
            Ok(None)
        }
        [name, operator, ..] if asked.table.find(name).is_some() => {
            Err(format!("unknown operator '{operator}' of {name}"))
        }
        _ => Ok(None),
    }
}

fn index_of(text: &str) -> Result<usize, String> {
    text.parse()
        .map_err(|_| format!("'{text}' is no index of a list"))
}

/// The conditions of lists that are complete.
fn listed(asked: &Asked<'_>, lists: Lists<'_>) -> Result<Vec<Condition>, String> {
    let condition = |((column, negated), texts)| {
        let values = asked.values(column, texts)?;
        let check = if negated {
            Check::NotIn(values)
        } else {
            Check::In(values)
        };
        asked.checked(column, check, Nulls::Kept)
    };
    lists.into_iter().map(condition).collect()
}

/// An object of Strapi's filters: what is in it must all hold.
#[derive(Default)]
struct Node<'a> {
    conditions: Vec<Condition>,
    lists: Lists<'a>,
    /// Of `$and` and of `$or`, by their place in the list.
    arms: BTreeMap<(String, usize), Node<'a>>,
    /// What was given a single value.
    given: Vec<String>,
}

impl<'a> Node<'a> {
    fn add(&mut self, asked: &Asked<'_>, path: &[&str], text: &'a str) -> Result<(), String> {
        match path {
            [word @ ("$and" | "$or"), index, below @ ..] => {
                let arm = ((*word).to_owned(), index_of(index)?);
                return self.arms.entry(arm).or_default().add(asked, below, text);
            }
            [path @ .., list @ ("$in" | "$notIn"), index] => {
                index_of(index)?;
                let column = asked.table.column(&path.join("."))?;
                let list = self.lists.entry((column, *list == "$notIn"));
                list.or_default().push(text);
                return Ok(());
            }
            _ => {}
        }
        let name = path.join(".");
        if self.given.contains(&name) {
            return Err(format!("{name} is given twice, which makes a list of it"));
        }
        self.given.push(name);
        let (path, operator) = match path {
            [path @ .., operator] if operator.starts_with('$') => (path, *operator),
            path => (path, "$eq"),
        };
        let column = asked.table.column(&path.join("."))?;
        self.conditions
            .push(strapi_operation(asked, column, operator, text)?);
        Ok(())
    }

    fn condition(self, asked: &Asked<'_>) -> Result<Condition, String> {
        let mut all = self.conditions;
        all.extend(listed(asked, self.lists)?);
        let mut any = Vec::new();
        for ((word, _), arm) in self.arms {
            let arms = if word == "$or" { &mut any } else { &mut all };
            arms.push(arm.condition(asked)?);
        }
        if !any.is_empty() {
            all.push(Condition::Or(any));
        }
        Ok(Condition::And(all))
    }
}

fn strapi_operation(
    asked: &Asked<'_>,
    column: usize,
    operator: &str,
    text: &str,
) -> Result<Condition, String> {
    let compare = |comparison| asked.compare(column, comparison, text, Nulls::Kept);
    let like = |pattern, fold_case| {
        asked.checked(column, Check::Like { pattern, fold_case }, Nulls::False)
    };
    let is_null = |wanted: bool| match text {
        "true" => asked.checked(column, Check::IsNull(wanted), Nulls::False),
        "false" => asked.checked(column, Check::IsNull(!wanted), Nulls::False),
        _ => Err(format!("{operator}: '{text}' is no bool")),
    };
    match operator {
        "$eq" => compare(Comparison::Equal),
        "$ne" => compare(Comparison::NotEqual),
        "$lt" => compare(Comparison::Less),
        "$lte" => compare(Comparison::LessOrEqual),
        "$gt" => compare(Comparison::Greater),
        "$gte" => compare(Comparison::GreaterOrEqual),
        "$contains" => like(Pattern::contains(text), false),
        "$containsi" => like(Pattern::contains(text), true),
        "$startsWith" => like(Pattern::starts_with(text), false),
        "$endsWith" => like(Pattern::ends_with(text), false),
        "$null" => is_null(true),
        "$notNull" => is_null(false),
        other => Err(format!("unknown operator '{other}'")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Server, kinds};
    use serde_json::json;

    fn server(flavour: &str) -> Server {
        let dialect = json!({"name": "brackets", "flavour": flavour, "columns": kinds()});
        Server::new(dialect, json!({}))
    }

    #[test]
    fn stripe_filters() {
        let server = server("stripe");
        assert_eq!(server.ids("n=5"), [1]);
        assert_eq!(server.ids("n[gt]=5&n[lte]=6"), [2]);
        assert_eq!(server.ids("n[ne]=5"), [2, 3, 4]);
        assert_eq!(server.ids("t[in][0]=Apple&t[in][1]=x&page[size]=3"), [1]);
        for query in [
            "n[gt]=x",
            "n[between]=5",
            "nn[gt]=5",
            "n[gt=5",
            "n[in][x]=5",
        ] {
            server.refusal(query);
        }
    }

    #[test]
    fn strapi_filters() {
        let server = server("strapi");
        assert_eq!(server.ids("filters[n][$eq]=5"), [1]);
        assert_eq!(server.ids("filters[n][$ne]=5"), [2, 3, 4]);
        assert_eq!(
            server.ids("filters[n][$notIn][0]=5&filters[n][$notIn][1]=6"),
            [3, 4]
        );
        assert_eq!(server.ids("filters[o][name][$eq]=ann"), [1]);
        assert_eq!(server.ids("filters[t][$containsi]=APP"), [1]);
        assert_eq!(server.ids("filters[t][$contains]=APP"), [] as [i64; 0]);
        assert_eq!(
            server.ids("filters[t][$startsWith]=b%&filters[t][$endsWith]=ß"),
            [3]
        );
        assert_eq!(server.ids("filters[n][$null]=true"), [4]);
        assert_eq!(
            server.ids("filters[n][$notNull]=true&sort=n:desc,id:asc"),
            [3, 2, 1]
        );
        assert_eq!(
            server.ids("filters[$or][0][n][$eq]=5&filters[$or][1][t][$eq]=x&filters[$or][1][id][$eq]=2&filters[$or][2][id][$in][0]=3"),
            [1, 3]
        );
        assert_eq!(
            server.ids("filters[$and][0][$or][0][n][$eq]=5&filters[$and][0][$or][1][n][$eq]=6&filters[$and][1][$or][0][id][$gt]=1"),
            [2]
        );
        for query in [
            "filters[$or][x][n][$eq]=5",
            "filters[n][$eq]=5&filters[n][$eq]=6",
            "filters[nn][$eq]=5",
            "filters[n][$like]=5",
            "filters[n][$null]=x",
            "sort=n:up",
        ] {
            server.refusal(query);
        }
    }
}
