//! Runs on a device against the same runs on the CPU: probes, divergence, drivers that read, edits, snapshots, lost devices.

use crate::exec::gpu::{Device, bytes_needed};
use crate::graph::Graph;
use crate::session::{Session, Status, device::DeviceRun, device::Landing};
use crate::systems::{Build, Command, Driver, Inputs, Reads, find};

fn open() -> Device {
    pollster::block_on(Device::open()).expect("an adapter; software ones count")
}

fn session(device: Option<&Device>, id: &str, keys: &[(&str, &str)]) -> Session {
    let entry = find(id).expect("registered");
    let mut system = (entry.fresh)();
    for (key, text) in keys {
        assert!(
            matches!(system.set(key, text), Some(Ok(()))),
            "{key}={text}"
        );
    }
    Session::on(device, entry, system, Inputs::default()).expect("valid")
}

/// The largest difference of two clouds.
fn apart(a: &Session, b: &Session) -> f32 {
    let pairs = a.particles().iter().zip(b.particles());
    pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

#[test]
fn a_device_runs_the_same_steps_and_measures_the_same_probes() {
    let device = open();
    for id in ["svgd", "ula", "mala"] {
        let keys = [("n", "100"), ("step", "0.05")];
        let mut cpu = session(None, id, &keys);
        let mut gpu = session(Some(&device), id, &keys);
        cpu.run_to(40);
        gpu.run_to(40);
        let steps = |s: &Session| s.log().iter().map(|r| r.step).collect::<Vec<_>>();
        assert_eq!(steps(&cpu), steps(&gpu), "{id}");
        // Forty steps of a few roundings each, amplified by the kernel.
        assert!(apart(&cpu, &gpu) < 1e-4, "{id}: {}", apart(&cpu, &gpu));
        for (a, b) in cpu.log().iter().zip(gpu.log()) {
            let close = |(a, b): (&Option<f64>, &Option<f64>)| match (a, b) {
                (Some(a), Some(b)) => (a - b).abs() <= 1e-3 * (1.0 + a.abs()),
                (a, b) => a == b,
            };
            assert!(
                a.values.iter().zip(&b.values).all(close),
                "{id}: {a:?} {b:?}"
            );
        }
        assert!(gpu.digest().starts_with("gpu-"));
    }
}

#[test]
fn two_hundred_steps_stay_together() {
    let device = open();
    let keys = [
        ("n", "300"),
        ("kernel", "bilinear"),
        ("step", "0.02"),
        ("mean", "1,-1"),
        ("cov", "2,0.8,0.8,1"),
        ("init", "uniform"),
    ];
    let mut cpu = session(None, "svgd", &keys);
    let mut gpu = session(Some(&device), "svgd", &keys);
    cpu.advance(u64::MAX, 200);
    gpu.advance(u64::MAX, 200);
    gpu.settle();
    assert_eq!((cpu.step(), gpu.step()), (200, 200));
    // The flow contracts towards the target: roundings do not grow.
    assert!(apart(&cpu, &gpu) < 1e-4, "{}", apart(&cpu, &gpu));
}

/// Adam takes a whole step along a weight whose gradient is nothing but rounding, so weights drift apart while a network turns.
/// What they compute stays together, the more so the smaller the steps.
#[test]
fn twenty_steps_of_a_flow_agree() {
    let device = open();
    // Mesa's software renderer cannot do the default's eight time steps.
    let nt = if device.most_rounds().is_some() {
        "2"
    } else {
        "8"
    };
    for (step, tolerance) in [("0.1", 2e-3), ("0.01", 1e-4)] {
        let keys = [("batch", "128"), ("n", "16"), ("step", step), ("nt", nt)];
        let mut cpu = session(None, "ot-flow", &keys);
        let mut gpu = session(Some(&device), "ot-flow", &keys);
        cpu.advance(u64::MAX, 20);
        gpu.advance(u64::MAX, 20);
        gpu.settle();
        // C, after C − H(ρ₀).
        let nll = |run: &mut Session| run.measure_now().values[1].expect("a value");
        let (host, other) = (nll(&mut cpu), nll(&mut gpu));
        println!("nt = {nt}, η = {step}: C {host} and {other}");
        assert!(
            (host - other).abs() < tolerance * host,
            "{host} and {other}"
        );
    }
}

/// Where a device ends loops before their time, a flow that is too long for it is refused.
#[test]
fn what_takes_too_many_rounds_is_refused() {
    let device = open();
    let entry = find("ot-flow").expect("registered");
    let made = Session::on(Some(&device), entry, (entry.fresh)(), Inputs::default());
    match device.most_rounds() {
        None => assert!(made.is_ok()),
        Some(limit) => {
            let message = made.err().expect("too long").to_string();
            assert!(message.contains(&limit.to_string()), "{message}");
        }
    }
}

#[test]
fn steps_ahead_of_what_is_known_are_bounded() {
    let device = open();
    let mut run = session(Some(&device), "ula", &[("n", "64")]);
    // Nothing waits here: every call submits what may be ahead.
    let ahead = (0..1000).map(|_| run.advance(1, 1)).sum::<u32>();
    assert_eq!(run.step(), ahead);
    run.settle();
    assert!(run.is_settled() && run.seen() == ahead);
}

#[test]
fn a_divergence_ends_at_the_step_before_it() {
    let device = open();
    let keys = [("n", "50"), ("step", "2.5")];
    let mut cpu = session(None, "ula", &keys);
    let mut gpu = session(Some(&device), "ula", &keys);
    cpu.advance(u64::MAX, 10_000);
    for _ in 0..10_000 {
        gpu.advance(u64::MAX, 1000);
        gpu.settle();
        if *gpu.status() != Status::Ready {
            break;
        }
    }
    let Status::Diverged(divergence) = cpu.status() else {
        panic!("{:?}", cpu.status())
    };
    assert!(divergence.last_good_step > 100);
    assert_eq!(gpu.status(), cpu.status());
    assert!(gpu.particles().iter().all(|v| v.is_finite()));
    assert_eq!(gpu.seen(), divergence.last_good_step);
}

/// Reads x, writes the factor that brings it towards 1, steps; stops after six.
#[derive(Clone)]
struct Thermostat(u32);

impl Driver for Thermostat {
    fn next(&mut self, step: u32, reads: &Reads) -> Command {
        self.0 += 1;
        match self.0 % 3 {
            _ if step == 6 => Command::Stop("six steps are enough".to_owned()),
            1 => Command::Read(vec!["x"]),
            2 => Command::Write("factor", vec![if reads[0][0] > 1.0 { 0.5 } else { 3.0 }]),
            _ => Command::Run {
                program: 0,
                times: 1,
            },
        }
    }

    fn copy(&self) -> Box<dyn Driver> {
        Box::new(self.clone())
    }
}

#[test]
fn a_driver_decides_on_what_it_read() {
    let entry = find("ula").expect("registered");
    let mut build: Build = (entry.fresh)().build(&Inputs::default()).expect("valid");
    let g = Graph::default();
    g.assign("x", g.input("x", &[1]) * g.input("factor", &[1]));
    build.programs = vec![g.compile("step")];
    build.driver = Box::new(Thermostat(0));
    build.state = vec![("x".to_owned(), vec![1.0])];
    let mut run = DeviceRun::new(&open(), build).expect("fits");
    let reason = loop {
        match run.advance(u64::MAX, 100) {
            Err(reason) => break reason,
            Ok(_) => {
                run.gpu().device().wait();
                assert_eq!(run.land(), Landing::Fine);
            }
        }
    };
    assert_eq!(reason, "six steps are enough");
    run.settle();
    run.gpu().device().wait();
    run.land();
    // 1 · 3 · ½ · ½ · 3 · ½ · ½ by the rule above.
    assert_eq!((run.step(), run.get("x")), (6, Some(&[0.5625][..])));
}

#[test]
fn edits_keep_the_state_on_the_device() {
    let device = open();
    let keys = [("n", "64"), ("target", "banana")];
    let mut cpu = session(None, "svgd", &keys);
    let mut gpu = session(Some(&device), "svgd", &keys);
    for run in [&mut cpu, &mut gpu] {
        run.run_to(10);
        run.set("bandwidth", "0.5").expect("allowed");
        run.set("step", "0.05").expect("allowed");
        run.run_to(20);
        assert_eq!(run.edited_at(), Some(10));
    }
    assert!(apart(&cpu, &gpu) < 1e-4, "{}", apart(&cpu, &gpu));
    gpu.reset().expect("the same parameters");
    assert_eq!((gpu.step(), gpu.backend()), (0, "gpu"));
}

#[test]
fn a_lost_device_leaves_a_snapshot_that_the_cpu_resumes() {
    for id in ["svgd", "mala"] {
        let device = open();
        let keys = [("n", "64"), ("step", "0.05")];
        let mut gpu = session(Some(&device), id, &keys);
        gpu.run_to(20);
        gpu.advance(u64::MAX, 1);
        device.destroy();
        for _ in 0..3 {
            gpu.advance(u64::MAX, 5);
            gpu.measure(u64::MAX);
        }
        assert!(
            matches!(gpu.status(), Status::Lost(_)),
            "{:?}",
            gpu.status()
        );
        let mut rescued = session(None, id, &keys);
        rescued
            .restore(&gpu.snapshot())
            .expect("the same configuration");
        assert!(rescued.step() >= 20);
        assert_eq!(rescued.log().len(), gpu.log().len());
        rescued.run_to(40);
        let mut whole = session(None, id, &keys);
        whole.run_to(40);
        assert!(apart(&rescued, &whole) < 1e-4, "{id}");
    }
}

#[test]
fn what_does_not_fit_names_the_largest_n() {
    let device = open();
    let entry = find("ula").expect("registered");
    let mut system = (entry.fresh)();
    for (key, text) in [("n", "1000000"), ("d", "24")] {
        assert!(matches!(system.set(key, text), Some(Ok(()))));
    }
    // 24 million floats, twice, need more than this adapter's largest buffer, whatever it is; one that
    // takes them is no failure.
    let needed = {
        let build = system.build(&Inputs::default()).expect("valid");
        bytes_needed(&build.parts())
    };
    let made = Session::on(Some(&device), entry, system, Inputs::default());
    if needed <= device.capacity() {
        assert!(made.is_ok());
        return;
    }
    let message = made.err().expect("too large").to_string();
    let n: usize = message
        .rsplit(' ')
        .next()
        .and_then(|n| n.parse().ok())
        .expect("a number at the end");
    assert!((100_000..1_000_000).contains(&n), "{message}");
}

#[test]
fn arrows_come_with_the_state() {
    let device = open();
    let keys = [("n", "32"), ("target", "banana")];
    let mut cpu = session(None, "svgd", &keys);
    let mut gpu = session(Some(&device), "svgd", &keys);
    cpu.run_to(5);
    gpu.run_to(5);
    assert_eq!(gpu.arrows(), None, "they are asked for first");
    gpu.settle();
    let (drift, repulsion) = gpu.arrows().expect("now they are known");
    let expected = cpu.arrows().expect("svgd has arrows");
    for (a, b) in [(&drift, &expected.0), (&repulsion, &expected.1)] {
        let worst = a
            .iter()
            .zip(b)
            .map(|(a, b)| (a - b).abs())
            .fold(0.0, f32::max);
        assert!(worst < 1e-4, "{worst}");
    }
}
