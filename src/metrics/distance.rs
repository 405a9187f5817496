//! W2 between two clouds of equal size: exact up to 1024 points, sliced above; resumable.

use super::ASSIGNMENT_POINTS;
use crate::ot::{Assignment, Sliced, squared_costs};
use std::rc::Rc;

/// A distance being computed.
pub(super) struct Distance {
    d: usize,
    x: Rc<[f32]>,
    y: Rc<[f32]>,
    method: Method,
    value: Option<f64>,
    prices: Vec<f64>,
}

enum Method {
    Exact(Assignment),
    Sliced(Sliced),
}

impl Distance {
    /// Between `x` and `y`, both `[n, d]`.
    pub(super) fn new(x: Rc<[f32]>, y: Rc<[f32]>, d: usize) -> Self {
        let n = x.len() / d;
        let method = if n <= ASSIGNMENT_POINTS {
            Method::Exact(Assignment::new(n))
        } else {
            Method::Sliced(Sliced::new(d))
        };
        Self {
            d,
            x,
            y,
            method,
            value: None,
            prices: Vec::new(),
        }
    }

    /// Starts an exact assignment from the prices that an earlier cloud ended with.
    pub(super) fn starting_from(mut self, prices: &[f64]) -> Self {
        if let Method::Exact(assignment) = &mut self.method
            && prices.len() == self.y.len() / self.d
        {
            *assignment = Assignment::with_prices(prices.to_vec());
        }
        self
    }

    /// Prices of an exact assignment that is done; empty otherwise.
    pub(super) fn prices(&self) -> &[f64] {
        &self.prices
    }

    /// One row or one projection more; `None` when it is done.
    pub(super) fn advance(&mut self) -> Option<u64> {
        if self.value.is_some() {
            return None;
        }
        let n = self.x.len() / self.d;
        match &mut self.method {
            Method::Exact(assignment) if assignment.is_complete() => {
                // Prices are exact to rounding; a sum of squares is never negative.
                self.value = Some((assignment.total() / n.max(1) as f64).sqrt());
                self.prices = assignment.prices().to_vec();
                // The costs are 8 MB at n = 1024.
                *assignment = Assignment::new(0);
                None
            }
            Method::Exact(assignment) => {
                let at = assignment.rows_done() * self.d;
                let row = &self.x[at..at + self.d];
                let looked_at = assignment.add_row(squared_costs(row, &self.y));
                Some(4 * looked_at + 3 * self.y.len() as u64)
            }
            Method::Sliced(sliced) => {
                let work = sliced.advance(&self.x, &self.y);
                if work.is_none() {
                    self.value = Some(sliced.distance());
                }
                work
            }
        }
    }

    /// The distance, once it is done.
    pub(super) fn value(&self) -> Option<f64> {
        self.value
    }
}
