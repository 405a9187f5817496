use super::*;
use crate::rng::{normal_vec, stream, uniform_vec};
use proptest::prelude::*;

fn solve(cost: &[f64], n: usize) -> Assignment {
    let mut assignment = Assignment::new(n);
    for row in cost.chunks_exact(n) {
        assignment.add_row(row.iter().copied());
    }
    assignment
}

fn costs(x: &[f32], y: &[f32], d: usize) -> Vec<f64> {
    let rows = x.chunks_exact(d);
    rows.flat_map(|row| squared_costs(row, y)).collect()
}

/// Cheapest of all permutations.
fn brute_force(cost: &[f64], n: usize) -> f64 {
    fn visit(cost: &[f64], n: usize, row: usize, free: &mut Vec<usize>) -> f64 {
        if row == n {
            return 0.0;
        }
        let mut best = f64::INFINITY;
        for i in 0..free.len() {
            let column = free.swap_remove(i);
            best = best.min(cost[row * n + column] + visit(cost, n, row + 1, free));
            free.push(column);
            let last = free.len() - 1;
            free.swap(i, last);
        }
        best
    }
    visit(cost, n, 0, &mut (0..n).collect())
}

fn cloud(seed: u32, n: usize, d: usize) -> Vec<f32> {
    normal_vec(seed, stream::INIT, 0, n * d)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn assignment_is_the_best_permutation(seed in 0u32..100_000, n in 1usize..8) {
        let cost: Vec<f64> = normal_vec(seed, stream::INIT, 1, n * n).into_iter().map(f64::from).collect();
        let found = solve(&cost, n);
        prop_assert!((found.total() - brute_force(&cost, n)).abs() < 1e-12);
        let mut columns = found.columns();
        let by_columns: f64 = columns.iter().enumerate().map(|(i, j)| cost[i * n + j]).sum();
        prop_assert!((found.total() - by_columns).abs() < 1e-12);
        columns.sort_unstable();
        prop_assert_eq!(columns, (0..n).collect::<Vec<_>>());
    }

    /// Prices of another problem change the way, not the cost.
    #[test]
    fn any_prices_lead_to_the_same_cost(seed in 0u32..1000, n in 1usize..30) {
        let (a, b) = (cloud(seed, n, 2), cloud(seed + 1, n, 2));
        let cost = costs(&a, &b, 2);
        let plain = solve(&cost, n);
        let wild: Vec<f64> = cloud(seed + 2, n, 1).into_iter().map(|v| 10.0 * f64::from(v)).collect();
        for prices in [wild, plain.prices().to_vec()] {
            let mut warm = Assignment::with_prices(prices);
            for row in cost.chunks_exact(n) {
                warm.add_row(row.iter().copied());
            }
            prop_assert!((warm.total() - plain.total()).abs() < 1e-9);
        }
    }

    #[test]
    fn ties_are_matched_too(n in 1usize..7, levels in 1u32..4, seed in 0u32..1000) {
        let cost: Vec<f64> = uniform_vec(seed, stream::INIT, 2, n * n)
            .into_iter().map(|u| f64::from((u * levels as f32).floor())).collect();
        prop_assert_eq!(solve(&cost, n).total(), brute_force(&cost, n));
    }

    #[test]
    fn w2_is_a_distance(seed in 0u32..1000, n in 2usize..40, d in 1usize..4) {
        let w2 = |a: &[f32], b: &[f32]| solve(&costs(a, b, d), n).total().max(0.0).sqrt();
        let (a, b, c) = (cloud(seed, n, d), cloud(seed + 1, n, d), cloud(seed + 2, n, d));
        prop_assert_eq!(w2(&a, &a), 0.0);
        prop_assert!((w2(&a, &b) - w2(&b, &a)).abs() < 1e-9);
        prop_assert!(w2(&a, &c) <= w2(&a, &b) + w2(&b, &c) + 1e-9);
    }

    #[test]
    fn sliced_never_exceeds_w2(seed in 0u32..1000, n in 2usize..40, d in 1usize..4) {
        let (a, b) = (cloud(seed, n, d), cloud(seed + 1, n, d));
        let w2 = (solve(&costs(&a, &b, d), n).total() / n as f64).sqrt();
        let sw2 = sliced(&a, &b, d);
        prop_assert!(sw2 <= w2 * (1.0 + 1e-6));
        // On the line both are the sorted matching; projections are rounded to f32.
        prop_assert!(d > 1 || (sw2 - w2).abs() < 1e-6 * (1.0 + w2));
    }
}

fn sliced(a: &[f32], b: &[f32], d: usize) -> f64 {
    let mut job = Sliced::new(d);
    while job.advance(a, b).is_some() {}
    job.distance()
}

/// A shift by c moves every projection by θ·c, so SW2 = |c|·√(mean (θ·c/|c|)²) ≈ |c|/√d.
#[test]
fn sliced_distance_of_a_shift() {
    let a = cloud(3, 500, 2);
    let b: Vec<f32> = a.iter().map(|v| v + 2.0).collect();
    let expected = 8f64.sqrt() / 2f64.sqrt();
    // 128 directions in the plane: relative error of the mean of cos² is √(1/8)/½/√128 ≈ 6 %, of its root 3 %.
    assert!((sliced(&a, &b, 2) / expected - 1.0).abs() < 0.1);
}

#[test]
fn a_thousand_points_are_matched_in_bounded_work() {
    let n = 1024;
    let (x, y) = (cloud(1, n, 2), cloud(2, n, 2));
    let mut job = Assignment::new(n);
    let (mut total, mut largest) = (0, 0);
    for row in x.chunks_exact(2) {
        let work = job.add_row(squared_costs(row, &y));
        total += work;
        largest = largest.max(work);
    }
    assert!(
        largest <= (n * n) as u64 && total < 4e8 as u64,
        "{largest} in a row, {total} in all"
    );
}

/// The oracle itself can tell a wrong matching from the right one.
#[test]
fn brute_force_refuses_the_greedy_matching() {
    let cost = [1.0, 2.0, 2.0, 100.0];
    assert_eq!(brute_force(&cost, 2), 4.0);
    assert_eq!(solve(&cost, 2).total(), 4.0);
    assert_ne!(cost[0] + cost[3], 4.0);
}
