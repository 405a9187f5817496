//! What leaves the page: where a picture comes from, pictures at other sizes and as vectors, all data as JSON, a QR code.

use super::{Playground, report::value};
use crate::json::json;
use crate::scene::{Dash, DrawList, Marker, Role, contours, strip};
use crate::session::Weights;
use fast_qr::{ECL, QRBuilder};
use serde::Serialize;

/// What a picture or a file says of itself.
#[derive(Serialize)]
struct Provenance {
    program: &'static str,
    version: &'static str,
    title: String,
    /// What is on the screen, from its beginning.
    link: String,
    /// The same, run to the present step.
    link_here: String,
    step: u32,
    /// Seed of each pane.
    seeds: Vec<String>,
    /// Digest of each pane's state.
    digests: Vec<String>,
    /// Device of each pane.
    devices: Vec<String>,
    citations: Vec<&'static str>,
    edited_at: Option<u32>,
    /// Whether the particles came from a file, which the link does not hold.
    own_file: bool,
}

#[derive(Serialize)]
struct Export {
    provenance: Provenance,
    panes: Vec<ExportedPane>,
}

#[derive(Serialize)]
struct ExportedPane {
    system: &'static str,
    /// `[n][d]`
    particles: Vec<Vec<f32>>,
    metrics: Metrics,
    /// Parameters of the learned map, by buffer; null where there is none.
    weights: Option<Weights>,
}

#[derive(Serialize)]
struct Metrics {
    steps: Vec<u32>,
    names: Vec<&'static str>,
    /// By metric, then by step.
    values: Vec<Vec<Option<f64>>>,
}

#[derive(Serialize)]
struct Vectors<'a> {
    width: f32,
    height: f32,
    /// Whether particles and trails are among the operations; else they belong into the picture below.
    particles: bool,
    ops: &'a [f32],
    text: &'a [String],
}

#[derive(Serialize)]
struct Chart<'a> {
    ops: &'a [f32],
    text: &'a [String],
}

#[derive(Serialize)]
struct Code {
    size: usize,
    /// Dark modules as `1`, light ones as `0`, a text a row; empty where the text is too long.
    rows: Vec<String>,
}

/// JSON `{ops, text}` of a list.
pub(super) fn vectors(list: &DrawList) -> String {
    json(&Chart {
        ops: list.ops(),
        text: list.text(),
    })
}

impl Playground {
    fn provenance_now(&self) -> Provenance {
        let sessions = || self.panes.iter().map(|p| &p.session);
        let titles = self.titles();
        Provenance {
            program: "Pushforward",
            version: env!("CARGO_PKG_VERSION"),
            title: if titles.len() > 1 {
                titles.join(" | ")
            } else {
                self.panes[0].session.entry().title.to_owned()
            },
            link: self.link(),
            link_here: self.link_here(),
            step: self.step(),
            seeds: sessions().filter_map(|s| s.system().get("seed")).collect(),
            digests: sessions().map(|s| s.digest()).collect(),
            devices: sessions().map(|s| s.device()).collect(),
            citations: sessions().map(|s| s.entry().citation).collect(),
            edited_at: sessions().filter_map(|s| s.edited_at()).min(),
            own_file: self.file.is_some(),
        }
    }

    /// JSON: program, version, links, step, seeds, digests, citations.
    pub fn provenance(&self) -> String {
        json(&self.provenance_now())
    }

    /// JSON: the provenance, then each pane's particles and metrics.
    pub fn export_json(&self) -> String {
        let pane = |pane: &super::Pane| {
            let session = &pane.session;
            let (n, d) = (session.stage().n, session.stage().d);
            let metrics = session.metrics();
            let column = |metric: &_| {
                let rows = session.log().iter();
                rows.map(|row| value(session, &row.values, *metric))
                    .collect()
            };
            ExportedPane {
                system: session.entry().id,
                particles: session
                    .particles()
                    .chunks_exact(d.max(1))
                    .map(<[f32]>::to_vec)
                    .collect(),
                metrics: Metrics {
                    steps: session.log().iter().map(|row| row.step).collect(),
                    names: metrics.iter().map(|m| m.name(n)).collect(),
                    values: metrics.iter().map(column).collect(),
                },
                weights: session.weights(),
            }
        };
        json(&Export {
            provenance: self.provenance_now(),
            panes: self.panes.iter().map(pane).collect(),
        })
    }

    /// The stage at `ratio` device pixels a CSS pixel: width and height as little-endian u32, then RGBA8. Without `cloud`,
    /// only what lies behind what [`Self::vectors`] draws.
    pub fn picture(&mut self, ratio: f32, cloud: Cloud) -> Vec<u8> {
        let (layers, [width, height], own) =
            (self.screen.layers, self.screen.size, self.screen.ratio);
        let off: &[&str] = match cloud {
            Cloud::All => &[],
            Cloud::WithoutContours => &["contours"],
            Cloud::Ground => &["contours", "trails", "particles"],
        };
        self.screen.layers.switch(off.iter().map(|id| (*id, false)));
        self.resize(width, height, ratio);
        self.render();
        let (w, h) = self.pixels_size();
        let mut out = Vec::with_capacity(8 + self.pixels().len());
        out.extend(w.to_le_bytes());
        out.extend(h.to_le_bytes());
        out.extend(self.pixels());
        self.screen.layers = layers;
        self.resize(width, height, own);
        self.render();
        out
    }

    /// JSON: all that is drawn over the density as vectors, particles and trails only where no pane has more than `most` of
    /// them. Without `most`, only what the stage draws over its pixels.
    pub fn vectors(&mut self, most: Option<usize>) -> String {
        let few = |most| self.panes.iter().all(|p| p.session.stage().n <= most);
        let particles = most.is_some_and(few);
        let mut list = DrawList::default();
        if most.is_some() {
            for i in 0..self.panes.len() {
                self.vectors_of(&mut list, i, particles);
            }
        }
        list.append(&self.overlay());
        let [width, height] = self.screen.size;
        json(&Vectors {
            width,
            height,
            particles,
            ops: list.ops(),
            text: list.text(),
        })
    }

    /// JSON `{ops, text}` of chart `index`.
    pub fn chart_vectors(&self, index: usize, width: f32, height: f32) -> String {
        vectors(&self.chart(index, width, height))
    }

    /// Contours, trails and particles of one pane.
    fn vectors_of(&mut self, list: &mut DrawList, index: usize, particles: bool) {
        let view = self.view(index);
        let role = self.particle_role(index);
        let ratio = self.screen.ratio;
        let pixels = view.scaled(ratio).rect;
        let n = self.panes[index].session.stage().n;
        let radius = self.cloud_style(index).radius(n, pixels.w * pixels.h) / ratio;
        let layers = self.screen.layers;
        // The overlay has those of a crowded pane.
        let with_contours = layers.shows("contours") && !self.is_crowded(index, &view);
        let pane = &mut self.panes[index];
        let stage = pane.session.stage();
        list.clip(view.rect);
        if with_contours {
            for (mass, lines) in pane.scenery.contours() {
                contours(
                    list,
                    &view,
                    lines,
                    Dash::Solid,
                    super::scenery::opacity(*mass),
                );
            }
        }
        if particles && layers.shows("trails") && stage.d > 1 {
            for line in pane.trails.lines(stage.axes) {
                let pixels: Vec<[f32; 2]> = line.iter().map(|p| view.to_pixel(*p)).collect();
                list.path(&pixels);
            }
            list.stroke(Role::Trail, 1.0, Dash::Solid, 0.35);
        }
        if particles && layers.shows("particles") {
            let x = pane.session.particles();
            let points = if stage.d == 1 {
                strip(&view, x)
            } else {
                let axes = stage.axes;
                let shown = |row: &[f32]| [row[axes[0]], row[axes[1]]];
                x.chunks_exact(stage.d).flat_map(shown).collect()
            };
            for point in points.as_chunks::<2>().0 {
                let at = view.to_pixel(*point);
                if view.rect.holds(at) {
                    list.marker(Marker::Disc, at, 2.0 * radius);
                }
            }
            list.fill(role, 0.92);
        }
        list.unclip();
    }
}

/// What [`Playground::picture`] paints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cloud {
    /// Everything.
    All,
    /// All but the contours.
    WithoutContours,
    /// The target's density alone.
    Ground,
}

/// JSON: `text` as a QR code of medium error correction, without its quiet margin.
pub fn qr(text: &str) -> String {
    let rows = QRBuilder::new(text)
        .ecl(ECL::M)
        .build()
        .map_or(Vec::new(), |code| {
            let row = |y: usize| {
                let bit = |x: usize| if code[y][x].value() { '1' } else { '0' };
                (0..code.size).map(bit).collect()
            };
            (0..code.size).map(row).collect()
        });
    json(&Code {
        size: rows.len(),
        rows,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ready(link: &str) -> Playground {
        let mut playground = Playground::open(link);
        playground.resize(400.0, 300.0, 1.0);
        playground.render();
        playground
    }

    fn parsed(text: &str) -> serde_json::Value {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn a_picture_has_its_own_size_and_leaves_the_stage_as_it_was() {
        let mut playground = ready("v=1&m=svgd&target=banana&n=50");
        let before = playground.pixels().to_vec();
        let picture = playground.picture(2.0, Cloud::All);
        assert_eq!(picture[..8], [32, 3, 0, 0, 88, 2, 0, 0], "800 × 600");
        assert_eq!(picture.len(), 8 + 4 * 800 * 600);
        assert_eq!(playground.pixels(), before);
        let ground = playground.picture(1.0, Cloud::Ground);
        assert!(ground[8..] != before[..], "the ground lacks the particles");
    }

    #[test]
    fn particles_are_vectors_up_to_the_threshold() {
        let mut playground = ready("v=1&m=svgd&target=banana&n=50&init_scale=0.2");
        let markers = |text: &str| {
            let value = parsed(text);
            let ops: Vec<f32> = value["ops"]
                .as_array()
                .unwrap()
                .iter()
                .map(|v| v.as_f64().unwrap() as f32)
                .collect();
            let (mut rest, mut found) = (ops.as_slice(), 0);
            while let Some(arity) = DrawList::arity(rest) {
                found += usize::from(rest[0] == 7.0);
                rest = &rest[1 + arity..];
            }
            (found, value["particles"].as_bool().unwrap())
        };
        assert_eq!(markers(&playground.vectors(Some(50))), (50, true));
        assert_eq!(markers(&playground.vectors(Some(49))), (0, false));
        assert_eq!(markers(&playground.vectors(None)), (0, false));
    }

    #[test]
    fn exported_json_holds_what_the_csv_holds() {
        let mut playground = ready("v=1&m=svgd&n=5&seed=7;m=ula");
        while playground.step() < 3 {
            playground.advance(1_000_000, 1);
        }
        let value = parsed(&playground.export_json());
        assert_eq!(value["provenance"]["seeds"], serde_json::json!(["7", "7"]));
        assert_eq!(value["provenance"]["step"], 3);
        let panes = value["panes"].as_array().unwrap();
        assert_eq!((panes.len(), panes[1]["system"].as_str()), (2, Some("ula")));
        let x = playground.panes[0].session.particles()[3];
        assert_eq!(panes[0]["particles"][1][1].as_f64().unwrap() as f32, x);
    }

    #[test]
    fn csv_reads_back_to_the_same_digest() {
        let digest = |p: &Playground| parsed(&p.provenance())["digests"][0].clone();
        let run = |p: &mut Playground| {
            while p.step() < 25 {
                p.advance(1_000_000, 1);
            }
            digest(p)
        };
        let mut playground = ready("v=1&m=svgd&target=banana&n=40&seed=5");
        let (start, csv) = (digest(&playground), playground.export_csv("particles"));
        let end = run(&mut playground);
        // Another seed: nothing but the file can bring the same particles.
        let mut other = ready("v=1&m=svgd&target=banana&n=40&seed=6");
        assert_ne!(digest(&other), start);
        assert!(other.load_csv("particles.csv", &csv).ok);
        assert_eq!((digest(&other), run(&mut other)), (start, end));
        let later = other.export_csv("particles");
        assert!(other.load_csv("later.csv", &later).ok);
        assert_eq!(other.export_csv("particles"), later);
    }

    #[test]
    fn a_qr_code_is_square_and_a_text_too_long_for_one_has_none() {
        let code = parsed(&qr("https://example.org/#v=1&m=svgd"));
        let rows = code["rows"].as_array().unwrap();
        assert_eq!(code["size"], rows.len());
        // The finder pattern in the corner.
        assert!(rows[0].as_str().unwrap().starts_with("11111110"));
        assert_eq!(parsed(&qr(&"x".repeat(5000)))["size"], 0);
    }
}
