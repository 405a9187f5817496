//! ULA's stationary variance on a Gaussian is known: σ²/(1 − γ/2σ²).

use super::*;
use crate::session::Status;
use crate::systems::tests::session;

#[test]
fn stationary_variance_has_the_known_bias() {
    // Correlation time grows as (1 − γ)² → 1; 150 steps forget the start for all four.
    for (gamma, variance) in [
        ("0.1", 1.0 / 0.95),
        ("0.5", 4.0 / 3.0),
        ("1", 2.0),
        ("1.5", 4.0),
    ] {
        let mut session = session(
            &ENTRY,
            &[
                ("target", "gaussian"),
                ("d", "1"),
                ("n", "40000"),
                ("step", gamma),
            ],
        );
        session.advance(u64::MAX, 150);
        let x = session.particles();
        let n = x.len() as f64;
        let found = x.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>() / n;
        // The variance of a Gaussian sample variance is 2σ⁴/n; 5σ allowed.
        let sigma = variance * (2.0 / n).sqrt();
        assert!(
            (found - variance).abs() < 5.0 * sigma,
            "γ = {gamma}: {found} against {variance} ± {sigma}"
        );
    }
}

#[test]
fn noise_is_fresh_each_step_and_the_same_for_one_seed() {
    let mut a = session(&ENTRY, &[("n", "100")]);
    let mut b = session(&ENTRY, &[("n", "100")]);
    let mut c = session(&ENTRY, &[("n", "100"), ("seed", "2")]);
    for s in [&mut a, &mut b, &mut c] {
        s.advance(u64::MAX, 20);
    }
    assert_eq!(a.digest(), b.digest());
    assert_ne!(a.digest(), c.digest());
}

#[test]
fn too_large_a_step_stops_the_run_and_keeps_the_last_good_state() {
    let mut session = session(&ENTRY, &[("target", "banana"), ("step", "10"), ("n", "50")]);
    while session.status() == &Status::Ready && session.step() < 1000 {
        session.advance(u64::MAX, 1);
    }
    let Status::Diverged(divergence) = session.status().clone() else {
        panic!(
            "γ = 10 on the banana is unstable, but the run is at step {}",
            session.step()
        );
    };
    assert_eq!(divergence.last_good_step, session.step());
    assert!(divergence.cause.contains("γ = 10"), "{}", divergence.cause);
    assert!(session.particles().iter().all(|v| v.is_finite()));
    assert_eq!(
        session.advance(u64::MAX, 5),
        0,
        "a diverged run does not go on"
    );
    session.reset().expect("valid");
    assert_eq!((session.step(), session.status()), (0, &Status::Ready));
}
