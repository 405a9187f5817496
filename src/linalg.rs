//! Small dense linear algebra on the host, in f64: square matrices are row-major slices of `d·d` numbers.
//!
//! Made for covariances and normal equations up to a few hundred rows. No blocking, no pivoting beyond what positive
//! definite and symmetric matrices need; large products belong to graphs.

use crate::order::sort_few;

/// Row-major `[n, k]` times `[k, m]`.
///
/// # Panics
/// The lengths do not fit the extents.
pub fn matmul(a: &[f64], b: &[f64], [n, k, m]: [usize; 3]) -> Vec<f64> {
    assert!(
        a.len() == n * k && b.len() == k * m,
        "matmul of {n}x{k} by {k}x{m}"
    );
    let mut out = vec![0.0; n * m];
    for i in 0..n {
        for l in 0..k {
            let factor = a[i * k + l];
            for j in 0..m {
                out[i * m + j] += factor * b[l * m + j];
            }
        }
    }
    out
}

/// The identity of size `d`.
pub fn identity(d: usize) -> Vec<f64> {
    let mut out = vec![0.0; d * d];
    for i in 0..d {
        out[i * d + i] = 1.0;
    }
    out
}

/// Lower Cholesky factor L with a = L Lᵀ; reads the lower triangle only.
///
/// `None` where `a` is not (numerically) positive definite.
///
/// # Panics
/// `a` does not have `d·d` entries.
pub fn cholesky(a: &[f64], d: usize) -> Option<Vec<f64>> {
    assert_eq!(a.len(), d * d, "cholesky of size {d}");
    let mut l = vec![0.0; d * d];
    for i in 0..d {
        for j in 0..=i {
            let mut rest = a[i * d + j];
            for k in 0..j {
                rest -= l[i * d + k] * l[j * d + k];
            }
            if i == j {
                // The floor tells rounding noise of a singular matrix from a small eigenvalue.
                let floor = d as f64 * f64::EPSILON * a[i * d + i].abs();
                if rest.is_nan() || rest <= floor {
                    return None;
                }
                l[i * d + i] = rest.sqrt();
            } else {
                l[i * d + j] = rest / l[j * d + j];
            }
        }
    }
    Some(l)
}

/// Solves L Lᵀ x = b for one right-hand side, given the factor of [`cholesky`].
pub fn cholesky_solve(l: &[f64], b: &[f64]) -> Vec<f64> {
    let d = b.len();
    let mut x = b.to_vec();
    for i in 0..d {
        for k in 0..i {
            x[i] -= l[i * d + k] * x[k];
        }
        x[i] /= l[i * d + i];
    }
    for i in (0..d).rev() {
        for k in i + 1..d {
            x[i] -= l[k * d + i] * x[k];
        }
        x[i] /= l[i * d + i];
    }
    x
}

/// log det(L Lᵀ), given the factor of [`cholesky`].
pub fn cholesky_log_det(l: &[f64], d: usize) -> f64 {
    (0..d).map(|i| 2.0 * l[i * d + i].ln()).sum()
}

/// Inverse of a symmetric positive definite matrix; `None` where it is not one.
pub fn inverse(a: &[f64], d: usize) -> Option<Vec<f64>> {
    let l = cholesky(a, d)?;
    let mut out = vec![0.0; d * d];
    for i in 0..d {
        let mut unit = vec![0.0; d];
        unit[i] = 1.0;
        let column = cholesky_solve(&l, &unit);
        for j in 0..d {
            out[j * d + i] = column[j];
        }
    }
    // The two triangles differ by rounding; the mean is exactly symmetric.
    for i in 0..d {
        for j in 0..i {
            let mean = 0.5 * (out[i * d + j] + out[j * d + i]);
            out[i * d + j] = mean;
            out[j * d + i] = mean;
        }
    }
    Some(out)
}

/// Solves a x = b for a general square matrix, by Gaussian elimination with row pivoting; `None` where it is singular.
///
/// # Panics
/// `a` does not have `b.len()²` entries.
pub fn solve(a: &[f64], b: &[f64]) -> Option<Vec<f64>> {
    let d = b.len();
    assert_eq!(a.len(), d * d, "solve of size {d}");
    let (mut a, mut x) = (a.to_vec(), b.to_vec());
    for column in 0..d {
        let pivot = (column..d)
            .max_by(|&i, &j| a[i * d + column].abs().total_cmp(&a[j * d + column].abs()))?;
        let top = a[pivot * d + column];
        if top == 0.0 || !top.is_finite() {
            return None;
        }
        if pivot != column {
            x.swap(pivot, column);
            for k in 0..d {
                a.swap(pivot * d + k, column * d + k);
            }
        }
        for i in column + 1..d {
            let factor = a[i * d + column] / top;
            for k in column..d {
                a[i * d + k] -= factor * a[column * d + k];
            }
            x[i] -= factor * x[column];
        }
    }
    for i in (0..d).rev() {
        for k in i + 1..d {
            x[i] -= a[i * d + k] * x[k];
        }
        x[i] /= a[i * d + i];
    }
    x.iter().all(|v| v.is_finite()).then_some(x)
}

/// Eigenvalues, ascending, and eigenvectors (column j of the row-major second matrix belongs to eigenvalue j) of a
/// symmetric matrix.
///
/// **Source** cyclic Jacobi rotations; G. Golub, C. Van Loan, "Matrix Computations" (4th ed.), algorithm 8.5.3.
///
/// # Panics
/// `a` does not have `d·d` entries.
pub fn symmetric_eigen(a: &[f64], d: usize) -> (Vec<f64>, Vec<f64>) {
    assert_eq!(a.len(), d * d, "eigenvalues of size {d}");
    let mut a = a.to_vec();
    let mut v = identity(d);
    let scale: f64 = a.iter().map(|x| x * x).sum();
    // Convergence is quadratic: ten sweeps suffice in practice, fifty cannot loop for ever on NaN.
    for _ in 0..50 {
        let off: f64 = (0..d)
            .flat_map(|i| (0..i).map(move |j| (i, j)))
            .map(|(i, j)| a[i * d + j].powi(2))
            .sum();
        if off <= scale * 1e-32 {
            break;
        }
        for p in 0..d {
            for q in p + 1..d {
                rotate(&mut a, &mut v, d, [p, q]);
            }
        }
    }
    let mut order: Vec<usize> = (0..d).collect();
    sort_few(&mut order, |&i, &j| a[i * d + i] < a[j * d + j]);
    let values = order.iter().map(|&i| a[i * d + i]).collect();
    let mut vectors = vec![0.0; d * d];
    for (new, &old) in order.iter().enumerate() {
        for row in 0..d {
            vectors[row * d + new] = v[row * d + old];
        }
    }
    (values, vectors)
}

/// One Jacobi rotation that zeroes entry (p, q) of `a`, accumulated into `v`.
fn rotate(a: &mut [f64], v: &mut [f64], d: usize, [p, q]: [usize; 2]) {
    let apq = a[p * d + q];
    if apq == 0.0 {
        return;
    }
    let tau = (a[q * d + q] - a[p * d + p]) / (2.0 * apq);
    let t = tau.signum() / (tau.abs() + tau.hypot(1.0));
    let c = 1.0 / t.hypot(1.0);
    let s = t * c;
    for k in 0..d {
        let (x, y) = (a[k * d + p], a[k * d + q]);
        a[k * d + p] = c * x - s * y;
        a[k * d + q] = s * x + c * y;
    }
    for k in 0..d {
        let (x, y) = (a[p * d + k], a[q * d + k]);
        a[p * d + k] = c * x - s * y;
        a[q * d + k] = s * x + c * y;
        let (x, y) = (v[k * d + p], v[k * d + q]);
        v[k * d + p] = c * x - s * y;
        v[k * d + q] = s * x + c * y;
    }
}

/// f(a) = V diag(f(λ)) Vᵀ of a symmetric matrix.
pub fn symmetric_function(a: &[f64], d: usize, f: impl Fn(f64) -> f64) -> Vec<f64> {
    let (values, vectors) = symmetric_eigen(a, d);
    let mut out = vec![0.0; d * d];
    for (k, value) in values.iter().enumerate() {
        let weight = f(*value);
        for i in 0..d {
            for j in 0..d {
                out[i * d + j] += weight * vectors[i * d + k] * vectors[j * d + k];
            }
        }
    }
    out
}

/// The symmetric square root of a positive semi-definite matrix; eigenvalues below zero count as zero.
pub fn sqrtm(a: &[f64], d: usize) -> Vec<f64> {
    symmetric_function(a, d, |v| v.max(0.0).sqrt())
}

/// Mean and covariance (divided by n, not n − 1) of `n` rows of `d` numbers, accumulated in f64 in two passes.
///
/// # Panics
/// No rows, or a length that is not a multiple of `d`.
pub fn mean_covariance(x: &[f32], d: usize) -> (Vec<f64>, Vec<f64>) {
    assert!(
        d > 0 && !x.is_empty() && x.len().is_multiple_of(d),
        "moments of {} numbers in {d} columns",
        x.len()
    );
    let n = (x.len() / d) as f64;
    let mut mean = vec![0.0; d];
    for row in x.chunks_exact(d) {
        for (m, v) in mean.iter_mut().zip(row) {
            *m += f64::from(*v);
        }
    }
    for m in &mut mean {
        *m /= n;
    }
    let mut covariance = vec![0.0; d * d];
    let mut centred = vec![0.0; d];
    for row in x.chunks_exact(d) {
        for ((c, v), m) in centred.iter_mut().zip(row).zip(&mean) {
            *c = f64::from(*v) - m;
        }
        for i in 0..d {
            for j in 0..=i {
                covariance[i * d + j] += centred[i] * centred[j];
            }
        }
    }
    for i in 0..d {
        for j in 0..=i {
            covariance[i * d + j] /= n;
            covariance[j * d + i] = covariance[i * d + j];
        }
    }
    (mean, covariance)
}

/// ‖a‖₂ of a vector, ‖a‖_F of a matrix.
pub fn norm(a: &[f64]) -> f64 {
    a.iter().map(|v| v * v).sum::<f64>().sqrt()
}

#[cfg(test)]
mod tests;
