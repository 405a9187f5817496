//! Tables of numbers that users bring, the data sets that ship with the project, and generators of samples.

mod columns;
mod csv;
mod generators;
pub mod penguins;

pub use columns::{Column, Scaling, Survey};
pub use generators::{
    Entropy, Generator, HalfW2, Source, SourceParams, ToNormal, half_w2_to_normal,
};

/// Rows of numbers.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Table {
    /// Column names; empty where the file had no header.
    pub names: Vec<String>,
    /// Number of columns.
    pub columns: usize,
    /// Row-major entries.
    pub values: Vec<f32>,
}

impl Table {
    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.values.len().checked_div(self.columns).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests;
