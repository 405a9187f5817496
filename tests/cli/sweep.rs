//! `sweep`: a line a value and pane, and one message where it cannot be.

use super::{call, fails};
use serde_json::Value;

const LINK: &str = "v=1&m=two-layer&d=3;train=output";

#[test]
fn medians_of_every_value_and_pane() {
    let over = ["--over", "neurons=2,9", "--seeds", "3", "--steps", "300"];
    let (code, out, err) = call(&[&["sweep", LINK, "--json"], &over[..]].concat());
    assert_eq!(code, 0, "{err}");
    let lines: Vec<Value> = out
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    let shown: Vec<_> = lines
        .iter()
        .map(|l| (l["pane"].as_u64(), l["value"].as_f64()))
        .collect();
    let at = |pane, value| (Some(pane), Some(value));
    assert_eq!(shown, [at(0, 2.0), at(0, 9.0), at(1, 2.0), at(1, 9.0)]);
    for line in &lines {
        let number = |key: &str| line[key].as_f64().expect("a number");
        assert_eq!(line["metric"], "excess_loss");
        assert_eq!(line["outcomes"].as_array().map(Vec::len), Some(3));
        assert!(number("lower_quartile") <= number("median"));
        assert!(number("median") <= number("upper_quartile"));
    }
    // Particles that move do better than those that may not.
    let median = |i: usize| lines[i]["median"].as_f64().expect("a number");
    assert!(median(1) < 0.5 * median(3), "{} {}", median(1), median(3));
    let (code, out, _) = call(&[&["sweep", LINK], &over[..]].concat());
    assert_eq!((code, out.lines().count()), (0, 4), "{out}");
    assert!(
        out.contains("train output") && out.contains("neurons=9"),
        "{out}"
    );
}

#[test]
fn what_cannot_be_swept_is_named() {
    let sweep = |over: &str, message| fails(&["sweep", LINK, "--over", over], 2, message);
    sweep("neurons", "a key, `=`, and values");
    sweep("width=3", "no such parameter");
    sweep("neurons=0", "out of range");
    sweep("activation=relu", "not a number");
    fails(
        &["sweep", LINK, "--over", "neurons=3", "--metric", "beauty"],
        2,
        "excess_loss",
    );
    fails(&["sweep", "m=nothing", "--over", "neurons=3"], 2, "nothing");
}
