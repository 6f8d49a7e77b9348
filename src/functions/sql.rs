//! SQL that is written for users: names, literals, types, comments.

use rest_engine::model::Type;

/// A name, in quotes where it needs them.
pub fn identifier(name: &str) -> String {
    // PostgreSQL's own function takes the database's encoding; names with other letters than ASCII's always need quotes.
    if name.is_ascii() {
        return pgrx::spi::quote_identifier(name);
    }
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text as a literal, whatever `standard_conforming_strings` says.
pub fn literal(text: &str) -> String {
    let quoted = text.replace('\'', "''");
    if !quoted.contains(|character: char| character == '\\' || character.is_control()) {
        return format!("'{quoted}'");
    }
    let escaped = |character: char| match character {
        '\\' => "\\\\".to_owned(),
        control if control.is_control() => format!("\\u{:04x}", u32::from(control)),
        other => other.to_string(),
    };
    format!("E'{}'", quoted.chars().map(escaped).collect::<String>())
}

/// Options as DDL writes them, one after the other.
pub fn options(options: &[(String, String)], between: &str) -> String {
    let written = options
        .iter()
        .map(|(name, value)| format!("{} {}", identifier(name), literal(value)));
    written.collect::<Vec<_>>().join(between)
}

/// A type's name.
pub fn type_name(ty: &Type) -> String {
    let name = match ty {
        Type::Bool => "boolean",
        Type::Int2 => "smallint",
        Type::Int4 => "integer",
        Type::Int8 => "bigint",
        Type::Float4 => "real",
        Type::Float8 => "double precision",
        Type::Numeric => "numeric",
        Type::Text | Type::Bpchar | Type::Other => "text",
        Type::Date => "date",
        Type::Timestamp => "timestamp",
        Type::TimestampTz => "timestamptz",
        Type::Uuid => "uuid",
        Type::Json => "jsonb",
        Type::Bytes => "bytea",
        Type::Array(element) => return format!("{}[]", type_name(element)),
    };
    name.to_owned()
}

/// A line of a comment. A line break in `text`, which the API may have written, would end the comment.
pub fn comment(text: &str) -> String {
    let one_line = |character: char| match character {
        character if character.is_control() => ' ',
        character => character,
    };
    format!("-- {}", text.chars().map(one_line).collect::<String>())
}
