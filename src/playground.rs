//! Up to four sessions side by side with their views, layers and notices: all that the page does, without the browser.

use crate::error::Problem;
use crate::params::Class;
use crate::scene::DrawList;
use serde::Serialize;

/// `value` as JSON text.
pub fn json<T: Serialize + ?Sized>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_else(|_| "null".to_owned())
}

/// What an edit did.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Edited {
    /// Whether it was taken.
    pub ok: bool,
    /// What it did to the run.
    pub class: Option<Class>,
    /// Why not, or what was adjusted.
    pub problems: Vec<Problem>,
    /// Whether the run started again from step 0.
    pub restarted: bool,
}

/// What became of a file.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Loaded {
    /// Whether it is in use.
    pub ok: bool,
    /// Why not.
    pub problems: Vec<Problem>,
    /// Rows read.
    pub rows: usize,
    /// Columns read.
    pub columns: usize,
}

/// Up to four runs and their picture.
#[derive(Default)]
pub struct Playground {
    pixels: Vec<u8>,
}

#[allow(missing_docs, unused_variables, reason = "skeleton")]
impl Playground {
    pub fn open(link: &str) -> Self {
        Self::default()
    }
    pub fn describe(&self) -> String {
        "{}".to_owned()
    }
    pub fn set(&mut self, pane: Option<usize>, key: &str, value: &str) -> Edited {
        Edited {
            ok: false,
            class: None,
            problems: vec![],
            restarted: false,
        }
    }
    pub fn set_link(&mut self, link: &str) {}
    pub fn reset(&mut self) {}
    pub fn reseed(&mut self, seed: u32) {}
    pub fn load_csv(&mut self, role: &str, name: &str, text: &str) -> Loaded {
        Loaded {
            ok: false,
            problems: vec![],
            rows: 0,
            columns: 0,
        }
    }
    pub fn advance(&mut self, budget: u64) -> u32 {
        0
    }
    pub fn measure(&mut self, budget: u64) -> bool {
        false
    }
    pub fn step(&self) -> u32 {
        0
    }
    pub fn running_state(&self) -> String {
        "{}".to_owned()
    }
    pub fn resize(&mut self, width: f32, height: f32, ratio: f32) {}
    pub fn set_theme(&mut self, colours: &[u32]) {}
    pub fn set_layers(&mut self, layers: &str) {}
    pub fn render(&mut self) {}
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }
    pub fn pixels_size(&self) -> (u32, u32) {
        (0, 0)
    }
    pub fn overlay(&mut self) -> DrawList {
        DrawList::default()
    }
    pub fn chart(&self, index: usize, width: f32, height: f32) -> DrawList {
        DrawList::default()
    }
    pub fn chart_table(&self, index: usize) -> String {
        "{}".to_owned()
    }
    pub fn pan(&mut self, dx: f32, dy: f32) {}
    pub fn zoom(&mut self, x: f32, y: f32, factor: f32) {}
    pub fn fit(&mut self) {}
    pub fn place(&mut self, from: [f32; 2], to: [f32; 2]) -> Edited {
        self.set(None, "", "")
    }
    pub fn draw(&mut self, points: &[f32]) -> Edited {
        self.set(None, "", "")
    }
    pub fn probe(&mut self, x: f32, y: f32) -> String {
        "{}".to_owned()
    }
    pub fn snapshot(&self) -> Vec<u8> {
        vec![]
    }
    pub fn restore(&mut self, bytes: &[u8]) -> String {
        "{}".to_owned()
    }
    pub fn export_csv(&self, what: &str) -> String {
        String::new()
    }
    pub fn link(&self) -> String {
        String::new()
    }
}
