//! What an array in PostgreSQL's own spelling holds: `{a,"b c",NULL}`.

use super::scanner::Scanner;

/// The elements; `None` is NULL. The error is a message for the client.
pub(crate) fn parse(text: &str) -> Result<Vec<Option<String>>, String> {
    let mut scanner = Scanner::new(text);
    scanner.expect("{")?;
    let mut elements = Vec::new();
    if !scanner.eat("}") {
        loop {
            elements.push(element(&mut scanner)?);
            if !scanner.eat(",") {
                break;
            }
        }
        scanner.expect("}")?;
    }
    scanner.end()?;
    Ok(elements)
}

fn element(scanner: &mut Scanner<'_>) -> Result<Option<String>, String> {
    if scanner.peek() == Some('"') {
        return scanner.quoted('"', Some('\\')).map(Some);
    }
    let text = scanner.take_while(|next| !matches!(next, ',' | '{' | '}' | '"' | '\\'));
    match text.trim() {
        "" => Err(scanner.problem("an array element is empty")),
        null if null.eq_ignore_ascii_case("null") => Ok(None),
        text => Ok(Some(text.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn elements_are_bare_or_quoted() {
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(
            parse(r#"{a,"b \"c\",\\",NULL,"NULL"}"#).unwrap(),
            [some("a"), some(r#"b "c",\"#), None, some("NULL")]
        );
        assert!(parse("{}").unwrap().is_empty());
        for broken in ["", "{", "{a", "{a,}", "{a}b", "{\"a}", "{{a}}"] {
            assert!(parse(broken).is_err(), "{broken}");
        }
    }
}
