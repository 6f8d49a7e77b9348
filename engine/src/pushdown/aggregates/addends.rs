//! Whether a sum of integers that passed through doubles is exact.

use crate::decode::Cell;
use serde::{Deserialize, Serialize};

/// What was added; indexes into the columns of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Addends {
    /// How many values.
    pub count: usize,
    /// The smallest of them.
    pub least: usize,
    /// The largest of them.
    pub most: usize,
}

/// All integers up to this one are doubles.
const LARGEST: i128 = 1 << 53;

impl Addends {
    /// Whether anything was added in this row of the answer.
    ///
    /// # Errors
    /// The reason, in a user's words, where a sum on the way may have been rounded: in no order of the additions
    /// can it be larger than all of them as large as the largest.
    pub fn check(&self, row: &[Cell]) -> Result<bool, String> {
        let integer = |index: usize| match row.get(index) {
            Some(Cell::Int(value)) => Ok(i128::from(*value)),
            _ => Err("the response lacks what tells whether its sum is exact".to_owned()),
        };
        let count = integer(self.count)?;
        if count == 0 {
            return Ok(false);
        }
        let largest = integer(self.least)?.abs().max(integer(self.most)?.abs());
        if count.saturating_mul(largest) > LARGEST {
            return Err(format!(
                "it adds doubles, and the sum of {count} values up to {largest} may be larger than any that it adds exactly"
            ));
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADDENDS: Addends = Addends {
        count: 0,
        least: 1,
        most: 2,
    };

    fn check(count: i64, least: i64, most: i64) -> Result<bool, String> {
        ADDENDS.check(&[Cell::Int(count), Cell::Int(least), Cell::Int(most)])
    }

    #[test]
    fn sums_are_trusted_up_to_the_last_integer_that_every_double_is() {
        assert_eq!(check(1 << 22, -(1 << 31), 7), Ok(true));
        assert_eq!(check(1 << 22, 7, 1 << 31), Ok(true));
        assert!(check((1 << 22) + 1, 7, 1 << 31).is_err());
        assert!(check(2, i64::MIN, 0).is_err());
        assert!(check(i64::MAX, 0, i64::MAX).is_err());
    }

    #[test]
    fn nothing_has_no_extremes_and_something_must_have_them() {
        let none = [Cell::Int(0), Cell::Null, Cell::Null];
        assert_eq!(ADDENDS.check(&none), Ok(false));
        assert!(
            ADDENDS
                .check(&[Cell::Int(1), Cell::Null, Cell::Int(1)])
                .is_err()
        );
        assert!(
            ADDENDS
                .check(&[Cell::Null, Cell::Null, Cell::Null])
                .is_err()
        );
    }
}
