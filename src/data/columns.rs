//! Some columns of a file that people bring: what the file holds, which columns are taken, and their scale.

use super::Table;
use crate::error::Result;
use serde::Serialize;

/// What a file holds, so that a reader can choose.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Survey {
    /// Rows below the header.
    pub rows: usize,
    /// One a column.
    pub columns: Vec<Column>,
}

/// One column of a file.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Column {
    /// Its name in the header, or `x0`, `x1`, ….
    pub name: String,
    /// Cells that are finite numbers.
    pub numbers: usize,
    /// The first cells, as they stand.
    pub sample: Vec<String>,
}

/// How coordinates are brought to the scale of the demos.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scaling {
    /// As they are.
    None,
    /// Each column to mean 0 and standard deviation 1.
    Each,
    /// Each column to mean 0, all by one factor to mean square 1: shapes stay.
    Together,
}

impl Scaling {
    /// Reads `none`, `each` or `together`.
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "none" => Self::None,
            "each" => Self::Each,
            "together" => Self::Together,
            _ => return None,
        })
    }
}

impl Table {
    /// Reads the columns `chosen` of a file, in that order; cells of other columns need not be numbers.
    ///
    /// # Errors
    /// As [`Table::parse_csv`]; no columns, or one that the file lacks.
    pub fn parse_columns(name: &str, text: &str, chosen: &[usize]) -> Result<Self> {
        Self::parse(name, text, Some(chosen))
    }

    /// Brings every column to its scale. A column of equal values becomes 0.
    pub fn scaled(mut self, scaling: Scaling) -> Self {
        let (rows, columns) = (self.rows(), self.columns);
        if scaling == Scaling::None || rows == 0 {
            return self;
        }
        let mut spread = vec![0.0; columns];
        for column in 0..columns {
            let cells = || self.values.iter().skip(column).step_by(columns);
            let mean = cells().map(|v| f64::from(*v)).sum::<f64>() / rows as f64;
            let mut sum = 0.0;
            for cell in self.values.iter_mut().skip(column).step_by(columns) {
                let centred = f64::from(*cell) - mean;
                sum += centred * centred;
                *cell = centred as f32;
            }
            spread[column] = sum / rows as f64;
        }
        if scaling == Scaling::Together {
            let common = spread.iter().sum::<f64>() / columns as f64;
            spread.fill(common);
        }
        for row in self.values.chunks_exact_mut(columns) {
            for (cell, variance) in row.iter_mut().zip(&spread) {
                if *variance > 0.0 {
                    *cell = (f64::from(*cell) / variance.sqrt()) as f32;
                }
            }
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIXED: &str =
        "species,length,depth\nAdelie,39.1,18.7\nGentoo,46.1,13.2\nAdelie,40.3,18.0\n";

    #[test]
    fn a_survey_tells_numbers_from_words() {
        let survey = Table::survey("p.csv", MIXED).unwrap();
        assert_eq!(survey.rows, 3);
        let counts: Vec<(&str, usize)> = survey
            .columns
            .iter()
            .map(|c| (c.name.as_str(), c.numbers))
            .collect();
        assert_eq!(counts, [("species", 0), ("length", 3), ("depth", 3)]);
        assert_eq!(survey.columns[0].sample[0], "Adelie");
    }

    #[test]
    fn chosen_columns_are_read_in_the_order_chosen_and_the_others_need_not_be_numbers() {
        let table = Table::parse_columns("p.csv", MIXED, &[2, 1]).unwrap();
        assert_eq!(table.names, ["depth", "length"]);
        assert_eq!(table.values[..2], [18.7, 39.1]);
        let error = Table::parse_columns("p.csv", MIXED, &[0, 1]).unwrap_err();
        assert!(error.to_string().contains("line 2, cell 1"), "{error}");
        let error = Table::parse_columns("p.csv", MIXED, &[3]).unwrap_err();
        assert!(error.to_string().contains("3 columns"), "{error}");
        assert!(Table::parse_columns("p.csv", MIXED, &[]).is_err());
    }

    #[test]
    fn standard_scales_have_mean_zero_and_unit_variance() {
        let table = |scaling| {
            Table::parse_csv("t", "0,10\n2,30\n4,50\n")
                .unwrap()
                .scaled(scaling)
        };
        let each = table(Scaling::Each).values;
        // Mean 2 and 30; variances 8/3 and 800/3.
        let z = 1.5_f32.sqrt();
        for (found, wanted) in each.iter().zip([-z, -z, 0.0, 0.0, z, z]) {
            assert!((found - wanted).abs() < 1e-6, "{each:?}");
        }
        let together = table(Scaling::Together).values;
        assert!((together[5] / together[4] - 10.0).abs() < 1e-5);
        let mean_square = together.iter().map(|v| v * v).sum::<f32>() / 6.0;
        assert!((mean_square - 1.0).abs() < 1e-5);
        assert_eq!(table(Scaling::None).values[1], 10.0);
        let flat = Table::parse_csv("t", "7,7\n7,7\n")
            .unwrap()
            .scaled(Scaling::Each);
        assert_eq!(flat.values, [0.0; 4]);
    }
}
