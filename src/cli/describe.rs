//! `list` and `describe`: the manifest, for reading.

use super::{parity, print, print_json};
use crate::error::Problem;
use crate::exec::gpu;
use crate::link::{VERSION, defaults};
use crate::manifest::{self, MetricInfo, SystemInfo};
use crate::params::{Class, Kind, Spec};
use crate::session::Session;
use crate::systems::{Entry, Inputs, REGISTRY, find};
use anyhow::Result;
use serde::Serialize;

/// Options of `list`.
#[derive(clap::Args)]
pub struct ListOptions {
    /// Print the whole manifest as JSON
    #[arg(long, conflicts_with = "markdown")]
    json: bool,
    /// Print a Markdown table
    #[arg(long)]
    markdown: bool,
    /// Run every system on the CPU and on this machine's device, and print how far they lie apart
    #[arg(long, conflicts_with_all = ["json", "markdown"])]
    parity: bool,
}

/// Options of `describe`.
#[derive(clap::Args)]
pub struct Options {
    /// Name of the system, as `list` prints it
    id: String,
    /// Print JSON
    #[arg(long, conflicts_with = "program")]
    json: bool,
    /// Print the compiled programs, one line an operation
    #[arg(long)]
    program: bool,
}

/// Prints every system.
pub fn list(options: &ListOptions) -> Result<()> {
    if options.json {
        return print_json(&manifest::manifest());
    }
    if options.parity {
        return print(&parity::table()?);
    }
    let line = |entry: &&Entry| match options.markdown {
        true => format!("| `{}` | {} | {} |\n", entry.id, entry.title, entry.summary),
        false => format!("{:<14} {:<10} {}\n", entry.id, entry.room, entry.title),
    };
    let head = match options.markdown {
        true => "| Id | System | What moves |\n|---|---|---|\n",
        false => "",
    };
    print(&(head.to_owned() + &REGISTRY.iter().map(line).collect::<String>()))
}

/// Prints one system.
pub fn describe(options: &Options) -> Result<()> {
    let entry = find(&options.id).ok_or_else(|| unknown(&options.id))?;
    if options.program {
        return print(&programs(entry)?);
    }
    let session = Session::new(entry, defaults(VERSION, entry), Inputs::default())?;
    let description = Description {
        system: manifest::system(entry),
        metrics: manifest::metrics(&session),
    };
    if options.json {
        print_json(&description)
    } else {
        print(&text(&description))
    }
}

/// Every program of a system, one line an operation, and what a run of each costs.
fn programs(entry: &'static Entry) -> Result<String> {
    let build = defaults(VERSION, entry).build(&Inputs::default())?;
    let parts = build.parts();
    let lines = parts.iter().zip(gpu::costs(&parts));
    let lines: Vec<String> = lines
        .map(|((program, _), cost)| {
            let gpu::Cost {
                dispatches,
                read,
                written,
            } = cost;
            let flop = program.flops();
            format!(
                "{program}  on a device: {dispatches} dispatches, {read} bytes read, {written} bytes written; ~{flop} flop\n"
            )
        })
        .collect();
    Ok(lines.join("\n"))
}

/// A system, and the metrics of its run with every parameter at its default.
#[derive(Serialize)]
struct Description {
    #[serde(flatten)]
    system: SystemInfo,
    metrics: Vec<MetricInfo>,
}

fn unknown(id: &str) -> crate::error::Error {
    let ids: Vec<&str> = REGISTRY.iter().map(|e| e.id).collect();
    let message = format!(
        "{} is not a system; allowed are {}",
        crate::params::quote(id),
        ids.join(", ")
    );
    Problem::new("describe", message).into()
}

fn text(description: &Description) -> String {
    let info = &description.system;
    let mut out = format!(
        "{} ({})\n{}\n\n{}\n\nParameters:\n",
        info.title, info.id, info.summary, info.citation
    );
    for spec in &info.params {
        out += &format!(
            "  {}={}\n      {}\n",
            spec.key,
            spec.default,
            one_line(spec)
        );
    }
    out += "\nMetrics:\n";
    for metric in &description.metrics {
        out += &format!(
            "  {:<18} {}\n",
            metric.id,
            metric.definition.as_deref().unwrap_or_default()
        );
    }
    if !info.presets.is_empty() {
        out += "\nPresets:\n";
    }
    for preset in &info.presets {
        out += &format!(
            "  {}: {}\n    {}\n",
            preset.title, preset.question, preset.link
        );
    }
    out
}

fn one_line(spec: &Spec) -> String {
    let words: Vec<&str> = spec.choices.iter().map(|c| c.id).collect();
    let (words, Spec { min, max, .. }) = (words.join(", "), spec);
    let mut line = spec.doc.clone();
    line += &match spec.kind {
        Kind::Choice => format!(" One of {words}."),
        Kind::NumberOr => format!(" {min} to {max}, or {words}."),
        _ if min.is_finite() || max.is_finite() => format!(" {min} to {max}."),
        _ => String::new(),
    };
    if let Some((key, values)) = spec.only_if {
        line += &format!(" For {key}={}.", values.join("|"));
    }
    if spec.class == Class::Live {
        line += " Takes effect at the next step.";
    }
    line
}
