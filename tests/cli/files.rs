//! Files in and out of the command line: what is wrong with them is said by line and cell, and nothing is half-written.

use super::{FIVE, KNOWN, call, fails, file, json, names};
use serde_json::Value;
use tempfile::TempDir;

#[test]
fn bad_files_exit_2_and_name_line_and_cell() {
    let folder = TempDir::new().expect("a temporary folder");
    let out = folder.path().join("out").display().to_string();
    for (text, message) in [
        ("x,y\n1,2\n3,four\n", "bad.csv: line 3, cell 2: `four`"),
        ("1,2\n3\n", "bad.csv: line 2"),
        ("1,nan\n", "bad.csv: line 1, cell 2"),
        ("", "bad.csv: "),
        ("1,2,3\n4,5,6\n7,8,9\n1,1,1\n2,2,2\n", "bad.csv: init: "),
        (
            "1,2\n",
            "bad.csv: n: the link says 5, the file counts 1; allowed is n=1, or none",
        ),
    ] {
        let bad = file(&folder, "bad.csv", text);
        fails(&["run", KNOWN, "--init", &bad, "--out", &out], 2, message);
        assert_eq!(names(folder.path()), ["bad.csv"], "nothing half-written");
    }
    fails(
        &["run", KNOWN, "--init", "/no/such.csv"],
        2,
        "/no/such.csv: ",
    );
}

#[test]
fn files_of_samples_are_for_systems_that_take_them() {
    fails(
        &["run", "v=1&m=ula", "--target", "f.csv"],
        2,
        "--target: ula learns no map to samples",
    );
    let folder = TempDir::new().expect("a temporary folder");
    let points = file(&folder, "five.csv", FIVE);
    let not_samples = "--source: not for ula, whose own points are initial particles; \
                       allowed is --init";
    fails(&["run", "v=1&m=ula", "--source", &points], 2, not_samples);
    for (flag, link) in [
        ("--init", "v=1&m=two-layer"),
        ("--source", "v=1&m=balance"),
        ("--init", "v=1&m=ula;m=two-layer"),
    ] {
        fails(
            &["run", link, flag, &points],
            2,
            &format!("{flag}: not for "),
        );
    }
}

#[test]
fn samples_set_d_and_leave_n() {
    let folder = TempDir::new().expect("a temporary folder");
    let samples = file(&folder, "three.csv", "a,b,c\n0,0,1\n1,0,2\n0,2,0\n-1,1,1\n");
    let link = "v=1&m=cnf&n=32&batch=16&width=8&method=rk4&nt=2";
    let run = ["run", link, "--source", &samples, "--steps", "1", "--json"];
    let params = &json(&run)["params"];
    assert_eq!(
        (&params["source"], &params["d"], &params["n"]),
        (&"file".into(), &3.into(), &32.into())
    );
    fails(
        &["run", link, "--init", &samples],
        2,
        "--init: not for cnf, whose own points are samples to learn from; allowed is --source",
    );
    let one = file(&folder, "one.csv", "0,0\n");
    fails(
        &["run", link, "--source", &one],
        2,
        "one.csv: source: 1 sample; allowed are 2 or more",
    );
    fails(
        &["run", &format!("{link}&d=2"), "--source", &samples],
        2,
        "three.csv: d: the link says 2, the file counts 3; allowed is d=3, or none",
    );
}

/// Weights that a run leaves are those that the next one starts from, and every refusal names its file.
#[test]
fn weights_are_kept_and_brought_back() {
    let folder = TempDir::new().expect("a temporary folder");
    let out = |name: &str| folder.path().join(name).display().to_string();
    let (first, second) = (out("first"), out("second"));
    let link = "v=1&m=ot-flow&batch=64&hidden=8&n=4";
    json(&["run", link, "--steps", "5", "--json", "--out", &first]);
    let weights = format!("{first}/weights.json");
    json(&[
        "run",
        link,
        "--steps",
        "0",
        "--json",
        "--out",
        &second,
        "--weights",
        &weights,
    ]);
    let values = |folder: &str| {
        let text = std::fs::read_to_string(format!("{folder}/weights.json")).expect("written");
        let value: Value = serde_json::from_str(&text).expect("JSON");
        value["weights"]["theta"].clone()
    };
    assert!(values(&first).as_array().expect("a list").len() > 100);
    assert_eq!(values(&first), values(&second));
    let wrong = file(&folder, "wrong.json", "{\"weights\": {\"theta\": [1, 2]}}");
    let none = file(&folder, "none.json", "[1, 2]");
    for (link, file, message) in [
        (
            link,
            &wrong,
            "theta has 2 numbers, but the network of this run has",
        ),
        (link, &none, "has no weights; allowed is a weights.json"),
        ("v=1&m=ula", &weights, "ula learns no map"),
    ] {
        fails(&["run", link, "--weights", file], 2, message);
    }
}

/// Points go through the map of a run and back, and every refusal names its file or option.
#[test]
fn points_go_through_the_map_and_back() {
    let folder = TempDir::new().expect("a temporary folder");
    let points = file(&folder, "five.csv", FIVE);
    let out = |name: &str| folder.path().join(name).display().to_string();
    let (there, back) = (out("there"), out("back"));
    let link = "v=1&m=ot-flow&batch=64&hidden=8&n=4";
    let run = |from: &str, to: &str, inverse: &[&str]| {
        let mut arguments = vec![
            "run", link, "--steps", "5", "--json", "--out", to, "--apply", from,
        ];
        arguments.extend(inverse);
        json(&arguments);
    };
    run(&points, &there, &[]);
    let mapped = format!("{there}/mapped.csv");
    run(&mapped, &back, &["--inverse"]);
    let numbers = |path: &str| -> Vec<f32> {
        let text = std::fs::read_to_string(path).expect("written");
        // What the program writes has a header, what a user brings need not.
        let cells = text.lines().flat_map(|line| line.split(','));
        cells.filter_map(|cell| cell.parse().ok()).collect()
    };
    let (start, end) = (numbers(&points), numbers(&format!("{back}/mapped.csv")));
    let middle = numbers(&mapped);
    assert_eq!(start.len(), end.len());
    for (a, b) in start.iter().zip(&end) {
        // Eight steps there and back, of a map that is smooth after five steps of training.
        assert!((a - b).abs() < 1e-3, "{start:?} came back as {end:?}");
    }
    assert!(start.iter().zip(&middle).any(|(a, b)| (a - b).abs() > 0.05));
    let three = file(&folder, "three.csv", "0,0,1\n1,0,2\n");
    for (link, file, message) in [
        (
            link,
            &three,
            "three.csv: --apply: the points have 3 columns; the map of this run takes 2",
        ),
        (
            "v=1&m=ula",
            &points,
            "--apply: ula learns no map that points could be pushed through",
        ),
    ] {
        fails(
            &[
                "run",
                link,
                "--steps",
                "0",
                "--out",
                &out("never"),
                "--apply",
                file,
            ],
            2,
            message,
        );
    }
    fails(
        &["run", link, "--apply", &points],
        2,
        "--apply: needs --out DIR",
    );
}

#[test]
fn a_file_sets_n() {
    let folder = TempDir::new().expect("a temporary folder");
    let points = file(&folder, "five.csv", FIVE);
    for link in ["v=1&m=ula&k=1", "v=1&m=ula&n=5&k=1"] {
        let report = json(&["run", link, "--init", &points, "--json"]);
        assert_eq!(
            (&report["params"]["n"], &report["params"]["init"]),
            (&Value::from(5), &Value::from("file"))
        );
    }
}

#[test]
fn panes_print_a_line_each_and_write_a_folder_each() {
    let folder = TempDir::new().expect("a temporary folder");
    let out = folder.path().join("out");
    let arguments = [
        "run",
        "v=1&m=ula&n=16&seed=7&k=3;m=mala",
        "--json",
        "--out",
        &out.display().to_string(),
    ];
    // Twice: a second run replaces the files of the first.
    for _ in 0..2 {
        let (code, text, err) = call(&arguments);
        assert_eq!(code, 0, "{err}");
        let reports: Vec<Value> = text
            .lines()
            .map(|l| serde_json::from_str(l).expect("JSON"))
            .collect();
        assert_eq!(
            (&reports[0]["system"], &reports[1]["system"]),
            (&"ula".into(), &"mala".into())
        );
        assert!(
            reports
                .iter()
                .all(|r| r["params"]["n"] == 16 && r["params"]["seed"] == 7 && r["steps"] == 3)
        );
        assert_eq!(names(folder.path()), ["out"]);
        for pane in ["pane0", "pane1"] {
            assert_eq!(
                names(&out.join(pane)),
                ["metrics.csv", "particles.csv", "run.json"]
            );
        }
    }
}

#[test]
fn a_folder_that_cannot_be_written_is_noticed_before_the_run() {
    let folder = TempDir::new().expect("a temporary folder");
    let taken = file(&folder, "taken", "");
    fails(
        &["run", KNOWN, "--out", &taken],
        2,
        "exists and is not a folder",
    );
    let nested = folder.path().join("no/such/parent").display().to_string();
    fails(
        &["run", KNOWN, "--out", &nested],
        2,
        "its parent folder does not exist",
    );
    assert_eq!(names(folder.path()), ["taken"]);
}
