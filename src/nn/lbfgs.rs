//! Limited-memory BFGS as a state machine: it asks for values and gradients and is told them, so that whoever evaluates may be
//! a graph on any executor.

use std::collections::VecDeque;

/// Pairs of moves and gradient changes that are remembered.
const MEMORY: usize = 10;

/// What the minimiser wants next.
#[derive(Debug, Clone, PartialEq)]
pub enum Ask {
    /// Value and gradient at this point.
    Evaluate(Vec<f64>),
    /// It moved here; tell it the same value and gradient again only after the next question.
    Accepted(Vec<f64>),
    /// No step decreases the function: the gradient is at rounding level, or was wrong.
    Stuck,
}

/// Two-loop L-BFGS with a weak Wolfe line search by bisection.
///
/// **Source** J. Nocedal, S. Wright, "Numerical optimization" (2006), algorithms 7.4 and 3.5; A. Lewis, M. Overton,
/// "Nonsmooth optimization via quasi-Newton methods" (2013), algorithm 2.6 for the bisection.
#[derive(Debug, Clone)]
pub struct Lbfgs {
    /// Present point, its value and gradient once known.
    x: Vec<f64>,
    known: Option<(f64, Vec<f64>)>,
    direction: Vec<f64>,
    /// Step length tried, and the bracket around acceptable ones.
    length: f64,
    bracket: (f64, f64),
    trials: usize,
    pairs: VecDeque<(Vec<f64>, Vec<f64>)>,
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

impl Lbfgs {
    /// Starts at `x`.
    pub fn new(x: Vec<f64>) -> Self {
        Self {
            x,
            known: None,
            direction: Vec::new(),
            length: 1.0,
            bracket: (0.0, f64::INFINITY),
            trials: 0,
            pairs: VecDeque::new(),
        }
    }

    /// The present point.
    pub fn point(&self) -> &[f64] {
        &self.x
    }

    /// The point whose value and gradient are wanted.
    pub fn trial(&self) -> Vec<f64> {
        let moves = self.x.iter().zip(&self.direction);
        if self.known.is_none() {
            return self.x.clone();
        }
        moves.map(|(x, d)| x + self.length * d).collect()
    }

    /// Takes the value and gradient at [`Self::trial`].
    pub fn tell(&mut self, value: f64, gradient: &[f64]) -> Ask {
        let Some((start, slope_at)) = &self.known else {
            self.known = Some((value, gradient.to_vec()));
            return self.search();
        };
        let slope = dot(slope_at, &self.direction);
        let falls = value <= start + 1e-4 * self.length * slope;
        if falls && dot(gradient, &self.direction) >= 0.9 * slope {
            let x = self.trial();
            let moved = x
                .iter()
                .zip(&self.x)
                .map(|(a, b)| a - b)
                .collect::<Vec<_>>();
            let turned = gradient.iter().zip(slope_at).map(|(a, b)| a - b);
            let turned: Vec<f64> = turned.collect();
            if dot(&moved, &turned) > 0.0 {
                if self.pairs.len() == MEMORY {
                    self.pairs.pop_front();
                }
                self.pairs.push_back((moved, turned));
            }
            self.x.clone_from(&x);
            self.known = Some((value, gradient.to_vec()));
            self.aim();
            return Ask::Accepted(x);
        }
        if falls {
            self.bracket.0 = self.length;
        } else {
            self.bracket.1 = self.length;
        }
        let (low, high) = self.bracket;
        self.length = if high.is_finite() {
            0.5 * (low + high)
        } else {
            2.0 * low
        };
        self.trials += 1;
        if self.trials > 60 {
            return Ask::Stuck;
        }
        Ask::Evaluate(self.trial())
    }

    fn search(&mut self) -> Ask {
        self.aim();
        Ask::Evaluate(self.trial())
    }

    /// Chooses a direction at the present point by the two-loop recursion and a first step length.
    fn aim(&mut self) {
        let Some((_, gradient)) = &self.known else {
            return;
        };
        let mut q: Vec<f64> = gradient.iter().map(|g| -g).collect();
        let mut weights = Vec::new();
        for (s, y) in self.pairs.iter().rev() {
            let weight = dot(s, &q) / dot(s, y);
            q.iter_mut().zip(y).for_each(|(q, y)| *q -= weight * y);
            weights.push(weight);
        }
        let scale = match self.pairs.back() {
            Some((s, y)) => dot(s, y) / dot(y, y),
            None => 1.0 / dot(gradient, gradient).sqrt().max(1.0),
        };
        q.iter_mut().for_each(|q| *q *= scale);
        for ((s, y), weight) in self.pairs.iter().zip(weights.into_iter().rev()) {
            let back = dot(y, &q) / dot(s, y);
            q.iter_mut()
                .zip(s)
                .for_each(|(q, s)| *q += (weight - back) * s);
        }
        self.direction = q;
        (self.length, self.bracket, self.trials) = (1.0, (0.0, f64::INFINITY), 0);
    }
}
