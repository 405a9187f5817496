//! The assignment problem, exactly, one row at a time.

/// Cheapest perfect matching of `n` rows with `n` columns, grown row by row along shortest augmenting paths.
///
/// After k rows the first k rows are matched optimally, so the work can be cut into slices. Each row costs O(n²) at
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
}

impl Assignment {
    /// For `n` rows and columns, none matched yet.
    pub fn new(n: usize) -> Self {
        Self {
            n,
            cost: Vec::with_capacity(n * n),
            row_price: vec![0.0; n],
            column_price: vec![0.0; n],
            row_of: vec![None; n],
            rows_done: 0,
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
    fn augment(&mut self, start: usize) -> u64 {
        let n = self.n;
        let mut distance = vec![f64::INFINITY; n];
        // The column from whose row each column was reached; `n` stands for the starting row.
        let mut from = vec![n; n];
        // Columns not yet settled, in any order.
        let mut open: Vec<usize> = (0..n).collect();
        let mut settled: Vec<usize> = Vec::new();
        let (mut row, mut via, mut reached) = (start, n, 0.0);
        let mut work = 0;
        let end = loop {
            work += open.len() as u64;
            let costs = &self.cost[row * n..(row + 1) * n];
            let base = reached - self.row_price[row];
            let (mut best, mut best_at) = (f64::INFINITY, 0);
            for (at, &column) in open.iter().enumerate() {
                let through = base + costs[column] - self.column_price[column];
                if through < distance[column] {
                    distance[column] = through;
                    from[column] = via;
                }
                if distance[column] < best {
                    best = distance[column];
                    best_at = at;
                }
            }
            let column = open.swap_remove(best_at);
            reached = best;
            match self.row_of[column] {
                None => break column,
                Some(next) => {
                    settled.push(column);
                    row = next;
                    via = column;
                }
            }
        };
        self.row_price[start] += reached;
        for &column in &settled {
            let slack = reached - distance[column];
            self.column_price[column] -= slack;
            if let Some(matched) = self.row_of[column] {
                self.row_price[matched] += slack;
            }
        }
        // Flip the path.
        let mut column = end;
        while from[column] != n {
            self.row_of[column] = self.row_of[from[column]];
            column = from[column];
        }
        self.row_of[column] = Some(start);
        work
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
