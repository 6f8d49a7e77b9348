//! How OData writes literals (OData 4.0 ABNF, `primitiveLiteral`).

use super::value::{ColumnType, Scalar, Value, date, is_uuid};

/// A literal, before it is known what it is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Literal {
    Null,
    Bool(bool),
    Text(String),
    Number(String),
    Date(String),
    Instant(String),
    Guid(String),
}

impl Literal {
    /// The literal that an unquoted token is; `None` if it is a name.
    pub(crate) fn bare(token: &str) -> Option<Literal> {
        let text = || token.to_owned();
        match token {
            "null" => Some(Literal::Null),
            "true" => Some(Literal::Bool(true)),
            "false" => Some(Literal::Bool(false)),
            "INF" | "-INF" | "NaN" => Some(Literal::Number(text())),
            token if is_uuid(token) => Some(Literal::Guid(text())),
            token if date(token).is_some() => Some(Literal::Date(text())),
            token if token.starts_with(|first: char| first.is_ascii_digit() || first == '-') => {
                if token.contains('T') {
                    Some(Literal::Instant(text()))
                } else {
                    Some(Literal::Number(text()))
                }
            }
            _ => None,
        }
    }

    /// Its value for a property of a type; the error is a message for the client.
    pub(crate) fn value(&self, column_type: ColumnType) -> Result<Value, String> {
        let scalar = column_type.scalar;
        let mismatch = || format!("{self:?} does not compare with {scalar:?}");
        if column_type.is_array {
            return Err(mismatch());
        }
        match self {
            Literal::Null => Ok(Value::Null),
            Literal::Bool(value) if scalar == Scalar::Bool => Ok(Value::Bool(*value)),
            Literal::Text(text) if scalar == Scalar::Text => Ok(Value::Text(text.clone())),
            Literal::Number(text) if column_type.is_float() => scalar.of_text(&infinite(text)),
            Literal::Number(text) if column_type.is_number() => Scalar::Numeric.of_text(text),
            Literal::Date(text) if scalar == Scalar::Date => scalar.of_text(text),
            Literal::Instant(text) if scalar == Scalar::Timestamp => scalar.of_text(text),
            Literal::Instant(text) if scalar == Scalar::TimestampTz => {
                text.parse().map(Value::Instant).map_err(|_| mismatch())
            }
            Literal::Guid(text) if scalar == Scalar::Uuid => scalar.of_text(text),
            _ => Err(mismatch()),
        }
    }
}

fn infinite(text: &str) -> String {
    text.replace("INF", "inf")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_told_apart() {
        let kind = |token: &str| Literal::bare(token);
        assert_eq!(kind("-1.5e3"), Some(Literal::Number("-1.5e3".to_owned())));
        assert_eq!(
            kind("2024-02-29"),
            Some(Literal::Date("2024-02-29".to_owned()))
        );
        assert!(matches!(
            kind("2024-02-29T12:00:00Z"),
            Some(Literal::Instant(_))
        ));
        assert!(matches!(
            kind("a3bb189e-8bf9-3888-9912-ace4e6543002"),
            Some(Literal::Guid(_))
        ));
        assert_eq!(kind("Name"), None);
    }

    #[test]
    fn an_instant_needs_its_zone() {
        let instant = Literal::Instant("2024-02-29T12:00:00".to_owned());
        assert!(instant.value(ColumnType::of(Scalar::TimestampTz)).is_err());
        assert!(instant.value(ColumnType::of(Scalar::Timestamp)).is_ok());
    }
}
