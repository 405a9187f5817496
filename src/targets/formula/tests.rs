use crate::targets::Evaluator;
use crate::targets::tests::{build, largest_gap, parameters};
use proptest::prelude::*;

/// The typed banana is the built-in one: on a grid as in closed form.
#[test]
fn a_typed_banana_is_the_banana() {
    let typed = build(&[
        ("target", "formula"),
        ("formula", "-x^2/8 - 2*(y - x^2/4 + 1)^2"),
    ]);
    let known = build(&[("target", "banana")]);
    let (Some((mean, covariance)), Some((m, c))) = (&typed.moments, &known.moments) else {
        panic!("both have moments");
    };
    // 10⁻⁷ of the mass is cut off on each side, at about 5.2 standard deviations: x⁴ there weighs 10⁻⁴ of the whole.
    let gap = largest_gap(
        &[&mean[..], &covariance[..]].concat(),
        &[&m[..], &c[..]].concat(),
        6,
    );
    assert!(gap.0 < 2e-4, "{gap:?}: {mean:?} {covariance:?}");
    let (Some(a), Some(b)) = (typed.log_normalizer, known.log_normalizer) else {
        panic!("both are normalised");
    };
    assert!((a - b).abs() < 1e-5, "{a} {b}");
    for (a, b) in typed.frame.iter().zip(known.frame) {
        assert!((a - b).abs() < 5.0, "{:?} {:?}", typed.frame, known.frame);
    }
}

#[test]
fn formulas_far_away_narrow_wide_and_improper() {
    let moments =
        |formula: &str| match build(&[("target", "formula"), ("formula", formula)]).moments {
            Some(moments) => moments,
            None => panic!("{formula} has no moments"),
        };
    let (mean, covariance) = moments("-((x-100)^2 + (y+40)^2)/2");
    assert!((mean[0] - 100.0).abs() < 1e-6 && (mean[1] + 40.0).abs() < 1e-6);
    assert!((covariance[0] - 1.0).abs() < 1e-4);
    let (_, covariance) = moments("-(x^2 + y^2)*5000");
    assert!((covariance[0] / 1e-4 - 1.0).abs() < 1e-4, "{covariance:?}");
    let (_, covariance) = moments("-(x^2 + y^2)/5000");
    assert!(
        (covariance[0] / 2500.0 - 1.0).abs() < 1e-4,
        "{covariance:?}"
    );
    // Mass only where the logarithm is defined: x ~ Γ(3), mean 3, variance 3.
    let (mean, covariance) = moments("2*log(x) - x - y^2/2");
    assert!(
        (mean[0] - 3.0).abs() < 1e-3 && (covariance[0] - 3.0).abs() < 1e-2,
        "{mean:?} {covariance:?}"
    );
    for improper in ["x", "-x^2", "sin(x) + sin(y)"] {
        let target = build(&[("target", "formula"), ("formula", improper)]);
        assert!(
            target.moments.is_none() && target.sample.is_none(),
            "{improper}"
        );
        assert!(target.notes[0].contains("finite integral"), "{improper}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever is typed, building ends, and with a density that can be evaluated or a message.
    #[test]
    fn no_formula_breaks_a_target(text in "([-+*/^() ]|[0-9]{1,2}|x|y|exp|log|sqrt|\\^2){0,12}") {
        let mut params = parameters(&[("target", "formula")]);
        params.formula = text;
        if let Ok(target) = params.build(1) {
            let mut evaluator = Evaluator::<f32>::new(&target);
            prop_assert_eq!(evaluator.score(&[0.5, -0.25]).len(), 2);
            if let Some(sample) = &target.sample {
                prop_assert!(sample(0..5, 1).iter().all(|v| v.is_finite()));
            }
        }
    }
}
