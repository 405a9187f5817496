//! The assignment problem, exactly, one row at a time.

/// Cheapest perfect matching of `n` rows with `n` columns, grown row by row along shortest augmenting paths.
///
/// One row is added at a time, so the work can be cut into slices. Each row costs O(n²) at
/// worst, so n = 1024 needs about 10⁹ operations at worst and far fewer in practice.
///
/// **Source** R. Jonker, A. Volgenant (1987). A shortest augmenting path algorithm for dense and sparse linear assignment
/// problems. Computing 38; without its heuristic start, which random clouds do not need.
#[derive(Debug, Clone)]
pub struct Assignment {
    n: usize,
    cost: Vec<f64>,
    /// Dual variables: `row_price[i] + column_price[j] ≤ cost[i, j]`, equal on matched pairs.
    row_price: Vec<f64>,
    column_price: Vec<f64>,
    /// Row matched with each column.
    row_of: Vec<Option<usize>>,
    rows_done: usize,
    /// Scratch of one augmentation, by column: distance, predecessor (a whole number; f64 like its neighbours, for
    /// SIMD), 0 or ∞ where settled.
    distance: Vec<f64>,
    from: Vec<f64>,
    barrier: Vec<f64>,
}

impl Assignment {
    /// For `n` rows and columns, none matched yet.
    pub fn new(n: usize) -> Self {
        Self::with_prices(vec![0.0; n])
    }

    /// Starts from the column prices of a similar problem. Any finite prices lead to the same cost; good ones lead there
    /// along shorter paths.
    ///
    /// # Panics
    /// A price that is not finite.
    pub fn with_prices(prices: Vec<f64>) -> Self {
        assert!(
            prices.iter().all(|v| v.is_finite()),
            "prices must be finite"
        );
        let n = prices.len();
        Self {
            n,
            cost: Vec::with_capacity(n * n),
            row_price: vec![0.0; n],
            column_price: prices,
            row_of: vec![None; n],
            rows_done: 0,
            distance: vec![0.0; n],
            from: vec![0.0; n],
            barrier: vec![0.0; n],
        }
    }

    /// Number of rows matched so far.
    pub fn rows_done(&self) -> usize {
        self.rows_done
    }

    /// Whether every row is matched.
    pub fn is_complete(&self) -> bool {
        self.rows_done == self.n
    }

    /// Adds the next row to the matching and returns the number of cost entries it looked at.
    ///
    /// # Panics
    /// All rows are matched, or `costs` does not hold `n` finite numbers.
    pub fn add_row(&mut self, costs: impl IntoIterator<Item = f64>) -> u64 {
        assert!(!self.is_complete(), "all {} rows are matched", self.n);
        let start = self.cost.len();
        self.cost.extend(costs);
        let row = &self.cost[start..];
        assert_eq!(row.len(), self.n, "costs of a row");
        assert!(row.iter().all(|c| c.is_finite()), "costs must be finite");
        let work = self.augment(self.rows_done);
        self.rows_done += 1;
        work
    }

    /// Dijkstra over columns in reduced costs, from an unmatched row to the nearest unmatched column.
    ///
    /// Every pass runs over all columns without branches, settled ones held out of the way at infinity: compilers turn it
    /// into SIMD code, which a list of open columns would prevent.
    fn augment(&mut self, start: usize) -> u64 {
        let n = self.n;
        self.distance.fill(f64::INFINITY);
        self.barrier.fill(0.0);
        let mut settled: Vec<usize> = Vec::new();
        // The column from whose row each column was reached; `n` stands for the starting row.
        let (mut row, mut via, mut reached) = (start, n, 0.0);
        let mut work = 0;
        let end = loop {
            work += n as u64;
            let costs = &self.cost[row * n..(row + 1) * n];
            let base = reached - self.row_price[row];
            let bounds = costs.iter().zip(&self.column_price).zip(&self.barrier);
            let columns = self.distance.iter_mut().zip(&mut self.from);
            let via_column = via as f64;
            for ((distance, from), ((cost, price), barrier)) in columns.zip(bounds) {
                let through = base + cost - price + barrier;
                let closer = through < *distance;
                *distance = if closer { through } else { *distance };
                *from = if closer { via_column } else { *from };
            }
            reached = least_sum(&self.distance, &self.barrier);
            let keys = self.distance.iter().zip(&self.barrier);
            let Some(column) = keys
                .into_iter()
                .position(|(distance, barrier)| *distance + barrier == reached)
            else {
                unreachable!("finite costs leave a nearest column");
            };
            match self.row_of[column] {
                None => break column,
                Some(next) => {
                    self.barrier[column] = f64::INFINITY;
                    settled.push(column);
                    row = next;
                    via = column;
                }
            }
        };
        self.row_price[start] += reached;
        for &column in &settled {
            let slack = reached - self.distance[column];
            self.column_price[column] -= slack;
            if let Some(matched) = self.row_of[column] {
                self.row_price[matched] += slack;
            }
        }
        // Flip the path.
        let mut column = end;
        while self.from[column] as usize != n {
            let before = self.from[column] as usize;
            self.row_of[column] = self.row_of[before];
            column = before;
        }
        self.row_of[column] = Some(start);
        work
    }

    /// Prices of the columns: a good start for a similar problem, see [`Self::with_prices`].
    pub fn prices(&self) -> &[f64] {
        &self.column_price
    }

    /// Column of each row.
    ///
    /// # Panics
    /// Rows are left (see [`Self::add_row`]).
    pub fn columns(&self) -> Vec<usize> {
        assert!(self.is_complete(), "{} rows matched", self.rows_done);
        let mut out = vec![0; self.n];
        for (column, row) in self.row_of.iter().enumerate() {
            if let Some(row) = row {
                out[*row] = column;
            }
        }
        out
    }

    /// Sum of the matched costs so far.
    pub fn total(&self) -> f64 {
        let matched = self.row_of.iter().enumerate();
        matched
            .filter_map(|(column, row)| row.map(|row| self.cost[row * self.n + column]))
            .sum()
    }
}

/// Least a_i + b_i, in eight lanes.
fn least_sum(a: &[f64], b: &[f64]) -> f64 {
    let mut lanes = [f64::INFINITY; 8];
    let (a, b) = (a.chunks_exact(8), b.chunks_exact(8));
    let rest = a.remainder().iter().zip(b.remainder());
    let tail = rest.fold(f64::INFINITY, |m, (x, y)| m.min(x + y));
    for (a, b) in a.zip(b) {
        for ((lane, x), y) in lanes.iter_mut().zip(a).zip(b) {
            let sum = x + y;
            *lane = if sum < *lane { sum } else { *lane };
        }
    }
    lanes.into_iter().fold(tail, f64::min)
}

/// |x − y_j|² in f64 for every row y_j of a cloud.
///
/// **Shapes** `x: [d]`, `y: [m, d]`, row-major; yields m numbers.
pub fn squared_costs(x: &[f32], y: &[f32]) -> impl Iterator<Item = f64> {
    y.chunks_exact(x.len()).map(|b| {
        let squares = x
            .iter()
            .zip(b)
            .map(|(p, q)| (f64::from(*p) - f64::from(*q)).powi(2));
        squares.sum()
    })
}
