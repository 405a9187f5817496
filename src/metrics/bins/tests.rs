use super::*;
use crate::metrics::tests::{cloud, exact, one, target};
use crate::metrics::{Metric, Reference};
use crate::rng::{normal_vec, stream};
use std::rc::Rc;

/// Each sampler's histogram against the bins' masses by quadrature: ties sampler, density and normalising constant together.
#[test]
fn bins_agree_with_exact_samples() {
    let cases: &[&[(&str, &str)]] = &[
        &[
            ("target", "gaussian"),
            ("mean", "0,1"),
            ("cov", "2,.5,.5,1"),
        ],
        &[("target", "gaussian"), ("d", "1")],
        &[("target", "mixture")],
        &[("target", "banana")],
        &[("target", "funnel")],
        &[("target", "ring")],
        &[("target", "ring"), ("d", "1")],
        &[("target", "moons")],
        &[("target", "student")],
        &[("target", "student"), ("d", "1"), ("nu", "1.5")],
        &[("target", "formula")],
        &[
            ("target", "formula"),
            ("d", "1"),
            ("formula", "-x^4/4 + x^2/2 + sin(x)"),
        ],
        &[
            ("target", "formula"),
            ("formula", "-abs(x)^1.5 - max(y, -2*y)^2"),
        ],
    ];
    let n = 60_000;
    for case in cases {
        let target = target(case);
        let (masses, counts) = histogram(&target, exact(&target, n, 21));
        let total: f64 = masses.iter().sum();
        // Quadrature in f32 densities: 1e-6; the outside bin is what is left, at least 1e-6.
        assert!((total - 1.0).abs() < 2e-5, "{case:?}: {total}");
        let outside = masses[masses.len() - 1];
        assert!(
            outside < 0.06,
            "{case:?}: {outside} of the mass is outside the frame"
        );
        let off = chi_square(&masses, &counts, n);
        assert!(off.abs() < 5.0, "{case:?}: {off} standard deviations");
        let shifted: Vec<u32> = [&counts[1..], &counts[..1]].concat();
        assert!(
            chi_square(&masses, &shifted, n) > 5.0,
            "{case:?}: a shifted histogram passes"
        );
    }
}

fn histogram(target: &Target, cloud: Cloud) -> (Vec<f64>, Vec<u32>) {
    let Some(mut bins) = Bins::new(target) else {
        panic!("bins need a normalised density");
    };
    let mut evaluator = Evaluator::new(target);
    while bins.advance(&mut evaluator).is_some() {}
    let mut histogram = Histogram::new(&bins);
    while histogram.advance(&bins, &cloud).is_some() {}
    (bins.masses(), histogram.counts)
}

/// Σ (count − n π)²/(n π) over bins that expect at least 10, the others merged; minus its mean, over its deviation √(2·dof).
fn chi_square(masses: &[f64], counts: &[u32], n: usize) -> f64 {
    let (mut sum, mut bins, mut rest) = (0.0, 0.0, (0.0, 0.0));
    for (mass, count) in masses.iter().zip(counts) {
        let (expected, found) = (mass * n as f64, f64::from(*count));
        if expected < 10.0 {
            rest = (rest.0 + expected, rest.1 + found);
        } else {
            sum += (found - expected).powi(2) / expected;
            bins += 1.0;
        }
    }
    if rest.0 >= 10.0 {
        sum += (rest.1 - rest.0).powi(2) / rest.0;
        bins += 1.0;
    }
    (sum - (bins - 1.0)) / f64::sqrt(2.0 * (bins - 1.0))
}

#[test]
fn kl_shows_its_bias_for_exact_samples_and_more_for_others() {
    let target = target(&[("target", "banana")]);
    let reference = Reference::shared(Some(Rc::clone(&target)), None, 1);
    let n = 20_000;
    let Some(level) = reference.borrow().level(Metric::Kl, n) else {
        panic!("a bias is known");
    };
    assert_eq!(level.value, 1024.0 / 40_000.0);
    let fair = one(&target, exact(&target, n, 5), Metric::Kl);
    // Half the bins hold almost nothing and contribute less than the first-order bias says.
    assert!(
        fair > 0.2 * level.value && fair < 1.5 * level.value,
        "{fair} {level:?}"
    );
    let normal = cloud(normal_vec(5, stream::INIT, 0, 2 * n), 2);
    assert!(one(&target, normal, Metric::Kl) > 10.0 * level.value);
    // All particles in one corner, where the density underflows f32: large, but a number.
    let corner = cloud([5.9, -2.9].repeat(100), 2);
    let worst = one(&target, corner, Metric::Kl);
    assert!(worst > 20.0 && worst < 1000.0, "{worst}");
}

/// Against the definition: masses of a standard normal on the line from a sum over 10⁵ points, counts by a loop.
#[test]
fn kl_on_the_line_is_its_definition() {
    let target = target(&[("d", "1")]);
    let n = 500;
    let x = normal_vec(8, stream::INIT, 0, n);
    let value = one(&target, cloud(x.clone(), 1), Metric::Kl);
    let width = 7.0 / 64.0;
    let (mut expected, mut seen, mut mass_inside) = (0.0, 0usize, 0.0);
    for k in 0..64 {
        let (a, b) = (-3.5 + width * k as f64, -3.5 + width * (k + 1) as f64);
        let fine = 2000;
        let density = |i: usize| {
            let t = a + width * (i as f64 + 0.5) / fine as f64;
            (-0.5 * t * t).exp() / std::f64::consts::TAU.sqrt()
        };
        let mass = (0..fine).map(density).sum::<f64>() * width / fine as f64;
        mass_inside += mass;
        let count = x
            .iter()
            .filter(|v| (a..b).contains(&f64::from(**v)))
            .count();
        seen += count;
        if count > 0 {
            let share = count as f64 / n as f64;
            expected += share * (share / mass).ln();
        }
    }
    if seen < n {
        let share = (n - seen) as f64 / n as f64;
        expected += share * (share / (1.0 - mass_inside)).ln();
    }
    // 3.5 and the bin edges are exact in f32; densities are good to 1e-6.
    assert!((value - expected).abs() < 1e-4, "{value} {expected}");
}
