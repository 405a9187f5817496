//! The numbers behind the picture: charts of metrics, their tables, and everything as CSV.

use super::report::value;
use super::{Pane, Playground};
use crate::data::Table;
use crate::decimal::{Width, plain};
use crate::json::json;
use crate::metrics;
use crate::scene::{Across, Chart, Curve, DrawList, Reference, Scale};
use serde::Serialize;

#[derive(Serialize)]
struct ChartTable {
    columns: Vec<String>,
    rows: Vec<Vec<Option<f64>>>,
}

impl Playground {
    /// Chart `index`: one metric against the step, a line a pane. Empty where there is no such chart.
    pub fn chart(&self, index: usize, width: f32, height: f32) -> DrawList {
        let Some(metric) = self.charts().get(index).copied() else {
            return DrawList::default();
        };
        let curve = |(pane, own): (usize, &Pane)| {
            let session = &own.session;
            let rows = session.log().iter();
            let points =
                rows.filter_map(|r| Some([f64::from(r.step), value(session, &r.values, metric)?]));
            Curve {
                pane,
                points: points.collect(),
                band: Vec::new(),
            }
        };
        let curves: Vec<Curve> = self.panes.iter().enumerate().map(curve).collect();
        let session = self.measurer(metric);
        let level = session
            .reference()
            .borrow()
            .level(metric, session.stage().n);
        let references = level.map(|l| Reference {
            value: l.value,
            label: l.label,
        });
        Chart {
            scale: match metric.scale() {
                metrics::Scale::Linear => Scale::Linear,
                metrics::Scale::Log => Scale::Log,
            },
            curves,
            references: references.into_iter().collect(),
            across: Across::steps(f64::from(self.step())),
        }
        .draw(width, height)
    }

    /// JSON `{columns, rows}` behind a chart: the step, then one value a pane.
    pub fn chart_table(&self, index: usize) -> String {
        let Some(metric) = self.charts().get(index).copied() else {
            return json(&ChartTable {
                columns: Vec::new(),
                rows: Vec::new(),
            });
        };
        let mut columns = vec!["step".to_owned()];
        columns.extend(if self.panes.len() > 1 {
            self.titles()
        } else {
            vec![metric.label(self.panes[0].session.stage().n).to_owned()]
        });
        let mut rows: Vec<Vec<Option<f64>>> = Vec::new();
        for (i, pane) in self.panes.iter().enumerate() {
            for row in pane.session.log() {
                let step = Some(f64::from(row.step));
                let at = rows.partition_point(|cells| cells[0] < step);
                if rows.get(at).is_none_or(|cells| cells[0] != step) {
                    let mut cells = vec![None; 1 + self.panes.len()];
                    cells[0] = step;
                    rows.insert(at, cells);
                }
                rows[at][1 + i] = value(&pane.session, &row.values, metric);
            }
        }
        json(&ChartTable { columns, rows })
    }

    /// `particles` or `metrics` as CSV; several panes stand below each other with a first column `pane`. Empty for
    /// anything else.
    pub fn export_csv(&self, what: &str) -> String {
        match what {
            "particles" => self.particles_csv(),
            "metrics" => self.metrics_csv(),
            _ => String::new(),
        }
    }

    fn particles_csv(&self) -> String {
        let mut out = String::new();
        for (i, pane) in self.panes.iter().enumerate() {
            let values = pane.session.particles().to_vec();
            let table = Table {
                names: Vec::new(),
                columns: pane.session.stage().d,
                values,
            };
            append(&mut out, self.panes.len(), i, &table.to_csv());
        }
        out
    }

    fn metrics_csv(&self) -> String {
        let mut out = String::new();
        for (i, pane) in self.panes.iter().enumerate() {
            let session = &pane.session;
            let names = session.metrics().iter().map(|m| m.name(session.stage().n));
            let mut text = ["step"]
                .into_iter()
                .chain(names)
                .collect::<Vec<_>>()
                .join(",");
            for row in session.log() {
                text += &format!("\n{}", row.step);
                for value in &row.values {
                    text += &value.map_or(",".to_owned(), |v| {
                        ",".to_owned() + &plain(v, Width::Double)
                    });
                }
            }
            text.push('\n');
            append(&mut out, self.panes.len(), i, &text);
        }
        out
    }
}

/// Appends pane `index`'s CSV, with a first column `pane` where there are several. Each pane keeps its header, for
/// panes may differ in their columns.
fn append(out: &mut String, panes: usize, index: usize, csv: &str) {
    if panes == 1 {
        out.push_str(csv);
        return;
    }
    for (i, line) in csv.lines().enumerate() {
        *out += &if i == 0 {
            format!("pane,{line}\n")
        } else {
            format!("{index},{line}\n")
        };
    }
}
