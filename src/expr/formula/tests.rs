use super::*;
use proptest::prelude::*;

fn at(text: &str, x: f64, y: f64) -> f64 {
    match parse(text, &["x", "y"]) {
        Ok(expr) => expr.eval(&[x, y]),
        Err(message) => panic!("{text}: {message}"),
    }
}

fn message(text: &str) -> String {
    match parse(text, &["x", "y"]) {
        Ok(expr) => panic!("{text} was accepted, in {} lines", expr.nodes().len()),
        Err(message) => message,
    }
}

#[test]
fn values_follow_the_usual_precedence() {
    let (x, y) = (1.5f64, -0.7f64);
    let cases = [
        ("1 + 2*3", 7.0),
        ("2*3 - 4/8", 5.5),
        ("-2^2", -4.0),
        ("2^3^2", 512.0),
        ("2^-1", 0.5),
        ("8/4/2", 1.0),
        ("1-2-3", -4.0),
        ("--3", 3.0),
        ("-x*-y", x * y),
        ("y^3", y.powi(3)),
        ("y^-2", y.powi(-2)),
        ("y^0", 1.0),
        ("x^1.5", x.powf(1.5)),
        ("x^y", x.powf(y)),
        ("pow(x, 2.5)", x.powf(2.5)),
        ("min(x, y) + max(x, y)", x + y),
        ("exp(x)*log(x)/sqrt(x)", x.exp() * x.ln() / x.sqrt()),
        (
            "sin(x) + cos(y) + tanh(x) + abs(y)",
            x.sin() + y.cos() + x.tanh() + y.abs(),
        ),
        ("2*pi + e", 2.0 * std::f64::consts::PI + std::f64::consts::E),
        (".5e1 + 1E-2 + 3.", 8.01),
        (
            "-x^2/8 - 2*(y - x^2/4 + 1)^2",
            -x * x / 8.0 - 2.0 * (y - x * x / 4.0 + 1.0).powi(2),
        ),
        (" \t1\n", 1.0),
    ];
    for (text, expected) in cases {
        let value = at(text, x, y);
        // Powers go through logarithms: a few units in the last place.
        assert!(
            (value - expected).abs() <= 1e-13 * expected.abs().max(1.0),
            "{text}: {value} is not {expected}"
        );
    }
}

#[test]
fn errors_name_the_place() {
    let cases = [
        ("", "empty"),
        (
            "1 +",
            "at character 4: expected a number, a name or `(`, but the formula ends",
        ),
        ("(1", "at character 3: expected `)`"),
        ("1)", "at character 2: a `)` without its `(`"),
        (
            "x + z",
            "at character 5: unknown name `z`; known are x, y, pi",
        ),
        (
            "2x",
            "at character 2: expected an operator (+ - * / ^) or the end, found `x`",
        ),
        ("2e", "at character 2: expected an operator"),
        ("sin x", "at character 5: expected `(` after `sin`"),
        ("sin(x, y)", "at character 6: `sin` takes 1 argument"),
        (
            "min(x)",
            "at character 6: expected `,` (`min` takes 2 arguments)",
        ),
        ("max(x, y, x)", "at character 9: `max` takes 2 arguments"),
        ("1..2", "at character 3"),
        (".", "at character 1: `.` is not a number"),
        ("1e999", "at character 1: `1e999` is not a number"),
        ("x $ y", "at character 3: expected an operator"),
    ];
    for (text, part) in cases {
        let found = message(text);
        assert!(found.contains(part), "{text}: {found}");
    }
    assert!(parse("y", &["x"]).is_err(), "y in one dimension");
}

#[test]
fn length_depth_and_size_are_bounded() {
    assert!(message(&"1+".repeat(501)).contains("1000 characters"));
    assert!(message(&"(".repeat(900)).contains("deeper than"));
    assert!(message(&"-".repeat(900)).contains("deeper than"));
    assert!(message(&"2^".repeat(450)).contains("deeper than"));
    let steep: Vec<String> = (1..160).map(|i| format!("sin({i}*x)")).collect();
    assert!(message(&steep.join("+")).contains("1000 characters"));
    let steep: Vec<String> = (100..210).map(|i| format!("y^.{i}")).collect();
    assert!(message(&steep.join("+")).contains("more than 300 operations"));
    // A short tape can stand for an astronomically long text.
    assert!(message("(((((x^64)^64)^64)^64)^64)^64").contains("operations when written out"));
}

proptest! {
    #[test]
    fn no_text_panics(text in "\\PC{0,80}") {
        let _ = parse(&text, &["x", "y"]);
    }

    #[test]
    fn no_formula_like_text_panics(text in "([-+*/^(),. ]|[0-9]{1,3}|e|x|y|pi|min|pow|sqrt|log|1e9){0,60}") {
        if let Ok(expr) = parse(&text, &["x", "y"]) {
            let _ = expr.eval(&[0.5f32, 2.0]);
        }
    }

    #[test]
    fn what_is_accepted_is_finite_work(depth in 1usize..200) {
        let text = format!("{}x{}", "(".repeat(depth), ")".repeat(depth));
        prop_assert_eq!(parse(&text, &["x"]).is_ok(), depth <= MAX_DEPTH);
    }
}
