use super::*;
use proptest::prelude::*;

fn same(own: Option<f64>, expected: f64) -> bool {
    own.is_some_and(|v| v.to_bits() == expected.to_bits() || v.is_nan() && expected.is_nan())
}

fn check(value: f64, decimals: usize) {
    let single = value as f32;
    assert_eq!(plain(value, Width::Double), value.to_string());
    assert_eq!(plain(f64::from(single), Width::Single), single.to_string());
    assert_eq!(scientific(value, Width::Double), format!("{value:e}"));
    let own = scientific(f64::from(single), Width::Single);
    assert_eq!(own, format!("{single:e}"));
    assert_eq!(fixed(value, decimals), format!("{value:.decimals$}"));
    let own = scientific_to(value, decimals);
    assert_eq!(own, format!("{value:.decimals$e}"));
}

fn check_reading(text: &str) {
    match text.parse::<f64>() {
        Ok(value) => assert!(same(read(text, Width::Double), value), "{text}"),
        Err(_) => assert_eq!(read(text, Width::Double), None, "{text}"),
    }
    if let Ok(value) = text.parse::<f32>() {
        assert!(same(read(text, Width::Single), value.into()), "{text}");
    }
}

#[test]
fn hard_cases_are_those_of_the_standard_library() {
    let mut values = vec![
        0.0,
        5e-324,
        f64::MIN_POSITIVE,
        f64::MAX,
        9.5,
        0.95,
        0.5,
        1.5,
        2.5,
    ];
    values.extend([
        0.25, 0.125, 999.9996, 1e21, 1e22, 1e23, 9e15, 0.001, 0.1, 1e-7, 0.05,
    ]);
    values.extend((-149..128).map(|e| 2f64.powi(e)));
    values.extend([f32::MAX, f32::MIN_POSITIVE, 16_777_216.0].map(f64::from));
    values.extend([f64::INFINITY, f64::NAN]);
    for value in values {
        for decimals in 0..5 {
            check(value, decimals);
            check(-value, decimals);
        }
    }
}

#[test]
fn hard_texts_are_read_as_by_the_standard_library() {
    for text in [
        "",
        ".",
        "+",
        "-",
        "e5",
        "1e",
        "1e+",
        "1.5.2",
        "0x1",
        " 1",
        "1 ",
        "--1",
        "1_0",
        ".5",
        "5.",
        "+.5e1",
        "-0",
        "inf",
        "-Infinity",
        "nan",
        "1e999999999999",
        "1e-999999999999",
        "0e999",
        "2.4703282292062327e-324",
        "2.4703282292062328e-324",
        "7.006492321624085e-46",
        "7.006492321624086e-46",
        "3.4028235677973366e38",
        "1.7976931348623159e308",
        "9007199254740993",
        "9007199254740992.99999999999999999999",
        "16777217",
        "16777217.0000000000000000000000000001",
        "00000000000000000000000000000000000000000000000001e-3",
    ] {
        check_reading(text);
    }
    // A tie, a tie with something far behind it, and more digits than any tie has.
    let zeros = "0".repeat(900);
    for text in [
        format!("9007199254740993.{zeros}"),
        format!("9007199254740993.{zeros}1"),
        format!("1{zeros}e-900"),
    ] {
        check_reading(&text);
    }
}

#[test]
fn the_comparison_sees_a_difference() {
    assert!(!same(read("0.1", Width::Double), 0.1f32.into()));
    assert!(!same(None, 0.0));
}

proptest! {
    #[test]
    fn numbers_are_written_as_by_the_standard_library(bits: u64, single: u32, short in -1e4..1e4, decimals in 0usize..10) {
        for value in [f64::from_bits(bits), f64::from(f32::from_bits(single)), short, (short * 8.0).round() / 8.0] {
            check(value, decimals);
        }
    }

    #[test]
    fn numbers_are_read_as_by_the_standard_library(bits: u64, single: u32, text in "[-+]?[0-9]{0,25}[.]?[0-9]{0,25}(e[-+]?[0-9]{1,3})?") {
        check_reading(&text);
        check_reading(&f64::from_bits(bits).to_string());
        check_reading(&format!("{:e}", f32::from_bits(single)));
    }
}
