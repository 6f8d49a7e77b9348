//! What a request says with operators behind names: Django's filters, NetBox, json-server 0.17.

use super::asked::{Asked, Plan};
use super::condition::{Check, Comparison, Condition, Nulls};
use super::pattern::Pattern;
use super::sort::SortDefaults;
use super::spec::{Flavour, SortStyle};
use regex::RegexBuilder;

pub(crate) fn plan(asked: &Asked<'_>) -> Result<Plan, String> {
    let flavour = asked.dialect.flavour.unwrap_or(Flavour::Django);
    let mut conditions = Vec::new();
    for name in names(asked) {
        let texts: Vec<&str> = asked.query.all(name).collect();
        conditions.extend(match flavour {
            Flavour::Netbox => netbox(asked, name, &texts)?,
            Flavour::JsonServer => json_server(asked, name, &texts)?,
            // Django's QueryDict gives the last one of repeated parameters.
            _ => django(asked, name, texts.last().copied().unwrap_or_default())?,
        });
    }
    let fields_param = asked.dialect.fields_param.as_deref().unwrap_or("fields");
    Ok(Plan {
        filter: Condition::And(conditions),
        order: asked.sorted(match flavour {
            Flavour::JsonServer => SortDefaults {
                order_param: "_order",
                ..SortDefaults::of("_sort", SortStyle::OrderParam)
            },
            _ => SortDefaults::of("ordering", SortStyle::Minus),
        })?,
        columns: asked.listed_columns(fields_param)?,
        ..Plan::default()
    })
}

/// The names of all parameters that may filter, once each.
fn names<'a>(asked: &'a Asked<'_>) -> Vec<&'a str> {
    let mut names: Vec<&str> = Vec::new();
    for (name, _) in asked.query.pairs() {
        if !asked.is_own(name) && !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    names
}

/// A name and its operator. A whole name that is a column has none; a name without one that is no column filters nothing.
fn split<'a>(
    asked: &Asked<'_>,
    name: &'a str,
    separator: &str,
    operators: &[&str],
) -> Result<Option<(usize, &'a str)>, String> {
    if let Some(column) = asked.table.find(name) {
        return Ok(Some((column, "")));
    }
    match name.rsplit_once(separator) {
        Some((column, operator)) if operators.contains(&operator) => {
            Ok(Some((asked.table.column(column)?, operator)))
        }
        Some((column, operator)) if asked.table.find(column).is_some() => {
            Err(format!("unknown operator '{operator}' in {name}"))
        }
        _ => Ok(None),
    }
}

const DJANGO: [&str; 10] = [
    "gt",
    "gte",
    "lt",
    "lte",
    "in",
    "contains",
    "icontains",
    "startswith",
    "endswith",
    "isnull",
];

fn django(asked: &Asked<'_>, name: &str, text: &str) -> Result<Option<Condition>, String> {
    let Some((column, operator)) = split(asked, name, "__", &DJANGO)? else {
        return Ok(None);
    };
    let like = |pattern, fold_case| {
        asked.checked(column, Check::Like { pattern, fold_case }, Nulls::Unknown)
    };
    let condition = match operator {
        "in" => {
            let values = asked.values(column, text.split(','))?;
            asked.checked(column, Check::In(values), Nulls::Unknown)
        }
        "contains" => like(Pattern::contains(text), false),
        "icontains" => like(Pattern::contains(text), true),
        "startswith" => like(Pattern::starts_with(text), false),
        "endswith" => like(Pattern::ends_with(text), false),
        "isnull" => asked.checked(column, Check::IsNull(bool(name, text)?), Nulls::Unknown),
        operator => asked.compare(column, comparison(operator), text, Nulls::Unknown),
    };
    condition.map(Some)
}

fn comparison(operator: &str) -> Comparison {
    match operator {
        "gt" => Comparison::Greater,
        "gte" => Comparison::GreaterOrEqual,
        "lt" => Comparison::Less,
        "lte" => Comparison::LessOrEqual,
        _ => Comparison::Equal,
    }
}

fn bool(name: &str, text: &str) -> Result<bool, String> {
    match text {
        "true" | "True" | "1" => Ok(true),
        "false" | "False" | "0" => Ok(false),
        _ => Err(format!("{name}: '{text}' is no bool")),
    }
}

const NETBOX: [&str; 9] = ["n", "gt", "gte", "lt", "lte", "ic", "isw", "iew", "empty"];

/// A repeated parameter is any of its values; a repeated `__n` is none of them.
fn netbox(asked: &Asked<'_>, name: &str, texts: &[&str]) -> Result<Option<Condition>, String> {
    let Some((column, operator)) = split(asked, name, "__", &NETBOX)? else {
        return Ok(None);
    };
    let condition = match operator {
        "" => {
            let values = asked.values(column, texts.iter().copied())?;
            asked.checked(column, Check::In(values), Nulls::False)
        }
        "n" => {
            let values = asked.values(column, texts.iter().copied())?;
            asked.checked(column, Check::NotIn(values), Nulls::Kept)
        }
        operator => {
            let one = |text: &&str| netbox_one(asked, column, operator, text);
            let any = texts.iter().map(one).collect::<Result<_, _>>()?;
            Ok(Condition::Or(any))
        }
    };
    condition.map(Some)
}

fn netbox_one(
    asked: &Asked<'_>,
    column: usize,
    operator: &str,
    text: &str,
) -> Result<Condition, String> {
    let pattern = match operator {
        "ic" => Pattern::contains(text),
        "isw" => Pattern::starts_with(text),
        "iew" => Pattern::ends_with(text),
        "empty" => {
            let check = Check::IsNull(bool("empty", text)?);
            return asked.checked(column, check, Nulls::False);
        }
        operator => return asked.compare(column, comparison(operator), text, Nulls::False),
    };
    let check = Check::Like {
        pattern,
        fold_case: true,
    };
    asked.checked(column, check, Nulls::False)
}

const JSON_SERVER: [&str; 4] = ["gte", "lte", "ne", "like"];

/// Values are compared as texts, and rows without a value pass no test (json-server 0.17, `server/router/plural.js`).
fn json_server(asked: &Asked<'_>, name: &str, texts: &[&str]) -> Result<Option<Condition>, String> {
    let Some((column, operator)) = split(asked, name, "_", &JSON_SERVER)? else {
        return Ok(None);
    };
    let owned = || texts.iter().map(|text| (*text).to_owned()).collect();
    let check = match operator {
        "gte" => Check::ScriptRange(owned(), true),
        "lte" => Check::ScriptRange(owned(), false),
        "like" => {
            let any = format!("(?:{})", texts.join(")|(?:"));
            let regex = RegexBuilder::new(&any)
                .case_insensitive(true)
                .build()
                .map_err(|error| format!("{name}: {error}"))?;
            Check::Regex {
                regex,
                negated: false,
            }
        }
        operator => Check::ScriptText(owned(), operator == "ne"),
    };
    Ok(Some(Condition::test(column, check, Nulls::False)))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Server, kinds};
    use serde_json::json;

    fn server(flavour: &str) -> Server {
        let dialect = json!({"name": "suffix", "flavour": flavour, "columns": kinds()});
        Server::new(dialect, json!({}))
    }

    #[test]
    fn django_filters() {
        let server = server("django");
        assert_eq!(server.ids("n=5"), [1]);
        assert_eq!(server.ids("n__gt=5&n__lte=6"), [2]);
        assert_eq!(server.ids("n__in=5,6"), [1, 2]);
        assert_eq!(server.ids("t__icontains=APP"), [1]);
        assert_eq!(server.ids("t__contains=APP"), [] as [i64; 0]);
        assert_eq!(server.ids("t__startswith=b%"), [3]);
        assert_eq!(server.ids("n__isnull=true"), [4]);
        assert_eq!(server.ids("n__isnull=false&ordering=-n"), [3, 2, 1]);
        assert_eq!(server.ids("o.name=ann&other=1&page=2"), [1]);
        for query in [
            "n=x",
            "n__in=1,x",
            "n__ne=5",
            "nn__gt=5",
            "n__isnull=maybe",
            "n__contains=5",
            "ordering=nn",
        ] {
            server.refusal(query);
        }
    }

    #[test]
    fn netbox_repeats_parameters_and_keeps_nulls() {
        let server = server("netbox");
        assert_eq!(server.ids("n=5&n=6"), [1, 2]);
        assert_eq!(server.ids("n__n=5&n__n=6"), [3, 4]);
        assert_eq!(server.ids("t__ic=P&n__gte=5"), [1]);
        assert_eq!(server.ids("t__isw=A&t__isw=B"), [1, 2, 3]);
        assert_eq!(server.ids("n__empty=true"), [4]);
        server.refusal("n__isnull=true");
    }

    #[test]
    fn json_server_compares_texts() {
        let server = server("json-server");
        assert_eq!(server.ids("z=1.5"), [1]);
        assert_eq!(server.ids("z=1.50"), [] as [i64; 0]);
        assert_eq!(server.ids("n=5&n=6"), [1, 2]);
        assert_eq!(server.ids("n_ne=5"), [2, 3]);
        assert_eq!(server.ids("n_gte=6"), [2, 3]);
        assert_eq!(server.ids("t_gte=a"), [2, 3]);
        assert_eq!(server.ids("t_like=^a"), [1, 2]);
        assert_eq!(server.ids("_sort=b,id&_order=desc,asc"), [3, 4, 1, 2]);
        server.refusal("t_like=(");
        server.refusal("nn_gte=1");
    }
}
