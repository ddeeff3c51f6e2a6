//! Chance that can be had again: a test prints its seed, and the seed makes the same schedule.

use std::env;

use proptest::{
    prelude::Rng as _,
    test_runner::{RngAlgorithm, TestRng},
};

/// Dice that fall the same way for the same seed.
#[derive(Debug)]
pub struct Dice(TestRng);

impl Dice {
    pub fn of(seed: u64) -> Self {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        Self(TestRng::from_seed(RngAlgorithm::ChaCha, &bytes))
    }

    /// Any number below `end`, each as likely as the others for ends that are small.
    pub fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.0.next_u64() % u64::try_from(end).expect("a number")).expect("below")
    }

    pub fn percent(&mut self, chance: usize) -> bool {
        self.below(100) < chance
    }

    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }

    /// Seeds for others.
    pub fn seed(&mut self) -> u64 {
        self.0.next_u64()
    }
}

/// The seeds that a test runs: `usual` many, or as many as `{NAME}_SEEDS` says, from 1 or `{NAME}_FIRST` on; or the one
/// of `{NAME}_SEED`.
pub fn seeds(name: &str, usual: u64) -> Vec<u64> {
    let number = |variable: String| env::var(variable).ok().and_then(|text| text.parse::<u64>().ok());
    if let Some(seed) = number(format!("{name}_SEED")) {
        return vec![seed];
    }
    let first = number(format!("{name}_FIRST")).unwrap_or(1);
    (first..first + number(format!("{name}_SEEDS")).unwrap_or(usual)).collect()
}
