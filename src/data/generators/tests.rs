//! Sources against what is known of them independently: quadrature of their densities, moments, and each against the other.

use super::*;
use crate::linalg::norm;
use crate::params::Params;
use crate::targets::Evaluator;

pub(super) fn source(keys: &[(&str, &str)]) -> Source {
    let mut params = SourceParams::default();
    for (key, text) in keys {
        assert_eq!(params.set(key, text), Some(Ok(())), "{key}={text}");
    }
    match params.build(7, None) {
        Ok(source) => source,
        Err(error) => panic!("{keys:?}: {error}"),
    }
}

fn refusal(keys: &[(&str, &str)], file: Option<&Table>) -> String {
    let mut params = SourceParams::default();
    for (key, text) in keys {
        assert_eq!(params.set(key, text), Some(Ok(())), "{key}={text}");
    }
    match params.build(7, file) {
        Err(error) => error.to_string(),
        Ok(_) => panic!("{keys:?} was accepted"),
    }
}

/// Sources of the plane, with the side of a cell that resolves their density.
const PLANAR: [(&str, f64); 8] = [
    ("8gaussians", 0.15),
    ("moons", 0.1),
    ("circles", 0.12),
    ("rings", 0.06),
    ("swissroll", 0.1),
    ("pinwheel", 0.04),
    ("2spirals", 0.1),
    ("checkerboard", 0.125),
];

/// ∫ρ and −∫ρ log ρ by the midpoint rule over a box, and the mean of the density's logarithm at given points.
fn integrals(source: &Source, side: f64) -> [f64; 2] {
    let target = source.target.as_ref().expect("a density");
    let constant = target.log_normalizer.expect("known");
    let mut evaluator = Evaluator::<f64>::new(target);
    let cells = (10.0 / side) as usize;
    let at = |k: usize| -5.0 + side * (k as f64 + 0.5);
    let (mut mass, mut entropy) = (0.0, 0.0);
    for i in 0..cells {
        let points: Vec<f64> = (0..cells).flat_map(|j| [at(i), at(j)]).collect();
        for value in evaluator.log_density(&points) {
            let value = value - constant;
            let density = value.exp() * side * side;
            mass += density;
            entropy -= density * value;
        }
    }
    [mass, entropy]
}

#[test]
fn densities_integrate_to_one_and_to_their_entropy() {
    for (id, side) in PLANAR {
        let source = source(&[("source", id)]);
        let [mass, entropy] = integrals(&source, side);
        // The midpoint rule errs by exp(−2π²σ²/side²) here; the rules for the blur by 10⁻⁵.
        assert!((mass - 1.0).abs() < 2e-5, "{id}: ∫ρ = {mass}");
        let known = source.entropy().expect("known");
        let gap = (entropy - known.value).abs();
        assert!(
            gap < known.error,
            "{id}: H = {entropy}, not {}",
            known.value
        );
    }
}

/// −mean log ρ over samples estimates H, which ties each graph of draws to its density.
#[test]
fn samples_follow_their_density() {
    let more: [&[(&str, &str)]; 3] = [
        &[
            ("source", "gaussian"),
            ("d", "2"),
            ("mean", "1,-2"),
            ("cov", "2,.5,.5,1"),
        ],
        &[("source", "mixture")],
        &[("source", "mixture"), ("d", "50"), ("modes", "9")],
    ];
    let planar: Vec<Vec<(&str, &str)>> = PLANAR.iter().map(|p| vec![("source", p.0)]).collect();
    for keys in planar.iter().map(|k| &k[..]).chain(more) {
        let source = source(keys);
        let n = 40_000;
        let rows = source.samples(3, stream::BATCH, 5, n);
        let target = source.target.as_ref().expect("a density");
        let constant = target.log_normalizer.expect("known");
        let values = Evaluator::<f32>::new(target).log_density(&rows);
        let values: Vec<f64> = values.iter().map(|v| constant - f64::from(*v)).collect();
        let mean = source.entropy_over(&rows).expect("known");
        let spread = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n as f64;
        let known = source.entropy().expect("known");
        let allowed = 5.0 * (spread / n as f64 + known.error.powi(2)).sqrt() + 1e-4;
        let gap = (mean - known.value).abs();
        assert!(gap < allowed, "{keys:?}: {mean}, not {}", known.value);
    }
}

#[test]
fn samples_have_the_stated_moments() {
    let more: [&[(&str, &str)]; 3] = [
        &[
            ("source", "gaussian"),
            ("d", "3"),
            ("mean", "1,-2,0"),
            ("cov", "2,.5,0,.5,1,.2,0,.2,3"),
        ],
        &[("source", "gaussian"), ("d", "1"), ("cov", "4")],
        &[("source", "mixture"), ("d", "5")],
    ];
    let planar: Vec<Vec<(&str, &str)>> = PLANAR.iter().map(|p| vec![("source", p.0)]).collect();
    for keys in planar.iter().map(|k| &k[..]).chain(more) {
        let source = source(keys);
        let n = 100_000;
        let rows = source.samples(11, stream::HELD_OUT, 0, n);
        let (mean, covariance) = mean_covariance(&rows, source.d);
        let (known_mean, known) = &source.moments;
        let scale = norm(known);
        let gap = |a: &[f64], b: &[f64]| {
            let gaps: Vec<f64> = a.iter().zip(b).map(|(a, b)| a - b).collect();
            norm(&gaps)
        };
        // Means err by √(tr Σ/n), covariances by about √(d + 1) ‖Σ‖/√n; five standard errors.
        let error = 5.0 / (n as f64).sqrt();
        assert!(
            gap(&mean, known_mean) < error * (source.d as f64 * scale).sqrt(),
            "{keys:?}: {mean:?}"
        );
        let allowed = error * scale * (source.d as f64 + 1.0).sqrt();
        assert!(
            gap(&covariance, known) < allowed,
            "{keys:?}: {covariance:?} not {known:?}"
        );
    }
}

#[test]
fn the_frame_shows_nearly_all_samples() {
    for (id, _) in PLANAR {
        let source = source(&[("source", id)]);
        let [x0, y0, x1, y1] = source.frame;
        let rows = source.samples(1, stream::BATCH, 0, 10_000);
        let inside = rows
            .chunks_exact(2)
            .filter(|p| p[0] > x0 && p[0] < x1 && p[1] > y0 && p[1] < y1)
            .count();
        assert!(inside > 9_950, "{id}: {inside} of 10000");
        assert!(rows.iter().all(|v| v.abs() < 6.0), "{id}");
    }
}

#[test]
fn entropies_of_gaussians_and_mixtures() {
    // Two Gaussians that never meet: log 2 more than one of them.
    let one = 0.5 * 2.0 * (TAU * E * 0.25).ln();
    for (modes, expected) in [("1", one), ("2", one + 2f64.ln())] {
        let found = source(&[("source", "mixture"), ("modes", modes)]).entropy();
        let found = found.expect("known");
        assert!((found.value - expected).abs() < 1e-6, "{found:?}");
    }
    // Where they overlap, quadrature tells.
    let crowd = source(&[("source", "mixture"), ("modes", "20")]);
    let [_, entropy] = integrals(&crowd, 0.1);
    let found = crowd.entropy().expect("known");
    assert!(found.error > 1e-4 && found.error < 1e-2, "{found:?}");
    assert!(
        (found.value - entropy).abs() < 4.0 * found.error,
        "{found:?} not {entropy}"
    );
    let gaussian = source(&[("source", "gaussian"), ("cov", "2,.5,.5,1")]).entropy();
    let expected = (TAU * E).ln() + 0.5 * 1.75f64.ln();
    assert!((gaussian.expect("known").value - expected).abs() < 1e-12);
}

#[test]
fn samples_are_functions_of_seed_stream_and_step() {
    let source = source(&[("source", "pinwheel")]);
    let rows = source.samples(1, stream::BATCH, 0, 64);
    assert_eq!(rows, source.samples(1, stream::BATCH, 0, 64));
    assert_ne!(rows, source.samples(2, stream::BATCH, 0, 64));
    assert_ne!(rows, source.samples(1, stream::HELD_OUT, 0, 64));
    assert_ne!(rows, source.samples(1, stream::BATCH, 1, 64));
    let sample = source.target.as_ref().and_then(|t| t.sample.as_ref());
    let sample = sample.expect("exact samples");
    let whole = sample(0..1200, 4);
    let pieces: Vec<f32> = [0..100, 100..900, 900..1200]
        .into_iter()
        .flat_map(|rows| sample(rows, 4))
        .collect();
    assert_eq!(whole, pieces);
}

#[test]
fn own_samples_are_drawn_as_they_are() {
    let table = Table {
        names: vec!["a".to_owned(), "b".to_owned(), "c".to_owned()],
        columns: 3,
        values: vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
    };
    let mut params = SourceParams::default();
    assert_eq!(params.set("source", "file"), Some(Ok(())));
    let source = params.build(1, Some(&table)).expect("a source");
    assert_eq!((source.d, &source.names), (3, &table.names));
    assert_eq!(source.entropy(), None);
    let rows = source.samples(1, stream::BATCH, 0, 1000);
    let first = rows
        .chunks_exact(3)
        .filter(|r| *r == [1.0, 2.0, 3.0])
        .count();
    let second = rows
        .chunks_exact(3)
        .filter(|r| *r == [4.0, 5.0, 6.0])
        .count();
    assert_eq!(first + second, 1000);
    assert!((400..600).contains(&first), "{first}");
}

#[test]
fn bad_parameters_are_refused_with_their_key() {
    assert!(refusal(&[("source", "moons"), ("d", "3")], None).starts_with("d:"));
    assert!(refusal(&[("source", "file")], None).contains("need a file"));
    let empty = Table::default();
    assert!(refusal(&[("source", "file")], Some(&empty)).contains("at least one row"));
    let bad = [("source", "gaussian"), ("cov", "1,2,2,1")];
    assert!(refusal(&bad, None).starts_with("cov:"));
}
