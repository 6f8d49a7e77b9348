//! A table's endpoint: a path with `{name}` expressions (RFC 6570, level 1: simple expansion).

use super::base_url::is_dot_segment;
use super::error::OptionError;

/// A piece of an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Piece<'a> {
    /// Text that is sent as it is.
    Literal(&'a str),
    /// The name of a parameter, whose value is percent-encoded for a segment.
    Variable(&'a str),
}

/// An endpoint, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Endpoint<'a> {
    pieces: Vec<Piece<'a>>,
}

impl<'a> Endpoint<'a> {
    /// Takes an endpoint apart, or says what is wrong with it.
    pub(crate) fn parse(option: &str, value: &'a str) -> Result<Self, OptionError> {
        let endpoint = Self::split(value).map_err(|reason| OptionError::invalid(option, reason))?;
        if let Some((reason, hint)) = misplaced(value) {
            return Err(OptionError::invalid(option, reason).with_hint(hint));
        }
        for name in endpoint.variables() {
            if !is_simple(name) {
                let reason = format!("{{{name}}} is not a simple expression");
                let hint =
                    "Write {column}; operators and modifiers of URI templates are not supported.";
                return Err(OptionError::invalid(option, reason).with_hint(hint));
            }
        }
        Ok(endpoint)
    }

    /// Takes an endpoint apart at its braces.
    pub(crate) fn split(value: &'a str) -> Result<Self, &'static str> {
        const UNBALANCED: &str = "its braces are not balanced";
        let mut pieces = Vec::new();
        let mut rest = value;
        while let Some(open) = rest.find(['{', '}']) {
            let inside = rest[open..].strip_prefix('{').ok_or(UNBALANCED)?;
            let close = inside.find(['{', '}']).ok_or(UNBALANCED)?;
            if !inside[close..].starts_with('}') {
                return Err(UNBALANCED);
            }
            if open > 0 {
                pieces.push(Piece::Literal(&rest[..open]));
            }
            pieces.push(Piece::Variable(&inside[..close]));
            rest = &inside[close + 1..];
        }
        if !rest.is_empty() {
            pieces.push(Piece::Literal(rest));
        }
        Ok(Endpoint { pieces })
    }

    /// The pieces, in order.
    pub(crate) fn pieces(&self) -> &[Piece<'a>] {
        &self.pieces
    }

    /// The names in braces, in order.
    pub(crate) fn variables(&self) -> impl Iterator<Item = &'a str> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Variable(name) => Some(*name),
            Piece::Literal(_) => None,
        })
    }
}

/// What may not stand in an endpoint: the reason and what to do.
fn misplaced(value: &str) -> Option<(&'static str, &'static str)> {
    if value.contains('?') {
        return Some((
            "it may not hold a query",
            "Set option \"query\" for constant parameters.",
        ));
    }
    if value.contains('#') {
        return Some((
            "it may not hold a fragment",
            "A fragment is never sent to a server: leave it out.",
        ));
    }
    if !value.is_empty() && !value.starts_with('/') {
        return Some((
            "it must begin with a slash",
            "It is a path below the server's base_url, for example '/items'.",
        ));
    }
    if value.split('/').any(is_dot_segment) {
        return Some((
            "it may not hold . or .. segments",
            "It is a path below the server's base_url.",
        ));
    }
    if value.contains(char::is_control) {
        return Some((
            "it may not hold control characters",
            "Percent-encode what belongs into the path.",
        ));
    }
    if has_bare_percent(value) {
        return Some((
            "\"%\" must be followed by two hexadecimal digits",
            "Write %25 for a percent sign.",
        ));
    }
    None
}

fn has_bare_percent(value: &str) -> bool {
    let is_escape =
        |rest: &str| rest.len() >= 2 && rest.bytes().take(2).all(|byte| byte.is_ascii_hexdigit());
    value.split('%').skip(1).any(|rest| !is_escape(rest))
}

/// No operator (RFC 6570, section 2.2), list or modifier (section 2.4).
fn is_simple(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(['+', '.', ';', '&', '=', '!', '@', '|'])
        && !name.contains([',', '*', ':', '/'])
}
