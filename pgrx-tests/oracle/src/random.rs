//! Which choices are made? Seeded randomness with the few draws that generators need.

/// A seeded source of choices.
#[derive(Debug, Clone)]
pub struct Random(fastrand::Rng);

impl Random {
    /// The same seed makes the same choices.
    pub fn new(seed: u64) -> Random {
        Random(fastrand::Rng::with_seed(seed))
    }

    /// True in so many of a hundred cases.
    pub fn percent(&mut self, chance: u8) -> bool {
        self.0.u8(0..100) < chance
    }

    /// A number from `low` to `high`, both included.
    pub fn between(&mut self, low: usize, high: usize) -> usize {
        self.0.usize(low..=high)
    }

    /// One of some choices, of which there is at least one.
    pub fn pick<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[self.0.usize(0..choices.len())]
    }

    /// An index, where the second entry of each choice is its weight.
    pub fn weighted<T: Copy>(&mut self, choices: &[(T, usize)]) -> T {
        let total: usize = choices.iter().map(|(_, weight)| weight).sum();
        let mut at = self.0.usize(0..total);
        for (choice, weight) in choices {
            if at < *weight {
                return *choice;
            }
            at -= weight;
        }
        choices[0].0
    }

    /// Some of the choices in their order, each with the given chance in a hundred.
    pub fn some<T: Clone>(&mut self, choices: &[T], chance: u8) -> Vec<T> {
        let kept = choices.iter().filter(|_| self.percent(chance));
        kept.cloned().collect()
    }

    /// Any number.
    pub fn number(&mut self) -> u64 {
        self.0.u64(..)
    }

    /// The choices in another order.
    pub fn shuffle<T>(&mut self, choices: &mut [T]) {
        self.0.shuffle(choices);
    }
}
