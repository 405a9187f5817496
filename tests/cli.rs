//! The command line as a user meets it: exit codes, messages, JSON, files.
//!
//! Exit codes: 0 done, 2 bad link, key, value or file, 3 no such device, 4 diverged.

#[path = "cli/files.rs"]
mod files;
#[path = "cli/sweep.rs"]
mod sweep;

use assert_cmd::Command;
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::Stdio;
use tempfile::TempDir;

/// Five points and a link whose first SVGD step is known in closed form.
const FIVE: &str = "0,0\n1,0\n0,2\n-1,1\n.5,-1.5\n";
const KNOWN: &str = "v=1&m=svgd&target=gaussian&kernel=rbf&bandwidth=1&n=5&step=0.1";

fn pushforward() -> Command {
    Command::new(env!("CARGO_BIN_EXE_pushforward"))
}

/// Exit code, standard output, standard error.
fn call(arguments: &[&str]) -> (i32, String, String) {
    let output = pushforward()
        .args(arguments)
        .output()
        .expect("the program starts");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (
        output.status.code().expect("not killed"),
        text(output.stdout),
        text(output.stderr),
    )
}

#[track_caller]
fn fails(arguments: &[&str], code: i32, message: &str) {
    let (found, out, err) = call(arguments);
    assert_eq!((found, out.as_str()), (code, ""), "{err}");
    assert!(err.contains(message), "{err}");
    assert!(!err.contains("panicked"), "{err}");
}

#[track_caller]
fn json(arguments: &[&str]) -> Value {
    let (code, out, err) = call(arguments);
    assert_eq!(code, 0, "{err}");
    assert_eq!(out.lines().count(), 1, "one object on one line");
    serde_json::from_str(&out).expect("JSON")
}

fn file(folder: &TempDir, name: &str, text: &str) -> String {
    let path = folder.path().join(name);
    fs::write(&path, text).expect("the temporary folder is writable");
    path.display().to_string()
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .expect("a folder")
        .map(|e| {
            e.expect("an entry")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    names.sort();
    names
}

fn columns(path: &Path) -> (String, Vec<Vec<f64>>) {
    let text = fs::read_to_string(path).expect("a file");
    let (head, rows) = text.split_once('\n').expect("a header");
    let row = |line: &str| {
        line.split(',')
            .map(|c| c.parse().unwrap_or(f64::NAN))
            .collect()
    };
    (head.to_owned(), rows.lines().map(row).collect())
}

/// Within 2e-7 + 1e-6·|expected|: a few f32 roundings of numbers of order one.
#[track_caller]
fn near(found: f64, expected: f64) {
    let error = (found - expected).abs();
    assert!(
        error <= 2e-7 + 1e-6 * expected.abs(),
        "{found} is not {expected}: off by {error:.1e}"
    );
}

#[test]
fn the_first_step_of_five_particles_is_the_known_one() {
    let folder = TempDir::new().expect("a temporary folder");
    let points = file(&folder, "five.csv", FIVE);
    let out = folder.path().join("out");
    let report = json(&[
        "run",
        KNOWN,
        "--init",
        &points,
        "--steps",
        "1",
        "--backend",
        "cpu",
        "--json",
        "--out",
        &out.display().to_string(),
    ]);
    assert_eq!(
        (&report["steps"], &report["backend"]),
        (&Value::from(1), &Value::from("cpu"))
    );

    let (head, particles) = columns(&out.join("particles.csv"));
    assert_eq!((head.as_str(), particles.len()), ("x0,x1", 5));
    near(particles[0][0], 0.1 * -0.152_761_446_8);
    near(particles[0][1], 0.1 * -0.083_517_124_9);

    let (head, metrics) = columns(&out.join("metrics.csv"));
    assert!(head.starts_with("step,ksd2,"), "{head}");
    assert_eq!((metrics[0][0], metrics[1][0], metrics.len()), (0.0, 1.0, 2));
    near(metrics[0][1], 0.395_065_941_992);
    assert_eq!(report["metrics"]["ksd2"].as_f64(), Some(metrics[1][1]));
    assert_eq!(names(folder.path()), ["five.csv", "out"]);
    assert_eq!(names(&out), ["metrics.csv", "particles.csv", "run.json"]);

    let start = json(&["run", KNOWN, "--init", &points, "--steps", "0", "--json"]);
    near(
        start["metrics"]["ksd2"].as_f64().expect("a number"),
        0.395_065_941_992,
    );
    assert_eq!(start["steps_per_s"], Value::Null);
}

#[test]
fn the_report_has_this_shape() {
    let mut report = json(&["run", "v=1&m=mala&n=8&seed=3&k=2", "--json"]);
    for value in report["metrics"]
        .as_object_mut()
        .expect("an object")
        .values_mut()
    {
        *value = if value.is_null() {
            "undefined"
        } else {
            "[number]"
        }
        .into();
    }
    insta::with_settings!({ prepend_module_to_snapshot => false, snapshot_path => "golden" }, {
        insta::assert_json_snapshot!("run", report, {
            ".device" => "[device]",
            ".digest" => "[digest]",
            ".steps_per_s" => "[rate]",
        });
    });
}

#[test]
fn undefined_metrics_are_null() {
    // One particle has no covariance to speak of, but what is undefined must still be a key.
    let report = json(&["run", "v=1&m=svgd&target=banana&n=1&k=0", "--json"]);
    let metrics = report["metrics"].as_object().expect("an object");
    assert!(
        metrics.values().all(|v| v.is_null() || v.is_f64()),
        "{metrics:?}"
    );
}

#[test]
fn bad_links_exit_2_and_name_the_key_and_what_is_allowed() {
    for (link, message) in [
        ("", "link: empty"),
        ("v=1", "m: missing; allowed are"),
        ("v=1&m=teapot", "m: `teapot` is not a system; allowed are"),
        (
            "v=9&m=svgd",
            "v: `9` is not a link version of this build; allowed are 1 to 1",
        ),
        ("v=1&m=svgd&n=0", "n: `0` is out of range; allowed are 1 to"),
        (
            "v=1&m=svgd&kernel=cubic",
            "kernel: `cubic` is not one of rbf, imq, bilinear",
        ),
        (
            "v=1&m=svgd&colour=red",
            "colour: svgd has no such parameter",
        ),
        ("v=1&m=svgd&init=file", "init: "),
        ("v=1&m=svgd&d=3&mean=1,2", "mean: "),
        ("v=1&m=svgd;n=x", "n: `x` is not a number; allowed are"),
    ] {
        fails(&["run", link], 2, message);
    }
    fails(&["run", "v=1&m=svgd&n=0&step=0"], 2, "step: ");
    fails(&["run"], 2, "LINK");
    fails(
        &["describe", "teapot"],
        2,
        "`teapot` is not a system; allowed are",
    );
    fails(&["run", KNOWN, "--steps", "many"], 2, "--steps");
    fails(&["run", KNOWN, "--inverse"], 2, "--apply");
}

#[test]
fn no_gpu_is_exit_3_and_never_a_fallback() {
    let mut command = pushforward();
    // A machine without drivers.
    command.envs([("VK_ICD_FILENAMES", "none"), ("VK_DRIVER_FILES", "none")]);
    let output = command
        .args(["run", KNOWN, "--backend", "gpu"])
        .output()
        .expect("runs");
    let error = String::from_utf8_lossy(&output.stderr);
    if cfg!(target_os = "linux") {
        assert_eq!(output.status.code(), Some(3), "{error}");
        assert!(
            error.contains("no such device") && output.stdout.is_empty(),
            "{error}"
        );
    }
}

#[test]
fn the_device_computes_what_the_cpu_computes() {
    let run = |backend| {
        let (code, out, err) = call(&["run", KNOWN, "--backend", backend, "--json"]);
        assert_eq!(code, 0, "{err}");
        let report: Value = serde_json::from_str(&out).expect("one object");
        assert_eq!(report["backend"], backend);
        report["metrics"].clone()
    };
    let (cpu, gpu) = (run("cpu"), run("gpu"));
    for (name, value) in cpu.as_object().expect("metrics") {
        match (value.as_f64(), gpu[name].as_f64()) {
            (Some(a), Some(b)) => {
                assert!((a - b).abs() <= 1e-4 * (1.0 + a.abs()), "{name}: {a} {b}");
            }
            (a, b) => assert_eq!(a, b, "{name}"),
        }
    }
}

#[test]
fn divergence_is_exit_4_and_keeps_the_last_good_state() {
    let folder = TempDir::new().expect("a temporary folder");
    let out = folder.path().join("out");
    let link = "v=1&m=ula&target=banana&n=64&step=10&k=500";
    let (code, _, err) = call(&["run", link, "--json", "--out", &out.display().to_string()]);
    assert_eq!(code, 4, "{err}");
    assert!(
        err.starts_with("error: diverged after step ") && err.contains("step γ"),
        "{err}"
    );
    let (_, particles) = columns(&out.join("particles.csv"));
    assert_eq!(particles.len(), 64);
    assert!(
        particles.iter().flatten().all(|x| x.is_finite()),
        "the last good state"
    );
    let report: Value =
        serde_json::from_str(&fs::read_to_string(out.join("run.json")).expect("a report"))
            .expect("JSON");
    assert_eq!(report["steps"], report["diverged"]["last_good_step"]);
}

#[test]
fn a_digest_is_reproduced_or_says_how_it_differs() {
    let link = "v=1&m=svgd&target=banana&n=32&k=20";
    let digest = json(&["run", link, "--json"])["digest"]
        .as_str()
        .expect("a digest")
        .to_owned();
    let with = |digest: &str| format!("{link}&digest={digest}");
    let again = json(&["run", &with(&digest), "--json"]);
    assert_eq!(again["reproduced"], true);
    let (_, text, _) = call(&["run", &with(&digest)]);
    assert!(
        text.contains("reproduced: the link's digest came out again"),
        "{text}"
    );

    let wrong = json(&["run", &with("wasm32-relaxed-00000000"), "--json"]);
    assert_eq!(wrong["reproduced"], false);
    assert!(
        wrong["difference"]
            .as_str()
            .expect("why")
            .contains("another build"),
        "{wrong}"
    );
    let early = json(&["run", &with(&digest), "--steps", "3", "--json"]);
    assert_eq!(early.get("reproduced"), None);
    assert!(
        early["difference"]
            .as_str()
            .expect("why")
            .contains("is of step 20"),
        "{early}"
    );
}

#[test]
fn a_closed_pipe_is_no_crash() {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let child = std::process::Command::new(env!("CARGO_BIN_EXE_pushforward"))
        .args(["list", "--json"])
        .stdout(writer)
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let output = child.wait_with_output().expect("it ends");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(
        output.stderr.is_empty(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn systems_are_listed_and_described() {
    let (code, text, _) = call(&["list"]);
    assert_eq!(code, 0);
    for id in ["ula", "mala", "svgd"] {
        assert!(text.lines().any(|l| l.starts_with(id)), "{text}");
        let (code, text, err) = call(&["describe", id]);
        assert_eq!(code, 0, "{err}");
        assert!(text.contains("step=") && text.contains("ksd2"), "{text}");
        let (_, text, _) = call(&["describe", id, "--json"]);
        let description: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(description["id"], id);
        assert!(
            description["params"]
                .as_array()
                .is_some_and(|p| p.len() > 5)
        );
        assert!(
            description["metrics"][0]["definition"]
                .as_str()
                .is_some_and(|d| !d.is_empty())
        );
        let (code, text, _) = call(&["describe", id, "--program"]);
        assert!(code == 0 && text.lines().count() > 3, "{text}");
    }
    let (_, text, _) = call(&["list", "--markdown"]);
    assert!(
        text.starts_with("| Id | System | What moves |\n|---|---|---|\n| `"),
        "{text}"
    );
    let (_, text, _) = call(&["list", "--json"]);
    let manifest: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(manifest["link_version"], 1);
    assert!(
        manifest["metrics"]
            .as_array()
            .is_some_and(|m| !m.is_empty())
    );
}

#[test]
fn a_lecture_runs_one_scene_at_a_time() {
    let lecture = "v=1&m=svgd&n=5;;v=1&m=ula&n=6";
    fails(&["run", lecture, "--steps", "1"], 2, "--scene 1 to 2");
    fails(&["run", lecture, "--scene", "3"], 2, "--scene 1 to 2");
    let report = json(&["run", lecture, "--scene", "2", "--steps", "1", "--json"]);
    assert_eq!(report["system"], "ula");
}
