//! A sweep: the same runs at several values of one parameter and for several seeds, each a session of its own on the CPU.
//!
//! An experiment is a list of sessions, one after the other, and no graph. It is worked on in slices, so that a page stays
//! responsive and can stop it at any time; slices never change a result. What a run ends with is one value of one metric.

use super::{Session, Status};
use crate::decimal::{Width, read};
use crate::error::{Problem, Result};
use crate::metrics::Metric;
use crate::order::sort_few;
use crate::params::{Kind, Spec, quote};
use crate::systems::{self, Entry, Inputs, System};

/// Most values of the parameter.
pub const MOST_VALUES: usize = 64;

/// Most seeds.
pub const MOST_SEEDS: u32 = 1000;

/// One of the runs that are compared.
pub struct Subject {
    /// Its system.
    pub entry: &'static Entry,
    /// Its parameters; the swept one and the seed are replaced.
    pub system: Box<dyn System>,
    /// Samples the user brought.
    pub inputs: Inputs,
}

/// What is asked of a sweep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// Key of the swept parameter.
    pub key: String,
    /// Its values as link text.
    pub values: Vec<String>,
    /// Seeds s, s + 1, … from each subject's own s.
    pub seeds: u32,
    /// Steps of every run; else each system's default.
    pub steps: Option<u32>,
    /// The metric at the last step; else the first that every subject has.
    pub metric: Option<String>,
}

/// What the finished runs of one subject at one value say.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// Which subject.
    pub subject: usize,
    /// The value as link text, and as a number.
    pub text: String,
    /// The value as a number.
    pub value: f64,
    /// What each finished run ended with, in order of the seeds; nothing where it diverged or the metric is undefined.
    pub outcomes: Vec<Option<f64>>,
}

impl Point {
    /// Lower quartile, median and upper quartile of the outcomes there are, interpolated linearly; nothing where there are none.
    pub fn quartiles(&self) -> Option<[f64; 3]> {
        let mut known: Vec<f64> = self.outcomes.iter().filter_map(|v| *v).collect();
        sort_few(&mut known, |a, b| a < b);
        let last = known.len().checked_sub(1)?;
        Some([0.25, 0.5, 0.75].map(|q| {
            let at = q * last as f64;
            let (below, part) = (at.floor() as usize, at.fract());
            known[below] + part * (known[(below + 1).min(last)] - known[below])
        }))
    }
}

/// A sweep under way.
pub struct Sweep {
    subjects: Vec<Subject>,
    wish: Wish,
    metric: Metric,
    points: Vec<Point>,
    /// The next run: seeds outermost, so that whole curves come early and become surer.
    next: usize,
    running: Option<Session>,
}

impl Sweep {
    /// Checks every value of every subject before the first step.
    ///
    /// # Errors
    /// No such parameter or metric, a value that is no number or not allowed, too many of them, no runs at all.
    pub fn new(subjects: Vec<Subject>, wish: Wish) -> Result<Self> {
        let (key, count) = (wish.key.as_str(), wish.values.len());
        if count == 0 || count > MOST_VALUES {
            let message = format!("{count} values; allowed are 1 to {MOST_VALUES}");
            return Err(Problem::new(key, message).into());
        }
        if wish.seeds == 0 || wish.seeds > MOST_SEEDS {
            let message = format!("{} seeds; allowed are 1 to {MOST_SEEDS}", wish.seeds);
            return Err(Problem::new("seeds", message).into());
        }
        let mut points = Vec::new();
        let mut shared: Option<Vec<Metric>> = None;
        for (subject, of) in subjects.iter().enumerate() {
            for text in &wish.values {
                let system = of.at(key, text, 0)?;
                let stage = system.build(&of.inputs)?.stage;
                let has = |m: &Metric| stage.metrics.contains(m);
                shared = Some(match shared {
                    None => stage.metrics.clone(),
                    Some(known) => known.into_iter().filter(has).collect(),
                });
                points.push(Point {
                    subject,
                    text: text.clone(),
                    value: number(key, text)?,
                    outcomes: Vec::new(),
                });
            }
        }
        let shared = shared.unwrap_or_default();
        let wanted = |m: &&Metric| wish.metric.as_deref().is_none_or(|id| m.id() == id);
        let Some(&metric) = shared.iter().find(wanted) else {
            let ids: Vec<&str> = shared.iter().map(|m| m.id()).collect();
            let name = wish.metric.as_deref().unwrap_or("");
            let message = format!("{} is not one of {}", quote(name), ids.join(", "));
            return Err(Problem::new("metric", message).into());
        };
        Ok(Self {
            subjects,
            wish,
            metric,
            points,
            next: 0,
            running: None,
        })
    }

    /// Runs done, and runs in all.
    pub fn progress(&self) -> (usize, usize) {
        let total = self.points.len() * self.wish.seeds as usize;
        (self.next.min(total), total)
    }

    /// Works for about `budget` operations; true while work is left.
    ///
    /// # Errors
    /// A run that cannot be built, though its like at the first seed could.
    pub fn advance(&mut self, budget: u64) -> Result<bool> {
        let (done, total) = self.progress();
        if done == total {
            return Ok(false);
        }
        let point = &mut self.points[done % (total / self.wish.seeds as usize)];
        let session = match &mut self.running {
            Some(session) => session,
            None => {
                let subject = &self.subjects[point.subject];
                let seed = (done / (total / self.wish.seeds as usize)) as u32;
                let system = subject.at(&self.wish.key, &point.text, seed)?;
                let inputs = subject.inputs.clone();
                self.running
                    .insert(Session::new(subject.entry, system, inputs)?)
            }
        };
        let steps = self.wish.steps.unwrap_or_else(|| session.default_steps());
        if session.step() < steps && *session.status() == Status::Ready {
            session.advance(budget, steps - session.step());
            return Ok(true);
        }
        let step = session.step();
        let row = session.log().iter().find(|row| row.step == step);
        let outcome = match (session.status(), row) {
            (Status::Diverged(_) | Status::Lost(_), _) => None,
            (_, Some(row)) => {
                let at = session.metrics().iter().position(|m| *m == self.metric);
                let value = at.and_then(|at| row.values[at]);
                value.filter(|v| v.is_finite())
            }
            (_, None) => {
                session.measure_here();
                session.measure(budget);
                return Ok(true);
            }
        };
        point.outcomes.push(outcome);
        self.running = None;
        self.next += 1;
        Ok(self.next < total)
    }

    /// What is known so far: for each subject its values in the order asked for.
    pub fn points(&self) -> &[Point] {
        &self.points
    }

    /// A title a subject: its system, and what tells it apart from the others.
    pub fn titles(&self) -> Vec<String> {
        let titled = |subject: &Subject| {
            let mut title = subject.entry.id.to_owned();
            for spec in subject.system.specs() {
                let value = subject.system.get(spec.key);
                let differs = |other: &Subject| other.system.get(spec.key) != value;
                if spec.key != self.wish.key && self.subjects.iter().any(differs) {
                    title += &format!(" · {} {}", spec.key, spec.default);
                }
            }
            title
        };
        self.subjects.iter().map(titled).collect()
    }

    /// The metric.
    pub fn metric(&self) -> Metric {
        self.metric
    }

    /// Name of the swept parameter, with the field's symbol.
    pub fn label(&self) -> &'static str {
        let specs = self.subjects.first().map(|s| s.system.specs());
        let found = specs.and_then(|specs| specs.into_iter().find(|s| s.key == self.wish.key));
        found.map_or("", |spec| spec.label)
    }

    /// Smallest and largest of the swept values.
    pub fn extent(&self) -> [f64; 2] {
        let values = self.points.iter().map(|p| p.value);
        values.fold([f64::MAX, f64::MIN], |[low, high], v| {
            [low.min(v), high.max(v)]
        })
    }

    /// Whether the swept values are better seen on a logarithmic axis.
    pub fn is_logarithmic(&self) -> bool {
        let [low, high] = self.extent();
        low > 0.0 && high >= 8.0 * low
    }
}

impl Subject {
    /// Its system with the swept parameter at `text`, and its seed moved on by `seed`.
    fn at(&self, key: &str, text: &str, seed: u32) -> Result<Box<dyn System>> {
        let mut system = systems::copy(self.entry, &*self.system);
        match system.set(key, text) {
            Some(Ok(())) => {}
            Some(Err(refusal)) => return Err(refusal.problem.into()),
            None => {
                let message = format!("{} has no such parameter", self.entry.id);
                return Err(Problem::new(key, message).into());
            }
        }
        let own = system.get("seed").and_then(|text| text.parse::<u32>().ok());
        if let Some(own) = own.filter(|_| key != "seed") {
            // Any u32 is a seed.
            let _ = system.set("seed", &own.wrapping_add(seed).to_string());
        }
        Ok(system)
    }
}

fn number(key: &str, text: &str) -> Result<f64> {
    let value = read(text, Width::Double).filter(|v| v.is_finite());
    value.ok_or_else(|| Problem::new(key, format!("{} is not a number", quote(text))).into())
}

/// Whether a sweep over `spec` makes sense: a number with a range, and not the seed, which every value is repeated for.
pub fn can_sweep(spec: &Spec) -> bool {
    matches!(spec.kind, Kind::Integer | Kind::Number)
        && spec.key != "seed"
        && spec.min.is_finite()
        && spec.max.is_finite()
}

/// Values to begin with: seven over two decades around the present one, or seven evenly over the range.
pub fn suggested(spec: &Spec) -> Vec<f64> {
    let now = read(&spec.default, Width::Double).unwrap_or(spec.min);
    let (low, high) = if spec.log {
        (spec.min.max(now / 16.0), spec.max.min(now * 4.0))
    } else {
        (spec.min, spec.max.min(spec.min.max(2.0 * now)))
    };
    let mut values: Vec<f64> = Vec::new();
    for i in 0..7 {
        let part = f64::from(i) / 6.0;
        let value = if spec.log {
            low * (high / low).powf(part)
        } else {
            low + (high - low) * part
        };
        let value = match spec.kind {
            Kind::Integer => value.round(),
            _ => two_digits(value),
        };
        if value >= spec.min && value <= spec.max && !values.contains(&value) {
            values.push(value);
        }
    }
    values
}

/// The number with two significant digits nearest to `value`.
fn two_digits(value: f64) -> f64 {
    if value == 0.0 {
        return 0.0;
    }
    let exponent = value.abs().log10().floor() as i32 - 1;
    // Division by a whole power of ten rounds once.
    if exponent < 0 {
        let power = 10f64.powi(-exponent);
        (value * power).round() / power
    } else {
        let power = 10f64.powi(exponent);
        (value / power).round() * power
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject(id: &str, keys: &[(&str, &str)]) -> Subject {
        let entry = systems::find(id).expect("registered");
        let mut system = (entry.fresh)();
        for (key, text) in keys {
            assert!(matches!(system.set(key, text), Some(Ok(()))), "{key}");
        }
        Subject {
            entry,
            system,
            inputs: Inputs::default(),
        }
    }

    fn wish(key: &str, values: &[&str]) -> Wish {
        Wish {
            key: key.to_owned(),
            values: values.iter().map(|v| (*v).to_owned()).collect(),
            seeds: 3,
            steps: Some(40),
            metric: None,
        }
    }

    fn run(mut sweep: Sweep, budget: u64) -> Vec<Point> {
        while sweep.advance(budget).expect("runs") {}
        sweep.points().to_vec()
    }

    fn pair() -> Vec<Subject> {
        let fixed = [("train", "output"), ("d", "3"), ("seed", "7")];
        vec![
            subject("two-layer", &fixed[1..]),
            subject("two-layer", &fixed),
        ]
    }

    #[test]
    fn it_is_the_list_of_its_sessions_however_it_is_cut() {
        let points = run(
            Sweep::new(pair(), wish("neurons", &["2", "9"])).expect("valid"),
            u64::MAX,
        );
        assert_eq!(points.len(), 4);
        for point in &points {
            for (seed, outcome) in (7..).zip(&point.outcomes) {
                let train = ["both", "output"][point.subject];
                let seed = format!("{seed}");
                let alone = subject(
                    "two-layer",
                    &[
                        ("train", train),
                        ("d", "3"),
                        ("seed", &seed),
                        ("neurons", &point.text),
                    ],
                );
                let mut session =
                    Session::new(alone.entry, alone.system, Inputs::default()).expect("valid");
                session.run_to(40);
                assert_eq!(session.measure_now().values[0], *outcome);
            }
        }
        let sliced = Sweep::new(pair(), wish("neurons", &["2", "9"])).expect("valid");
        assert_eq!(run(sliced, 3000), points);
    }

    #[test]
    fn whole_curves_come_first() {
        let mut sweep = Sweep::new(pair(), wish("neurons", &["2", "3"])).expect("valid");
        assert_eq!(sweep.progress(), (0, 12));
        while sweep.progress().0 < 4 {
            sweep.advance(u64::MAX).expect("runs");
        }
        assert!(sweep.points().iter().all(|p| p.outcomes.len() == 1));
    }

    #[test]
    fn a_run_that_diverges_has_no_outcome_and_the_others_do() {
        let wish = Wish {
            steps: Some(400),
            ..wish("step", &["0.01", "1"])
        };
        let large = subject("balance", &[("scale", "5")]);
        let points = run(Sweep::new(vec![large], wish).expect("valid"), u64::MAX);
        assert!(points[0].outcomes.iter().all(Option::is_some));
        assert!(points[1].outcomes.contains(&None), "{points:?}");
    }

    #[test]
    fn quartiles_are_interpolated() {
        let point = |outcomes: &[Option<f64>]| Point {
            subject: 0,
            text: String::new(),
            value: 0.0,
            outcomes: outcomes.to_vec(),
        };
        let some = point(&[Some(4.0), Some(1.0), None, Some(2.0), Some(3.0)]);
        assert_eq!(some.quartiles(), Some([1.75, 2.5, 3.25]));
        assert_eq!(point(&[Some(5.0)]).quartiles(), Some([5.0; 3]));
        assert_eq!(point(&[None]).quartiles(), None);
    }

    #[test]
    fn what_cannot_be_swept_is_named() {
        let says = |wish: Wish| {
            let sweep = Sweep::new(pair(), wish);
            sweep.err().expect("refused").to_string()
        };
        assert!(says(wish("neurons", &["0"])).contains("out of range"));
        assert!(says(wish("neurons", &["few"])).contains("not a number"));
        assert!(says(wish("activation", &["relu"])).contains("not a number"));
        assert!(says(wish("width", &["3"])).contains("no such parameter"));
        assert!(says(wish("neurons", &[])).contains("1 to 64"));
        let many = Wish {
            seeds: 0,
            ..wish("neurons", &["3"])
        };
        assert!(says(many).contains("seeds"));
        let metric = Wish {
            metric: Some("beauty".to_owned()),
            ..wish("neurons", &["3"])
        };
        let message = says(metric);
        assert!(
            message.contains("beauty") && message.contains("excess_loss"),
            "{message}"
        );
    }

    #[test]
    fn suggestions_are_allowed_for_every_parameter_of_every_system() {
        for entry in systems::REGISTRY {
            let mut system = (entry.fresh)();
            for spec in system.specs().iter().filter(|s| can_sweep(s)) {
                let values = suggested(spec);
                assert!(!values.is_empty(), "{} {}", entry.id, spec.key);
                for value in values {
                    let set = system.set(spec.key, &value.to_string());
                    assert!(
                        matches!(set, Some(Ok(()))),
                        "{} {}={value}",
                        entry.id,
                        spec.key
                    );
                }
            }
        }
    }
}
