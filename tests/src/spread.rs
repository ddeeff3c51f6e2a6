//! Milliseconds of many tries.

use std::time::Duration;

#[derive(Clone, Debug, Default)]
pub struct Spread(Vec<f64>);

impl Spread {
    pub fn push(&mut self, took: Duration) {
        self.push_ms(took.as_secs_f64() * 1e3);
    }

    pub fn push_ms(&mut self, milliseconds: f64) {
        self.0.push(milliseconds);
    }

    fn at(&self, percent: usize) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        sorted[(sorted.len() - 1) * percent / 100]
    }

    pub fn median(&self) -> f64 {
        self.at(50)
    }

    /// The median, and between what half of the tries lie.
    pub fn cell(&self) -> String {
        format!("{:.2} ({:.2} to {:.2})", self.median(), self.at(25), self.at(75))
    }
}
