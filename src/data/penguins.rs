//! The Palmer penguins as a regression problem: is a penguin male, given its measurements and species?
//!
//! **Source** A. Horst, A. Hill, K. Gorman (2020), palmerpenguins; K. Gorman, T. Williams, W. Fraser (2014), PLoS ONE
//! 9(3):e90081. CC0; `data/README.md` has the details.

use super::Table;

const DATA: &str = include_str!("../../data/penguins.csv");
const POSTERIOR: &str = include_str!("../../data/penguins_posterior.csv");

/// Coefficients: intercept, four standardised measurements, two species indicators (Adelie is the reference).
const AXES: [&str; 7] = [
    "intercept",
    "bill length",
    "bill depth",
    "flipper length",
    "body mass",
    "Chinstrap",
    "Gentoo",
];
/// Columns of the file that hold the measurements, in the order of [`AXES`].
const MEASURED: [usize; 4] = [5, 4, 3, 2];

/// A logistic regression with a standard normal prior.
pub struct Regression {
    /// s_i x_i with s_i = 1 for males and −1 for females: row-major `[333, 7]`. Measurements are standardised to mean 0
    /// and variance 1 (divided by n).
    pub signed: Vec<f64>,
    /// Names of the coefficients.
    pub axes: Vec<&'static str>,
    /// Reference posterior mean `[7]` and covariance `[7, 7]`.
    pub moments: (Vec<f64>, Vec<f64>),
}

/// The penguin regression.
pub fn regression() -> Regression {
    let table = shipped("penguins.csv", DATA);
    let (rows, columns) = (table.rows(), table.columns);
    let cell = |row: usize, column: usize| f64::from(table.values[row * columns + column]);
    let scales = MEASURED.map(|column| {
        let mean = (0..rows).map(|i| cell(i, column)).sum::<f64>() / rows as f64;
        let squares = (0..rows).map(|i| (cell(i, column) - mean).powi(2));
        (mean, (squares.sum::<f64>() / rows as f64).sqrt())
    });
    let mut signed = Vec::with_capacity(rows * AXES.len());
    for i in 0..rows {
        let sign = if cell(i, 1) > 0.5 { 1.0 } else { -1.0 };
        signed.push(sign);
        for (column, (mean, sd)) in MEASURED.iter().zip(scales) {
            signed.push(sign * (cell(i, *column) - mean) / sd);
        }
        for species in [1.0, 2.0] {
            signed.push(if cell(i, 0) == species { sign } else { 0.0 });
        }
    }
    let posterior = shipped("penguins_posterior.csv", POSTERIOR).values;
    let mut moments = posterior.into_iter().map(f64::from);
    Regression {
        signed,
        axes: AXES.to_vec(),
        moments: (
            moments.by_ref().take(AXES.len()).collect(),
            moments.collect(),
        ),
    }
}

/// A file that ships with the project, so that a fault in it is a fault of the project.
fn shipped(name: &str, text: &str) -> Table {
    match Table::parse_csv(name, text) {
        Ok(table) => table,
        Err(fault) => panic!("shipped data: {fault}"),
    }
}
