//! Which rows an SQL condition holds for: comparisons, IN, LIKE, IS NULL, BETWEEN, AND, OR, NOT.

use super::condition::{Check, Comparison, Condition, Nulls};
use super::pattern::Pattern;
use super::sql_text::Token;
use super::value::{ColumnType, Scalar, Value};

/// The words of an SQL text, and how far they were read.
pub(crate) struct Words {
    tokens: Vec<Token>,
    at: usize,
}

/// What a condition's names mean: the columns of a table, or of groups with their aggregates.
pub(crate) trait Names {
    /// Reads a name, or a call of an aggregate, if one is next; its column and type.
    fn column(&mut self, words: &mut Words) -> Result<Option<(usize, ColumnType)>, String>;
}

/// A literal, before it is known what it is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Literal {
    Null,
    Bool(bool),
    Number(String),
    Text(String),
}

enum Operand {
    Column(usize, ColumnType),
    Literal(Literal),
}

impl Words {
    pub(crate) fn new(text: &str) -> Result<Words, String> {
        Ok(Words {
            tokens: super::sql_text::tokens(text)?,
            at: 0,
        })
    }

    pub(crate) fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    pub(crate) fn next(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.at).cloned();
        self.at += 1;
        token
    }

    /// Goes over a keyword if it is next.
    pub(crate) fn keyword(&mut self, word: &str) -> bool {
        let found =
            matches!(self.peek(), Some(Token::Word(found)) if found.eq_ignore_ascii_case(word));
        self.at += usize::from(found);
        found
    }

    /// Goes over several keywords if all of them are next.
    pub(crate) fn keywords(&mut self, words: &[&str]) -> bool {
        let start = self.at;
        let found = words.iter().all(|word| self.keyword(word));
        if !found {
            self.at = start;
        }
        found
    }

    /// Takes the words before the first of some clauses.
    pub(crate) fn until(&mut self, clauses: &[&[&str]]) -> Words {
        let start = self.at;
        while self.at < self.tokens.len() {
            let here = self.at;
            if clauses.iter().any(|clause| self.keywords(clause)) {
                self.at = here;
                break;
            }
            self.at += 1;
        }
        Words {
            tokens: self.tokens[start..self.at].to_vec(),
            at: 0,
        }
    }

    pub(crate) fn sign(&mut self, sign: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Sign(found)) if *found == sign);
        self.at += usize::from(found);
        found
    }

    pub(crate) fn expect_sign(&mut self, sign: &str) -> Result<(), String> {
        if self.sign(sign) {
            Ok(())
        } else {
            Err(self.problem(&format!("expected {sign}")))
        }
    }

    /// Whether the words that follow are a name and an opening parenthesis.
    pub(crate) fn is_call(&self) -> bool {
        matches!(self.peek(), Some(Token::Word(_)))
            && self.tokens.get(self.at + 1) == Some(&Token::Sign("("))
    }

    /// A name, bare or quoted.
    pub(crate) fn name(&mut self) -> Result<String, String> {
        match self.next() {
            Some(Token::Word(name) | Token::Name(name)) => Ok(name),
            _ => {
                self.at -= 1;
                Err(self.problem("expected a name"))
            }
        }
    }

    pub(crate) fn end(&self) -> Result<(), String> {
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(self.problem("expected the end")),
        }
    }

    pub(crate) fn problem(&self, what: &str) -> String {
        match self.peek() {
            Some(token) => format!("{what} before {token:?}"),
            None => format!("{what} at the end"),
        }
    }
}

/// Reads a condition.
pub(crate) fn condition(words: &mut Words, names: &mut dyn Names) -> Result<Condition, String> {
    let mut arms = vec![conjunction(words, names)?];
    while words.keyword("OR") {
        arms.push(conjunction(words, names)?);
    }
    Ok(if arms.len() == 1 {
        arms.remove(0)
    } else {
        Condition::Or(arms)
    })
}

fn conjunction(words: &mut Words, names: &mut dyn Names) -> Result<Condition, String> {
    let mut parts = vec![negation(words, names)?];
    while words.keyword("AND") {
        parts.push(negation(words, names)?);
    }
    Ok(if parts.len() == 1 {
        parts.remove(0)
    } else {
        Condition::And(parts)
    })
}

fn negation(words: &mut Words, names: &mut dyn Names) -> Result<Condition, String> {
    if words.keyword("NOT") {
        return Ok(negation(words, names)?.not());
    }
    if words.sign("(") {
        let inner = condition(words, names)?;
        words.expect_sign(")")?;
        return Ok(inner);
    }
    test(words, names)
}

fn test(words: &mut Words, names: &mut dyn Names) -> Result<Condition, String> {
    let left = operand(words, names)?;
    if let Some(comparison) = comparison(words) {
        let right = operand(words, names)?;
        return match (left, right) {
            (Operand::Column(column, column_type), Operand::Literal(literal)) => {
                compare(column, column_type, comparison, &literal)
            }
            (Operand::Literal(literal), Operand::Column(column, column_type)) => {
                compare(column, column_type, comparison.commuted(), &literal)
            }
            _ => Err(words.problem("expected a column and a literal")),
        };
    }
    let (column, column_type) = match left {
        Operand::Column(column, column_type) => (column, column_type),
        Operand::Literal(Literal::Bool(truth)) => return Ok(Condition::Constant(Some(truth))),
        Operand::Literal(_) => return Err(words.problem("expected a comparison")),
    };
    if words.keyword("IS") {
        let wanted = !words.keyword("NOT");
        if !words.keyword("NULL") {
            return Err(words.problem("expected NULL"));
        }
        return Ok(Condition::test(
            column,
            Check::IsNull(wanted),
            Nulls::Unknown,
        ));
    }
    let negated = words.keyword("NOT");
    let found = predicate(words, names, column, column_type)?;
    match found {
        Some(found) => Ok(if negated { found.not() } else { found }),
        None if !negated && column_type.scalar == Scalar::Bool => {
            Ok(Condition::test(column, Check::IsTrue, Nulls::Unknown))
        }
        None => Err(words.problem("expected a comparison")),
    }
}

/// IN, LIKE, ILIKE, BETWEEN.
fn predicate(
    words: &mut Words,
    names: &mut dyn Names,
    column: usize,
    column_type: ColumnType,
) -> Result<Option<Condition>, String> {
    if words.keyword("IN") {
        let mut values = Vec::new();
        words.expect_sign("(")?;
        loop {
            values.push(literal(words, names)?.value(column_type)?);
            if !words.sign(",") {
                break;
            }
        }
        words.expect_sign(")")?;
        return Ok(Some(Condition::test(
            column,
            Check::In(values),
            Nulls::Unknown,
        )));
    }
    if words.keyword("BETWEEN") {
        let low = literal(words, names)?;
        if !words.keyword("AND") {
            return Err(words.problem("expected AND"));
        }
        let high = literal(words, names)?;
        return Ok(Some(Condition::And(vec![
            compare(column, column_type, Comparison::GreaterOrEqual, &low)?,
            compare(column, column_type, Comparison::LessOrEqual, &high)?,
        ])));
    }
    like(words, names, column, column_type)
}

fn like(
    words: &mut Words,
    names: &mut dyn Names,
    column: usize,
    column_type: ColumnType,
) -> Result<Option<Condition>, String> {
    let fold_case = words.keyword("ILIKE");
    if !fold_case && !words.keyword("LIKE") {
        return Ok(None);
    }
    let Literal::Text(text) = literal(words, names)? else {
        return Err(words.problem("LIKE needs a text"));
    };
    if !column_type.is_text() {
        return Err("LIKE needs a text column".to_owned());
    }
    let pattern = Pattern::like(&text, None)?;
    let check = Check::Like { pattern, fold_case };
    Ok(Some(Condition::test(column, check, Nulls::Unknown)))
}

fn comparison(words: &mut Words) -> Option<Comparison> {
    let signs = [
        ("=", Comparison::Equal),
        ("<>", Comparison::NotEqual),
        ("!=", Comparison::NotEqual),
        ("<=", Comparison::LessOrEqual),
        ("<", Comparison::Less),
        (">=", Comparison::GreaterOrEqual),
        (">", Comparison::Greater),
    ];
    let found = signs.into_iter().find(|(sign, _)| words.sign(sign));
    found.map(|(_, comparison)| comparison)
}

fn compare(
    column: usize,
    column_type: ColumnType,
    comparison: Comparison,
    literal: &Literal,
) -> Result<Condition, String> {
    if comparison.is_order() && !column_type.is_ordered() {
        return Err(format!("{:?} has no order", column_type.scalar));
    }
    let check = Check::Compare(comparison, literal.value(column_type)?);
    Ok(Condition::test(column, check, Nulls::Unknown))
}

fn literal(words: &mut Words, names: &mut dyn Names) -> Result<Literal, String> {
    match operand(words, names)? {
        Operand::Literal(literal) => Ok(literal),
        Operand::Column(..) => Err(words.problem("expected a literal")),
    }
}

fn operand(words: &mut Words, names: &mut dyn Names) -> Result<Operand, String> {
    let number = |sign: &str, words: &mut Words| match words.next() {
        Some(Token::Number(digits)) => {
            Ok(Operand::Literal(Literal::Number(format!("{sign}{digits}"))))
        }
        _ => Err(words.problem("expected a number")),
    };
    if words.sign("-") {
        return number("-", words);
    }
    for (word, literal) in [
        ("NULL", Literal::Null),
        ("TRUE", Literal::Bool(true)),
        ("FALSE", Literal::Bool(false)),
    ] {
        if words.keyword(word) {
            return Ok(Operand::Literal(literal));
        }
    }
    match words.peek() {
        Some(Token::Number(_)) => number("", words),
        Some(Token::Text(text)) => {
            let literal = Literal::Text(text.clone());
            words.next();
            Ok(Operand::Literal(literal))
        }
        _ => match names.column(words)? {
            Some((column, column_type)) => Ok(Operand::Column(column, column_type)),
            None => Err(words.problem("expected an operand")),
        },
    }
}

impl Literal {
    /// Its value for a column of a type: a text by the type's own spelling, a number for numbers only.
    fn value(&self, column_type: ColumnType) -> Result<Value, String> {
        let mismatch = || format!("{self:?} does not compare with {:?}", column_type.scalar);
        match self {
            Literal::Null => Ok(Value::Null),
            Literal::Bool(truth) if column_type.scalar == Scalar::Bool => Ok(Value::Bool(*truth)),
            Literal::Text(text) => column_type.of_text(text),
            Literal::Number(text) if column_type.is_float() => Scalar::Float8.of_text(text),
            Literal::Number(text) if column_type.is_number() => Scalar::Numeric.of_text(text),
            _ => Err(mismatch()),
        }
    }
}
