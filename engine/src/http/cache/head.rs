//! What a stored response began with.

use serde::{Deserialize, Serialize};
use std::time::{Duration, SystemTime};

/// Header fields that say something of one message on its way, or sign somebody in (RFC 9111 section 3.1).
const NOT_STORED: [&str; 12] = [
    "authentication-info",
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authentication-info",
    "proxy-connection",
    "set-cookie",
    "set-cookie2",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Header fields that belong to the stored body and that no validation changes (RFC 9111 section 3.2).
const OF_THE_BODY: [&str; 4] = [
    "content-encoding",
    "content-length",
    "content-range",
    "content-type",
];

/// What a stored response began with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Head {
    pub(super) status: u16,
    /// Names in lower case.
    pub(super) headers: Vec<(String, String)>,
    /// Where it came from, if a redirect led there.
    pub(super) redirected_to: Option<String>,
    /// When it arrived, or was found valid.
    pub(super) received: Moment,
    /// When the scan began that asked for it.
    pub(super) asked: Moment,
}

impl Head {
    /// With the header fields of a response that found it valid in the place of its own (RFC 9111 section 3.2).
    pub(super) fn updated(&self, by: &[(String, String)], received: Moment, asked: Moment) -> Head {
        let by = stored(by);
        let by = by.filter(|(name, _)| !OF_THE_BODY.contains(&name.as_str()));
        let by: Vec<_> = by.cloned().collect();
        let is_replaced = |name: &str| by.iter().any(|(other, _)| other == name);
        let mut headers = self.headers.clone();
        headers.retain(|(name, _)| !is_replaced(name));
        headers.extend(by);
        Head {
            headers,
            received,
            asked,
            ..self.clone()
        }
    }
}

/// The header fields that are stored.
pub(super) fn stored(headers: &[(String, String)]) -> impl Iterator<Item = &(String, String)> {
    headers
        .iter()
        .filter(|(name, _)| !NOT_STORED.contains(&name.as_str()))
}

/// Milliseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Moment(u64);

impl Moment {
    pub(super) fn plus(self, duration: Duration) -> Moment {
        let milliseconds = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        Moment(self.0.saturating_add(milliseconds))
    }
}

impl From<SystemTime> for Moment {
    fn from(time: SystemTime) -> Moment {
        let since = time
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        Moment(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }
}

impl From<Moment> for SystemTime {
    fn from(moment: Moment) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_millis(moment.0)
    }
}
