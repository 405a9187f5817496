//! Points drawn by hand, small enough to travel in a link.
//!
//! Encoding of `data`: base64url without padding of one byte for the kind (1: points), one byte for the dimension d,
//! then every coordinate as a little-endian i16 in units of 1/256 of a world unit (so within ±128, error ≤ 1/512), row
//! after row. Larger or finer data travel as a CSV file.

use super::text::{decode_base64, encode_base64};
use crate::data::Table;

/// Most points in a link.
pub const MAX_POINTS: usize = 512;

/// Most coordinates in a link.
pub const MAX_CELLS: usize = 2048;

const KIND_POINTS: u8 = 1;
const UNITS: f32 = 256.0;

/// Points quantised to 1/256 of a world unit: at least one, at most [`MAX_POINTS`] and [`MAX_CELLS`] coordinates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drawn {
    d: u8,
    cells: Vec<i16>,
}

impl Drawn {
    /// Quantises a table; coordinates beyond ±128 move to the edge.
    ///
    /// # Errors
    /// Says what is allowed, where the table is empty or too large.
    pub fn new(table: &Table) -> Result<Self, String> {
        // `as` saturates, and takes NaN to 0.
        let cells = table
            .values
            .iter()
            .map(|v| (v * UNITS).round() as i16)
            .collect();
        Self::checked(table.columns, cells)
    }

    fn checked(d: usize, cells: Vec<i16>) -> Result<Self, String> {
        let rows = cells.len().checked_div(d).unwrap_or(0);
        let whole = d > 0 && rows > 0 && rows * d == cells.len();
        match u8::try_from(d) {
            Ok(d) if whole && rows <= MAX_POINTS && cells.len() <= MAX_CELLS => {
                Ok(Self { d, cells })
            }
            _ => Err(format!(
                "{rows} points with {d} coordinates do not fit a link; allowed are 1 to {MAX_POINTS} points \
                 and at most {MAX_CELLS} coordinates, larger data travel as a file"
            )),
        }
    }

    /// Number of points.
    pub fn rows(&self) -> usize {
        self.cells.len() / self.columns()
    }

    /// Dimension.
    pub fn columns(&self) -> usize {
        usize::from(self.d)
    }

    /// The points as a table.
    pub fn to_table(&self) -> Table {
        Table {
            names: Vec::new(),
            columns: self.columns(),
            values: self.cells.iter().map(|c| f32::from(*c) / UNITS).collect(),
        }
    }

    /// The text after `data=`.
    pub fn encode(&self) -> String {
        let mut bytes = vec![KIND_POINTS, self.d];
        bytes.extend(self.cells.iter().flat_map(|c| c.to_le_bytes()));
        encode_base64(&bytes)
    }

    /// Reads the text after `data=`.
    ///
    /// # Errors
    /// Says what is wrong and what is allowed.
    pub fn decode(text: &str) -> Result<Self, String> {
        let bytes = decode_base64(text)
            .ok_or("not base64url; the points were cut or altered on their way")?;
        let [kind, d, cells @ ..] = bytes.as_slice() else {
            return Err("holds no points".to_owned());
        };
        if *kind != KIND_POINTS {
            return Err(format!(
                "kind {kind} is not known; allowed is {KIND_POINTS} (points)"
            ));
        }
        if cells.len() % 2 != 0 {
            return Err("ends inside a coordinate; the points were cut on their way".to_owned());
        }
        let cells = cells
            .chunks_exact(2)
            .map(|c| i16::from_le_bytes([c[0], c[1]]))
            .collect();
        Self::checked(usize::from(*d), cells)
    }
}
