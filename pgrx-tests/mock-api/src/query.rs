//! What a query string says: parameters, decoded, and edits that leave the rest as received.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// Everything but RFC 3986 section 2.3's unreserved characters.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The parameters of a query string, in order, decoded as a form (`+` is a space).
#[derive(Debug, Default)]
pub(crate) struct Query {
    pairs: Vec<(String, String)>,
}

impl Query {
    /// Reads a raw query string, without its question mark.
    pub(crate) fn parse(raw: &str) -> Query {
        let pairs = raw.split('&').filter(|part| !part.is_empty()).map(|part| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            (form_decode(name), form_decode(value))
        });
        Query {
            pairs: pairs.collect(),
        }
    }

    /// The first value of a parameter.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let found = self.pairs.iter().find(|(found, _)| found == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Every value of a parameter.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.pairs
            .iter()
            .filter(move |(found, _)| found == name)
            .map(|(_, value)| value.as_str())
    }

    /// All parameters.
    pub(crate) fn pairs(&self) -> &[(String, String)] {
        &self.pairs
    }
}

/// The raw query with one parameter set: in its place if it is there, else at the end.
pub(crate) fn with_param(raw: &str, name: &str, value: &str) -> String {
    let wanted = format!("{}={}", percent_encode(name), percent_encode(value));
    let mut parts: Vec<&str> = raw.split('&').filter(|part| !part.is_empty()).collect();
    let is_it =
        |part: &&str| form_decode(part.split_once('=').map_or(*part, |(found, _)| found)) == name;
    match parts.iter().position(is_it) {
        Some(at) => parts[at] = &wanted,
        None => parts.push(&wanted),
    }
    parts.join("&")
}

/// Percent-encodes everything but unreserved characters.
pub(crate) fn percent_encode(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

/// Percent-decodes a path segment; bytes that are not UTF-8 are replaced.
pub(crate) fn percent_decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// Decodes a part of a form: `+` is a space.
pub(crate) fn form_decode(text: &str) -> String {
    percent_decode(&text.replace('+', " "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_decoded_in_order() {
        let query = Query::parse("a=1&b=x+y%2Bz&&a=2&flag");
        assert_eq!(query.all("a").collect::<Vec<_>>(), ["1", "2"]);
        assert_eq!(query.get("b"), Some("x y+z"));
        assert_eq!(query.get("flag"), Some(""));
        assert_eq!(query.get("c"), None);
    }

    #[test]
    fn setting_a_parameter_leaves_the_others_as_received() {
        assert_eq!(
            with_param("state=o%70en&page=1&x", "page", "2"),
            "state=o%70en&page=2&x"
        );
        assert_eq!(
            with_param("", "page[number]", "a=b"),
            "page%5Bnumber%5D=a%3Db"
        );
    }
}
