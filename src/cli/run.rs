//! `run`: a link to its last step, with the files that a user brings.

use super::folder::Folder;
use super::report::{Promise, Report, write_files};
use super::{BadLink, print};
use crate::data::Table;
use crate::error::{Error, Problem};
use crate::exec::gpu::Device;
use crate::link::{self, Pane};
use crate::session::{Session, Status, Weights};
use crate::systems::{Entry, FILE, Way, Words};
use anyhow::{Context, Result};
use indicatif::{ProgressBar, ProgressStyle};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Options of `run`.
#[derive(clap::Args)]
pub struct Options {
    /// A whole address, `#…`, or the bare string `v=1&m=ID&key=value…`
    link: String,
    /// Which scene of a lecture, from 1
    #[arg(long, value_name = "I")]
    scene: Option<usize>,
    /// Steps to do; else the link's k, else the system's default
    #[arg(long, value_name = "K")]
    steps: Option<u32>,
    /// What computes; `gpu` never falls back to the CPU
    #[arg(long, value_enum, default_value_t = Backend::Auto)]
    backend: Backend,
    /// Initial particles, one row each; sets n
    #[arg(long, value_name = "FILE.csv")]
    init: Option<PathBuf>,
    /// Samples of the source distribution, one row each, to learn from; sets d
    #[arg(long, value_name = "FILE.csv")]
    source: Option<PathBuf>,
    /// Samples of the target distribution
    #[arg(long, value_name = "FILE.csv")]
    target: Option<PathBuf>,
    /// Points to push through the learned map
    #[arg(long, value_name = "FILE.csv")]
    apply: Option<PathBuf>,
    /// Push the points of --apply back instead
    #[arg(long, requires = "apply")]
    inverse: bool,
    /// Weights to start from: a weights.json, or what the page saves as JSON
    #[arg(long, value_name = "FILE.json")]
    weights: Option<PathBuf>,
    /// Write particles.csv, metrics.csv, run.json and, where a map is learned, weights.json to this folder (several panes: pane0, pane1, …)
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Print one JSON object a pane
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Backend {
    Auto,
    Cpu,
    Gpu,
}

impl Backend {
    /// The device to run on; none is the CPU. A software adapter counts only when a device is asked for by name.
    fn device(self) -> Result<Option<Device>, Error> {
        if self == Self::Cpu {
            return Ok(None);
        }
        match (pollster::block_on(Device::open()), self) {
            (Ok(device), Self::Gpu) => Ok(Some(device)),
            (Err(error), Self::Gpu) => Err(Error::NoDevice(error.to_string())),
            (found, _) => Ok(found.ok().filter(|device| !device.is_software())),
        }
    }
}

/// Operations to begin with between two looks at the progress bar.
const BUDGET: u64 = 500_000_000;
/// Seconds between two looks that are too short, and too long.
const LOOKS: (f64, f64) = (0.05, 0.2);

/// The link to run; of a lecture, the scene that was asked for.
fn scene(options: &Options) -> Result<String> {
    let mut scenes = link::scenes(&options.link);
    let allowed = scenes.len();
    match options.scene {
        None if allowed == 1 => Ok(options.link.clone()),
        Some(i) if (1..=allowed).contains(&i) => Ok(scenes.swap_remove(i - 1)),
        _ => {
            let message = format!("{allowed} scenes; choose one with --scene 1 to {allowed}");
            Err(BadLink(vec![Problem::new("link", message)]).into())
        }
    }
}

/// Runs every pane, one after the other. All inputs are checked before the first step.
pub fn run(options: &Options) -> Result<()> {
    let (mut link, problems) = link::parse(&scene(options)?);
    if !problems.is_empty() {
        return Err(BadLink(problems).into());
    }
    let device = options.backend.device()?;
    let device = device.as_ref();
    let files = Files::read(options)?;
    let drawn = link.data.as_ref().map(|points| points.to_table());
    let points = match &options.apply {
        Some(file) if options.out.is_none() => {
            let message = "needs --out DIR, where mapped.csv is written";
            return Err(Problem::new("--apply", message))
                .with_context(|| file.display().to_string());
        }
        Some(file) => Some((file, read_table(file)?)),
        None => None,
    };
    let mut sessions = Vec::new();
    for pane in &mut link.panes {
        refuse_target(options, pane.entry)?;
        let mut session = match files.of(pane.entry)? {
            Some((file, table)) => {
                start_from(device, pane, table).with_context(|| file.display().to_string())?
            }
            None => {
                let inputs = pane.entry.own.inputs(drawn.as_ref());
                Session::on(device, pane.entry, pane.system(), inputs)?
            }
        };
        if let Some(file) = &options.weights {
            read_weights(file, sessions.len())
                .and_then(|weights| session.set_weights(&weights))
                .with_context(|| file.display().to_string())?;
        }
        if let Some((file, points)) = &points {
            check_points(&session, points)
                .with_context(|| format!("--apply {}", file.display()))?;
        }
        sessions.push(session);
    }
    if let Some(folder) = &options.out {
        Folder::check(folder)?;
    }

    let canonical = link.write();
    let mut reports = Vec::new();
    for (session, pane) in sessions.iter_mut().zip(&link.panes) {
        let goal = options
            .steps
            .or(link.k)
            .unwrap_or_else(|| session.default_steps());
        let seconds = advance(
            session,
            goal,
            if options.out.is_some() {
                Probes::All
            } else {
                Probes::Last
            },
        );
        let promise = Promise {
            digest: pane.digest.as_deref(),
            k: link.k,
        };
        let report = Report::new(session, seconds, promise);
        print(&if options.json {
            report.json()?
        } else {
            report.text()
        })?;
        reports.push(report);
    }
    if let Some(out) = &options.out {
        let folder = Folder::stage(out)?;
        for (i, (session, report)) in sessions.iter().zip(&reports).enumerate() {
            let prefix = if sessions.len() > 1 {
                format!("pane{i}/")
            } else {
                String::new()
            };
            write_files(&folder, &prefix, &canonical, session, report)?;
            if let Some((_, points)) = &points {
                let way = if options.inverse {
                    Way::Back
                } else {
                    Way::There
                };
                let values = session.apply(&points.values, way).unwrap_or_default();
                let mapped = Table {
                    names: Vec::new(),
                    columns: points.columns,
                    values,
                };
                folder.write(&format!("{prefix}mapped.csv"), &mapped.to_csv())?;
            }
        }
        folder.commit()?;
    }
    for session in &sessions {
        match session.status() {
            Status::Diverged(divergence) => return Err(Error::Diverged(divergence.clone()).into()),
            Status::Lost(reason) => return Err(Error::NoDevice(reason.clone()).into()),
            Status::Ready | Status::Done(_) => {}
        }
    }
    Ok(())
}

/// Which steps are measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Probes {
    /// Every probe step, for `metrics.csv`.
    All,
    /// The last step only: metrics may cost more than the steps.
    Last,
}

/// Runs to step `goal` or until the run ends; returns the seconds that the steps took.
fn advance(session: &mut Session, goal: u32, probes: Probes) -> f64 {
    // Drawn on standard error, and only where that is a terminal.
    let bar = ProgressBar::new(u64::from(goal))
        .with_style(style())
        .with_message(session.entry().id);
    let (mut seconds, mut budget) = (0.0, BUDGET);
    loop {
        if probes == Probes::All {
            while session.measure(u64::MAX) {}
        }
        if session.step() >= goal || *session.status() != Status::Ready {
            break;
        }
        let most = if probes == Probes::All {
            1
        } else {
            goal - session.step()
        };
        let start = Instant::now();
        session.advance(budget, most);
        // A device is given its work, then waited for.
        session.settle();
        let spent = start.elapsed().as_secs_f64();
        seconds += spent;
        if spent < LOOKS.0 {
            budget = budget.saturating_mul(2);
        } else if spent > LOOKS.1 {
            budget = (budget / 2).max(BUDGET);
        }
        bar.set_position(u64::from(session.step()));
    }
    bar.finish_and_clear();
    seconds
}

fn style() -> ProgressStyle {
    let template = "{msg} {wide_bar} {pos}/{len} steps, {per_sec}, {eta} left";
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

fn read_table(path: &Path) -> Result<Table, Error> {
    let file = path.display().to_string();
    let bytes = fs::read(path).map_err(|error| Error::File {
        file: file.clone(),
        message: error.to_string(),
    })?;
    Table::read_csv(&file, &bytes)
}

/// The weights of one pane: those of a `weights.json`, or of the page's JSON, where each pane has its own.
fn read_weights(path: &Path, pane: usize) -> Result<Weights, Error> {
    let refuse = |message: String| Error::from(Problem::new("--weights", message));
    let text = fs::read_to_string(path).map_err(|error| refuse(error.to_string()))?;
    let value: serde_json::Value =
        serde_json::from_str(&text).map_err(|error| refuse(format!("no JSON: {error}")))?;
    let own = value
        .get("weights")
        .or_else(|| value.pointer(&format!("/panes/{pane}/weights")));
    let object = own.and_then(serde_json::Value::as_object);
    let object = object.ok_or_else(|| {
        refuse(
            "has no weights; allowed is a weights.json of --out, or the JSON that the page saves"
                .to_owned(),
        )
    })?;
    let buffer = |(name, values): (&String, &serde_json::Value)| {
        let numbers = values.as_array().and_then(|values| {
            let number = |v: &serde_json::Value| v.as_f64().map(|v| v as f32);
            values.iter().map(number).collect::<Option<Vec<f32>>>()
        });
        let numbers =
            numbers.ok_or_else(|| refuse(format!("{name} has to be a list of numbers")))?;
        Ok((name.clone(), numbers))
    };
    object
        .iter()
        .map(buffer)
        .collect::<Result<_, Error>>()
        .map(Weights)
}

/// Files of own points by the option that named them.
struct Files<'a>(Vec<(&'static str, &'a Path, Table)>);

impl<'a> Files<'a> {
    fn read(options: &'a Options) -> Result<Self, Error> {
        let given = [("--init", &options.init), ("--source", &options.source)];
        let read = given.into_iter().filter_map(|(flag, file)| {
            let file = file.as_deref()?;
            Some(read_table(file).map(|table| (flag, file, table)))
        });
        read.collect::<Result<_, _>>().map(Self)
    }

    /// The file that a system takes.
    ///
    /// # Errors
    /// A file in a role that is not its own.
    fn of(&self, entry: &Entry) -> Result<Option<(&Path, &Table)>, Problem> {
        let (id, words) = (entry.id, entry.own.words());
        let allowed = words.map(|words| words.flag);
        if let Some((flag, ..)) = self.0.iter().find(|(flag, ..)| Some(*flag) != allowed) {
            let message = match words {
                Some(Words { role, flag, .. }) => {
                    format!("not for {id}, whose own points are {role}; allowed is {flag}")
                }
                None => format!(
                    "not for {id}, which takes neither initial particles nor samples to learn from"
                ),
            };
            return Err(Problem::new(*flag, message));
        }
        let file = self.0.first();
        Ok(file.map(|(_, file, table)| (*file, table)))
    }
}

/// A session that takes `table` as the user's own points.
fn start_from(device: Option<&Device>, pane: &mut Pane, table: &Table) -> Result<Session, Error> {
    let own = pane.entry.own;
    if let Some((key, value)) = own.decides(&*pane.system, table) {
        let given = pane.system.get(key).unwrap_or_default();
        if pane.is_explicit(key) && given != value {
            let message = format!(
                "the link says {given}, the file counts {value}; allowed is {key}={value}, or none"
            );
            return Err(Problem::new(key, message).into());
        }
    }
    if let Some(Err(refusal)) = own.key().and_then(|key| pane.system.set(key, FILE)) {
        return Err(refusal.problem.into());
    }
    own.fit(&mut *pane.system, table)?;
    Session::on(device, pane.entry, pane.system(), own.inputs(Some(table)))
}

/// Refuses samples of a target: no system learns from them.
fn refuse_target(options: &Options, entry: &Entry) -> Result<(), Problem> {
    if options.target.is_none() {
        return Ok(());
    }
    let message = match entry.own.words() {
        Some(words) => format!(
            "{} learns no map to samples; it takes {} only",
            entry.id, words.flag
        ),
        None => format!("{} learns no map to samples; it takes no files", entry.id),
    };
    Err(Problem::new("--target", message))
}

/// Refuses points that a session's map does not take.
fn check_points(session: &Session, points: &Table) -> Result<(), Problem> {
    let (id, d) = (session.entry().id, session.stage().d);
    if session.stage().map.is_none() {
        let message = format!("{id} learns no map that points could be pushed through");
        return Err(Problem::new("--apply", message));
    }
    if points.columns != d {
        let message = format!(
            "the points have {} columns; the map of this run takes {d}",
            points.columns
        );
        return Err(Problem::new("--apply", message));
    }
    Ok(())
}
