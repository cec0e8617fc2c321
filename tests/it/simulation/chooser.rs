//! The chooser: every choice of a history comes from its seed, so that the seed repeats the history.

/// Chances drawn from a seed.
#[derive(Debug)]
pub struct Chooser(fastrand::Rng);

impl Chooser {
    pub fn new(seed: u64) -> Self {
        Self(fastrand::Rng::with_seed(seed))
    }

    /// A number from 0 to `end - 1`.
    pub fn below(&mut self, end: usize) -> usize {
        self.0.usize(0..end.max(1))
    }

    /// A number between both, both included.
    pub fn between(&mut self, least: u64, most: u64) -> u64 {
        self.0.u64(least..=most)
    }

    /// True once in so many times.
    pub fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// One of several.
    pub fn one_of<T: Copy>(&mut self, several: &[T]) -> T {
        several[self.below(several.len())]
    }

    /// One of several, each as often as its weight says. Weights must not all be zero.
    pub fn weighted<T: Clone>(&mut self, several: &[(u32, T)]) -> T {
        let total: u32 = several.iter().map(|(weight, _)| weight).sum();
        let mut place = self.0.u32(0..total);
        for (weight, one) in several {
            if place < *weight {
                return one.clone();
            }
            place -= weight;
        }
        unreachable!("the place is below the sum of the weights")
    }
}
