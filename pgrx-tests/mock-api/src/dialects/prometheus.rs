//! What a request says in Prometheus' series selectors (its documentation, "Querying basics"), at the instant query and at
//! the series endpoint.

use super::asked::{Asked, Plan};
use super::condition::{Check, Comparison, Condition, Nulls};
use super::scanner::Scanner;
use super::spec::Endpoint;
use super::value::Value;
use regex::Regex;

pub(crate) fn plan(asked: &Asked<'_>) -> Result<Plan, String> {
    let default = match asked.dialect.endpoint {
        Some(Endpoint::Series) => "match[]",
        _ => "query",
    };
    let param = asked.filter_param(default);
    let selectors = asked.query.all(param).map(|text| selector(asked, text));
    let selectors: Vec<Condition> = selectors.collect::<Result<_, _>>()?;
    if selectors.is_empty() {
        return Err(format!("{param} is missing"));
    }
    Ok(Plan {
        filter: Condition::Or(selectors),
        ..Plan::default()
    })
}

/// `name{l="x",k!="y",j=~"a|b",i!~"c"}`; one of the matchers, or the name, must not match nothing.
fn selector(asked: &Asked<'_>, text: &str) -> Result<Condition, String> {
    let mut scanner = Scanner::new(text.trim());
    let name = scanner.take_while(|next| next.is_ascii_alphanumeric() || "_:".contains(next));
    if name.starts_with(|first: char| first.is_ascii_digit()) {
        return Err(format!("'{name}' is no metric's name"));
    }
    let mut conditions = Vec::new();
    let mut matches_something = !name.is_empty();
    if let (Some(column), false) = (asked.table.find("__name__"), name.is_empty()) {
        let check = Check::Compare(Comparison::Equal, Value::Text(name.to_owned()));
        conditions.push(Condition::test(column, check, Nulls::False));
    }
    scanner.skip_spaces();
    if scanner.eat("{") {
        loop {
            scanner.skip_spaces();
            if scanner.eat("}") {
                break;
            }
            let (condition, matches_empty) = matcher(asked, &mut scanner)?;
            conditions.push(condition);
            matches_something |= !matches_empty;
            scanner.skip_spaces();
            if !scanner.eat(",") {
                scanner.expect("}")?;
                break;
            }
        }
    }
    scanner.end()?;
    if matches_something {
        Ok(Condition::And(conditions))
    } else {
        Err(format!(
            "{text}: at least one matcher must not match the empty text"
        ))
    }
}

/// A matcher, and whether it matches the empty text, which is what a missing label is.
fn matcher(asked: &Asked<'_>, scanner: &mut Scanner<'_>) -> Result<(Condition, bool), String> {
    let label = scanner.take_while(|next| next.is_ascii_alphanumeric() || next == '_');
    if label.is_empty() {
        return Err(scanner.problem("expected a label"));
    }
    let column = asked.table.column(label)?;
    scanner.skip_spaces();
    let signs = ["=~", "!~", "!=", "="];
    let sign = signs.into_iter().find(|sign| scanner.eat(sign));
    let sign = sign.ok_or_else(|| scanner.problem("expected a matcher"))?;
    scanner.skip_spaces();
    let text = string(scanner)?;
    let negated = sign.starts_with('!');
    let (check, matches_empty) = if sign.ends_with('~') {
        let flags = if asked.route.case_insensitive {
            "si"
        } else {
            "s"
        };
        let anchored = format!("^(?{flags}:{text})$");
        let regex = Regex::new(&anchored).map_err(|error| format!("{label}: {error}"))?;
        let matches_empty = regex.is_match("") != negated;
        (Check::Regex { regex, negated }, matches_empty)
    } else {
        let comparison = if negated {
            Comparison::NotEqual
        } else {
            Comparison::Equal
        };
        let matches_empty = text.is_empty() != negated;
        (Check::Compare(comparison, Value::Text(text)), matches_empty)
    };
    let mut condition = Condition::test(column, check, Nulls::False);
    if let Condition::Test(test) = &mut condition {
        test.of_null = Some(matches_empty);
    }
    Ok((condition, matches_empty))
}

/// A text in double or single quotes with Go's escapes, or in backticks without any.
fn string(scanner: &mut Scanner<'_>) -> Result<String, String> {
    let start = scanner.clone();
    let quote = match scanner.next() {
        Some(quote @ ('"' | '\'')) => quote,
        Some('`') => {
            let text = scanner.take_while(|next| next != '`').to_owned();
            scanner.expect("`")?;
            return Ok(text);
        }
        _ => return Err(start.problem("expected a text in quotes")),
    };
    let mut bytes = Vec::new();
    loop {
        match scanner.next() {
            Some(next) if next == quote => break,
            Some('\\') => escape(scanner, quote, &mut bytes)?,
            Some('\n') | None => return Err(start.problem("a quoted text has no end")),
            Some(next) => bytes.extend(next.to_string().bytes()),
        }
    }
    String::from_utf8(bytes).map_err(|_| start.problem("a text that is not UTF-8"))
}

/// Go's escapes (The Go Programming Language Specification, "Rune literals").
fn escape(scanner: &mut Scanner<'_>, quote: char, bytes: &mut Vec<u8>) -> Result<(), String> {
    let start = scanner.clone();
    let unknown = || start.problem("unknown escape");
    let digits = |scanner: &mut Scanner<'_>, radix: u32, count: usize| {
        let digits = scanner.rest().get(..count).ok_or_else(unknown)?;
        scanner.expect(digits)?;
        u32::from_str_radix(digits, radix).map_err(|_| unknown())
    };
    let simple = match scanner.next() {
        Some('a') => 7,
        Some('b') => 8,
        Some('f') => 12,
        Some('n') => b'\n',
        Some('r') => b'\r',
        Some('t') => b'\t',
        Some('v') => 11,
        Some('\\') => b'\\',
        Some(next) if next == quote => quote as u8,
        Some('x') => u8::try_from(digits(scanner, 16, 2)?).map_err(|_| unknown())?,
        Some(wide @ ('u' | 'U')) => {
            let code = digits(scanner, 16, if wide == 'u' { 4 } else { 8 })?;
            let letter = char::from_u32(code).ok_or_else(unknown)?;
            bytes.extend(letter.to_string().bytes());
            return Ok(());
        }
        Some('0'..='7') => {
            *scanner = start.clone();
            u8::try_from(digits(scanner, 8, 3)?).map_err(|_| unknown())?
        }
        _ => return Err(unknown()),
    };
    bytes.push(simple);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::testing::Server;
    use serde_json::json;

    fn found(endpoint: &str, query: &str) -> String {
        server(endpoint).body(query)
    }

    fn server(endpoint: &str) -> Server {
        let columns = json!({"job": "text", "id": "text", "__name__": "text"});
        let rows = r#"[{"id":"1","job":"a\"b\\"},{"id":"2","job":"x.y\nz"},{"id":"3"},{"id":"4","job":"x","__name__":"up"}]"#;
        let dialect = json!({"name": "prometheus", "endpoint": endpoint, "columns": columns});
        Server::of(dialect, json!({}), rows)
    }

    fn ids(selector: &str) -> String {
        let text = found("series", &format!("match[]={selector}"));
        text.chars()
            .collect::<Vec<_>>()
            .windows(7)
            .filter(|window| window.starts_with(&['"', 'i', 'd', '"', ':', '"']))
            .map(|window| window[6])
            .collect()
    }

    #[test]
    fn matchers_take_a_missing_label_as_empty() {
        assert_eq!(ids(r#"{id=~".+",job=""}"#), "3");
        assert_eq!(ids(r#"{id=~".+",job!="x"}"#), "123");
        assert_eq!(ids(r#"{id=~"1|2"}"#), "12");
        assert_eq!(ids(r#"{id=~".+",job!~"x.*"}"#), "13");
        assert_eq!(ids(r#"{job=~"x"}"#), "4");
        assert_eq!(ids("up"), "4");
    }

    #[test]
    fn texts_have_the_escapes_of_go() {
        assert_eq!(ids(r#"{job="a\"b\\"}"#), "1");
        assert_eq!(ids(r#"{job='a"b\\'}"#), "1");
        assert_eq!(ids(r#"{job=`a"b\`}"#), "1");
        assert_eq!(ids(r#"{job="x.y\nz"}"#), "2");
        assert_eq!(ids(r#"{job="\x78\u002ey\012z"}"#), "2");
        assert_eq!(ids(r#"{job=~"x\\.y.z"}"#), "2");
    }

    #[test]
    fn an_instant_query_answers_with_samples() {
        assert_eq!(
            found("instant", r#"query={id="3"}"#),
            r#"[{"metric":{"id":"3"},"value":[1700000000,"1"]}]"#
        );
    }

    #[test]
    fn mistakes_are_refused() {
        for selector in [
            "{}",
            r#"{job=""}"#,
            r#"{job=~".*"}"#,
            r#"{nn="x"}"#,
            r#"{job="x}"#,
            r#"{job=x}"#,
            r#"{job~"x"}"#,
            r#"{job="\q"}"#,
            r#"{job=~"("}"#,
            r#"{job="x""#,
            r#"up{job="x"} 5"#,
            "1up",
            r#"{job="\'"}"#,
        ] {
            server("series").refusal(&format!("match[]={selector}"));
        }
        server("instant").refusal("time=1");
    }
}
