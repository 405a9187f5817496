//! What a finished run says: the object of `--json` and `run.json`, the lines on a terminal, the files of `--out`.

use super::folder::Folder;
use crate::data::Table;
use crate::error::{Divergence, Error};
use crate::manifest::{self, Named};
use crate::session::{Row, Session, Status, Weights};
use serde::Serialize;
use serde_json::Value;

/// One run.
#[derive(Debug, Serialize)]
pub struct Report {
    system: &'static str,
    params: Named,
    backend: &'static str,
    device: String,
    /// Steps done.
    steps: u32,
    /// Without the time that metrics took; undefined where no step was done.
    steps_per_s: Option<f64>,
    metrics: Named,
    digest: String,
    /// Whether the link's digest came out again, where it has one for this step.
    #[serde(skip_serializing_if = "Option::is_none")]
    reproduced: Option<bool>,
    /// How it differs, or why it was not compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    difference: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    diverged: Option<Diverged>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    notes: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Diverged {
    last_good_step: u32,
    cause: String,
}

/// The digest that a link promises, and for which step.
#[derive(Debug, Clone, Copy)]
pub struct Promise<'a> {
    /// The digest, if the pane has one.
    pub digest: Option<&'a str>,
    /// The link's `k`.
    pub k: Option<u32>,
}

impl Report {
    /// The present state of `session`, which spent `seconds` on its steps.
    pub fn new(session: &mut Session, seconds: f64, promise: Promise<'_>) -> Self {
        let row = session.measure_now();
        let (steps, digest) = (session.step(), session.digest());
        let compared = promise
            .digest
            .map(|expected| compare(expected, &digest, promise.k, steps));
        Self {
            system: session.entry().id,
            params: manifest::values(session.system()),
            backend: session.backend(),
            device: session.device(),
            steps,
            steps_per_s: (steps > 0 && seconds > 0.0).then(|| f64::from(steps) / seconds),
            metrics: named(session, &row),
            reproduced: compared
                .as_ref()
                .and_then(|c| c.as_ref().ok().map(Option::is_none)),
            difference: compared.and_then(|c| c.unwrap_or_else(Some)),
            digest,
            diverged: match session.status() {
                Status::Diverged(Divergence {
                    last_good_step,
                    cause,
                }) => Some(Diverged {
                    last_good_step: *last_good_step,
                    cause: cause.clone(),
                }),
                Status::Ready | Status::Done(_) | Status::Lost(_) => None,
            },
            notes: match session.status() {
                Status::Done(reason) => {
                    [session.notes(), &[format!("ended early: {reason}")]].concat()
                }
                _ => session.notes().to_vec(),
            },
        }
    }

    /// One line of JSON.
    pub fn json(&self) -> Result<String, serde_json::Error> {
        Ok(serde_json::to_string(self)? + "\n")
    }

    /// Lines for a reader.
    pub fn text(&self) -> String {
        let rate = self
            .steps_per_s
            .map_or(String::new(), |r| format!(", {} steps/s", rounded(r)));
        let mut out = format!(
            "{}: {} steps, {}{rate}\n",
            self.system, self.steps, self.device
        );
        for (name, value) in &self.metrics.0 {
            let value = value.as_f64().map_or("undefined".to_owned(), rounded);
            out += &format!("  {name:<12} {value}\n");
        }
        out += &format!("  {:<12} {}\n", "digest", self.digest);
        match (self.reproduced, &self.difference) {
            (Some(true), _) => out += "  reproduced: the link's digest came out again\n",
            (_, Some(difference)) => out += &format!("  not reproduced: {difference}\n"),
            (_, None) => {}
        }
        for note in &self.notes {
            out += &format!("  note: {note}\n");
        }
        out
    }
}

/// `Ok(None)`: the same. `Ok(Some)`: how it differs. `Err`: why it cannot be compared.
fn compare(
    expected: &str,
    digest: &str,
    k: Option<u32>,
    steps: u32,
) -> Result<Option<String>, String> {
    let made_by = |d: &str| {
        d.rsplit_once('-')
            .map_or(String::new(), |(module, _)| module.to_owned())
    };
    match k {
        None => Err("not compared: the link has a digest but no step k".to_owned()),
        Some(k) if k != steps => Err(format!(
            "not compared: the digest is of step {k}, this is step {steps}"
        )),
        Some(_) if expected == digest => Ok(None),
        Some(_) if made_by(expected) != made_by(digest) => Ok(Some(format!(
            "{expected} was made by another build ({}, this is {}); such runs agree within rounding, not bit by bit",
            made_by(expected),
            made_by(digest)
        ))),
        Some(_) => Ok(Some(format!(
            "expected {expected}, got {digest} from the same kind of build"
        ))),
    }
}

/// Four significant digits.
fn rounded(value: f64) -> String {
    if value != 0.0 && !(1e-3..1e6).contains(&value.abs()) {
        return format!("{value:.3e}");
    }
    let decimals = (3.0 - value.abs().max(1e-3).log10().floor()).clamp(0.0, 6.0);
    format!("{value:.*}", decimals as usize)
}

fn named(session: &Session, row: &Row) -> Named {
    let n = session.stage().n;
    let pairs = session.metrics().iter().zip(&row.values);
    Named(
        pairs
            .map(|(metric, value)| (metric.name(n), Value::from(*value)))
            .collect(),
    )
}

/// The content of `run.json`.
#[derive(Serialize)]
struct Run<'a> {
    link: &'a str,
    #[serde(flatten)]
    report: &'a Report,
}

/// The content of `weights.json`.
#[derive(Serialize)]
struct Kept<'a> {
    system: &'static str,
    link: &'a str,
    step: u32,
    weights: Weights,
}

/// Writes particles, metrics, weights and the report below `prefix`.
///
/// # Errors
/// A file that cannot be written.
pub fn write_files(
    folder: &Folder,
    prefix: &str,
    link: &str,
    session: &Session,
    report: &Report,
) -> Result<(), Error> {
    let d = session.stage().d;
    let table = Table {
        names: Vec::new(),
        columns: d,
        values: session.particles().to_vec(),
    };
    folder.write(&format!("{prefix}particles.csv"), &table.to_csv())?;

    let mut csv = "step".to_owned();
    for metric in session.metrics() {
        csv += &format!(",{}", metric.name(session.stage().n));
    }
    csv.push('\n');
    for row in session.log() {
        csv += &row.step.to_string();
        for value in &row.values {
            csv += &value
                .filter(|v| v.is_finite())
                .map_or(",".to_owned(), |v| format!(",{}", Value::from(v)));
        }
        csv.push('\n');
    }
    folder.write(&format!("{prefix}metrics.csv"), &csv)?;

    if let Some(weights) = session.weights() {
        let kept = crate::json::json(&Kept {
            system: report.system,
            link,
            step: report.steps,
            weights,
        });
        folder.write(&format!("{prefix}weights.json"), &(kept + "\n"))?;
    }

    let run = serde_json::to_string_pretty(&Run { link, report });
    let run = run.map_err(|e| Error::File {
        file: "run.json".to_owned(),
        message: e.to_string(),
    })?;
    folder.write(&format!("{prefix}run.json"), &(run + "\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_four_digits() {
        for (value, text) in [
            (0.0, "0.000000"),
            (0.395_065_9, "0.3951"),
            (12.3456, "12.35"),
            (1234.56, "1235"),
            (-0.012_345, "-0.01235"),
            (1.5e-7, "1.500e-7"),
            (2.5e9, "2.500e9"),
        ] {
            assert_eq!(rounded(value), text);
        }
    }

    #[test]
    fn digests_say_how_they_differ() {
        let compare = |expected, k| compare(expected, "x86_64-fma-1", k, 10);
        assert_eq!(compare("x86_64-fma-1", Some(10)), Ok(None));
        let same = compare("x86_64-fma-2", Some(10))
            .expect("compared")
            .expect("differs");
        assert!(
            same.contains("expected x86_64-fma-2, got x86_64-fma-1"),
            "{same}"
        );
        let other = compare("wasm32-simd-1", Some(10))
            .expect("compared")
            .expect("differs");
        assert!(other.contains("wasm32-simd, this is x86_64-fma"), "{other}");
        assert!(compare("x86_64-fma-1", Some(9)).is_err());
        assert!(compare("x86_64-fma-1", None).is_err());
    }
}
