use super::*;
use crate::rng::{normal_vec, stream};
use proptest::prelude::*;

fn random(seed: u32, count: usize) -> Vec<f64> {
    let draws = normal_vec(seed, stream::SHAPE, 0, count);
    draws.into_iter().map(f64::from).collect()
}

/// A Aᵀ + I/10: positive definite, condition below about 10³.
fn positive(seed: u32, d: usize) -> Vec<f64> {
    let a = random(seed, d * d);
    let mut out = matmul(&a, &transpose(&a, d), [d, d, d]);
    for i in 0..d {
        out[i * d + i] += 0.1;
    }
    out
}

fn transpose(a: &[f64], d: usize) -> Vec<f64> {
    (0..d * d).map(|i| a[(i % d) * d + i / d]).collect()
}

/// Largest |a − b| relative to the largest |b|.
fn gap(a: &[f64], b: &[f64]) -> f64 {
    let scale = b.iter().fold(1e-300, |s: f64, v| s.max(v.abs()));
    a.iter()
        .zip(b)
        .map(|(x, y)| (x - y).abs() / scale)
        .fold(0.0, f64::max)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn factors_rebuild_the_matrix(seed in 0u32..1000, d in 1usize..12) {
        let a = positive(seed, d);
        let l = cholesky(&a, d).expect("positive definite");
        prop_assert!(gap(&matmul(&l, &transpose(&l, d), [d, d, d]), &a) < 1e-13);
        let (values, _) = symmetric_eigen(&a, d);
        let log_det: f64 = values.iter().map(|v| v.ln()).sum();
        prop_assert!((cholesky_log_det(&l, d) - log_det).abs() < 1e-9);
        let root = sqrtm(&a, d);
        prop_assert!(gap(&matmul(&root, &root, [d, d, d]), &a) < 1e-12);
        // Rounding is amplified by the condition number, here below about 10⁴.
        let inv = inverse(&a, d).expect("positive definite");
        prop_assert!(gap(&matmul(&a, &inv, [d, d, d]), &identity(d)) < 1e-9);
        let b = random(seed + 1, d);
        prop_assert!(gap(&cholesky_solve(&l, &b), &solve(&a, &b).expect("regular")) < 1e-9);
    }

    #[test]
    fn eigenvectors_are_orthonormal_and_ordered(seed in 0u32..1000, d in 1usize..12) {
        let half = random(seed, d * d);
        let a: Vec<f64> = half.iter().zip(transpose(&half, d)).map(|(x, y)| x + y).collect();
        let (values, v) = symmetric_eigen(&a, d);
        prop_assert!(values.is_sorted());
        prop_assert!(gap(&matmul(&transpose(&v, d), &v, [d, d, d]), &identity(d)) < 1e-12);
        prop_assert!(gap(&symmetric_function(&a, d, |x| x), &a) < 1e-12);
    }
}

#[test]
fn indefinite_and_singular_matrices_are_refused() {
    assert_eq!(cholesky(&[1.0, 2.0, 2.0, 1.0], 2), None);
    assert_eq!(cholesky(&[1.0, 1.0, 1.0, 1.0], 2), None);
    assert_eq!(cholesky(&[f64::NAN], 1), None);
    assert_eq!(inverse(&[0.0], 1), None);
    assert_eq!(solve(&[1.0, 2.0, 2.0, 4.0], &[1.0, 1.0]), None);
}

#[test]
fn a_general_system_with_zero_on_the_diagonal() {
    let x = solve(&[0.0, 2.0, 1.0, 1.0], &[4.0, 3.0]);
    assert_eq!(x, Some(vec![1.0, 2.0]));
}

#[test]
fn moments_of_a_known_cloud() {
    let (mean, covariance) = mean_covariance(&[1.0, 0.0, 3.0, 4.0], 2);
    assert_eq!(mean, [2.0, 2.0]);
    assert_eq!(covariance, [1.0, 2.0, 2.0, 4.0]);
}
