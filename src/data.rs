//! Tables of numbers that users bring, and the data sets that ship with the project.

mod columns;
mod csv;
pub mod penguins;

pub use columns::{Column, Scaling, Survey};

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
