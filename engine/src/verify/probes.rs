//! The questions that a filter is asked: values of a sample, and values that the sample does not have.

use crate::model::{Operator, Type};

/// A value of a column in a sample.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sampled {
    /// The value in its type's text form.
    pub text: String,
    /// Rows that have it.
    pub rows: u64,
}

/// One question: the rows for which `column OPERATOR operands` is true.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    /// Whether rows of the sample are expected.
    pub expected: bool,
    /// What the column is compared with.
    pub compared: Compared,
}

/// What a column is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Compared {
    /// Nothing: a test for NULL.
    Nothing,
    /// A value, in its type's text form.
    Value(String),
    /// Values.
    List(Vec<String>),
    /// A pattern of LIKE.
    Pattern(String),
}

/// A text that no API is expected to have.
const ABSENT: &str = "no such value 7f3a";

/// The questions for an operator, given the column's values in the sample that are not null, each once and in the
/// type's order.
///
/// # Errors
/// Why there is nothing to ask, in a user's words.
pub fn probes(ty: &Type, operator: Operator, values: &[Sampled]) -> Result<Vec<Probe>, String> {
    if matches!(operator, Operator::IsNull | Operator::IsNotNull) {
        return Ok(vec![Probe {
            expected: true,
            compared: Compared::Nothing,
        }]);
    }
    let short: Vec<&Sampled> = values
        .iter()
        .filter(|value| value.text.len() <= 200)
        .collect();
    if short.is_empty() {
        return Err("the sample has no value of this column".to_owned());
    }
    let asker = Asker { ty, values: &short };
    Ok(match operator {
        Operator::Eq | Operator::Ne => asker.equal(operator),
        Operator::In | Operator::NotIn => asker.list(operator),
        Operator::Like | Operator::NotLike | Operator::ILike | Operator::NotILike => {
            asker.pattern(operator)?
        }
        Operator::Contains if *ty == Type::Text => asker.part()?,
        Operator::Contains => asker.one(asker.rarest()),
        _ => asker.range(),
    })
}

struct Asker<'a> {
    ty: &'a Type,
    values: &'a [&'a Sampled],
}

impl Asker<'_> {
    /// The value that the fewest rows have: its answer is the shortest.
    fn rarest(&self) -> &str {
        let rarest = self.values.iter().min_by_key(|value| value.rows);
        rarest.map_or("", |value| &value.text)
    }

    fn most_frequent(&self) -> &str {
        let frequent = self.values.iter().rev().max_by_key(|value| value.rows);
        frequent.map_or("", |value| &value.text)
    }

    fn one(&self, value: &str) -> Vec<Probe> {
        vec![Probe {
            expected: true,
            compared: Compared::Value(value.to_owned()),
        }]
    }

    fn equal(&self, operator: Operator) -> Vec<Probe> {
        let value = match operator {
            Operator::Ne => self.most_frequent(),
            _ => self.rarest(),
        };
        let mut probes = self.one(value);
        let other_case = (*self.ty == Type::Text)
            .then(|| self.other_case(value))
            .flatten();
        let is_ne = operator == Operator::Ne;
        probes.extend(other_case.map(|text| Probe {
            expected: is_ne,
            compared: Compared::Value(text),
        }));
        probes.extend(self.absent().filter(|_| !is_ne).map(|text| Probe {
            expected: false,
            compared: Compared::Value(text),
        }));
        probes
    }

    fn list(&self, operator: Operator) -> Vec<Probe> {
        let mut values: Vec<&&Sampled> = self.values.iter().collect();
        values.sort_by_key(|value| value.rows);
        let listed: Vec<String> = values
            .iter()
            .take(2)
            .map(|value| value.text.clone())
            .collect();
        let mut probes = vec![Probe {
            expected: true,
            compared: Compared::List(listed),
        }];
        let absent = self.absent().filter(|_| operator == Operator::In);
        probes.extend(absent.map(|text| Probe {
            expected: false,
            compared: Compared::List(vec![text.clone(), text + "1"]),
        }));
        probes
    }

    /// The middle value: rows on both sides of it, and rows that have it.
    fn range(&self) -> Vec<Probe> {
        self.one(&self.values[self.values.len() / 2].text)
    }

    fn pattern(&self, operator: Operator) -> Result<Vec<Probe>, String> {
        let text = self.plain_text()?;
        let begin: String = text.chars().take(4).collect();
        let folds = matches!(operator, Operator::ILike | Operator::NotILike);
        let shown = match swapped(&begin) {
            Some(swapped) if folds => swapped,
            _ => begin.clone(),
        };
        let mut probes = vec![Probe {
            expected: true,
            compared: Compared::Pattern(format!("{shown}%")),
        }];
        if operator == Operator::Like {
            let other_case = self.other_case(&begin);
            probes.extend(
                other_case
                    .into_iter()
                    .chain([ABSENT.to_owned()])
                    .map(|text| Probe {
                        expected: false,
                        compared: Compared::Pattern(format!("{text}%")),
                    }),
            );
        }
        Ok(probes)
    }

    /// A part of a text, from its middle.
    fn part(&self) -> Result<Vec<Probe>, String> {
        let text = self.plain_text()?;
        let length = text.chars().count();
        let part: String = text
            .chars()
            .skip(length / 3)
            .take((length / 2).clamp(1, 8))
            .collect();
        let probe = |expected, part: &str| Probe {
            expected,
            compared: Compared::Pattern(format!("%{part}%")),
        };
        Ok(vec![probe(true, part.trim()), probe(false, ABSENT)])
    }

    /// A text without the letters that patterns give a meaning to.
    fn plain_text(&self) -> Result<&str, String> {
        let is_plain = |value: &&&Sampled| {
            !value.text.is_empty() && !value.text.contains(['%', '_', '\\', '*'])
        };
        let plain = self
            .values
            .iter()
            .filter(is_plain)
            .min_by_key(|value| value.rows);
        plain
            .map(|value| value.text.as_str())
            .ok_or_else(|| "the sample has no text that a pattern could be made of".to_owned())
    }

    /// The value in the other case, if the sample does not have it.
    fn other_case(&self, text: &str) -> Option<String> {
        let swapped = swapped(text)?;
        (!self.has(&swapped)).then_some(swapped)
    }

    fn has(&self, text: &str) -> bool {
        self.values.iter().any(|value| value.text.starts_with(text))
    }

    /// A value that the sample does not have.
    fn absent(&self) -> Option<String> {
        let text = match self.ty {
            Type::Text => ABSENT.to_owned(),
            Type::Int2 | Type::Int4 | Type::Int8 | Type::Numeric | Type::Float8 => self.beyond()?,
            Type::Uuid => "ffffffff-ffff-4fff-bfff-ffffffffffff".to_owned(),
            Type::Date => "9999-12-30".to_owned(),
            Type::Timestamp => "9999-12-30 00:00:00".to_owned(),
            Type::TimestampTz => "9999-12-30 00:00:00+00".to_owned(),
            _ => return None,
        };
        (!self.has(&text)).then_some(text)
    }

    /// A number beyond those of the sample; with one more digit it is one, too.
    fn beyond(&self) -> Option<String> {
        let greatest = self.values.last()?.text.parse::<f64>().ok()?;
        let most = match self.ty {
            Type::Int2 => 3_000.0,
            Type::Int4 => 200_000_000.0,
            _ => 1e15,
        };
        let beyond = greatest.max(0.0).floor() + 1009.0;
        (beyond < most).then(|| format!("{beyond:.0}"))
    }
}

/// A text with its first letter that has cases in the other one; none where no letter has.
fn swapped(text: &str) -> Option<String> {
    let swap = |letter: char| match letter {
        letter if letter.is_ascii_lowercase() => letter.to_ascii_uppercase(),
        letter => letter.to_ascii_lowercase(),
    };
    let swapped: String = text.chars().map(swap).collect();
    (swapped != text).then_some(swapped)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn asked(ty: Type, operator: Operator, values: &[(&str, u64)]) -> Vec<String> {
        let values: Vec<Sampled> = values
            .iter()
            .map(|(text, rows)| Sampled {
                text: (*text).to_owned(),
                rows: *rows,
            })
            .collect();
        let shown = |probe: Probe| {
            let compared = match probe.compared {
                Compared::Nothing => String::new(),
                Compared::Value(text) | Compared::Pattern(text) => text,
                Compared::List(texts) => texts.join("|"),
            };
            let sign = if probe.expected { "" } else { "!" };
            format!("{sign}{compared}")
        };
        let probes = probes(&ty, operator, &values);
        probes.map_or_else(
            |reason| vec![reason],
            |probes| probes.into_iter().map(shown).collect(),
        )
    }

    #[test]
    fn equality_is_asked_for_the_rarest_value_its_other_case_and_none() {
        let states = [("closed", 3), ("open", 7)];
        assert_eq!(
            asked(Type::Text, Operator::Eq, &states),
            ["closed", "!CLOSED", "!no such value 7f3a"]
        );
        assert_eq!(asked(Type::Text, Operator::Ne, &states), ["open", "OPEN"]);
        assert_eq!(
            asked(Type::Text, Operator::In, &states),
            ["closed|open", "!no such value 7f3a|no such value 7f3a1"]
        );
        assert_eq!(asked(Type::Text, Operator::NotIn, &states), ["closed|open"]);
        assert_eq!(
            asked(Type::Int4, Operator::Eq, &[("1", 2), ("7", 1)]),
            ["7", "!1016"]
        );
        assert_eq!(
            asked(Type::Bool, Operator::Eq, &[("false", 1), ("true", 2)]),
            ["false"]
        );
    }

    #[test]
    fn ranges_are_asked_for_the_middle() {
        let values = [("1", 1), ("2", 1), ("3", 1)];
        assert_eq!(asked(Type::Int8, Operator::Ge, &values), ["2"]);
        assert_eq!(asked(Type::Int8, Operator::Lt, &values[..1]), ["1"]);
    }

    #[test]
    fn patterns_are_made_of_plain_texts() {
        let texts = [("100%", 1), ("Hualian", 2)];
        assert_eq!(
            asked(Type::Text, Operator::Like, &texts),
            ["Hual%", "!hUAL%", "!no such value 7f3a%"]
        );
        assert_eq!(asked(Type::Text, Operator::ILike, &texts), ["hUAL%"]);
        assert_eq!(
            asked(Type::Text, Operator::Contains, &texts),
            ["%ali%", "!%no such value 7f3a%"]
        );
        assert_eq!(
            asked(Type::Text, Operator::Like, &texts[..1]),
            ["the sample has no text that a pattern could be made of"]
        );
        assert_eq!(asked(Type::Text, Operator::IsNull, &[]), [""]);
        assert_eq!(
            asked(Type::Text, Operator::Eq, &[]),
            ["the sample has no value of this column"]
        );
    }
}
