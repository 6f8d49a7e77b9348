//! Whether an API filters and orders as its table says: what to ask it, and what its answers mean.

mod edited;
mod offered;
mod orders;
mod probes;
mod verdict;

pub use edited::{Edit, edited};
pub use offered::{Offered, offered};
pub use orders::{OfferedOrder, OrderAnswer, order_finding, orders};
pub use probes::{Compared, Probe, Sampled, probes};
pub use verdict::{Answer, Finding, Verdict, finding};
