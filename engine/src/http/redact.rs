//! Where a secret stands in a text, in whatever spelling: it is replaced by `***`.

use super::auth::client_basic;
use crate::Error;
use crate::error::Exchange;
use crate::model::{Credentials, Secret};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use std::collections::VecDeque;
use std::fmt;
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

/// What stands in a secret's place.
const MASK: &str = "***";

/// A secret's beginning at the end of a text (cut off there) is masked from this many bytes on.
const TELLING_PREFIX: usize = 6;

/// Spellings of secrets that came later and are known: some seven of each.
const MOST_LEARNED: usize = 112;

/// A shorter piece of base64 stands in texts by chance.
const SHORTEST_BASE64: usize = 8;

/// Replaces secrets in texts by value: as they are, percent-encoded, escaped as JSON, and in base64 (alone, within other text, and as
/// Basic writes them).
#[derive(Default)]
pub struct Redactor {
    /// Longest first, none empty.
    secrets: Vec<String>,
    /// Those that came later, oldest first.
    learned: RwLock<VecDeque<String>>,
}

impl Redactor {
    /// Knows every secret of `credentials`.
    pub fn new(credentials: &Credentials) -> Self {
        let single = [
            &credentials.token,
            &credentials.username,
            &credentials.password,
            &credentials.api_key,
            &credentials.client_id,
            &credentials.client_secret,
            &credentials.refresh_token,
        ];
        let single = single
            .into_iter()
            .flatten()
            .map(|secret| secret.expose().to_owned());
        let mut secrets: Vec<String> = single.collect();
        for (_, value) in &credentials.headers {
            secrets.push(value.expose().to_owned());
            // `Bearer abcdef`: the second word is the secret, and may be shown without the first.
            secrets.extend(
                value
                    .expose()
                    .split_whitespace()
                    .filter(|word| word.len() > 7)
                    .map(str::to_owned),
            );
        }
        let encoded: Vec<String> = secrets
            .iter()
            .flat_map(|secret| in_base64(secret))
            .collect();
        secrets.extend(encoded);
        secrets.extend(basic_pair(credentials));
        secrets.extend(client_pair(credentials));
        secrets.retain(|secret| !secret.is_empty());
        secrets.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        secrets.dedup();
        Redactor {
            secrets,
            learned: RwLock::default(),
        }
    }

    /// Masks these, too, from now on. Of many the latest are known, which are those that are in use.
    pub(super) fn learn<'a>(&self, secrets: impl Iterator<Item = &'a Secret>) {
        let mut learned = self.learned.write().unwrap_or_else(PoisonError::into_inner);
        let spelled = |secret: &str| [vec![secret.to_owned()], in_base64(secret)].concat();
        for spelling in secrets.map(Secret::expose).flat_map(spelled) {
            if !spelling.is_empty() && !learned.contains(&spelling) {
                learned.push_back(spelling);
            }
        }
        while learned.len() > MOST_LEARNED {
            learned.pop_front();
        }
    }

    fn learned(&self) -> RwLockReadGuard<'_, VecDeque<String>> {
        self.learned.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// `text` with every secret masked.
    pub fn text(&self, text: &str) -> String {
        let learned = self.learned();
        let mut masked = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(letter) = rest.chars().next() {
            let skip = match self.length_at(rest.as_bytes(), &learned) {
                Some(length) => {
                    masked.push_str(MASK);
                    length
                }
                None => {
                    masked.push(letter);
                    letter.len_utf8()
                }
            };
            rest = rest.get(skip..).unwrap_or_default();
        }
        masked
    }

    /// The length of the longest piece of `text` that begins here and spells a secret.
    fn length_at(&self, text: &[u8], learned: &VecDeque<String>) -> Option<usize> {
        self.secrets
            .iter()
            .chain(learned)
            .filter_map(|secret| spelled(text, secret.as_bytes()))
            .max()
    }

    /// `error` with every secret masked in every text that it holds.
    pub fn error(&self, mut error: Error) -> Error {
        if self.secrets.is_empty() && self.learned().is_empty() {
            return error;
        }
        self.mask_details(&mut error);
        if let Some(exchange) = error.exchange() {
            let exchange = self.exchange(exchange);
            error = error.at(&exchange);
        }
        error
    }

    /// `exchange` with every secret masked.
    pub fn exchange(&self, exchange: &Exchange) -> Exchange {
        Exchange {
            request: self.text(&exchange.request),
            page: exchange.page,
        }
    }

    fn mask_details(&self, error: &mut Error) {
        let mask = |text: &mut String| *text = self.text(text);
        match error {
            Error::Option { reason, hint, .. } => {
                mask(reason);
                hint.iter_mut().for_each(mask);
            }
            Error::Resolve { host, reason, .. } => {
                mask(host);
                mask(reason);
            }
            Error::Forbidden { target, reason, .. } => {
                mask(target);
                mask(reason);
            }
            Error::Value { reason, value, .. } => {
                mask(reason);
                mask(value);
            }
            Error::Status { message, .. } | Error::Expired { message, .. } => {
                message.iter_mut().for_each(mask)
            }
            Error::Unsendable { reason, .. }
            | Error::Connect { reason, .. }
            | Error::Tls { reason, .. }
            | Error::Body { reason, .. }
            | Error::Truncated { reason, .. }
            | Error::Rows { reason, .. }
            | Error::Paging { reason, .. } => mask(reason),
            Error::SignIn { exchange, cause } => {
                *exchange = self.exchange(exchange);
                **cause = self.error((**cause).clone());
            }
            Error::System(text) => mask(text),
            // Texts of this crate's own, column names and numbers.
            Error::MissingParameters(_)
            | Error::Timeout { .. }
            | Error::TooLarge { .. }
            | Error::Limit { .. }
            | Error::Inexact { .. }
            | Error::Cancelled => {}
        }
    }
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let secrets = self.secrets.len() + self.learned().len();
        write!(f, "Redactor({secrets} secrets)")
    }
}

/// What Basic sends, without padding, so that it is found with and without.
fn basic_pair(credentials: &Credentials) -> Option<String> {
    let (username, password) = (&credentials.username, &credentials.password);
    username.as_ref().or(password.as_ref())?;
    let text = |secret: &Option<Secret>| {
        secret
            .as_ref()
            .map_or(String::new(), |secret| secret.expose().to_owned())
    };
    Some(STANDARD_NO_PAD.encode(format!("{}:{}", text(username), text(password))))
}

/// The same for the client of a token endpoint.
fn client_pair(credentials: &Credentials) -> Option<String> {
    let (id, secret) = (&credentials.client_id, &credentials.client_secret);
    let basic = client_basic(id.as_ref()?, secret.as_ref()?);
    let pair = basic.strip_prefix("Basic ")?;
    Some(pair.trim_end_matches('=').to_owned())
}

/// What base64 (RFC 4648, sections 4 and 5) makes of a text with the secret in it, wherever it stands there: the letters that hang
/// on nothing but the secret.
fn in_base64(secret: &str) -> Vec<String> {
    let mut found = Vec::new();
    for before in 0..3 {
        let text = [&[0; 3][..before], secret.as_bytes()].concat();
        let (start, end) = ((before * 8).div_ceil(6), text.len() * 8 / 6);
        for alphabet in [STANDARD_NO_PAD, URL_SAFE_NO_PAD] {
            let letters = alphabet.encode(&text);
            found.extend(letters.get(start..end).map(str::to_owned));
        }
    }
    found.retain(|letters| letters.len() >= SHORTEST_BASE64);
    found
}

/// How many bytes of `text` spell `secret` from the start on; a text that ends (or was shortened) inside of it counts.
fn spelled(text: &[u8], secret: &[u8]) -> Option<usize> {
    // Several, as `%25` may stand for `%25` and for `%`.
    let mut ends = vec![0];
    for (matched, wanted) in secret.iter().enumerate() {
        let mut next: Vec<usize> = ends
            .iter()
            .flat_map(|end| spellings(text, *end, *wanted))
            .collect();
        next.sort_unstable();
        next.dedup();
        if next.is_empty() {
            let cut = ends.into_iter().filter(|end| is_cut(&text[*end..])).max();
            return cut.filter(|_| matched >= TELLING_PREFIX);
        }
        ends = next;
    }
    ends.pop()
}

/// Whether a text ends here, or was shortened here, perhaps in the middle of an escape.
fn is_cut(rest: &[u8]) -> bool {
    let escape = match rest.first() {
        Some(b'%' | b'\\') => {
            1 + rest[1..]
                .iter()
                .take_while(|byte| byte.is_ascii_hexdigit() || **byte == b'u')
                .count()
        }
        _ => 0,
    };
    let rest = &rest[escape..];
    rest.is_empty() || rest.starts_with("…".as_bytes()) || rest.starts_with(b"...")
}

/// Where the spellings of `wanted` at `start` end: itself, `%41`, `+` for a space, `\"`, `\u0041`.
fn spellings(text: &[u8], start: usize, wanted: u8) -> impl Iterator<Item = usize> {
    let rest = &text[start..];
    let plain = (rest.first() == Some(&wanted)).then_some(1);
    let encoded = match rest {
        [b'%', high, low, ..] if hexadecimal(&[*high, *low]) == Some(u32::from(wanted)) => Some(3),
        [b'+', ..] if wanted == b' ' => Some(1),
        [b'\\', b'u', a, b, c, d, ..]
            if wanted.is_ascii() && hexadecimal(&[*a, *b, *c, *d]) == Some(u32::from(wanted)) =>
        {
            Some(6)
        }
        [b'\\', escaped, ..] if *escaped == wanted => Some(2),
        _ => None,
    };
    plain
        .into_iter()
        .chain(encoded)
        .map(move |length| start + length)
}

fn hexadecimal(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |value, digit| {
        Some(value * 16 + char::from(*digit).to_digit(16)?)
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
    use proptest::prelude::*;

    fn redactor(token: &str) -> Redactor {
        Redactor::new(&Credentials {
            token: Some(Secret::new(token)),
            ..Credentials::default()
        })
    }

    #[test]
    fn a_secret_is_found_in_every_spelling() {
        let redactor = redactor("p\"ä s/1");
        for spelling in [
            "p\"ä s/1",
            "p%22%C3%A4%20s%2F1",
            "p%22%c3%a4+s/1",
            r#"p\"ä s\/1"#,
            r"p\u0022ä\u0020s/1",
        ] {
            assert_eq!(
                redactor.text(&format!("<{spelling}>")),
                "<***>",
                "{spelling}"
            );
        }
    }

    #[test]
    fn a_secret_of_escapes_is_found_as_it_is_and_encoded() {
        let redactor = redactor(r"a%2\n%25");
        for spelling in [r"a%2\n%25", "a%252%5Cn%2525", r"a%2\\n%25"] {
            assert_eq!(redactor.text(spelling), "***", "{spelling}");
        }
    }

    #[test]
    fn the_basic_pair_is_found_padded_or_not() {
        let credentials = Credentials {
            username: Some(Secret::new("aladdin")),
            password: Some(Secret::new("open sesame")),
            ..Credentials::default()
        };
        let redactor = Redactor::new(&credentials);
        assert_eq!(
            redactor.text("Basic YWxhZGRpbjpvcGVuIHNlc2FtZQ=="),
            "Basic ***=="
        );
        assert_eq!(redactor.text("aladdin, open%20sesame"), "***, ***");
    }

    #[test]
    fn a_secret_is_found_in_base64_wherever_it_stands_there() {
        let redactor = redactor("0p3n>>?s3same");
        for before in ["", "x", "xy", "xyz", "{\"token\":\""] {
            for after in ["", "!", "\"}"] {
                let text = format!("{before}0p3n>>?s3same{after}");
                for encoded in [STANDARD_NO_PAD.encode(&text), URL_SAFE_NO_PAD.encode(&text)] {
                    let shown = redactor.text(&format!("<{encoded}>"));
                    let left = shown.chars().filter(char::is_ascii_alphanumeric).count();
                    let around = (before.len() + after.len()) * 4 / 3 + 4;
                    assert!(shown.contains("***") && left <= around, "{text}: {shown}");
                }
            }
        }
        let percent =
            utf8_percent_encode(&STANDARD_NO_PAD.encode("0p3n>>?s3same"), NON_ALPHANUMERIC)
                .to_string();
        assert!(redactor.text(&percent).starts_with("***"));
    }

    #[test]
    fn a_secret_that_was_cut_off_is_masked_too() {
        let redactor = redactor("abcdefghijkl");
        assert_eq!(redactor.text("key abcdefgh…"), "key ***…");
        assert_eq!(redactor.text("key abcdefgh"), "key ***");
        assert_eq!(redactor.text("key abcdefgh!"), "key abcdefgh!");
        assert_eq!(redactor.text(r"key abcdefgh\u00…"), r"key ***\u00…");
        assert_eq!(redactor.text("key abcdefgh%6"), "key ***%6");
        assert_eq!(redactor.text("key abc"), "key abc");
    }

    #[test]
    fn the_token_of_a_secret_header_is_masked_without_its_scheme() {
        let redactor = Redactor::new(&Credentials {
            headers: vec![("Authorization".to_owned(), Secret::new("Token 0123456789"))],
            ..Credentials::default()
        });
        assert_eq!(redactor.text("bad token 0123456789"), "bad token ***");
    }

    proptest! {
        #[test]
        fn nothing_of_a_secret_is_left_wherever_it_stands(before in "\\PC{0,8}", secret in "[!-~äß€ ]{4,20}", after in "\\PC{0,8}") {
            let redactor = redactor(&secret);
            let encoded = utf8_percent_encode(&secret, NON_ALPHANUMERIC).to_string();
            let quoted = serde_json::to_string(&secret).unwrap();
            for spelling in [secret.as_str(), &encoded, &quoted[1..quoted.len() - 1]] {
                let text = redactor.text(&format!("{before}{spelling}{after}"));
                prop_assert!(!text.contains(&secret) && !text.contains(&encoded), "{text}");
                prop_assert!(text.contains(MASK));
            }
        }

        #[test]
        fn a_text_without_secrets_is_left_as_it_is(text in "\\PC{0,40}") {
            prop_assert_eq!(redactor("\u{1}secret\u{1}").text(&text), text);
        }
    }
}
