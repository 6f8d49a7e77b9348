//! What the words of an SQL text are.

use super::scanner::Scanner;

/// A word of an SQL text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Token {
    /// A bare name or a keyword, as written.
    Word(String),
    /// A name in double quotes.
    Name(String),
    /// A text in single quotes.
    Text(String),
    /// Without its sign.
    Number(String),
    /// `<=`, `(`, `*`, …
    Sign(&'static str),
}

const SIGNS: [&str; 14] = [
    "<>", "<=", ">=", "!=", "=", "<", ">", "(", ")", ",", "*", "-", "+", ";",
];

/// Splits a text into its words. A backslash or a control character in a text is refused: servers do not agree on what
/// they mean. The error is a message for the client.
pub(crate) fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut scanner = Scanner::new(text);
    let mut tokens = Vec::new();
    loop {
        scanner.skip_spaces();
        let Some(first) = scanner.peek() else {
            return Ok(tokens);
        };
        tokens.push(match first {
            '\'' => Token::Text(quoted_text(&mut scanner)?),
            '"' => Token::Name(scanner.quoted('"', None)?),
            first if first.is_ascii_digit() || first == '.' => Token::Number(number(&mut scanner)),
            first if first.is_ascii_alphabetic() || first == '_' => {
                let belongs = |next: char| next.is_ascii_alphanumeric() || next == '_';
                Token::Word(scanner.take_while(belongs).to_owned())
            }
            _ => match SIGNS.into_iter().find(|sign| scanner.eat(sign)) {
                Some(sign) => Token::Sign(sign),
                None => return Err(scanner.problem("unexpected character")),
            },
        });
    }
}

fn quoted_text(scanner: &mut Scanner<'_>) -> Result<String, String> {
    let start = scanner.clone();
    let text = scanner.quoted('\'', None)?;
    if text.contains(|letter: char| letter == '\\' || letter.is_control()) {
        return Err(start.problem("a backslash or a control character in a text"));
    }
    Ok(text)
}

/// Digits, a fraction, an exponent.
fn number(scanner: &mut Scanner<'_>) -> String {
    let mut last = ' ';
    let belongs = |next: char| {
        let sign = matches!(next, '-' | '+') && matches!(last, 'e' | 'E');
        last = next;
        sign || next.is_ascii_digit() || matches!(next, '.' | 'e' | 'E')
    };
    scanner.take_while(belongs).to_owned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn texts_names_and_numbers_are_told_apart() {
        assert_eq!(
            tokens(r#"a>=-1.5e-3 AND "b ""c""" = 'x''y'"#).unwrap(),
            [
                Token::Word("a".to_owned()),
                Token::Sign(">="),
                Token::Sign("-"),
                Token::Number("1.5e-3".to_owned()),
                Token::Word("AND".to_owned()),
                Token::Name("b \"c\"".to_owned()),
                Token::Sign("="),
                Token::Text("x'y".to_owned()),
            ]
        );
        for broken in [
            "'a",
            "\"a",
            "a = 'x\\y'",
            "a = 'x\ny'",
            "a # b",
            "a = 'x\u{0}'",
        ] {
            assert!(tokens(broken).is_err(), "{broken}");
        }
    }
}
