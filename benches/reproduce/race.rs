//! The race: training to equal likelihood and sampling at equal inverse error, by OT-Flow and by free-form flows.

use crate::{cpu_seconds, metric, session};
use pushforward::exec::Cpu;
use pushforward::rng::{normal_vec, stream};
use pushforward::session::{Session, Status};
use pushforward::systems::{Inputs, Way, copy};

/// Divergence from the data, in nats, at which times are taken.
const LEVELS: [f64; 3] = [0.2, 0.1, 0.05];
/// CPU seconds of training after which a contender has lost.
const PATIENCE: f64 = 120.0;
/// Mean ‖x − F⁻¹(F(x))‖ at which samples are drawn.
const INVERSE_ERROR: f64 = 1e-3;
/// Solver steps that are tried for that.
const STEPS: [usize; 12] = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64];
/// Samples drawn, and samples of one call.
const DRAWN: usize = 10_240;
const ROWS: usize = 1024;

struct Contender {
    label: &'static str,
    link: &'static str,
}

const CONTENDERS: &[Contender] = &[
    Contender {
        label: "OT-Flow",
        link: "m=ot-flow",
    },
    Contender {
        label: "free-form, adaptive, tolerance 10⁻⁵",
        link: "m=cnf&tolerance=0.00001",
    },
    Contender {
        label: "free-form, adaptive, tolerance 10⁻³",
        link: "m=cnf&tolerance=0.001",
    },
    Contender {
        label: "regularised, 8 equal steps",
        link: "m=cnf&method=rk4&kinetic=0.01&jacobian=0.01",
    },
];

/// What training to one level took.
struct Reached {
    seconds: f64,
    steps: u32,
    evaluations: f64,
}

impl Reached {
    fn shown(&self) -> String {
        let Self {
            seconds,
            steps,
            evaluations,
        } = self;
        format!("{seconds:.1} s, {steps} steps, {evaluations:.0}")
    }
}

/// Evaluations of the velocity for a sample in a training step: measured where the solver decides, else four a Runge–Kutta step.
fn evaluations(session: &mut Session) -> f64 {
    let fixed = session
        .system()
        .get("nt")
        .and_then(|nt| nt.parse::<f64>().ok());
    let counted = metric(session, "evaluations");
    counted.or(fixed.map(|nt| 4.0 * nt)).unwrap_or(f64::NAN)
}

/// Trains until the last level is reached or the patience is over; what each level took, and the divergence at the end. The time
/// of metrics does not count.
fn train(session: &mut Session) -> (Vec<Reached>, f64) {
    let mut levels: Vec<Reached> = Vec::new();
    let (mut seconds, mut made, mut gap) = (0.0, 0.0, f64::INFINITY);
    while levels.len() < LEVELS.len() && seconds < PATIENCE && *session.status() == Status::Ready {
        let steps = (session.step() / 20).clamp(5, 25);
        let start = cpu_seconds();
        let done = session.advance(u64::MAX, steps);
        seconds += cpu_seconds() - start;
        made += evaluations(session) * f64::from(done);
        gap = metric(session, "entropy_gap").unwrap_or(f64::NAN);
        while levels.len() < LEVELS.len() && gap <= LEVELS[levels.len()] {
            levels.push(Reached {
                seconds,
                steps: session.step(),
                evaluations: made,
            });
        }
    }
    (levels, gap)
}

/// The parameters of a trained flow.
fn parameters(session: &Session) -> Vec<f32> {
    let buffers = session.cloud().buffers;
    let theta = buffers.into_iter().find(|(name, _)| name == "theta");
    theta.map(|(_, data)| data).unwrap_or_default()
}

/// How samples are drawn.
struct Drawn {
    steps: usize,
    error: f64,
    seconds: f64,
}

/// Draws samples by `steps` equal Runge–Kutta steps from the same parameters.
fn draw(session: &Session, theta: &[f32], steps: usize) -> Drawn {
    let mut system = copy(session.entry(), session.system());
    assert_eq!(system.set("nt", &steps.to_string()), Some(Ok(())));
    // Whatever solver it was trained with.
    let _ = system.set("method", "rk4");
    let stage = system.build(&Inputs::default()).expect("as before").stage;
    let map = stage.map.expect("a flow is a map");
    let mut cpu = Cpu::<f32>::default();
    let [there, back] = [Way::There, Way::Back].map(|way| cpu.load(&(map.program)(ROWS, way)));
    cpu.set("theta", theta);
    let mut carry = |program: usize, points: &[f32]| {
        cpu.set("points", points);
        cpu.run(program);
        cpu.get("mapped").unwrap_or_default().to_vec()
    };
    let target = stage.target.expect("a density");
    let sample = target.sample.as_ref().expect("exact samples");
    let data = sample(0..ROWS, 77);
    let landed = carry(there, &data);
    let returned = carry(back, &landed);
    let pairs = returned.chunks_exact(2).zip(data.chunks_exact(2));
    let apart = pairs.map(|(a, b)| f64::from((a[0] - b[0]).hypot(a[1] - b[1])));
    let error = apart.sum::<f64>() / ROWS as f64;
    let start = cpu_seconds();
    for k in 0..DRAWN / ROWS {
        carry(back, &normal_vec(1, stream::FLOOR, k as u32, 2 * ROWS));
    }
    Drawn {
        steps,
        error,
        seconds: cpu_seconds() - start,
    }
}

fn row(source: &str, contender: &Contender) -> String {
    let text = format!("v=1&{}&source={source}", contender.link);
    eprintln!("{text}");
    let mut session = session(&text);
    let (levels, gap) = train(&mut session);
    let theta = parameters(&session);
    let mut cells = vec![contender.label.to_owned(), theta.len().to_string()];
    cells.extend(levels.iter().map(Reached::shown));
    cells.resize(2 + LEVELS.len(), format!("not reached ({gap:.3})"));
    let drawn = STEPS.map(|steps| draw(&session, &theta, steps));
    let found = drawn.iter().find(|drawn| drawn.error <= INVERSE_ERROR);
    cells.push(found.map_or_else(
        || "needs more than 64 steps".to_owned(),
        |d| {
            format!(
                "{:.1} ms, {} steps, {:.0e}",
                d.seconds * 1e3,
                d.steps,
                d.error
            )
        },
    ));
    let row = format!("| {} |", cells.join(" | "));
    eprintln!("{row}");
    row
}

/// The race on eight Gaussians.
pub fn eight_gaussians() {
    print("8gaussians");
}

/// The race on two moons.
pub fn moons() {
    print("moons");
}

fn print(source: &str) {
    let levels = LEVELS.map(|level| format!("C − H ≤ {level}"));
    println!(
        "Each level: CPU time of training without metrics, steps, evaluations of the velocity a sample. Samples: {DRAWN} of them with\n\
         the fewest Runge–Kutta steps whose mean inverse error is at most {INVERSE_ERROR}: CPU time, steps, that error.\n"
    );
    println!("| flow | parameters | {} | samples |", levels.join(" | "));
    println!("|---|---|---|---|---|---|");
    for contender in CONTENDERS {
        println!("{}", row(source, contender));
    }
    println!();
}
