//! Names and values in PostgREST's syntax, so that no value ends where it should not.

/// Words that mean something else where a column's name may stand.
const RESERVED: &[&str] = &[
    "and",
    "or",
    "not",
    "select",
    "order",
    "limit",
    "offset",
    "columns",
    "on_conflict",
];

/// A column's name.
pub(super) fn name(name: &str) -> String {
    if is_identifier(name) && !RESERVED.contains(&name) {
        name.to_owned()
    } else {
        quoted(name)
    }
}

/// A column, or a member of a JSON column as text: `user->address->>city`.
///
/// # Errors
/// Where a member may be an element of an array: the API tells `->0` from `->"0"`, a path here does not.
pub(super) fn reference(path: &[&str]) -> Result<String, String> {
    let Some((column, members)) = path.split_first() else {
        return Err("its path is empty".to_owned());
    };
    let mut text = name(column);
    for (index, member) in members.iter().enumerate() {
        if !is_identifier(member) {
            return Err(format!("member \"{member}\" has no spelling in the API"));
        }
        let is_last = index + 1 == members.len();
        text.push_str(if is_last { "->>" } else { "->" });
        text.push_str(member);
    }
    Ok(text)
}

/// Text in double quotes.
pub(super) fn quoted(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{escaped}\"")
}

/// A condition as it stands below OR: there commas and parentheses separate, so what is not plain
/// stands in quotes.
pub(super) fn nested(name: &str, operation: &str) -> String {
    if matches!(name, "and" | "or") {
        return format!("{name}{operation}");
    }
    let (not, rest) = match operation.strip_prefix("not.") {
        Some(rest) => ("not.", rest),
        None => ("", operation),
    };
    let (operator, operand) = rest.split_once('.').unwrap_or((rest, ""));
    let operand = match operator {
        // They are written with their own quotes, and `is` takes no others.
        "in" | "is" => operand.to_owned(),
        _ if is_plain(operand) => operand.to_owned(),
        _ => quoted(operand),
    };
    format!("{name}.{not}{operator}.{operand}")
}

fn is_identifier(text: &str) -> bool {
    let mut characters = text.chars();
    let starts = characters
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic() || first == '_');
    starts && characters.all(|other| other.is_ascii_alphanumeric() || other == '_')
}

/// The marks around a placeholder are among the plain characters, so that EXPLAIN shows `$1`.
fn is_plain(text: &str) -> bool {
    let is_plain = |character: char| {
        character.is_ascii_alphanumeric() || "_-+*%$\u{fdd0}\u{fdd1}".contains(character)
    };
    !text.is_empty() && text.chars().all(is_plain)
}
