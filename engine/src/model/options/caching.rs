//! Which responses answer later requests: `cache` and `cache_ttl`.

use super::error::{OptionError, OptionErrorKind};
use super::given::Given;
use super::quantity;
use crate::model::Caching;
use std::time::Duration;

/// A kind of caching; how long is another option.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CachingKind {
    Off,
    Http,
    Ttl,
}

/// The kinds of caching.
pub(super) fn kind(option: &str, value: &str) -> Result<CachingKind, OptionError> {
    match value {
        "off" => Ok(CachingKind::Off),
        "http" => Ok(CachingKind::Http),
        "ttl" => Ok(CachingKind::Ttl),
        _ => Err(
            OptionError::invalid(option, format_args!("\"{value}\" is not a kind of cache"))
                .with_hint("Valid values are off, http and ttl."),
        ),
    }
}

/// How long a response answers.
pub(super) fn time(option: &str, value: &str) -> Result<Duration, OptionError> {
    match quantity::duration(option, value)? {
        Duration::ZERO => {
            let error = OptionError::invalid(option, "it must be longer than 0");
            Err(error.with_hint("Without a cache: cache 'off'."))
        }
        time => Ok(time),
    }
}

/// What a table and its server say together.
pub(super) fn caching(given: &Given) -> Result<Caching, OptionError> {
    let time = given.read("cache_ttl", time)?;
    match given.read("cache", kind)? {
        None | Some(CachingKind::Off) => Ok(Caching::Off),
        Some(CachingKind::Http) => Ok(Caching::Http),
        Some(CachingKind::Ttl) => time.map(Caching::Ttl).ok_or_else(|| {
            let message = "cache 'ttl' needs option \"cache_ttl\"";
            OptionError::new(OptionErrorKind::Missing, message)
                .with_hint("For example: OPTIONS (cache_ttl '5min').")
        }),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::fixture::{options, table, try_table};
    use super::super::{Level, validate};
    use super::*;

    #[test]
    fn a_table_wins_over_its_server_and_nothing_is_cached_by_default() {
        let caching =
            |server: &[(&str, &str)], own: &[(&str, &str)]| table(server, own, &[]).caching;
        let minutes = |minutes: u64| Caching::Ttl(Duration::from_secs(60 * minutes));
        assert_eq!(caching(&[], &[]), Caching::Off);
        assert_eq!(caching(&[("cache", "http")], &[]), Caching::Http);
        assert_eq!(
            caching(&[("cache", "http")], &[("cache", "off")]),
            Caching::Off
        );
        let server = [("cache", "ttl"), ("cache_ttl", "5min")];
        assert_eq!(caching(&server, &[]), minutes(5));
        assert_eq!(caching(&server, &[("cache_ttl", "1min")]), minutes(1));
        assert_eq!(caching(&[("cache_ttl", "5min")], &[]), Caching::Off);
        assert_eq!(
            caching(&[("cache_ttl", "5min")], &[("cache", "ttl")]),
            minutes(5)
        );
    }

    #[test]
    fn ttl_needs_a_time() {
        let error = try_table(&[], &[("cache", "ttl")], &[]).unwrap_err();
        assert_eq!(error.kind, OptionErrorKind::Missing);
        let server = options(&[("base_url", "https://api.test"), ("cache", "ttl")]);
        let error = validate(Level::Server, &server, false).unwrap_err();
        assert_eq!(error.message, "cache 'ttl' needs option \"cache_ttl\"");
    }

    #[test]
    fn what_cannot_be_understood_is_refused() {
        for (option, value) in [
            ("cache", "on"),
            ("cache", ""),
            ("cache_ttl", "0s"),
            ("cache_ttl", "5"),
            ("cache_ttl", "31d"),
        ] {
            let error = try_table(&[], &[(option, value)], &[]).unwrap_err();
            assert_eq!(error.kind, OptionErrorKind::Invalid, "{option} {value}");
        }
    }
}
