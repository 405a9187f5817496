//! Figures of OT-Flow after so many iterations, beside those of a reference run and of closed forms.

use crate::{metric, session, session_on};
use pushforward::exec::gpu::Device;
use pushforward::session::Session;
use std::f64::consts::TAU;

/// What is compared: a metric and its reference.
type Figure = (&'static str, f64);

/// A run and what it should show.
struct Case {
    label: &'static str,
    link: &'static str,
    seeds: u32,
    /// Iterations, and the figures there.
    at: Vec<(u32, Vec<Figure>)>,
    /// Whose figures they are.
    reference: &'static str,
}

/// Weights of L and C in the closed form; R is 0 there.
const WEIGHTS: [f64; 2] = [1.0, 100.0];

/// L and C at the optimum of J = α₀ L + α₁ C for ρ₀ = N(0, diag s²): each coordinate is stretched to a standard deviation σ₁, the
/// positive root of (1 + α)σ₁² − s σ₁ − α = 0 with α = α₁/α₀.
fn gaussian(deviations: &[f64]) -> [f64; 2] {
    let alpha = WEIGHTS[1] / WEIGHTS[0];
    let mut sums = [0.0; 2];
    for s in deviations {
        let end = (s + (s * s + 4.0 * alpha * (1.0 + alpha)).sqrt()) / (2.0 * (1.0 + alpha));
        sums[0] += 0.5 * (end - s) * (end - s);
        sums[1] += 0.5 * TAU.ln() + 0.5 * end * end - (end / s).ln();
    }
    sums
}

fn cases() -> Vec<Case> {
    let [cost, likelihood] = gaussian(&[2.0, 0.5]);
    vec![
        Case {
            label: "eight Gaussians",
            link: "m=ot-flow",
            seeds: 3,
            at: vec![
                (
                    100,
                    vec![("nll", 3.136), ("transport_cost", 1.765), ("hjb", 0.537)],
                ),
                (
                    500,
                    vec![("nll", 2.8704), ("transport_cost", 1.370), ("hjb", 0.248)],
                ),
                (
                    1000,
                    vec![
                        ("nll", 2.8614),
                        ("transport_cost", 1.379),
                        ("hjb", 0.222),
                        ("inverse_err", 2.6e-5),
                    ],
                ),
            ],
            reference: "reference run",
        },
        Case {
            label: "two moons",
            link: "m=ot-flow&source=moons",
            seeds: 3,
            at: vec![(500, vec![("nll", 2.5035)]), (1000, vec![("nll", 2.4969)])],
            reference: "reference run",
        },
        Case {
            label: "N(0, diag(4, ¼))",
            link: "m=ot-flow&source=gaussian&cov=4,0,0,0.25",
            seeds: 1,
            at: vec![(
                1000,
                vec![("nll", likelihood), ("transport_cost", cost), ("hjb", 0.0)],
            )],
            reference: "closed form",
        },
        Case {
            label: "mixture, d = 50",
            link: "m=ot-flow&source=mixture&d=50&hidden=96&nt=4&batch=128&step=0.03&halve=800&resample=1",
            seeds: 1,
            at: vec![
                (300, vec![("entropy_gap", 0.0)]),
                (1000, vec![("entropy_gap", 0.0)]),
                (2000, vec![("entropy_gap", 0.0)]),
            ],
            reference: "the data themselves",
        },
    ]
}

fn trained(link: &str, seed: u32) -> Session {
    let text = format!("v=1&{link}&seed={seed}");
    eprintln!("{text}");
    session(&text)
}

/// Runs a case; a line for each figure.
fn lines(case: &Case) -> Vec<String> {
    let mut found: Vec<Vec<f64>> = Vec::new();
    for seed in 1..=case.seeds {
        let mut session = trained(case.link, seed);
        let mut values = Vec::new();
        for (steps, figures) in &case.at {
            session.advance(u64::MAX, steps - session.step());
            let value = |(id, _): &Figure| metric(&mut session, id).unwrap_or(f64::NAN);
            values.extend(figures.iter().map(value));
        }
        found.push(values);
    }
    let figures = case
        .at
        .iter()
        .flat_map(|(steps, figures)| figures.iter().map(move |f| (steps, f)));
    let line = |(k, (steps, (id, reference))): (usize, (&u32, &Figure))| {
        let values: Vec<String> = found.iter().map(|seed| shown(seed[k])).collect();
        let (label, whose) = (case.label, case.reference);
        let values = values.join(", ");
        format!(
            "| {label} | {steps} | `{id}` | {values} | {} ({whose}) |",
            shown(*reference)
        )
    };
    figures.enumerate().map(line).collect()
}

/// Four digits after the point, or as a power of ten.
fn shown(value: f64) -> String {
    if value != 0.0 && value.abs() < 1e-3 {
        format!("{value:.1e}")
    } else {
        format!("{value:.4}")
    }
}

/// Eight Gaussians once more, on this machine's device.
pub fn print_on_device() {
    let link = "v=1&m=ot-flow&n=64";
    let opened = pollster::block_on(Device::open()).map_err(|error| error.to_string());
    let device = match opened {
        Ok(device) => device,
        Err(reason) => return println!("Not measured: {reason}.\n"),
    };
    let mut session = match session_on(Some(&device), link) {
        Ok(session) => session,
        Err(reason) => return println!("Not measured on {}: {reason}.\n", device.name()),
    };
    println!("| iterations | figure | {} |", device.name());
    println!("|---|---|---|");
    for steps in [100, 500] {
        session.advance(u64::MAX, steps - session.step());
        session.settle();
        for id in ["entropy_gap", "nll", "transport_cost", "hjb", "inverse_err"] {
            let value = metric(&mut session, id).unwrap_or(f64::NAN);
            println!("| {steps} | `{id}` | {} |", shown(value));
        }
    }
    println!();
}

/// Prints the table.
pub fn print() {
    println!("| data | iterations | figure | here, by seed 1, 2, … | reference |");
    println!("|---|---|---|---|---|");
    for case in cases() {
        lines(&case).iter().for_each(|line| println!("{line}"));
    }
    println!();
}
