//! What a request says in PostgREST's dialect (its documentation, "Tables and Views" and "Aggregate Functions").

use super::asked::{Asked, Plan};
use super::condition::{Check, Comparison, Condition, Nulls};
use super::grouping::{Function, Grouping, Output, Source};
use super::pattern::Pattern;
use super::scanner::Scanner;
use super::sort::{SortKey, direction};
use super::spec::NullsPlace;
use std::ops::Range;

/// Parameters that are no columns.
const RESERVED: [&str; 5] = ["select", "order", "limit", "offset", "columns"];

pub(crate) fn plan(asked: &Asked<'_>) -> Result<Plan, String> {
    let mut conditions = Vec::new();
    for (name, text) in asked.query.pairs() {
        match name.as_str() {
            "and" | "or" | "not.and" | "not.or" => conditions.push(tree(asked, name, text)?),
            name if RESERVED.contains(&name) || asked.is_own(name) => {}
            name => {
                let column = asked.table.column(&unquoted(name)?)?;
                let mut scanner = Scanner::new(text);
                conditions.push(test(asked, column, &mut scanner, false)?);
                scanner.end()?;
            }
        }
    }
    let (columns, grouping) = selected(asked)?;
    let order = order(asked)?;
    let prefers = asked.request.head.header("prefer").unwrap_or_default();
    let mut plan = Plan {
        filter: Condition::And(conditions),
        columns,
        offset: asked.count("offset")?.unwrap_or(0),
        limit: asked.count("limit")?,
        count: prefers
            .split([',', ';'])
            .any(|wish| wish.trim() == "count=exact"),
        ..Plan::default()
    };
    match grouping {
        None => plan.order = order,
        Some(grouping) => plan.grouping = Some(ordered(grouping, order)?),
    }
    Ok(plan)
}

/// The status, and what Content-Range says, of rows out of a total (RFC 9110 section 14.4).
pub(crate) fn content_range(
    shown: Range<usize>,
    asked_from: usize,
    total: usize,
    counted: bool,
) -> (u16, String) {
    let of = if counted {
        total.to_string()
    } else {
        "*".to_owned()
    };
    if counted && asked_from > total {
        return (416, format!("*/{of}"));
    }
    if shown.is_empty() {
        return (200, format!("*/{of}"));
    }
    let status = if counted && shown.len() < total {
        206
    } else {
        200
    };
    (status, format!("{}-{}/{of}", shown.start, shown.end - 1))
}

/// `or=(a.lt.1,and(b.eq.2,c.is.null))`
fn tree(asked: &Asked<'_>, name: &str, text: &str) -> Result<Condition, String> {
    let mut scanner = Scanner::new(text);
    let condition = arms(asked, &mut scanner, name.trim_start_matches("not."))?;
    scanner.end()?;
    let negated = name.starts_with("not.");
    Ok(if negated { condition.not() } else { condition })
}

fn arms(asked: &Asked<'_>, scanner: &mut Scanner<'_>, operator: &str) -> Result<Condition, String> {
    scanner.expect("(")?;
    let mut arms = Vec::new();
    loop {
        scanner.skip_spaces();
        arms.push(arm(asked, scanner)?);
        scanner.skip_spaces();
        if !scanner.eat(",") {
            break;
        }
    }
    scanner.expect(")")?;
    Ok(match operator {
        "and" => Condition::And(arms),
        _ => Condition::Or(arms),
    })
}

fn arm(asked: &Asked<'_>, scanner: &mut Scanner<'_>) -> Result<Condition, String> {
    for prefix in ["and", "or", "not.and", "not.or"] {
        if scanner.rest().starts_with(&format!("{prefix}(")) {
            scanner.eat(prefix);
            let condition = arms(asked, scanner, prefix.trim_start_matches("not."))?;
            let negated = prefix.starts_with("not.");
            return Ok(if negated { condition.not() } else { condition });
        }
    }
    let column = column_name(scanner, ".")?;
    let column = asked.table.column(&column)?;
    scanner.expect(".")?;
    test(asked, column, scanner, true)
}

/// A name up to one of some characters, or in double quotes.
fn column_name(scanner: &mut Scanner<'_>, ends: &str) -> Result<String, String> {
    if scanner.peek() == Some('"') {
        return scanner.quoted('"', Some('\\'));
    }
    Ok(scanner.take_while(|next| !ends.contains(next)).to_owned())
}

fn unquoted(name: &str) -> Result<String, String> {
    let mut scanner = Scanner::new(name);
    let found = column_name(&mut scanner, "")?;
    scanner.end()?;
    Ok(found)
}

/// `[not.]operator.value`; within a tree a value ends at a comma or a parenthesis, unless it is quoted.
fn test(
    asked: &Asked<'_>,
    column: usize,
    scanner: &mut Scanner<'_>,
    in_tree: bool,
) -> Result<Condition, String> {
    let negated = scanner.eat("not.");
    let operator = scanner.take_while(|next| next.is_ascii_alphabetic());
    scanner.expect(".")?;
    let condition = if operator == "in" {
        let texts = list(scanner)?;
        let values = asked.values(column, texts.iter().map(String::as_str))?;
        asked.checked(column, Check::In(values), Nulls::Unknown)?
    } else {
        let text = value(scanner, in_tree)?;
        operation(asked, column, operator, &text)?
    };
    Ok(if negated { condition.not() } else { condition })
}

fn value(scanner: &mut Scanner<'_>, in_tree: bool) -> Result<String, String> {
    if !in_tree {
        return Ok(scanner.take_while(|_| true).to_owned());
    }
    match scanner.peek() {
        Some('"') => scanner.quoted('"', Some('\\')),
        Some('{') => {
            scanner.next();
            let inner = scanner.take_while(|next| next != '{' && next != '}');
            scanner.expect("}")?;
            Ok(format!("{{{inner}}}"))
        }
        _ => Ok(scanner
            .take_while(|next| next != ',' && next != ')')
            .to_owned()),
    }
}

/// `(1,"x,y","q\"\\")`
fn list(scanner: &mut Scanner<'_>) -> Result<Vec<String>, String> {
    scanner.expect("(")?;
    let mut texts = Vec::new();
    if scanner.eat(")") {
        return Ok(texts);
    }
    loop {
        texts.push(match scanner.peek() {
            Some('"') => scanner.quoted('"', Some('\\'))?,
            _ => scanner
                .take_while(|next| next != ',' && next != ')')
                .to_owned(),
        });
        if !scanner.eat(",") {
            break;
        }
    }
    scanner.expect(")")?;
    Ok(texts)
}

fn operation(
    asked: &Asked<'_>,
    column: usize,
    operator: &str,
    text: &str,
) -> Result<Condition, String> {
    let compare = |comparison| asked.compare(column, comparison, text, Nulls::Unknown);
    match operator {
        "eq" => compare(Comparison::Equal),
        "neq" => compare(Comparison::NotEqual),
        "gt" => compare(Comparison::Greater),
        "gte" => compare(Comparison::GreaterOrEqual),
        "lt" => compare(Comparison::Less),
        "lte" => compare(Comparison::LessOrEqual),
        "like" | "ilike" => {
            let check = Check::Like {
                pattern: Pattern::like(&text.replace('*', "%"), Some('\\'))?,
                fold_case: operator == "ilike",
            };
            asked.checked(column, check, Nulls::Unknown)
        }
        "cs" => {
            let check = Check::Holds(asked.value(column, text)?);
            asked.checked(column, check, Nulls::Unknown)
        }
        "is" => is(asked, column, text),
        other => Err(format!("unknown operator '{other}'")),
    }
}

fn is(asked: &Asked<'_>, column: usize, text: &str) -> Result<Condition, String> {
    let truth = |wanted: bool| {
        let value = super::value::Value::Bool(wanted);
        let check = Check::Compare(Comparison::Equal, value);
        asked.checked(column, Check::IsTrue, Nulls::Unknown)?;
        asked.checked(column, check, Nulls::False)
    };
    match text.to_ascii_lowercase().as_str() {
        "null" => asked.checked(column, Check::IsNull(true), Nulls::Unknown),
        "not_null" => asked.checked(column, Check::IsNull(false), Nulls::Unknown),
        "true" => truth(true),
        "false" => truth(false),
        other => Err(format!("nothing is '{other}'")),
    }
}

/// `order=a.desc.nullslast,b`
fn order(asked: &Asked<'_>) -> Result<Vec<SortKey>, String> {
    let Some(text) = asked.query.get("order") else {
        return Ok(Vec::new());
    };
    let mut scanner = Scanner::new(text);
    let mut keys = Vec::new();
    loop {
        let column = asked.table.column(&column_name(&mut scanner, ".,")?)?;
        let mut key = asked.sort_key(column, false, NullsPlace::High)?;
        let mut words = scanner
            .take_while(|next| next != ',')
            .split('.')
            .skip(1)
            .peekable();
        if let Some(descending) = words.peek().and_then(|word| direction(word).ok()) {
            key = asked.sort_key(column, descending, NullsPlace::High)?;
            words.next();
        }
        match words.next() {
            None => {}
            Some("nullsfirst") => key.nulls_first = true,
            Some("nullslast") => key.nulls_first = false,
            Some(other) => return Err(format!("order: unexpected '{other}'")),
        }
        if let Some(other) = words.next() {
            return Err(format!("order: unexpected '{other}'"));
        }
        keys.push(key);
        if !scanner.eat(",") {
            scanner.end()?;
            return Ok(keys);
        }
    }
}

/// The columns of `select`, or, with aggregates among them, groups.
fn selected(asked: &Asked<'_>) -> Result<(Option<Vec<usize>>, Option<Grouping>), String> {
    let text = asked.query.get("select").unwrap_or("*");
    if text.is_empty() || text == "*" {
        return Ok((None, None));
    }
    let mut outputs = Vec::new();
    let mut scanner = Scanner::new(text);
    loop {
        outputs.push(output(asked, &mut scanner)?);
        if !scanner.eat(",") {
            break;
        }
    }
    scanner.end()?;
    let keys: Vec<usize> = outputs
        .iter()
        .filter_map(|output| match output.source {
            Source::Key(column) => Some(column),
            _ => None,
        })
        .collect();
    if keys.len() < outputs.len() {
        let grouping = Grouping {
            keys,
            outputs,
            having: Condition::all(),
            order: Vec::new(),
            nests: false,
        };
        grouping.check()?;
        return Ok((None, Some(grouping)));
    }
    for (output, key) in outputs.iter().zip(&keys) {
        if output.name != asked.table.columns[*key].name {
            return Err(format!("the alias {} is for aggregates only", output.name));
        }
    }
    Ok((Some(keys), None))
}

/// `a`, `alias:a.sum()`, `count()`
fn output(asked: &Asked<'_>, scanner: &mut Scanner<'_>) -> Result<Output, String> {
    let mut name = column_name(scanner, ".,:(")?;
    let mut alias = None;
    if scanner.eat(":") {
        alias = Some(name);
        name = column_name(scanner, ".,(")?;
    }
    let (shown, source) = if scanner.eat("()") {
        if name != "count" {
            return Err(format!("{name}() needs a column"));
        }
        (name, Source::CountRows)
    } else if scanner.eat(".") {
        let column = asked.table.column(&name)?;
        let called = scanner.take_while(|next| next.is_ascii_alphabetic());
        scanner.expect("()")?;
        let function =
            Function::named(called).ok_or_else(|| format!("unknown aggregate '{called}'"))?;
        function.check(asked.table, column)?;
        (called.to_owned(), Source::Aggregate(function, column))
    } else {
        let column = asked.table.column(&name)?;
        (name, Source::Key(column))
    };
    Ok(Output {
        name: alias.unwrap_or(shown),
        source,
        hidden: false,
    })
}

/// Groups can only be ordered by what they are grouped by.
fn ordered(mut grouping: Grouping, order: Vec<SortKey>) -> Result<Grouping, String> {
    for key in order {
        let shown = |output: &Output| output.source == Source::Key(key.column);
        let column = grouping.outputs.iter().position(shown);
        let column = column.ok_or("order: groups are ordered by columns that group them")?;
        grouping.order.push(SortKey { column, ..key });
    }
    Ok(grouping)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::super::testing::{Server, kinds};
    use super::*;
    use serde_json::json;

    fn server() -> Server {
        Server::new(json!({"name": "postgrest", "columns": kinds()}), json!({}))
    }

    fn ids(query: &str) -> Vec<i64> {
        server().ids(query)
    }

    #[test]
    fn operators_have_nulls_as_sql_has() {
        assert_eq!(ids("n=gt.5"), [2, 3]);
        assert_eq!(ids("n=not.gt.5"), [1]);
        assert_eq!(ids("n=neq.5"), [2, 3]);
        assert_eq!(ids("n=is.null"), [4]);
        assert_eq!(ids("n=not.is.null"), [1, 2, 3]);
        assert_eq!(ids("b=is.true"), [1]);
        assert_eq!(ids("b=not.is.true"), [2, 3, 4]);
        assert_eq!(ids("n=gte.5&n=lt.6"), [1]);
        assert_eq!(ids("t=not.in.(Apple)"), [2, 3]);
        assert_eq!(ids("z=eq.123456789012345678901234567890.12"), [2]);
    }

    #[test]
    fn values_are_quoted_in_lists_and_trees_only() {
        assert_eq!(ids(r#"t=in.(Apple,"a,\"b\\)")"#), [1, 2]);
        assert_eq!(ids(r#"t=eq."Apple""#), [] as [i64; 0]);
        assert_eq!(ids(r#"or=(t.eq."a,\"b\\)",n.eq.5)"#), [1, 2]);
        assert_eq!(ids(r#"or=(and(n.gt.5,b.is.false),t.in.("Apple"))"#), [1, 2]);
        assert_eq!(ids("not.or=(n.gt.5,b.is.true)"), [] as [i64; 0]);
        assert_eq!(ids("not.and=(n.gt.5,b.is.false)"), [1, 3, 4]);
        assert_eq!(ids("t=like.A*"), [1]);
        assert_eq!(ids("t=ilike.*P_LE"), [1]);
        assert_eq!(ids(r"t=like.*\%*"), [3]);
    }

    #[test]
    fn containment_is_asked_of_arrays_and_documents() {
        assert_eq!(ids(r#"l=cs.{x,"y z"}"#), [1]);
        assert_eq!(ids("l=cs.{}"), [1, 2]);
        assert_eq!(ids(r#"j=cs.{"k":1}"#), [1]);
        assert_eq!(ids(r#"or=(j.cs.{"k":1},l.cs.{w})"#), [1, 2]);
        assert!(server().refusal("n=cs.1").contains("no such operator"));
    }

    #[test]
    fn mistakes_are_refused() {
        for query in [
            "nn=eq.1",
            "n=1",
            "n=eq.x",
            "n=eq.1.5",
            "n=equals.1",
            "n=in.1,2",
            "n=in.(1,2",
            "or=(n.eq.1",
            "or=(n.eq.1,)",
            "or=n.eq.1",
            "or=(t.eq.\"a)",
            "n=is.1",
            "n=like.1*",
            "order=n.down",
            "order=n.desc.last",
            "order=j",
            "select=nn",
            "select=n.sum",
            "select=t.sum()",
            "select=s:n",
            "select=t.count(),n.count()",
            "limit=x",
            "at=eq.x",
        ] {
            server().refusal(query);
        }
    }

    #[test]
    fn rows_are_sorted_cut_and_projected() {
        assert_eq!(ids("order=n.desc"), [4, 3, 2, 1]);
        assert_eq!(ids("order=n.desc.nullslast,id"), [3, 2, 1, 4]);
        assert_eq!(ids("order=b.nullsfirst,id.desc"), [4, 3, 2, 1]);
        assert_eq!(ids("order=id&limit=2&offset=1"), [2, 3]);
        assert_eq!(
            server().body("select=id,z&id=eq.2"),
            r#"[{"id":2,"z":123456789012345678901234567890.12}]"#
        );
    }

    #[test]
    fn aggregates_group_by_the_plain_columns() {
        assert_eq!(
            server().body("select=b,count(),s:n.sum(),n.max()&order=b.nullsfirst"),
            r#"[{"b":null,"count":2,"s":9007199254740993,"max":9007199254740993},{"b":false,"count":1,"s":6,"max":6},{"b":true,"count":1,"s":5,"max":5}]"#
        );
        assert_eq!(
            server().body("select=count()&n=gt.99999999999999999"),
            r#"[{"count":0}]"#
        );
    }

    #[test]
    fn ranges_are_told() {
        assert_eq!(content_range(0..2, 0, 4, true), (206, "0-1/4".to_owned()));
        assert_eq!(content_range(0..4, 0, 4, true), (200, "0-3/4".to_owned()));
        assert_eq!(content_range(0..2, 0, 4, false), (200, "0-1/*".to_owned()));
        assert_eq!(content_range(4..4, 4, 4, true), (200, "*/4".to_owned()));
        assert_eq!(content_range(4..4, 5, 4, true), (416, "*/4".to_owned()));
    }
}
