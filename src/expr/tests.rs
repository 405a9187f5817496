//! The f32 functions against f64, special values, simplification, derivatives of shared tapes.

use super::*;

/// Error of `ours` in units of the last place of the correctly rounded value.
fn ulps(ours: f32, exact: f64) -> f64 {
    let rounded = exact as f32;
    if rounded == ours {
        return 0.0;
    }
    let spacing = f64::from(f32::from_bits(rounded.abs().to_bits() + 1)) - f64::from(rounded.abs());
    (f64::from(ours) - exact).abs() / spacing
}

fn worst(f: impl Fn(f32) -> f32, exact: impl Fn(f64) -> f64, low: f32, high: f32) -> (f64, f32) {
    let mut worst = (0.0, low);
    for i in 0..=400_000 {
        let x = low + (high - low) * (i as f32 / 400_000.0);
        let error = ulps(f(x), exact(f64::from(x)));
        if error > worst.0 {
            worst = (error, x);
        }
    }
    worst
}

#[test]
fn functions_are_accurate_to_a_few_units_in_the_last_place() {
    type Case = (&'static str, fn(f32) -> f32, fn(f64) -> f64, f32, f32, f64);
    let kappa0 = |c: f64| 1.0 - c.acos() / std::f64::consts::PI;
    let kappa1 = |c: f64| {
        ((1.0 - c * c).sqrt() + (std::f64::consts::PI - c.acos()) * c) / std::f64::consts::PI
    };
    let cases: [Case; 10] = [
        ("exp", Real::exp, f64::exp, -87.0, 88.7, 2.0),
        ("exp near 0", Real::exp, f64::exp, -1.0, 1.0, 2.0),
        ("ln", Real::ln, f64::ln, 1e-3, 3.0, 2.0),
        ("ln large", Real::ln, f64::ln, 3.0, 3e38, 2.0),
        ("tanh", Real::tanh, f64::tanh, -12.0, 12.0, 3.0),
        ("tanh small", Real::tanh, f64::tanh, -0.7, 0.7, 3.0),
        // Near their zeros the error is absolute; these ranges hold none.
        ("sin", Real::sin, f64::sin, 0.1, 3.0, 2.0),
        ("cos", Real::cos, f64::cos, -1.5, 1.5, 2.5),
        ("κ₀", Real::arc_cosine0, kappa0, -0.5, 1.0, 4.0),
        ("κ₁", Real::arc_cosine1, kappa1, 0.0, 1.0, 4.0),
    ];
    for (name, ours, exact, low, high, allowed) in cases {
        let (error, at) = worst(ours, exact, low, high);
        assert!(error <= allowed, "{name}: {error} ulp at {at}");
    }
    for i in -1000..=1000 {
        let c = f64::from(i) * 1e-3;
        let error = (Real::acos(c) - c.acos()).abs();
        assert!(error < 5e-16 * (1.0 + c.acos()), "acos {c}: {error:e}");
        assert!(
            (f64::from(Real::arc_cosine0(c as f32)) - kappa0(f64::from(c as f32))).abs() < 2e-7
        );
        assert!(
            (f64::from(Real::arc_cosine1(c as f32)) - kappa1(f64::from(c as f32))).abs() < 2e-7
        );
    }
    for i in 0..100_000 {
        let x = (i as f32 - 50_000.0) * 0.37;
        let (s, c) = (Real::sin(x), Real::cos(x));
        let exact = f64::from(x);
        let error = (f64::from(s) - exact.sin())
            .abs()
            .max((f64::from(c) - exact.cos()).abs());
        assert!(error < 1.5e-7, "sin, cos at {x}: {error}");
    }
}

#[test]
fn special_values() {
    let (inf, nan) = (f32::INFINITY, f32::NAN);
    assert_eq!(
        (Real::exp(-inf), Real::exp(inf), Real::exp(-200.0f32)),
        (0.0, inf, 0.0)
    );
    assert_eq!(
        (Real::ln(0.0f32), Real::ln(inf), Real::ln(1.0f32)),
        (-inf, inf, 0.0)
    );
    assert!(
        (Real::ln(1e-40f32) - (-92.103_4)).abs() < 1e-4,
        "denormals have a logarithm"
    );
    assert_eq!((Real::tanh(inf), Real::tanh(-100.0f32)), (1.0, -1.0));
    assert!(Real::ln(-1.0f32).is_nan());
    let unary = [
        Real::exp,
        Real::ln,
        Real::sin,
        Real::cos,
        Real::tanh,
        Real::sqrt,
        Real::sign,
        Real::abs,
    ];
    for f in unary {
        let f: fn(f32) -> f32 = f;
        assert!(f(nan).is_nan());
    }
    assert!(nan.least(1.0).is_nan() && 1.0f32.largest(nan).is_nan());
}

#[test]
fn constants_fold_and_equal_terms_are_shared() {
    let x = || Expr::arg(0);
    assert_eq!((x() * 1.0 + 0.0).to_string(), "a0");
    assert_eq!((Expr::from(2.0) * 3.0).constant(), Some(6.0));
    assert_eq!((x() * 0.0).constant(), Some(0.0));
    assert_eq!(x() + x(), x() * 2.0);
    let square = (x() + 1.0) * (x() + 1.0);
    assert_eq!(square.nodes().len(), 4, "{square}");
    assert_eq!(square.substitute(&[Expr::from(2.0)]).constant(), Some(9.0));
}

#[test]
fn derivatives_are_exact_where_they_are_known() {
    let (x, y) = (Expr::arg(0), Expr::arg(1));
    let f = (x.clone() * y.clone()).sin() + x.pow(y);
    let (a, b) = (1.3f64, 0.7f64);
    let gradient = f.gradient(2);
    let dx = b * (a * b).cos() + b * a.powf(b - 1.0);
    let dy = a * (a * b).cos() + a.powf(b) * a.ln();
    assert!((gradient[0].eval(&[a, b]) - dx).abs() < 1e-14);
    assert!((gradient[1].eval(&[a, b]) - dy).abs() < 1e-14);
}

#[test]
fn choose_hides_what_it_does_not_take() {
    let f = Expr::arg(0).choose(Expr::arg(1), Expr::arg(2));
    assert_eq!(f.eval(&[1.0, 2.0, f64::NAN]), 2.0);
    assert_eq!(f.eval(&[0.0, f64::NAN, 3.0]), 3.0);
    let slope = f.gradient(3);
    assert_eq!(slope[1].eval(&[1.0, 2.0, 5.0]), 1.0);
    assert_eq!(slope[2].eval(&[1.0, 2.0, 5.0]), 0.0);
}

#[test]
fn turns_are_exact_at_the_quarters_and_accurate_between() {
    assert_eq!(sin_cos_turns(0.0), (0.0, 1.0));
    assert_eq!(sin_cos_turns(0.25), (1.0, 0.0));
    assert_eq!(sin_cos_turns(0.5), (0.0, -1.0));
    for i in 0..=100_000 {
        let u = i as f32 / 100_000.0;
        let (s, c) = sin_cos_turns(u);
        let exact = f64::from(u) * std::f64::consts::TAU;
        let error = (f64::from(s) - exact.sin())
            .abs()
            .max((f64::from(c) - exact.cos()).abs());
        assert!(error < 1.5e-7, "turn {u}: {error}");
    }
}
