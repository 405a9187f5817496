//! MALA's acceptance on N(0, 1) is known, and its stationary law has no bias.

use super::*;
use crate::session::Session;
use crate::systems::tests::session;

fn acceptance(session: &Session) -> f64 {
    let cloud = session.cloud();
    let accepted = cloud.accepted.expect("MALA counts");
    accepted.iter().map(|&a| f64::from(a)).sum::<f64>()
        / (accepted.len() as f64 * f64::from(session.step()))
}

#[test]
fn acceptance_on_a_gaussian_is_the_known_one() {
    for (gamma, expected) in [("0.1", 0.993), ("0.5", 0.921), ("1", 0.784), ("1.5", 0.633)] {
        // N(0, 1) is stationary, so the count is in equilibrium from the first step.
        let mut session = session(
            &ENTRY,
            &[
                ("target", "gaussian"),
                ("d", "1"),
                ("n", "5000"),
                ("step", gamma),
            ],
        );
        session.advance(u64::MAX, 200);
        let found = acceptance(&session);
        assert!(
            (found - expected).abs() < 0.003,
            "γ = {gamma}: {found} against {expected}"
        );
    }
}

#[test]
fn the_stationary_law_has_no_bias() {
    let mut session = session(
        &ENTRY,
        &[
            ("target", "gaussian"),
            ("d", "1"),
            ("n", "40000"),
            ("step", "1"),
            ("init_scale", "2"),
        ],
    );
    session.advance(u64::MAX, 200);
    let x = session.particles();
    let n = x.len() as f64;
    let moment = |p: i32| x.iter().map(|v| f64::from(*v).powi(p)).sum::<f64>() / n;
    // Standard errors of the second and fourth moments of N(0, 1): √2/√n and √96/√n; 5σ allowed.
    assert!(
        (moment(2) - 1.0).abs() < 5.0 * (2.0 / n).sqrt(),
        "variance {}",
        moment(2)
    );
    assert!(
        (moment(4) - 3.0).abs() < 5.0 * (96.0 / n).sqrt(),
        "fourth moment {}",
        moment(4)
    );
}

#[test]
fn refused_particles_stay_where_they_are() {
    let mut session = session(&ENTRY, &[("target", "funnel"), ("n", "200"), ("step", "5")]);
    let before = session.particles().to_vec();
    session.advance(u64::MAX, 1);
    let accepted = session.cloud().accepted.expect("MALA counts");
    assert!(accepted.contains(&0.0) && accepted.contains(&1.0));
    for (i, a) in accepted.iter().enumerate() {
        let moved = session.particles()[2 * i..2 * i + 2] != before[2 * i..2 * i + 2];
        assert_eq!(moved, *a == 1.0, "particle {i}");
    }
}

#[test]
fn an_absurd_step_is_refused_rather_than_divergent() {
    let mut session = session(
        &ENTRY,
        &[("target", "banana"), ("n", "200"), ("step", "10")],
    );
    session.advance(u64::MAX, 50);
    assert_eq!(session.step(), 50);
    assert!(session.particles().iter().all(|v| v.is_finite()));
}
