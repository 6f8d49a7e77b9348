//! What a request says in JSON:API: `filter[a]=1,2`, `sort=-a`, `fields[things]=a,b`.

use super::asked::{Asked, Plan};
use super::condition::{Check, Condition, Nulls};
use super::sort::SortDefaults;
use super::spec::SortStyle;

pub(crate) fn plan(asked: &Asked<'_>) -> Result<Plan, String> {
    let mut conditions = Vec::new();
    let mut columns = None;
    for (name, text) in asked.query.pairs() {
        if asked.is_own(name) {
            continue;
        }
        if let Some(field) = within(name, "filter[") {
            let column = asked.table.column(field)?;
            let values = asked.values(column, text.split(','))?;
            conditions.push(asked.checked(column, Check::In(values), Nulls::False)?);
        } else if within(name, "fields[").is_some() {
            columns = asked.listed_columns(name)?;
        } else if name.starts_with("filter") || name.starts_with("fields") {
            return Err(format!("unknown parameter {name}"));
        }
    }
    Ok(Plan {
        filter: Condition::And(conditions),
        order: asked.sorted(SortDefaults::of("sort", SortStyle::Minus))?,
        columns,
        ..Plan::default()
    })
}

/// The name between the brackets.
fn within<'a>(name: &'a str, before: &str) -> Option<&'a str> {
    name.strip_prefix(before)?.strip_suffix(']')
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Server, kinds};
    use serde_json::json;

    #[test]
    fn filters_list_what_may_be() {
        let server = Server::new(json!({"name": "jsonapi", "columns": kinds()}), json!({}));
        assert_eq!(server.ids("filter[n]=5,6&page[number]=1"), [1, 2]);
        assert_eq!(server.ids("filter[n]=5,6&filter[t]=Apple"), [1]);
        assert_eq!(server.ids("sort=-n,id"), [4, 3, 2, 1]);
        assert_eq!(
            server.body("filter[id]=1&fields[items]=id,z"),
            r#"[{"attributes":{"id":1,"z":1.50},"id":"1","type":"items"}]"#
        );
        for query in [
            "filter[nn]=5",
            "filter[n]=x",
            "filter[n]=5,",
            "filter=5",
            "fields[items]=nn",
            "sort=nn",
        ] {
            server.refusal(query);
        }
    }
}
