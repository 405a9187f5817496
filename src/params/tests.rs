//! Every parameter type reads what it writes, refuses what is out of range, and offers a nearest value it accepts.

use super::{Bandwidth, Kind, Numbers, ParamValue, Spec, quote, shortest};
use crate::systems::{Kernel, find};
use proptest::prelude::*;
use std::fmt::Debug;

const ANY: Spec = Spec::live("x");

fn round_trips<T: ParamValue + Debug>(value: &T, spec: &Spec) {
    assert_eq!(T::parse(&value.show(), spec).as_ref(), Ok(value));
}

fn finite() -> impl Strategy<Value = f32> {
    use proptest::num::f32::{NEGATIVE, NORMAL, POSITIVE, SUBNORMAL, ZERO};
    POSITIVE | NEGATIVE | NORMAL | SUBNORMAL | ZERO
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2000) })]

    #[test]
    fn what_is_shown_is_read(x in finite(), list in prop::collection::vec(finite(), 0..20), i in any::<u32>(), text in "\\PC{0,40}") {
        round_trips(&x, &ANY);
        round_trips(&Numbers(list), &ANY);
        round_trips(&Bandwidth::Fixed(x), &ANY);
        round_trips(&i, &ANY);
        round_trips(&(i as usize), &ANY);
        round_trips(&text, &ANY);
        prop_assert_eq!(shortest(x).parse::<f32>(), Ok(x));
    }

    #[test]
    fn any_text_gives_a_value_in_range_or_a_short_refusal(text in "\\PC{0,60}|[-+.e0-9]{0,12}", low in -1e3..1e3f64, width in 0.0..1e3f64) {
        let spec = ANY.range(low, low + width);
        let accepted = match f32::parse(&text, &spec) {
            Ok(value) => Some(value),
            Err((message, nearest)) => {
                prop_assert!(message.chars().count() < 160, "{}", message);
                nearest
            }
        };
        if let Some(value) = accepted {
            prop_assert_eq!(f32::parse(&value.show(), &spec), Ok(value));
        }
        let whole = ANY.range(low.abs().floor(), low.abs().floor() + width.ceil());
        if let Err((_, Some(nearest))) = u32::parse(&text, &whole) {
            prop_assert_eq!(u32::parse(&nearest.show(), &whole), Ok(nearest));
        }
    }
}

#[test]
fn words_round_trip() {
    for kernel in [Kernel::Rbf, Kernel::Imq, Kernel::Bilinear] {
        round_trips(&kernel, &ANY);
    }
    round_trips(&Bandwidth::Median, &ANY);
}

#[test]
fn refusals_name_the_value_and_what_is_allowed() {
    let spec = ANY.range(1.0, 9.0);
    for (text, message, nearest) in [
        ("12", "`12` is out of range; allowed are 1 to 9", Some(9)),
        (
            "2.6",
            "`2.6` is not a whole number; allowed are 1 to 9",
            Some(3),
        ),
        ("NaN", "`NaN` is not a number; allowed are 1 to 9", None),
        ("", "`` is not a number; allowed are 1 to 9", None),
    ] {
        assert_eq!(u32::parse(text, &spec), Err((message.to_owned(), nearest)));
    }
    assert!(f32::parse("1e39", &ANY).is_err(), "infinite as an f32");
    assert_eq!(f32::parse("-0", &ANY).map(|v| v.show()), Ok("0".to_owned()));
    assert_eq!(quote(&"é".repeat(41)).chars().count(), 43);
}

/// A bound that no f32 equals must not refuse the f32 nearest to it.
#[test]
fn bounds_are_compared_at_the_precision_kept() {
    let third = 1.0 / 3.0;
    let spec = ANY.range(0.0, third);
    let (_, nearest) = f32::parse("1", &spec).expect_err("out of range");
    round_trips(&nearest.expect("clamped"), &spec);
}

#[test]
fn numbers_read_short() {
    for (value, text) in [
        (0.1, "0.1"),
        (1e-6, "1e-6"),
        (1e30, "1e30"),
        (512.0, "512"),
        (-2.5, "-2.5"),
    ] {
        assert_eq!(shortest(value), text);
    }
}

#[test]
fn keys_are_unique_and_specs_agree_with_get_and_set() {
    for entry in crate::systems::REGISTRY {
        let mut system = (entry.fresh)();
        let specs = system.specs();
        for (i, spec) in specs.iter().enumerate() {
            assert!(
                specs[..i].iter().all(|s| s.key != spec.key),
                "{}: {} declared twice",
                entry.id,
                spec.key
            );
            assert_eq!(system.get(spec.key).as_ref(), Some(&spec.default));
            assert_eq!(
                system.set(spec.key, &spec.default),
                Some(Ok(())),
                "default of {}",
                spec.key
            );
            assert_eq!(
                spec.choices.is_empty(),
                !matches!(spec.kind, Kind::Choice | Kind::NumberOr)
            );
            if let Some((key, values)) = spec.only_if {
                let other = specs
                    .iter()
                    .find(|s| s.key == key)
                    .expect("only_if names a key");
                assert!(
                    values
                        .iter()
                        .all(|v| other.choices.iter().any(|c| c.id == *v)),
                    "only_if of {}",
                    spec.key
                );
            }
        }
        assert_eq!(system.get("no such key"), None);
        assert!(system.set("no such key", "1").is_none());
    }
    assert!(find("no such system").is_none());
}
