//! What the cache had to do with a request.

use std::fmt;

/// How a request was answered, as far as the cache is concerned.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum CacheUse {
    /// By the API: the server's option `cache` is off.
    #[default]
    Off,
    /// By the API: the cache had no answer.
    Miss,
    /// By the cache; nothing was sent.
    Hit,
    /// By the cache, after the API had said that the answer is still good.
    Revalidated,
}

impl CacheUse {
    /// Whether the body came out of the cache.
    pub fn is_hit(self) -> bool {
        matches!(self, CacheUse::Hit | CacheUse::Revalidated)
    }
}

impl fmt::Display for CacheUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            CacheUse::Off => "off",
            CacheUse::Miss => "miss",
            CacheUse::Hit => "hit",
            CacheUse::Revalidated => "revalidated",
        })
    }
}
