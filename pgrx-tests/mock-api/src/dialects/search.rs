//! What a request says in GitHub's search syntax (its documentation, "Understanding the search syntax").

use super::asked::{Asked, Plan};
use super::condition::{Check, Comparison, Condition, Nulls};
use super::scanner::Scanner;
use super::sort::SortDefaults;
use super::spec::SortStyle;

/// Qualifiers that choose what is searched, not which of it is found.
const SCOPES: [&str; 6] = ["is", "type", "in", "repo", "org", "user"];

pub(crate) fn plan(asked: &Asked<'_>) -> Result<Plan, String> {
    let mut conditions = Vec::new();
    if let Some(text) = asked.query.get(asked.filter_param("q")) {
        let mut scanner = Scanner::new(text);
        scanner.skip_spaces();
        while scanner.peek().is_some() {
            conditions.extend(qualifier(asked, &mut scanner)?);
            if scanner.peek().is_some_and(|next| !next.is_whitespace()) {
                return Err(scanner.problem("expected a space"));
            }
            scanner.skip_spaces();
        }
    }
    let fields_param = asked.dialect.fields_param.as_deref().unwrap_or("fields");
    Ok(Plan {
        filter: Condition::And(conditions),
        order: asked.sorted(SortDefaults::of("sort", SortStyle::OrderParam))?,
        columns: asked.listed_columns(fields_param)?,
        count: true,
        ..Plan::default()
    })
}

/// `state:open`, `-author:x`, `created:>=2024-01-01`, `comments:5..10`, `label:"two words"`
fn qualifier(asked: &Asked<'_>, scanner: &mut Scanner<'_>) -> Result<Option<Condition>, String> {
    let negated = scanner.eat("-");
    let name = scanner.take_while(|next| next != ':' && next != '"' && !next.is_whitespace());
    if name.is_empty() || scanner.peek() != Some(':') {
        return Err(scanner.problem("words to search for are not looked at here"));
    }
    scanner.expect(":")?;
    let scope = asked.table.find(name).is_none() && SCOPES.contains(&name);
    if scope {
        value(scanner)?;
        return Ok(None);
    }
    let column = asked.table.column(name)?;
    let condition = operation(asked, column, scanner)?;
    Ok(Some(if negated { condition.not() } else { condition }))
}

fn operation(
    asked: &Asked<'_>,
    column: usize,
    scanner: &mut Scanner<'_>,
) -> Result<Condition, String> {
    let compare = |comparison, text: &str| asked.compare(column, comparison, text, Nulls::False);
    let ordered =
        asked.table.column_type(column).is_ordered() && !asked.table.column_type(column).is_text();
    let bounds = [
        (">=", Comparison::GreaterOrEqual),
        ("<=", Comparison::LessOrEqual),
        (">", Comparison::Greater),
        ("<", Comparison::Less),
    ];
    for (sign, comparison) in bounds {
        if ordered && scanner.eat(sign) {
            return compare(comparison, &value(scanner)?);
        }
    }
    let quoted = scanner.peek() == Some('"');
    let text = value(scanner)?;
    match text.split_once("..") {
        Some((low, high)) if ordered && !quoted => {
            let mut parts = Vec::new();
            if low != "*" {
                parts.push(compare(Comparison::GreaterOrEqual, low)?);
            }
            if high != "*" {
                parts.push(compare(Comparison::LessOrEqual, high)?);
            }
            // A range of nothing but stars still needs a value.
            parts.push(asked.checked(column, Check::IsNull(false), Nulls::False)?);
            Ok(Condition::And(parts))
        }
        _ => compare(Comparison::Equal, &text),
    }
}

/// A text in double quotes, in which a backslash escapes, or up to the next space.
fn value(scanner: &mut Scanner<'_>) -> Result<String, String> {
    if scanner.peek() == Some('"') {
        return scanner.quoted('"', Some('\\'));
    }
    let text = scanner.take_while(|next| !next.is_whitespace() && next != '"');
    if text.is_empty() {
        return Err(scanner.problem("a qualifier without a value"));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Server, kinds};
    use serde_json::json;

    fn server() -> Server {
        Server::new(json!({"name": "search", "columns": kinds()}), json!({}))
    }

    fn found(text: &str) -> Vec<i64> {
        server().ids(&format!("q={text}"))
    }

    #[test]
    fn qualifiers_find_rows() {
        assert_eq!(found("is:issue t:Apple"), [1]);
        assert_eq!(found(r#"t:"a,\"b\\)" n:6"#), [2]);
        assert_eq!(found("n:>5"), [2, 3]);
        assert_eq!(found("n:5..6"), [1, 2]);
        assert_eq!(found("n:*..5"), [1]);
        assert_eq!(found("-n:5"), [2, 3, 4]);
        assert_eq!(found("at:>=2024-02-29T12:00:00.500001Z"), [2]);
        assert_eq!(found(""), [1, 2, 3, 4]);
        assert_eq!(server().ids("q=n:>0&sort=n&order=desc"), [3, 2, 1]);
    }

    #[test]
    fn mistakes_are_refused() {
        for text in [
            "words",
            "nn:5",
            "n:x",
            "n:",
            "n:>x",
            r#"t:"a"#,
            r#"t:"a"b"#,
            r#""a b""#,
        ] {
            server().refusal(&format!("q={text}"));
        }
    }
}
