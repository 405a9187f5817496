//! What the page relies on: edits, lockstep, links that follow, snapshots that go on bit for bit.

use super::*;
use crate::params::Class;
use serde_json::Value;

const SMALL: &str = "v=1&m=svgd&target=banana&n=24&seed=7";
const TWO: &str = "v=1&m=ula&target=gaussian&n=20&seed=3;m=mala&step=0.2";

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

/// Works until every pane has done `steps` more steps.
fn advance(playground: &mut Playground, steps: u32) {
    let goal = playground.step() + steps;
    for _ in 0..10_000 {
        let left = goal - playground.step();
        if left == 0 {
            return;
        }
        playground.advance(50_000, left);
    }
    panic!("stuck at step {}", playground.step());
}

fn particles(playground: &Playground) -> Vec<Vec<u32>> {
    let bits = |p: &Pane| p.session.particles().iter().map(|v| v.to_bits()).collect();
    playground.panes.iter().map(bits).collect()
}

#[test]
fn an_empty_address_opens_the_demo_without_a_notice() {
    for text in ["", "#"] {
        let playground = Playground::open(text);
        assert!(playground.notices.is_empty());
        assert_eq!(playground.link(), link::DEMO);
    }
}

#[test]
fn a_bad_link_opens_something_and_says_so() {
    for text in [
        "nonsense",
        "v=1&m=nothing",
        "v=1&m=svgd&n=-3",
        "v=1&m=svgd&target=gaussian&d=2&mean=1,2,3",
        "v=1&m=svgd&init=file",
    ] {
        let mut playground = Playground::open(text);
        assert!(!playground.notices.is_empty(), "{text}");
        advance(&mut playground, 1);
    }
}

#[test]
fn steps_do_not_depend_on_budgets_and_reset_comes_back() {
    for text in [SMALL, TWO] {
        let mut whole = Playground::open(text);
        let start = particles(&whole);
        advance(&mut whole, 40);
        let mut slices = Playground::open(text);
        while slices.step() < 40 {
            slices.advance(997, 40 - slices.step());
        }
        assert_eq!(particles(&whole), particles(&slices), "{text}");
        whole.reset();
        assert_eq!((whole.step(), particles(&whole)), (0, start), "{text}");
    }
}

#[test]
fn panes_stand_at_a_common_step_whenever_work_completes_one() {
    let mut playground = Playground::open(TWO);
    let mut done = 0;
    for _ in 0..200 {
        done += playground.advance(30_000, 50);
        assert_eq!(done, playground.step());
        let steps: Vec<u32> = playground.panes.iter().map(|p| p.session.step()).collect();
        assert!(
            steps.iter().all(|s| *s >= done && *s <= playground.goal),
            "{steps:?}"
        );
    }
    assert!(done > 50);
}

#[test]
fn a_run_pauses_at_k_once_and_goes_on() {
    let mut playground = Playground::open(&format!("{SMALL}&k=5"));
    for _ in 0..1000 {
        playground.advance(1_000_000, 100);
        if parsed(&playground.running_state())["state"] == "paused_at_k" {
            break;
        }
    }
    assert_eq!(playground.step(), 5);
    assert!(parsed(&playground.running_state())["digest"].is_string());
    advance(&mut playground, 3);
    assert_eq!(parsed(&playground.running_state())["state"], "ready");
    playground.reset();
    playground.advance(u64::MAX, 100);
    assert_eq!(playground.step(), 5);
}

#[test]
fn a_link_of_the_present_state_reproduces_it() {
    let mut playground = Playground::open(TWO);
    advance(&mut playground, 12);
    let here = playground.link_here();
    let mut other = Playground::open(&here);
    advance(&mut other, 12);
    assert_eq!(
        parsed(&other.running_state())["reproduced"]["same"],
        true,
        "{here}"
    );
    // And the comparison can fail.
    let mut wrong = Playground::open(&here.replace("seed=3", "seed=4"));
    advance(&mut wrong, 12);
    assert_eq!(parsed(&wrong.running_state())["reproduced"]["same"], false);
}

#[test]
fn edits_act_by_their_class_and_the_link_follows() {
    let mut playground = Playground::open(SMALL);
    advance(&mut playground, 4);
    let live = playground.set(Some(0), "step", "0.01");
    assert_eq!(
        (live.ok, live.class, live.restarted, playground.step()),
        (true, Some(Class::Live), false, 4)
    );
    assert!(playground.link().contains("step=0.01"));
    assert_eq!(parsed(&playground.running_state())["edited_at"], 4);
    let rebuild = playground.set(None, "kernel", "imq");
    assert_eq!(
        (rebuild.class, playground.step()),
        (Some(Class::Rebuild), 4)
    );
    let restart = playground.set(None, "n", "30");
    assert!(restart.restarted);
    assert_eq!(
        (playground.step(), playground.panes[0].session.stage().n),
        (0, 30)
    );
    assert!(playground.link().contains("n=30"));
    advance(&mut playground, 2);
    assert!(
        !playground.set(None, "n", "30").restarted,
        "the same value again"
    );
    assert_eq!(playground.step(), 2);
}

#[test]
fn refused_edits_change_nothing() {
    let mut playground = Playground::open(TWO);
    advance(&mut playground, 3);
    let (link, before) = (playground.link(), particles(&playground));
    for (pane, key, value) in [
        (None, "n", "0"),
        (None, "n", "many"),
        (None, "nonsense", "1"),
        (Some(9), "n", "5"),
        (None, "target", "x"),
        (None, "k", "-1"),
        (None, "speed", "fast"),
        (None, "view", "1,2"),
        (None, "mean", "1,2,3"),
        (None, "init", "file"),
    ] {
        let edited = playground.set(pane, key, value);
        assert!(
            !edited.ok && edited.problems.len() == 1,
            "{key}={value}: {edited:?}"
        );
        assert_eq!(
            (playground.link(), particles(&playground)),
            (link.clone(), before.clone()),
            "{key}={value}"
        );
    }
}

#[test]
fn a_restart_of_one_pane_restarts_all() {
    let mut playground = Playground::open(TWO);
    advance(&mut playground, 3);
    assert!(playground.set(Some(1), "n", "10").restarted);
    assert!(playground.panes.iter().all(|p| p.session.step() == 0));
    assert_eq!(playground.panes[0].session.stage().n, 20);
    advance(&mut playground, 3);
}

#[test]
fn the_links_own_keys_are_set() {
    let mut playground = Playground::open(SMALL);
    for (key, value) in [("k", "50"), ("speed", "120"), ("view", "-1,-2,3,2")] {
        assert!(playground.set(None, key, value).ok);
        assert!(
            playground.link().contains(&format!("{key}={value}")),
            "{}",
            playground.link()
        );
        assert!(playground.set(None, key, "").ok);
        assert!(!playground.link().contains(key));
    }
}

#[test]
fn a_new_seed_starts_another_run() {
    let mut playground = Playground::open(SMALL);
    let before = particles(&playground);
    assert!(playground.reseed(99).restarted);
    assert_ne!(particles(&playground), before);
    assert!(playground.link().contains("seed=99"));
}

#[test]
fn a_drag_places_the_cloud() {
    let mut playground = Playground::open(TWO);
    playground.resize(900.0, 500.0, 1.0);
    advance(&mut playground, 2);
    let view = playground.view(1);
    let (from, to) = (view.to_pixel([1.0, -0.5]), view.to_pixel([1.0, 0.0]));
    let edited = playground.place(from, to);
    assert!(edited.restarted, "{edited:?}");
    for pane in &playground.panes {
        assert_eq!(
            pane.session.system().get("init_mean").as_deref(),
            Some("1,-0.5")
        );
        assert_eq!(
            pane.session.system().get("init_scale").as_deref(),
            Some("0.5")
        );
        assert_eq!(pane.session.step(), 0);
    }
    // A click moves the cloud and keeps its width.
    let at = view.to_pixel([-1.0, 0.0]);
    assert!(playground.place(at, at).ok);
    assert!(
        playground.link().contains("init_scale=0.5")
            && playground.link().contains("init_mean=-1,0")
    );
    assert!(!playground.place([-5.0, 0.0], [0.0, 0.0]).ok);
}

#[test]
fn drawn_points_run_and_travel_in_the_link() {
    let mut playground = Playground::open(SMALL);
    let view = playground.view(0);
    let points: Vec<f32> = (0..10)
        .flat_map(|i| view.to_pixel([0.1 * i as f32, -1.0]))
        .collect();
    assert!(playground.draw(&points).ok);
    assert_eq!(playground.panes[0].session.stage().n, 10);
    let other = Playground::open(&playground.link());
    assert!(other.notices.is_empty(), "{:?}", other.notices);
    assert_eq!(particles(&other), particles(&playground));
    // More than a link can carry are thinned.
    let many: Vec<f32> = (0..3000)
        .flat_map(|i| view.to_pixel([0.001 * i as f32, 0.0]))
        .collect();
    assert!(playground.draw(&many).ok);
    assert!((250..=512).contains(&playground.panes[0].session.stage().n));
    for bad in [&[][..], &[1.0][..], &[f32::NAN, f32::NAN][..]] {
        assert!(!playground.draw(bad).ok);
    }
}

#[test]
fn files_become_initial_particles_or_change_nothing() {
    let mut playground = Playground::open(SMALL);
    let loaded = playground.load_csv("five.csv", "x,y\n0,0\n1,0\n0,2\n-1,1\n.5,-1.5\n");
    assert!(loaded.ok, "{loaded:?}");
    assert_eq!((loaded.rows, loaded.columns), (5, 2));
    assert_eq!(playground.panes[0].session.particles()[2..4], [1.0, 0.0]);
    let before = particles(&playground);
    for text in ["", "a,b\n", "1,2,3\n", "1,2\n3\n", "1,nan\n"] {
        let loaded = playground.load_csv("bad.csv", text);
        assert!(!loaded.ok && !loaded.problems.is_empty(), "{text:?}");
        assert_eq!(particles(&playground), before);
    }
    advance(&mut playground, 3);
    playground.reset();
    assert_eq!(particles(&playground), before);
}

#[test]
fn a_system_that_takes_no_points_says_so_and_runs_on() {
    let mut playground = Playground::open("v=1&m=two-layer");
    advance(&mut playground, 2);
    let before = particles(&playground);
    let loaded = playground.load_csv("five.csv", "0,0\n1,0\n");
    assert!(
        loaded.problems[0]
            .message
            .contains("two-layer takes no points")
    );
    for edited in [
        playground.draw(&[300.0, 200.0]),
        playground.place([300.0, 200.0], [300.0, 200.0]),
    ] {
        assert!(!edited.ok && !edited.restarted, "{edited:?}");
    }
    assert_eq!((playground.step(), particles(&playground)), (2, before));
    let linked = Playground::open("v=1&m=two-layer&data=AQIAAAAA");
    assert!(linked.notices[0].message.contains("takes no points"));
    // Beside one that takes them, it goes without.
    let mut both = Playground::open("v=1&m=ula;m=two-layer");
    assert!(both.load_csv("two.csv", "0,0\n1,0\n").ok);
    assert_eq!(both.panes[0].session.stage().n, 2);
}

#[test]
fn snapshots_go_on_bit_for_bit() {
    for (text, csv) in [(SMALL, None), (TWO, None), (SMALL, Some("0,0\n1,0\n0,2\n"))] {
        let mut playground = Playground::open(text);
        if let Some(csv) = csv {
            assert!(playground.load_csv("three.csv", csv).ok);
        }
        advance(&mut playground, 7);
        playground.zoom(100.0, 100.0, 1.5);
        let saved = playground.snapshot();
        let mut fresh = Playground::open("");
        assert_eq!(parsed(&fresh.restore(&saved))["ok"], true, "{text}");
        assert_eq!((fresh.step(), fresh.link()), (7, playground.link()));
        advance(&mut playground, 9);
        advance(&mut fresh, 9);
        assert_eq!(particles(&fresh), particles(&playground), "{text}");
        fresh.reset();
        playground.reset();
        assert_eq!(particles(&fresh), particles(&playground), "{text}");
    }
}

#[test]
fn broken_snapshots_change_nothing() {
    let mut playground = Playground::open(SMALL);
    advance(&mut playground, 2);
    let saved = playground.snapshot();
    let before = particles(&playground);
    let mut cases: Vec<Vec<u8>> = (0..saved.len())
        .step_by(7)
        .map(|n| saved[..n].to_vec())
        .collect();
    cases.push(b"pfp1\xff\xff\xff\xff".to_vec());
    for i in (0..saved.len().min(200)).step_by(3) {
        let mut altered = saved.clone();
        altered[i] ^= 0x40;
        cases.push(altered);
    }
    for bytes in cases {
        let mut other = Playground::open(SMALL);
        // Some alterations are still a valid snapshot of something; none may panic.
        if parsed(&other.restore(&bytes))["ok"] == false {
            assert_eq!(other.step(), 0);
        }
    }
    assert_eq!(parsed(&playground.restore(&saved[..20]))["ok"], false);
    assert_eq!(particles(&playground), before);
}

#[test]
fn pictures_of_every_kind_of_pane_are_painted() {
    for text in [
        SMALL,
        TWO,
        "v=1&m=ula&target=gaussian&d=1&n=50",
        "v=1&m=svgd&target=gaussian&d=5&n=30",
        "v=1&m=svgd&target=mixture&d=4&n=30",
        "v=1&m=svgd&target=logistic&n=20",
        "v=1&m=ula&target=funnel&n=1",
    ] {
        let mut playground = Playground::open(text);
        playground.set_layers(r#"{"trails":true,"arrows":true,"kernel":true,"nonsense":true}"#);
        for (width, height, ratio) in [(640.0, 400.0, 2.0), (3.0, 2.0, 1.0), (f32::NAN, 0.0, -1.0)]
        {
            playground.resize(width, height, ratio);
            advance(&mut playground, 2);
            playground.render();
            let (w, h) = playground.pixels_size();
            assert_eq!(playground.pixels().len(), 4 * (w * h) as usize);
            let list = playground.overlay();
            assert!(list.ops().iter().all(|v| v.is_finite()), "{text}");
        }
        playground.resize(640.0, 400.0, 1.0);
        playground.render();
        let first = playground.pixels()[..4].to_vec();
        assert!(
            playground.pixels().chunks_exact(4).any(|p| p != first),
            "{text} is empty"
        );
    }
}

#[test]
fn the_view_moves_and_comes_back() {
    let mut playground = Playground::open(SMALL);
    let own = playground.view(0);
    let about = [300.0, 200.0];
    let world = own.to_world(about);
    playground.zoom(about[0], about[1], 2.0);
    let zoomed = playground.view(0);
    assert!((zoomed.scale / own.scale - 2.0).abs() < 1e-3);
    let there = zoomed.to_pixel(world);
    assert!(
        (there[0] - about[0]).abs() < 0.5 && (there[1] - about[1]).abs() < 0.5,
        "{there:?}"
    );
    playground.pan(40.0, -20.0);
    let moved = playground.view(0).to_pixel(world);
    assert!(
        (moved[0] - about[0] - 40.0).abs() < 0.5 && (moved[1] - about[1] + 20.0).abs() < 0.5,
        "{moved:?}"
    );
    assert!(playground.link().contains("view="));
    for bad in [f32::NAN, f32::INFINITY, 0.0, -1.0] {
        playground.zoom(1.0, 1.0, bad);
        playground.pan(bad, f32::NAN);
    }
    playground.fit();
    assert_eq!(playground.view(0), own);
    assert!(!playground.link().contains("view="));
}

#[test]
fn metrics_are_charted_and_tabulated() {
    let mut playground = Playground::open(TWO);
    advance(&mut playground, 10);
    while playground.measure(10_000_000) {}
    let described = parsed(&playground.describe());
    let charts = described["charts"].as_array().expect("a list");
    assert!(charts.iter().any(|c| c["id"] == "accept"), "MALA's alone");
    let state = parsed(&playground.running_state());
    assert_eq!(state["values"].as_array().map(Vec::len), Some(charts.len()));
    for i in 0..=charts.len() {
        let list = playground.chart(i, 260.0, 140.0);
        assert_eq!(list.ops().is_empty(), i == charts.len());
        let table = parsed(&playground.chart_table(i));
        assert!(table["rows"].is_array());
    }
    assert!(playground.export_csv("metrics").starts_with("pane,step,"));
    assert_eq!(playground.export_csv("particles").lines().count(), 42);
    assert_eq!(playground.export_csv("nonsense"), "");
}

#[test]
fn descriptions_name_what_was_changed() {
    let mut playground = Playground::open(TWO);
    let described = parsed(&playground.describe());
    assert_eq!(described["panes"][1]["system"], "mala");
    assert_eq!(described["panes"][1]["values"]["step"], "0.2");
    let changed = described["panes"][1]["changed"]
        .as_array()
        .expect("a list")
        .clone();
    assert!(
        changed.contains(&"step".into()) && !changed.contains(&"target".into()),
        "{changed:?}"
    );
    let probe = parsed(&playground.probe(200.0, 200.0));
    assert_eq!(probe["pane"], 0);
    assert_eq!(probe["world"].as_array().map(Vec::len), Some(2));
}

#[test]
fn a_divergence_stops_every_pane_and_keeps_the_last_good_state() {
    let mut playground =
        Playground::open("v=1&m=ula&target=formula&formula=x^4-y^2&n=20&seed=1&step=1");
    for _ in 0..2000 {
        playground.advance(1_000_000, 100);
    }
    let state = parsed(&playground.running_state());
    assert_eq!(state["state"], "diverged", "{state}");
    assert!(state["last_good"].is_u64() && state["message"].as_str().is_some_and(|m| m.len() > 20));
    assert!(
        playground.panes[0]
            .session
            .particles()
            .iter()
            .all(|v| v.is_finite())
    );
    playground.reset();
    assert_eq!(parsed(&playground.running_state())["state"], "ready");
}

#[test]
fn what_is_too_large_for_the_device_runs_on_the_cpu_and_says_so() {
    let device = pollster::block_on(Device::open()).expect("an adapter; software ones count");
    let place = Place {
        device: Some(device.clone()),
        reason: String::new(),
    };
    // 192 MB: more than one buffer of Mesa's software device, less than what other devices take.
    let playground = Playground::open_at("v=1&m=ula&n=1000000&d=24", place);
    let session = &playground.panes[0].session;
    assert_eq!(session.stage().n, 1_000_000, "the link is kept");
    if device.capacity() < 192_000_000 {
        assert_eq!(session.backend(), "cpu");
        let message = &playground.notices[0].message;
        assert!(message.contains("the largest n that fits is"), "{message}");
    } else {
        assert_eq!((session.backend(), playground.notices.len()), ("gpu", 0));
    }
}
