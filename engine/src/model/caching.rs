//! Which responses answer later requests.

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Which responses answer later requests.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Caching {
    /// None.
    #[default]
    Off,
    /// Those that say so themselves (RFC 9111).
    Http,
    /// All, for so long.
    Ttl(Duration),
}
