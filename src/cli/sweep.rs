//! `sweep`: a link's runs at several values of one parameter, a line a value and pane.

use super::{BadLink, print};
use crate::error::Problem;
use crate::link;
use crate::manifest::Named;
use crate::session::sweep::{Point, Subject, Sweep, Wish};
use anyhow::Result;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;

/// Options of `sweep`.
#[derive(clap::Args)]
pub struct Options {
    /// A whole address, `#…`, or the bare string `v=1&m=ID&key=value…`; its panes are compared
    link: String,
    /// The parameter and its values
    #[arg(long, value_name = "KEY=V,V,…")]
    over: String,
    /// Seeds of each value, counted from the link's own
    #[arg(long, default_value_t = 5, value_name = "N")]
    seeds: u32,
    /// Steps of each run; else the link's k, else the system's default
    #[arg(long, value_name = "K")]
    steps: Option<u32>,
    /// The metric after the last step; else the first that all panes have
    #[arg(long, value_name = "ID")]
    metric: Option<String>,
    /// Print one JSON object a line
    #[arg(long)]
    json: bool,
}

/// Operations between two looks at the progress bar.
const BUDGET: u64 = 500_000_000;

/// Runs every pane at every value for every seed, on the CPU.
pub fn sweep(options: &Options) -> Result<()> {
    let (link, problems) = link::parse(&options.link);
    if !problems.is_empty() {
        return Err(BadLink(problems).into());
    }
    let Some((key, values)) = options.over.split_once('=') else {
        let message = "a key, `=`, and values with commas between them are needed";
        return Err(BadLink(vec![Problem::new("--over", message)]).into());
    };
    let drawn = link.data.as_ref().map(|points| points.to_table());
    let subject = |pane: &link::Pane| Subject {
        entry: pane.entry,
        system: pane.system(),
        inputs: pane.entry.own.inputs(drawn.as_ref()),
    };
    let wish = Wish {
        key: key.to_owned(),
        values: values.split(',').map(|v| v.trim().to_owned()).collect(),
        seeds: options.seeds,
        steps: options.steps.or(link.k),
        metric: options.metric.clone(),
    };
    let mut sweep = Sweep::new(link.panes.iter().map(subject).collect(), wish)?;
    let template = "{wide_bar} {pos}/{len} runs, {eta} left";
    let style = ProgressStyle::with_template(template);
    let bar = ProgressBar::new(sweep.progress().1 as u64)
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    while sweep.advance(BUDGET)? {
        bar.set_position(sweep.progress().0 as u64);
    }
    bar.finish_and_clear();
    let titles = sweep.titles();
    let metric = sweep.metric().id();
    let lines = sweep.points().iter().map(|point| {
        let title = &titles[point.subject];
        if options.json {
            json(point, title, key, metric)
        } else {
            text(point, title, key, metric)
        }
    });
    print(&lines.collect::<String>())
}

fn text(point: &Point, title: &str, key: &str, metric: &str) -> String {
    let (all, known) = (
        point.outcomes.len(),
        point.outcomes.iter().flatten().count(),
    );
    let lost = match all - known {
        0 => String::new(),
        lost => format!(", {lost} without a value"),
    };
    let values = match point.quartiles() {
        None => "undefined".to_owned(),
        Some([lower, median, upper]) => {
            format!("median {median:.3e}, quartiles {lower:.3e} to {upper:.3e}")
        }
    };
    let at = format!("{key}={}", point.text);
    format!("{title}  {at:<14} {metric}: {values}, {all} seeds{lost}\n")
}

fn json(point: &Point, title: &str, key: &str, metric: &str) -> String {
    let [lower, median, upper] = point.quartiles().map_or([None; 3], |q| q.map(Some));
    let object = Named(vec![
        ("pane", point.subject.into()),
        ("title", title.into()),
        ("over", key.into()),
        ("value", Value::from(point.value)),
        ("metric", metric.into()),
        ("median", median.into()),
        ("lower_quartile", lower.into()),
        ("upper_quartile", upper.into()),
        ("outcomes", point.outcomes.clone().into()),
    ]);
    crate::json::json(&object) + "\n"
}
