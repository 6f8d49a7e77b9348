//! Which patterns is text matched with?

use super::generate::{Generator, Reference};
use crate::values::quote;

impl Generator<'_> {
    /// A condition that only text can have.
    pub(super) fn text_atom(&mut self, column: &Reference) -> String {
        let name = &column.sql;
        let part = self.part(column);
        match self.random.between(0, 15) {
            0 => format!("starts_with({name}, {})", quote(&part)),
            1 => format!("{name} ^@ {}", quote(&part)),
            2 => format!("lower({name}) = {}", quote(&part.to_lowercase())),
            3 => format!("{name} ~ {}", quote(&regex(&part))),
            4 => format!("length({name}) > {}", self.random.between(0, 5)),
            5 => format!("position({} in {name}) > 0", quote(&part)),
            6 => format!("{name} || 'x' = {}", quote(&format!("{part}x"))),
            7 => self.with_escape(name, &part),
            _ => self.like(column, &part),
        }
    }

    /// `LIKE` and its kin with a pattern of one of the shapes that dialects tell apart.
    fn like(&mut self, column: &Reference, part: &str) -> String {
        let operator = self.random.weighted(&[
            ("LIKE", 40),
            ("NOT LIKE", 15),
            ("ILIKE", 20),
            ("NOT ILIKE", 8),
            ("~~", 5),
            ("!~~", 2),
            ("~~*", 5),
        ]);
        let escaped = escaped(part, '\\');
        let pattern = match self.random.between(0, 9) {
            0 | 1 => format!("{escaped}%"),
            2 => format!("%{escaped}"),
            3 | 4 => format!("%{escaped}%"),
            5 => escaped,
            6 => format!("{}%{escaped}", self.part(column)),
            7 => format!("_{escaped}"),
            8 => format!("{}%_", self.part(column)),
            // Whatever stands in it: it may end in a backslash, which is an error when it is reached.
            _ => part.trim_end_matches('\\').to_owned(),
        };
        let pattern = match self.executions {
            0 => quote(&pattern),
            _ if self.random.percent(30) => {
                let values = vec![quote(&pattern); self.executions];
                self.add_parameter("text".to_owned(), values)
            }
            _ => quote(&pattern),
        };
        format!("{} {operator} {pattern}", column.sql)
    }

    fn with_escape(&mut self, name: &str, part: &str) -> String {
        let escape = *self.random.pick(&['#', '!', '\\', '%']);
        let pattern = escaped(part, escape);
        format!(
            "{name} LIKE {} ESCAPE {}",
            quote(&format!(
                "{pattern}{}",
                if escape == '%' { "_" } else { "%" }
            )),
            quote(&escape.to_string())
        )
    }

    /// A piece of a value that the column may hold.
    fn part(&mut self, column: &Reference) -> String {
        let value: Vec<char> = self.value(column).chars().collect();
        if value.len() < 2 || self.random.percent(50) {
            return value.into_iter().collect();
        }
        let start = self.random.between(0, value.len() - 1);
        let end = self.random.between(start, value.len() - 1);
        value[start..=end].iter().collect()
    }
}

fn escaped(text: &str, escape: char) -> String {
    let mut pattern = String::new();
    for letter in text.chars() {
        if matches!(letter, '%' | '_') || letter == escape {
            pattern.push(escape);
        }
        pattern.push(letter);
    }
    pattern
}

/// A regular expression that matches what begins with the text.
fn regex(text: &str) -> String {
    let letters = text
        .chars()
        .filter(|letter| letter.is_alphanumeric() || *letter == ' ');
    format!("^{}", letters.collect::<String>())
}
