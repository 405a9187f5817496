//! A log-density that a user typed, in one or two dimensions. What others know in closed form is found on a grid:
//! where the mass lies, moments, samples.

use super::source::Source;
use super::{Target, TargetParams};
use crate::decimal::fixed;
use crate::error::{Problem, Result};
use crate::expr::{Expr, parse};

/// Half-width of the first box that is searched for mass.
const FIRST_REACH: f64 = 8.0;
/// Half-width at which the search gives up: the density is then taken to be improper.
const LAST_REACH: f64 = 1000.0;
/// Mass that may stay outside the box on each side.
const TAIL: f64 = 1e-7;

pub(super) fn build(params: &TargetParams, _: u32) -> Result<Target> {
    let d = params.dimension(1..=2)?;
    let wrong = |message: String| Problem::new("formula", message);
    let expr = parse(&params.formula, &["x", "y"][..d]).map_err(wrong)?;
    if expr.arity() == 0 {
        let message = "the formula must depend on x: a constant is no density on the whole space";
        return Err(wrong(message.to_owned()).into());
    }
    let graph_expr = expr.clone();
    let mut target = Target::new(
        d,
        Box::new(move |g, x| {
            let columns: Vec<_> = (0..d).map(|i| x.column(i)).collect();
            g.map(graph_expr.clone(), &columns)
        }),
    );
    let Some(grid) = Grid::find(&expr, d).map_err(wrong)? else {
        let note = format!(
            "The formula does not seem to have a finite integral: mass reaches beyond ±{}.",
            fixed(LAST_REACH, 0)
        );
        target.notes.push(note);
        let reach = FIRST_REACH as f32;
        target.frame = [-reach, -reach, reach, reach];
        return Ok(target);
    };
    target.log_normalizer = Some(grid.log_mass());
    target.moments = Some(grid.moments());
    target.frame = grid.frame();
    let ranges: Vec<String> = grid
        .axes
        .iter()
        .map(|[a, b]| format!("[{}, {}]", fixed(*a, 3), fixed(*b, 3)))
        .collect();
    target.notes.push(format!(
        "Moments, bins and exact samples are cut off to {} and found on a grid of {} points a side.",
        ranges.join(" × "),
        grid.cells
    ));
    let cells = grid.into_proposal(&expr);
    Ok(target.sampled_by(move |source, row| cells.draw(&expr, source, row)))
}

/// log π at a point; NaN counts as no mass.
fn log_density(expr: &Expr, point: &[f64]) -> f64 {
    let value = expr.eval(point);
    if value.is_nan() {
        f64::NEG_INFINITY
    } else {
        value
    }
}

/// Midpoint values over a box. For a smooth density that vanishes at the box's edge the midpoint rule converges faster
/// than any power of the spacing.
struct Grid {
    cells: usize,
    axes: Vec<[f64; 2]>,
    /// log π at the midpoints, the last axis fastest.
    values: Vec<f64>,
    top: f64,
}

impl Grid {
    fn new(expr: &Expr, axes: Vec<[f64; 2]>, cells: usize) -> Self {
        let mut grid = Self {
            cells,
            axes,
            values: Vec::new(),
            top: f64::NEG_INFINITY,
        };
        grid.values = (0..cells.pow(grid.axes.len() as u32))
            .map(|i| log_density(expr, &grid.point(i, 0.5)))
            .collect();
        grid.top = grid
            .values
            .iter()
            .copied()
            .fold(f64::NEG_INFINITY, f64::max);
        grid
    }

    fn step(&self, axis: usize) -> f64 {
        (self.axes[axis][1] - self.axes[axis][0]) / self.cells as f64
    }

    /// A point of cell `index`: 0 its lower corner, ½ its middle.
    fn point(&self, index: usize, offset: f64) -> Vec<f64> {
        (0..self.axes.len())
            .map(|axis| {
                self.axes[axis][0] + self.step(axis) * (self.along(index, axis) as f64 + offset)
            })
            .collect()
    }

    /// The index of a cell along one axis.
    fn along(&self, index: usize, axis: usize) -> usize {
        index / self.cells.pow((self.axes.len() - 1 - axis) as u32) % self.cells
    }

    /// Share of each slab of cells along an axis.
    fn marginal(&self, axis: usize) -> Vec<f64> {
        let mut out = vec![0.0; self.cells];
        for (index, value) in self.values.iter().enumerate() {
            out[self.along(index, axis)] += (value - self.top).exp();
        }
        let total: f64 = out.iter().sum();
        out.iter().map(|m| m / total).collect()
    }

    /// First and last cell along an axis outside of which at most `tail` lies on each side.
    fn bulk(&self, axis: usize, tail: f64) -> [usize; 2] {
        let shares = self.marginal(axis);
        let edge = |shares: &mut dyn Iterator<Item = &f64>| {
            let mut sum = 0.0;
            let beyond = |share: &&f64| {
                sum += **share;
                sum <= tail
            };
            shares.take_while(beyond).count()
        };
        let (low, high) = (edge(&mut shares.iter()), edge(&mut shares.iter().rev()));
        [low, (self.cells - 1).saturating_sub(high).max(low)]
    }

    /// The box that holds all but [`TAIL`], on a fine grid; `None` where it is too large.
    fn find(expr: &Expr, d: usize) -> std::result::Result<Option<Self>, String> {
        let cells = if d == 1 { 512 } else { 64 };
        let mut axes = vec![[-FIRST_REACH, FIRST_REACH]; d];
        // Each round widens an axis that has mass at its edge, or narrows one that is mostly empty.
        for _ in 0..24 {
            let grid = Self::new(expr, axes.clone(), cells);
            if grid.top == f64::INFINITY {
                return Err("the formula is infinite somewhere: not a density".to_owned());
            }
            let mut settled = true;
            for (axis, range) in axes.iter_mut().enumerate() {
                let [a, b] = *range;
                let empty = grid.top == f64::NEG_INFINITY;
                let [low, high] = if empty {
                    [0, cells - 1]
                } else {
                    grid.bulk(axis, TAIL)
                };
                let (at_low, at_high) = (low < 2, high + 2 >= cells);
                if at_low || at_high {
                    range[0] = if at_low { a - (b - a) } else { a };
                    range[1] = if at_high { b + (b - a) } else { b };
                    settled = false;
                } else if high + 1 - low < cells / 2 {
                    let margin = ((high + 1 - low) / 4).max(3);
                    range[0] = a + grid.step(axis) * low.saturating_sub(margin) as f64;
                    range[1] = a + grid.step(axis) * (high + 1 + margin).min(cells) as f64;
                    settled = false;
                }
                if range[0] < -LAST_REACH || range[1] > LAST_REACH {
                    if empty {
                        return Err(format!(
                            "the formula is not finite anywhere within ±{}",
                            fixed(LAST_REACH, 0)
                        ));
                    }
                    return Ok(None);
                }
            }
            if settled {
                break;
            }
        }
        Ok(Some(Self::new(expr, axes, if d == 1 { 4096 } else { 192 })))
    }

    fn log_mass(&self) -> f64 {
        let sum: f64 = self.values.iter().map(|v| (v - self.top).exp()).sum();
        let volume: f64 = (0..self.axes.len()).map(|axis| self.step(axis)).product();
        sum.ln() + self.top + volume.ln()
    }

    fn moments(&self) -> (Vec<f64>, Vec<f64>) {
        let d = self.axes.len();
        let weights: Vec<f64> = self.values.iter().map(|v| (v - self.top).exp()).collect();
        let total: f64 = weights.iter().sum();
        let mean_of = |f: &dyn Fn(&[f64]) -> f64| {
            let terms = weights.iter().enumerate();
            terms.map(|(i, w)| w * f(&self.point(i, 0.5))).sum::<f64>() / total
        };
        let mean: Vec<f64> = (0..d).map(|i| mean_of(&|x| x[i])).collect();
        let entry = |i: usize, j: usize| mean_of(&|x| (x[i] - mean[i]) * (x[j] - mean[j]));
        let covariance = (0..d * d).map(|k| entry(k / d, k % d)).collect();
        (mean, covariance)
    }

    /// All but a thousandth on each side, and a margin of a tenth.
    fn frame(&self) -> [f32; 4] {
        let range = |axis: usize| {
            let [low, high] = self.bulk(axis, 1e-3);
            let (a, step) = (self.axes[axis][0], self.step(axis));
            let (x, y) = (a + step * low as f64, a + step * (high + 1) as f64);
            let margin = 0.1 * (y - x);
            [(x - margin) as f32, (y + margin) as f32]
        };
        let ([x0, x1], [y0, y1]) = (range(0), range(self.axes.len() - 1));
        [x0, y0, x1, y1]
    }

    fn into_proposal(self, expr: &Expr) -> Proposal {
        let d = self.axes.len();
        let corners: Vec<Vec<f64>> = (0..1usize << d)
            .map(|corner| (0..d).map(|axis| (corner >> axis & 1) as f64).collect())
            .collect();
        let mut bounds = Vec::with_capacity(self.values.len());
        for (index, middle) in self.values.iter().enumerate() {
            let base = self.point(index, 0.0);
            let (mut low, mut high) = (*middle, *middle);
            for corner in &corners {
                let point: Vec<f64> = (0..d)
                    .map(|axis| base[axis] + corner[axis] * self.step(axis))
                    .collect();
                let value = log_density(expr, &point);
                high = high.max(value);
                if value.is_finite() {
                    low = low.min(value);
                }
            }
            let slack = if low.is_finite() {
                0.5 * (high - low)
            } else {
                0.0
            };
            bounds.push(high + slack.min(5.0));
        }
        let mut sum = 0.0;
        let top = bounds.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let cumulative = bounds
            .iter()
            .map(|bound| {
                sum += (bound - top).exp();
                sum
            })
            .collect();
        Proposal {
            grid: self,
            bounds,
            cumulative,
        }
    }
}

/// Rejection sampling from a density that is constant on each cell: a bound from the cell's corners and middle, raised by
/// half of their range. Where the formula still exceeds it, it is cut off to it.
struct Proposal {
    grid: Grid,
    bounds: Vec<f64>,
    cumulative: Vec<f64>,
}

impl Proposal {
    fn draw(&self, expr: &Expr, source: &mut Source, row: &mut [f64]) {
        let total = self.cumulative.last().copied().unwrap_or(0.0);
        loop {
            let mark = source.uniform() * total;
            let found = self.cumulative.partition_point(|c| *c < mark);
            let cell = found.min(self.bounds.len() - 1);
            let base = self.grid.point(cell, 0.0);
            for (axis, out) in row.iter_mut().enumerate() {
                *out = base[axis] + self.grid.step(axis) * source.uniform();
            }
            if source.uniform().ln() < log_density(expr, row) - self.bounds[cell] {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests;
