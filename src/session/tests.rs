//! Budgets, probes, edits, resets and snapshots never change what a run computes.

use super::*;
use crate::systems::find;

fn session(id: &str, keys: &[(&str, &str)]) -> Session {
    let entry = find(id).expect("registered");
    let mut system = (entry.fresh)();
    for (key, text) in keys {
        assert!(
            matches!(system.set(key, text), Some(Ok(()))),
            "{key}={text}"
        );
    }
    Session::new(entry, system, Inputs::default()).expect("valid")
}

#[test]
fn probes_are_all_steps_at_first_then_thin_out() {
    let probes: Vec<u32> = (0..=300).filter(|&s| is_probe(s)).collect();
    assert_eq!(probes[..64], (0..64).collect::<Vec<_>>());
    assert_eq!(probes[64..68], [64, 66, 68, 70]);
    assert!(probes.ends_with(&[288, 296]));
    assert!((0..1_000_000).filter(|&s| is_probe(s)).count() < 700);
}

#[test]
fn a_resting_run_is_measured_where_it_stands() {
    let mut run = session("ula", &[("n", "50")]);
    while run.measure(u64::MAX) {}
    run.advance(u64::MAX, 101);
    while run.measure(u64::MAX) {}
    assert_eq!(run.log().last().map(|row| row.step), Some(100));
    assert!(run.measure_here());
    while run.measure(u64::MAX) {}
    assert_eq!(run.log().last().map(|row| row.step), Some(101));
    assert!(!run.measure_here(), "known values are not asked for again");
}

#[test]
fn budgets_do_not_change_results() {
    for id in ["svgd", "ula", "mala"] {
        let mut whole = session(id, &[("n", "300")]);
        whole.advance(u64::MAX, 12);
        let mut cut = session(id, &[("n", "300")]);
        let mut calls = 0;
        while cut.step() < 12 {
            cut.advance(100_000, 12 - cut.step());
            calls += 1;
        }
        assert_eq!(whole.digest(), cut.digest(), "{id}");
        assert!(id != "svgd" || calls > 50, "{calls} calls");
    }
}

#[test]
fn reset_returns_to_the_same_initial_state() {
    let mut session = session("svgd", &[("n", "100")]);
    let start = session.digest();
    session.advance(u64::MAX, 10);
    let later = session.digest();
    session.reset().expect("valid");
    assert_eq!(session.digest(), start);
    session.advance(u64::MAX, 10);
    assert_eq!(session.digest(), later);
}

#[test]
fn a_snapshot_resumes_bit_for_bit() {
    for id in ["svgd", "ula", "mala"] {
        let mut first = session(id, &[("n", "64")]);
        first.run_to(20);
        let saved = first.snapshot();
        first.advance(u64::MAX, 20);
        let mut second = session(id, &[("n", "64")]);
        second.restore(&saved).expect("the same configuration");
        assert_eq!((second.step(), second.log().len()), (20, 21));
        second.advance(u64::MAX, 20);
        assert_eq!(first.digest(), second.digest(), "{id}");
    }
}

#[test]
fn a_foreign_or_broken_snapshot_is_refused_and_loses_nothing() {
    let mut run = session("ula", &[("n", "64")]);
    run.advance(u64::MAX, 5);
    let before = run.digest();
    let other = session("ula", &[("n", "65")]).snapshot();
    let own = run.snapshot();
    for bytes in [&other[..], &own[..own.len() - 1], b"", b"pfs1", &[0xff; 64]] {
        assert!(run.restore(bytes).is_err());
        assert_eq!(run.digest(), before);
    }
}

#[test]
fn edits_act_by_their_class() {
    let mut session = session("svgd", &[("n", "64")]);
    assert_eq!(session.set("step", "0.2"), Ok(Class::Live));
    assert_eq!(
        session.edited_at(),
        None,
        "an edit at step 0 is part of the link"
    );
    session.advance(u64::MAX, 10);
    assert_eq!(session.set("step", "0.3"), Ok(Class::Live));
    assert_eq!((session.step(), session.edited_at()), (10, Some(10)));
    let particles = session.particles().to_vec();
    assert_eq!(session.set("kernel", "imq"), Ok(Class::Rebuild));
    assert_eq!((session.step(), session.edited_at()), (10, Some(10)));
    assert_eq!(session.particles(), particles);
    session.advance(u64::MAX, 1);
    assert_eq!(session.set("n", "32"), Ok(Class::Restart));
    assert_eq!(
        (
            session.step(),
            session.edited_at(),
            session.particles().len()
        ),
        (0, None, 64)
    );
}

#[test]
fn a_refused_edit_loses_nothing() {
    let mut session = session("svgd", &[("n", "64")]);
    session.advance(u64::MAX, 3);
    let before = session.digest();
    for (key, text) in [
        ("n", "0"),
        ("kernel", "cubic"),
        ("nonsense", "1"),
        ("init_mean", "1,2,3"),
        ("init", "file"),
    ] {
        assert!(session.set(key, text).is_err(), "{key}={text}");
        assert_eq!((session.step(), session.digest()), (3, before.clone()));
    }
}

#[test]
fn measuring_never_changes_the_run_and_is_labelled_with_its_step() {
    let mut measured = session("svgd", &[("n", "64")]);
    let mut plain = session("svgd", &[("n", "64")]);
    measured.run_to(40);
    plain.advance(u64::MAX, 40);
    assert_eq!(measured.digest(), plain.digest());
    let steps: Vec<u32> = measured.log().iter().map(|r| r.step).collect();
    assert_eq!(steps, (0..=40).collect::<Vec<_>>());
    let row = plain.measure_now();
    assert_eq!(Some(&row), measured.log().last());
}

#[test]
fn a_slow_measurement_skips_probes_but_never_mislabels() {
    let mut slow = session("svgd", &[("n", "64")]);
    let mut exact = session("svgd", &[("n", "64")]);
    for _ in 0..60 {
        slow.measure(2_000);
        slow.advance(u64::MAX, 1);
    }
    while slow.measure(u64::MAX) {}
    exact.run_to(60);
    assert!(slow.log().len() < 61);
    for row in slow.log() {
        assert!(exact.log().contains(row), "step {}", row.step);
    }
}
