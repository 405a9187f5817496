//! Edits: parameters, seeds, points placed, drawn or read from a file. Each is taken by all the panes it concerns, or by
//! none, and the link follows.

use super::{Pane, Playground};
use crate::data::{Scaling, Survey, Table};
use crate::decimal::{Width, fixed, read};
use crate::error::{Error, Problem};
use crate::json::json;
use crate::link::{self, Drawn};
use crate::params::Class;
use crate::scene::Frame;
use crate::session::{Session, Status, Weights};
use crate::systems::{self, FILE, Own, System};
use serde::Serialize;

/// What an edit did.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Edited {
    /// Whether it was taken.
    pub ok: bool,
    /// What it did to the run; `None` for the link's own keys.
    pub class: Option<Class>,
    /// Why not.
    pub problems: Vec<Problem>,
    /// Whether the run started again from step 0.
    pub restarted: bool,
}

/// What became of a file.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Loaded {
    /// Whether it is in use.
    pub ok: bool,
    /// Why not.
    pub problems: Vec<Problem>,
    /// Rows read.
    pub rows: usize,
    /// Columns read.
    pub columns: usize,
    /// What they are now.
    pub message: String,
}

/// A file's columns, and how many of them the run takes; or any number, where they set the dimension.
#[derive(Serialize)]
struct Surveyed {
    survey: Survey,
    wanted: usize,
    any: bool,
}

impl Edited {
    fn refused(problem: Problem) -> Self {
        Self {
            problems: vec![problem],
            ..Self::default()
        }
    }

    fn taken(class: Option<Class>) -> Self {
        Self {
            ok: true,
            class,
            problems: Vec::new(),
            restarted: class == Some(Class::Restart),
        }
    }
}

/// Keys and values to set together.
type Changes<'a> = [(&'a str, String)];

pub(super) fn problem_of(error: Error) -> Problem {
    match error {
        Error::TooLarge(message) => Problem::new("n", message),
        Error::Problem(problem) => problem,
        other => Problem::new("run", other.to_string()),
    }
}

/// A new session like `pane`'s, with changes; keys that its system lacks are skipped.
fn changed(pane: &Pane, changes: &Changes, table: Option<&Table>) -> Result<Session, Problem> {
    let entry = pane.session.entry();
    let mut system = systems::copy(entry, pane.session.system());
    for (key, value) in changes {
        if let Some(Err(refusal)) = system.set(key, value) {
            return Err(refusal.problem);
        }
    }
    if let Some(table) = table.filter(|_| entry.own.is_used(&*system)) {
        entry.own.fit(&mut *system, table)?;
    }
    let sibling = pane.session.sibling(system, entry.own.inputs(table));
    sibling.map_err(problem_of)
}

impl Playground {
    /// Edits one parameter of pane `pane`, or of all panes that have it. `k`, `view` and `speed` go to the link.
    pub fn set(&mut self, pane: Option<usize>, key: &str, value: &str) -> Edited {
        if let Some(edited) = self.set_whole(key, value) {
            return edited;
        }
        let concerned: Vec<usize> = match pane {
            Some(i) => (i..self.panes.len().min(i + 1)).collect(),
            None => (0..self.panes.len()).collect(),
        };
        let has = |i: &usize| self.panes[*i].session.system().get(key).is_some();
        let concerned: Vec<usize> = concerned.into_iter().filter(has).collect();
        if concerned.is_empty() {
            return Edited::refused(Problem::new(key, "no such parameter here"));
        }
        // The value must suit every pane before any takes it.
        for i in &concerned {
            let session = &self.panes[*i].session;
            let mut trial = systems::copy(session.entry(), session.system());
            if let Some(Err(refusal)) = trial.set(key, value) {
                return Edited::refused(refusal.problem);
            }
        }
        let (mut class, mut any) = (Class::Live, false);
        for i in &concerned {
            let own = &mut self.panes[*i];
            let before = own.session.system().get(key);
            match own.session.set(key, value) {
                Ok(Class::Restart) => class = Class::Restart,
                Ok(Class::Rebuild) if class == Class::Live => class = Class::Rebuild,
                Ok(_) => {}
                Err(error) => {
                    self.settle(class);
                    return Edited::refused(problem_of(error));
                }
            }
            if own.session.system().get(key) != before {
                any = true;
                self.link.panes[*i].digest = None;
                own.moved();
            }
        }
        if !any {
            return Edited {
                restarted: false,
                ..Edited::taken(Some(class))
            };
        }
        self.settle(class);
        Edited::taken(Some(class))
    }

    /// After an edit: panes stay in lockstep, so those that a restart did not concern start again as well; the link follows.
    fn settle(&mut self, class: Class) {
        if class == Class::Restart {
            self.reset();
        }
        for (own, pane) in self.link.panes.iter_mut().zip(&self.panes) {
            own.system = systems::copy(own.entry, pane.session.system());
        }
    }

    /// The link's own keys; `None` for every other key.
    fn set_whole(&mut self, key: &str, value: &str) -> Option<Edited> {
        let refuse = |allowed: &str| {
            Some(Edited::refused(Problem::new(
                key,
                format!("allowed are {allowed}"),
            )))
        };
        match key {
            "k" => match value.parse() {
                _ if value.is_empty() => self.link.k = None,
                Ok(k) => self.link.k = Some(k),
                Err(_) => return refuse("whole numbers, or nothing"),
            },
            "speed" => match read(value, Width::Single).map(|speed| speed as f32) {
                _ if value.is_empty() || value == "max" => self.link.speed = None,
                Some(speed) if (1e-3..=1e6).contains(&speed) => self.link.speed = Some(speed),
                _ => return refuse("0.001 to 1e6 steps a second, or max"),
            },
            "view" => match Frame::parse(value) {
                _ if value.is_empty() => self.link.view = None,
                Some(frame) => self.link.view = Some(frame.0),
                None => return refuse("four numbers x0,y0,x1,y1 with x0 < x1 and y0 < y1"),
            },
            _ => return None,
        }
        if key == "view" {
            self.view = self.link.view.map(Frame::new);
        }
        Some(Edited::taken(None))
    }

    /// Back to step 0 with the same parameters: the same initial state in every pane.
    pub fn reset(&mut self) {
        for pane in &mut self.panes {
            let fresh = pane.session.step() == 0 && *pane.session.status() == Status::Ready;
            // The same parameters built this session before, so they do again.
            if !fresh && pane.session.reset().is_err() {
                continue;
            }
            pane.trails.clear();
            pane.moved();
        }
        self.restarted();
    }

    /// Starts again from another seed.
    pub fn reseed(&mut self, seed: u32) -> Edited {
        self.set(None, "seed", &seed.to_string())
    }

    /// Starts every pane again with `changes` and these own points; all panes, or none.
    fn restart(
        &mut self,
        changes: &dyn Fn(&Pane) -> Vec<(&'static str, String)>,
        table: Option<&Table>,
    ) -> Edited {
        let sessions: Result<Vec<Session>, Problem> = self
            .panes
            .iter()
            .map(|pane| changed(pane, &changes(pane), table))
            .collect();
        match sessions {
            Err(problem) => Edited::refused(problem),
            Ok(sessions) => {
                for (pane, session) in self.panes.iter_mut().zip(sessions) {
                    pane.replace(session);
                }
                for pane in &mut self.link.panes {
                    pane.digest = None;
                }
                self.settle(Class::Restart);
                Edited::taken(Some(Class::Restart))
            }
        }
    }

    /// Puts the initial cloud of every pane at `from`, as wide as the drag to `to` is long (CSS pixels); a click keeps the
    /// width. Initial particles of the user's own give way to a normal cloud.
    pub fn place(&mut self, from: [f32; 2], to: [f32; 2]) -> Edited {
        let has_cloud = |pane: &Pane| pane.session.system().get("init_mean").is_some();
        if !self.panes.iter().any(has_cloud) {
            let id = self.panes[0].session.entry().id;
            let message = format!("{id} has no initial cloud to put somewhere");
            return Edited::refused(Problem::new("init_mean", message));
        }
        let Some(at) = self.pane_at(from) else {
            return Edited::refused(Problem::new("init_mean", "not inside a pane"));
        };
        let view = self.view(at);
        let centre = view.to_world(from);
        let length = (to[0] - from[0]).hypot(to[1] - from[1]);
        // A trembling hand is not a drag.
        let width = (length > 4.0).then(|| length / view.scale);
        let table = self.own_table();
        let edited = self.restart(
            &|pane| {
                let mut changes = Vec::new();
                let system = pane.session.system();
                let stage = pane.session.stage();
                let mut mean = numbers(system, "init_mean", stage.d);
                for (axis, value) in stage.axes.iter().zip(centre) {
                    mean[*axis] = if stage.d == 1 { centre[0] } else { value };
                }
                let digits = rounding(view.scale);
                let cells: Vec<String> = mean.iter().map(|v| rounded(*v, digits)).collect();
                changes.push(("init_mean", cells.join(",")));
                if let Some(width) = width {
                    changes.push(("init_scale", rounded(width, digits)));
                }
                if let Own::Particles(key) = pane.session.entry().own
                    && system.get(key).as_deref() == Some(FILE)
                {
                    changes.push((key, "normal".to_owned()));
                }
                changes
            },
            table.as_ref(),
        );
        let is_used = |pane: &Pane| pane.session.entry().own.is_used(pane.session.system());
        if edited.ok && !self.panes.iter().any(is_used) {
            self.file = None;
            self.link.data = None;
        }
        edited
    }

    /// The user's own points, from a file or from the link.
    fn own_table(&self) -> Option<Table> {
        let drawn = || self.link.data.as_ref().map(Drawn::to_table);
        self.file.clone().or_else(drawn)
    }

    /// Gives `table` to every pane that takes own points; there must be one.
    fn give(&mut self, table: &Table) -> Edited {
        let key = |pane: &Pane| pane.session.entry().own.key();
        if !self.panes.iter().any(|pane| key(pane).is_some()) {
            let id = self.panes[0].session.entry().id;
            let message = format!(
                "{id} takes no points: neither initial particles nor samples to learn from"
            );
            return Edited::refused(Problem::new("data", message));
        }
        let changes = |pane: &Pane| Vec::from_iter(key(pane).map(|key| (key, FILE.to_owned())));
        self.restart(&changes, Some(table))
    }

    /// Takes points drawn on the stage (x, y, x, y, … in CSS pixels) as the user's own, in every pane. Coordinates
    /// not shown stay at the cloud's centre. They travel in the link.
    pub fn draw(&mut self, points: &[f32]) -> Edited {
        let first = points.first_chunk().copied().unwrap_or([f32::NAN; 2]);
        let Some(at) = self.pane_at(first) else {
            return Edited::refused(Problem::new("data", "draw inside a pane"));
        };
        let view = self.view(at);
        let stage = self.panes[at].session.stage();
        let (d, axes) = (stage.d, stage.axes);
        let most = link::MAX_POINTS.min(link::MAX_CELLS / d);
        let all = points.as_chunks::<2>().0;
        let mut values = Vec::new();
        for point in all.iter().step_by(all.len().div_ceil(most.max(1)).max(1)) {
            let mut row = numbers(self.panes[at].session.system(), "init_mean", d);
            let [x, y] = view.to_world(*point);
            row[axes[1]] = y;
            row[axes[0]] = x;
            values.extend(row);
        }
        let table = Table {
            names: Vec::new(),
            columns: d,
            values,
        };
        match Drawn::new(&table) {
            Err(message) => Edited::refused(Problem::new("data", message)),
            // What the link carries is what runs.
            Ok(drawn) => {
                let edited = self.give(&drawn.to_table());
                if edited.ok {
                    self.file = None;
                    self.link.data = Some(drawn);
                }
                edited
            }
        }
    }

    /// Uses a table from a file as the user's own points, in every pane: what they are there stands in
    /// [`systems::Entry::own`].
    pub fn load(&mut self, table: Table) -> Edited {
        let edited = self.give(&table);
        if edited.ok {
            self.link.data = None;
            self.file = Some(table);
        }
        edited
    }

    /// Reads a CSV file of the user's own points. A file that cannot be used changes nothing.
    pub fn load_csv(&mut self, name: &str, text: &str) -> Loaded {
        self.take(name, Table::parse_csv(name, text))
    }

    /// As [`Self::load_csv`], from the columns that `columns` lists (numbers from 0, separated by commas), brought to a scale.
    pub fn load_columns(&mut self, name: &str, text: &str, columns: &str, scaling: &str) -> Loaded {
        let chosen: Option<Vec<usize>> = columns.split(',').map(|c| c.parse().ok()).collect();
        let (Some(chosen), Some(scaling)) = (chosen, Scaling::parse(scaling)) else {
            return Loaded {
                problems: vec![Problem::new(name, "choose columns and a scale")],
                ..Loaded::default()
            };
        };
        let table = Table::parse_columns(name, text, &chosen);
        self.take(name, table.map(|table| table.scaled(scaling)))
    }

    /// Puts weights of the file `name` in place of those of a pane: one buffer of its learned map.
    pub fn load_weights(
        &mut self,
        name: &str,
        pane: usize,
        buffer: &str,
        values: &[f32],
    ) -> Loaded {
        let refused = |problem: Problem| Loaded {
            problems: vec![problem],
            ..Loaded::default()
        };
        let Some(pane) = self.panes.get_mut(pane) else {
            let message = format!("has weights of {} panes, shown is fewer", pane + 1);
            return refused(Problem::new(name, message));
        };
        let weights = Weights(vec![(buffer.to_owned(), values.to_vec())]);
        match pane.session.set_weights(&weights) {
            Err(error) => refused(Problem::new(name, error.to_string())),
            Ok(()) => Loaded {
                ok: true,
                message: format!("{} trained weights are in use", values.len()),
                ..Loaded::default()
            },
        }
    }

    /// JSON of a file's columns, or of the problem with it.
    pub fn survey(&self, name: &str, text: &str) -> String {
        match Table::survey(name, text) {
            Ok(survey) => {
                let entry = self.panes[0].session.entry();
                json(&Surveyed {
                    survey,
                    wanted: self.panes[0].session.stage().d,
                    any: matches!(entry.own, Own::Source(_)),
                })
            }
            Err(error) => json(&Loaded {
                problems: vec![Problem::new(name, error.to_string())],
                ..Loaded::default()
            }),
        }
    }

    fn take(&mut self, name: &str, table: crate::error::Result<Table>) -> Loaded {
        match table {
            Err(error) => {
                let problem = Problem::new(name, error.to_string());
                Loaded {
                    problems: vec![problem],
                    ..Loaded::default()
                }
            }
            Ok(table) => {
                let (rows, columns) = (table.rows(), table.columns);
                let mut owns = self.panes.iter().map(|p| p.session.entry().own);
                let own = owns.find(|own| *own != Own::None);
                let message = own.map_or(String::new(), |own| own.taken(&table));
                let Edited { ok, problems, .. } = self.load(table);
                Loaded {
                    ok,
                    problems,
                    rows,
                    columns,
                    message,
                }
            }
        }
    }
}

/// A list parameter of a system, padded with zeros to `d` entries.
fn numbers(system: &dyn System, key: &str, d: usize) -> Vec<f32> {
    let text = system.get(key).unwrap_or_default();
    let mut list: Vec<f32> = text
        .split(',')
        .filter_map(|cell| read(cell, Width::Single))
        .map(|value| value as f32)
        .collect();
    list.resize(d, 0.0);
    list
}

/// Decimals that tell pixels apart.
fn rounding(scale: f32) -> usize {
    scale.log10().ceil().clamp(0.0, 6.0) as usize
}

fn rounded(value: f32, digits: usize) -> String {
    let text = fixed(value.into(), digits);
    let text = if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.')
    } else {
        &text
    };
    if text == "-0" {
        "0".to_owned()
    } else {
        text.to_owned()
    }
}
