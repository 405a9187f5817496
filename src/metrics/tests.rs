use super::*;
use crate::graph::Graph;
use crate::linalg::{mean_covariance, norm};
use crate::ot::{Assignment, squared_costs};
use crate::params::Params;
use crate::rng::{normal_vec, stream};
use crate::targets::{Evaluator, Target, TargetParams};
use proptest::prelude::*;
use std::rc::Rc;

pub(super) fn target(keys: &[(&str, &str)]) -> Rc<Target> {
    let mut params = TargetParams::default();
    for (key, text) in keys {
        assert_eq!(params.set(key, text), Some(Ok(())), "{key}={text}");
    }
    match params.build(1) {
        Ok(target) => Rc::new(target),
        Err(error) => panic!("{keys:?}: {error}"),
    }
}

pub(super) fn cloud(x: Vec<f32>, d: usize) -> Cloud {
    Cloud {
        step: 0,
        n: x.len() / d,
        d,
        x,
        accepted: None,
        buffers: Vec::new(),
    }
}

fn measure(
    target: &Rc<Target>,
    cloud: Cloud,
    metrics: &[Metric],
    bandwidth: f32,
) -> Vec<Option<f64>> {
    let reference = Reference::shared(Some(Rc::clone(target)), None, 1);
    Job::new(&reference, cloud, metrics, bandwidth).finish()
}

pub(super) fn one(target: &Rc<Target>, cloud: Cloud, metric: Metric) -> f64 {
    match measure(target, cloud, &[metric], 1.0)[..] {
        [Some(value)] => value,
        ref other => panic!("{metric:?} is {other:?}"),
    }
}

pub(super) fn exact(target: &Target, n: usize, seed: u32) -> Cloud {
    match &target.sample {
        Some(sample) => cloud(sample(0..n, seed), target.d),
        None => panic!("the target cannot be sampled"),
    }
}

const FIVE: [f32; 10] = [0.0, 0.0, 1.0, 0.0, 0.0, 2.0, -1.0, 1.0, 0.5, -1.5];

#[test]
fn ksd_of_the_five_points() {
    let value = one(&target(&[]), cloud(FIVE.to_vec(), 2), Metric::Ksd2);
    // f32 pairs: 25 terms of order 1, 6e-8 each.
    assert!((value - 0.395_065_941_992).abs() < 5e-7, "{value:.12}");
    // The U-statistic of the same points is another number altogether.
    assert!((value - -0.481_167_572_509).abs() > 0.5);
}

/// The definition, in f64, from scores in f64.
fn brute_force_ksd(target: &Target, x: &[f32], h2: f64) -> f64 {
    let d = target.d;
    let x: Vec<f64> = x.iter().map(|v| f64::from(*v)).collect();
    let s = Evaluator::<f64>::new(target).score(&x);
    let n = x.len() / d;
    let mut sum = 0.0;
    for i in 0..n {
        for j in 0..n {
            let (mut r2, mut ss, mut xs) = (0.0, 0.0, 0.0);
            for c in 0..d {
                let (gap, a, b) = (x[i * d + c] - x[j * d + c], s[i * d + c], s[j * d + c]);
                r2 += gap * gap;
                ss += a * b;
                xs += gap * (a - b);
            }
            sum += (-r2 / (2.0 * h2)).exp() * (ss + xs / h2 + (d as f64 - r2 / h2) / h2);
        }
    }
    sum / (n * n) as f64
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn ksd_is_its_definition(seed in 0u32..1000, n in 1usize..300, h2 in 0.05f32..5.0, which in 0usize..4) {
        let keys: &[(&str, &str)] = [
            &[("target", "banana")][..], &[("target", "mixture")], &[("d", "5")], &[("target", "logistic")],
        ][which];
        let target = target(keys);
        let x = normal_vec(seed, stream::INIT, 0, n * target.d);
        let expected = brute_force_ksd(&target, &x, f64::from(h2));
        let [Some(value)] = measure(&target, cloud(x, target.d), &[Metric::Ksd2], h2)[..] else {
            panic!("ksd2 is defined");
        };
        prop_assert!((value - expected).abs() < 1e-5 * expected.abs() + 1e-6, "{} {}", value, expected);
    }

    /// However the work is cut, the values are the same bits.
    #[test]
    fn slices_do_not_change_values(budget in 0u64..300_000, n in 1usize..400) {
        let target = target(&[("target", "banana")]);
        let cloud = Cloud { step: 3, accepted: Some(vec![1.0; n]), ..exact(&target, n, 9) };
        let whole = measure(&target, cloud.clone(), &Metric::ALL, 0.5);
        let mut job = Job::new(&Reference::shared(Some(target), None, 1), cloud, &Metric::ALL, 0.5);
        while job.advance(budget) {}
        prop_assert_eq!(job.finish(), whole);
    }
}

#[test]
fn large_clouds_take_a_strided_subset_and_say_so() {
    let target = target(&[]);
    let n = 10_000;
    let x = normal_vec(4, stream::INIT, 0, 2 * n);
    let subset: Vec<f32> = (0..4096)
        .flat_map(|i| [x[2 * (i * n / 4096)], x[2 * (i * n / 4096) + 1]])
        .collect();
    let whole = one(&target, cloud(x, 2), Metric::Ksd2);
    assert_eq!(whole, one(&target, cloud(subset, 2), Metric::Ksd2));
    let setting = Setting {
        n,
        d: 2,
        bandwidth: 1.0,
    };
    assert!(
        Metric::Ksd2
            .definition(setting)
            .contains("strided subset of 4096 of the 10000")
    );
    assert!(Metric::Ksd2.label(n).contains("4096"));
}

#[test]
fn w2_is_the_assignment_to_the_targets_own_samples() {
    let target = target(&[("target", "moons")]);
    let n = 200;
    let x = normal_vec(2, stream::INIT, 0, 2 * n);
    let reference = Reference::shared(Some(Rc::clone(&target)), None, 1);
    assert_eq!(reference.borrow().level(Metric::W2, n), None);
    let [Some(value)] = Job::new(&reference, cloud(x.clone(), 2), &[Metric::W2], 1.0).finish()[..]
    else {
        panic!("w2 is defined");
    };
    let y = exact(&target, n, 1).x;
    let mut oracle = Assignment::new(n);
    for row in x.chunks(2) {
        oracle.add_row(squared_costs(row, &y));
    }
    assert!((value - (oracle.total() / n as f64).sqrt()).abs() < 1e-12);
    // The floor: two exact batches. A cloud of exact samples lies near it, a far cloud does not.
    let Some(floor) = reference.borrow().level(Metric::W2, n) else {
        panic!("the floor is known after a job");
    };
    let fair = Job::new(&reference, exact(&target, n, 33), &[Metric::W2], 1.0).finish();
    assert!(
        fair[0].is_some_and(|v| v < 2.0 * floor.value && v > 0.5 * floor.value),
        "{fair:?} {floor:?}"
    );
    assert!(value > floor.value);
    // Shifting every particle by c far away costs nearly |c|.
    let far: Vec<f32> = y.iter().map(|v| v + 30.0).collect();
    let shifted = one(&target, cloud(far, 2), Metric::W2);
    assert!((shifted - 30.0 * 2f64.sqrt()).abs() < 1e-5, "{shifted}");
}

#[test]
fn w2_above_1024_is_sliced_and_named_so() {
    assert_eq!(
        (Metric::W2.name(1024), Metric::W2.name(1025)),
        ("w2", "w2_sliced")
    );
    let target = target(&[]);
    let shifted = |n: usize| {
        let x = exact(&target, n, 1).x.iter().map(|v| v + 2.0).collect();
        one(&target, cloud(x, 2), Metric::W2)
    };
    let (exact, sliced) = (shifted(1024), shifted(1025));
    assert!((exact - 8f64.sqrt()).abs() < 1e-5, "{exact}");
    // √2 smaller in the plane, to the 3 % that 128 directions give.
    assert!((sliced / 2.0 - 1.0).abs() < 0.1, "{sliced}");
}

#[test]
fn moment_errors_are_their_definitions() {
    let target = target(&[("mean", "0,1"), ("cov", "2,.5,.5,1")]);
    let x = normal_vec(6, stream::INIT, 0, 2 * 3000);
    let (mean, covariance) = mean_covariance(&x, 2);
    let values = measure(
        &target,
        cloud(x, 2),
        &[Metric::CovErr, Metric::MeanErr],
        1.0,
    );
    let mean_err = norm(&[mean[0], mean[1] - 1.0]);
    let gaps = [
        covariance[0] - 2.0,
        covariance[1] - 0.5,
        covariance[2] - 0.5,
        covariance[3] - 1.0,
    ];
    let cov_err = norm(&gaps) / norm(&[2.0, 0.5, 0.5, 1.0]);
    let [Some(cov), Some(first)] = values[..] else {
        panic!("{values:?}");
    };
    assert!(
        (first - mean_err).abs() < 1e-12 && (cov - cov_err).abs() < 1e-12,
        "{values:?}"
    );
}

#[test]
fn acceptance_counts_the_whole_run() {
    let target = target(&[]);
    let counted = Cloud {
        step: 4,
        accepted: Some(vec![4.0, 3.0, 0.0, 1.0, 2.0]),
        ..cloud(FIVE.to_vec(), 2)
    };
    assert_eq!(one(&target, counted.clone(), Metric::Accept), 0.5);
    let start = Cloud {
        step: 0,
        ..counted.clone()
    };
    let uncounted = Cloud {
        accepted: None,
        ..counted
    };
    assert_eq!(measure(&target, start, &[Metric::Accept], 1.0), [None]);
    assert_eq!(measure(&target, uncounted, &[Metric::Accept], 1.0), [None]);
}

#[test]
fn what_is_undefined_is_none() {
    let all = &Metric::ALL[..5];
    let logistic = target(&[("target", "logistic")]);
    let x = cloud(normal_vec(1, stream::INIT, 0, 70), 7);
    let values = measure(&logistic, x, all, 1.0);
    let known: Vec<bool> = values.iter().map(Option::is_some).collect();
    assert_eq!(known, [true, false, false, true, true], "{values:?}");
    let heavy = target(&[("target", "student"), ("nu", "2")]);
    let values = measure(&heavy, cloud(FIVE.to_vec(), 2), all, 1.0);
    let known: Vec<bool> = values.iter().map(Option::is_some).collect();
    assert_eq!(known, [true, true, true, false, false], "{values:?}");
    for poison in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let mut x = FIVE.to_vec();
        x[3] = poison;
        assert_eq!(measure(&target(&[]), cloud(x, 2), all, 1.0), [None; 5]);
    }
    // Finite, but so far away that squares overflow f32: no panic, and no infinity shown as a value.
    let far = cloud(vec![1e30; 10], 2);
    let values = measure(&target(&[("target", "banana")]), far, all, 1.0);
    assert!(values.iter().flatten().all(|v| v.is_finite()));
    assert_eq!(measure(&target(&[]), cloud(vec![], 2), all, 1.0), [None; 5]);
}

#[test]
fn every_metric_says_what_it_is() {
    for metric in Metric::ALL {
        assert_eq!(Metric::from_id(metric.id()), Some(metric));
        for n in [5, 2000, 100_000] {
            let text = metric.definition(Setting {
                n,
                d: 2,
                bandwidth: 0.25,
            });
            assert!(text.len() > 40 && text.ends_with('.'), "{text}");
        }
    }
    let setting = Setting {
        n: 500,
        d: 2,
        bandwidth: 0.25,
    };
    assert!(Metric::Ksd2.definition(setting).contains("V-statistic"));
    assert!(Metric::Ksd2.definition(setting).contains("h² = 0.25"));
    assert!(
        Metric::Kl
            .definition(setting)
            .contains("1025 bins: 32 × 32")
    );
    assert!(Metric::Kl.definition(setting).contains("1.02e0"));
    assert_eq!(Metric::from_id("nonsense"), None);
}

static TOTAL: Curve = Curve {
    id: "total",
    label: "total",
    definition: "Sum of all entries.",
    unit: "",
    scale: Scale::Linear,
};

#[test]
fn a_curve_is_computed_from_copies_and_needs_no_target() {
    let g = Graph::default();
    g.assign("total", g.input("weights", &[1000]).total());
    let program = g.compile("curves");
    assert_eq!(inputs(&program), ["weights"]);
    let reference = Reference::shared(None, Some(&program), 1);
    let metrics = [Metric::Curve(&TOTAL), Metric::Kl];
    for (step, weight) in [(0, 1.0), (0, 2.0), (1, 3.0)] {
        let cloud = Cloud {
            step,
            buffers: vec![("weights".to_owned(), vec![weight; 1000])],
            ..cloud(FIVE.to_vec(), 2)
        };
        let mut job = Job::new(&reference, cloud, &metrics, 1.0);
        while job.advance(1) {}
        // A metric against a target has no value without one.
        let expected = vec![Some(1000.0 * f64::from(weight)), None];
        assert_eq!(job.finish(), expected);
    }
}
