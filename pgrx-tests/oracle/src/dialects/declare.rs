//! Which filters, orders and lists of columns do foreign tables declare?

use super::Service;
use super::worse::Worse;
use crate::random::Random;
use crate::tables::{Column, Table};
use crate::values::Kind;
use serde_json::{Map, Value, json};

/// An operator as the option `filter` names it, and whether the API answers it with SQL's rows.
pub(super) type Spelled = (&'static str, bool);

/// The route's key `dialect`, with the columns' types by their fields.
pub(super) fn speak(
    service: &mut Service,
    table: &Table,
    name: &str,
    flavour: Option<&str>,
    field: fn(&Column) -> String,
) {
    let columns: Map<String, Value> = table
        .columns
        .iter()
        .map(|column| (field(column), column.kind.type_name().into()))
        .collect();
    let mut dialect = json!({"name": name, "columns": columns});
    if let Some(flavour) = flavour {
        dialect["flavour"] = flavour.into();
    }
    service.serve("dialect", dialect);
}

/// A column's dotted path.
pub(super) fn path(column: &Column) -> String {
    column.field.join(".")
}

/// The last segment of a column's path.
pub(super) fn last(column: &Column) -> String {
    column.field.last().cloned().unwrap_or_default()
}

/// Declares some of the operators of each column, under parameters that `parameter` names; what was declared.
pub(super) fn filters<'a>(
    random: &mut Random,
    service: &mut Service,
    table: &'a Table,
    worse: &Worse,
    operators: fn(Kind) -> &'static [Spelled],
    parameter: impl Fn(&Column, &str) -> Option<String>,
) -> Vec<(&'a Column, &'static str)> {
    let mut all = Vec::new();
    let chance = *random.pick(&[40, 80, 100]);
    for column in &table.columns {
        let mut declared = Vec::new();
        for (operator, is_exact) in random.some(operators(column.kind), chance) {
            if !worse.may_declare(column, operator) {
                continue;
            }
            let mut filter = operator.to_owned();
            if let Some(parameter) = parameter(column, operator) {
                filter += &format!(" {parameter}");
            }
            if is_exact && worse.may_be_exact(column) && random.percent(70) {
                filter += " exact";
            }
            declared.push(filter);
            all.push((column, operator));
        }
        if !declared.is_empty() {
            service.column(&column.name, "filter", declared.join(", "));
        }
    }
    if random.percent(40) {
        service.table("recheck", "off");
    }
    limits(random, service);
    all
}

/// What a column may declare where every operator is offered without a declaration: fewer.
pub(super) const FEWER: &[&str] = &["none", "=", "=, in", "=, is_null, in"];

/// In a dialect that declares filters itself: sometimes fewer of them.
pub(super) fn fewer_filters(
    random: &mut Random,
    service: &mut Service,
    table: &Table,
    choices: &[&str],
) {
    for column in &table.columns {
        if random.percent(12) {
            service.column(&column.name, "filter", *random.pick(choices));
        }
    }
    if random.percent(40) {
        service.table("recheck", "off");
    }
    limits(random, service);
}

/// How long lists and URLs may be.
fn limits(random: &mut Random, service: &mut Service) {
    if random.percent(30) {
        service.table("max_list_size", *random.pick(&["1", "2", "3", "50"]));
    }
    if random.percent(15) {
        service.table("max_url_length", *random.pick(&["200", "400", "2000"]));
    }
}

/// Gives columns their `field`, where it is not their name.
pub(super) fn fields(service: &mut Service, table: &Table) {
    for column in &table.columns {
        if column.field.len() > 1 || column.field.first() != Some(&column.name) {
            service.column(&column.name, "field", path(column));
        }
    }
}

/// How a dialect writes orders.
pub(super) struct Sorting {
    /// `sort_style` and the mock API's `style`; `None`: the dialect's own way, which has no options.
    pub(super) styles: &'static [&'static str],
    /// The dialect's own parameter.
    pub(super) param: &'static str,
    /// Where servers of its kind put NULLs.
    pub(super) nulls: &'static [&'static str],
}

/// Servers that put NULLs anywhere.
pub(super) const ANY_NULLS: &[&str] = &["first", "last", "low", "high"];

/// Declares that the API can order by some columns.
pub(super) fn sorts(random: &mut Random, service: &mut Service, table: &Table, sorting: &Sorting) {
    if random.percent(30) {
        return;
    }
    let style = *random.pick(sorting.styles);
    let nulls = *random.pick(sorting.nulls);
    let mut spec = json!({"param": sorting.param, "style": style, "nulls": nulls});
    service.table("sort_param", sorting.param);
    service.table("sort_style", style);
    if style == "order_param" {
        service.table("order_param", "order");
        spec["order_param"] = "order".into();
    }
    if style == "desc_param" {
        service.table("sort_desc_param", "sort_desc");
        spec["desc_param"] = "sort_desc".into();
    }
    if style != "desc_param" && random.percent(70) {
        service.table("max_sort_keys", *random.pick(&["1", "2", "3"]));
    }
    service.serve("sort", spec);
    let mut is_any = false;
    for column in &table.columns {
        if matches!(column.kind, Kind::Jsonb | Kind::TextArray) || random.percent(30) {
            continue;
        }
        is_any = true;
        service.column(&column.name, "sort", last(column));
        if random.percent(85) {
            service.column(&column.name, "sort_nulls", nulls);
        }
    }
    if !is_any {
        sort_by_key(service, table, last);
    }
    unstable(random, service);
}

/// The key can be ordered by: options that say how orders are written need a column to order by.
pub(super) fn sort_by_key(service: &mut Service, table: &Table, name: fn(&Column) -> String) {
    if let Some(key) = table.columns.first() {
        service.column(&key.name, "sort", name(key));
    }
}

/// Sometimes rows that are equal in the order come in another order at each request.
///
/// Only where pages are told by their numbers: a link or a cursor promises to go on where the page before ended.
pub(super) fn unstable(random: &mut Random, service: &mut Service) {
    let style = service
        .route
        .get("paging")
        .and_then(|paging| paging["style"].as_str());
    if matches!(style, None | Some("none" | "page" | "offset")) && random.percent(40) {
        service.serve("unstable", true);
    }
}

/// Sometimes only needed columns are asked for.
pub(super) fn field_list(random: &mut Random, service: &mut Service, param: &str) {
    if random.percent(60) {
        service.table("fields_param", param);
        if let Some(dialect) = service.route.get_mut("dialect") {
            dialect["fields_param"] = param.into();
        }
    }
}

/// In a dialect that has lists of columns and aggregates of its own: sometimes the table declares them.
pub(super) fn fields_and_aggregates(random: &mut Random, service: &mut Service, param: &str) {
    if random.percent(70) {
        service.table("fields_param", param);
    }
    aggregates(random, service);
}

/// In a dialect that has aggregates: sometimes the table declares them.
pub(super) fn aggregates(random: &mut Random, service: &mut Service) {
    if random.percent(60) {
        service.table(
            "aggregates",
            *random.pick(&["count", "count, min, max", "count, min, max, sum, avg"]),
        );
    }
}

/// Sometimes a row can be had by its key alone.
pub(super) fn entity(random: &mut Random, service: &mut Service, table: &Table) {
    if !service.table_options.iter().any(|(name, _)| name == "key") || random.percent(60) {
        return;
    }
    let Some(key) = table.columns.first() else {
        return;
    };
    service.table("entity_endpoint", format!("/{}/{{id}}", table.name));
    let mut route = Map::new();
    route.insert("shape".to_owned(), "single".into());
    route.insert("path_filters".to_owned(), json!({"id": path(key)}));
    service.further_routes.push(("/{id}".to_owned(), route));
}
