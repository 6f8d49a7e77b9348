//! A text with `{name}`s in it, filled in one pass, so that no value is taken for a `{name}`.

/// The template with each `{name}` that `value_of` knows replaced; other braces stay as they are.
pub(super) fn filled(template: &str, value_of: impl Fn(&str) -> Option<String>) -> String {
    let mut text = String::with_capacity(template.len());
    let mut rest = template;
    while let Some(start) = rest.find('{') {
        let (before, from_brace) = rest.split_at(start);
        text.push_str(before);
        let name = from_brace[1..].split_once('}').map(|(name, _)| name);
        match name.and_then(|name| Some((name, value_of(name)?))) {
            Some((name, value)) => {
                text.push_str(&value);
                rest = &from_brace[name.len() + 2..];
            }
            None => {
                text.push('{');
                rest = &from_brace[1..];
            }
        }
    }
    text.push_str(rest);
    text
}

#[cfg(test)]
mod tests {
    use super::filled;

    #[test]
    fn known_names_are_filled_once_and_other_braces_stay() {
        let value_of = |name: &str| match name {
            "a" => Some("{b}".to_owned()),
            "b" => Some("B".to_owned()),
            _ => None,
        };
        assert_eq!(filled("x{a}{b}", value_of), "x{b}B");
        assert_eq!(filled("{ {a}} {{b}{", value_of), "{ {b}} {B{");
        assert_eq!(filled("up{job=\"x\"}", value_of), "up{job=\"x\"}");
    }
}
