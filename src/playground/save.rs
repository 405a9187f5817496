//! The whole playground as bytes, to go on in a fresh worker: the link, points from a file, and each session.

use super::{Playground, build};
use crate::data::Table;
use crate::error::Problem;
use crate::json::json;
use crate::link;
use serde::Serialize;

const MAGIC: &[u8; 4] = b"pfp1";

#[derive(Serialize)]
struct Restored {
    ok: bool,
    message: String,
}

/// Reads sections off the front of bytes.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn word(&mut self) -> Option<usize> {
        let (head, rest) = self.0.split_first_chunk::<4>()?;
        self.0 = rest;
        Some(u32::from_le_bytes(*head) as usize)
    }

    /// A length, then as many bytes.
    fn section(&mut self) -> Option<&'a [u8]> {
        let length = self.word()?;
        let (head, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(head)
    }
}

fn push(out: &mut Vec<u8>, section: &[u8]) {
    out.extend((section.len() as u32).to_le_bytes());
    out.extend(section);
}

/// What a snapshot holds.
struct Saved<'a> {
    link: &'a str,
    file: Option<Table>,
    sessions: Vec<&'a [u8]>,
}

fn read(bytes: &[u8]) -> Option<Saved<'_>> {
    let mut reader = Reader(bytes.strip_prefix(MAGIC)?);
    let link = std::str::from_utf8(reader.section()?).ok()?;
    let columns = reader.word()?;
    let cells = reader.section()?.as_chunks::<4>().0;
    let values: Vec<f32> = cells.iter().map(|b| f32::from_le_bytes(*b)).collect();
    let whole = columns > 0 && values.len().is_multiple_of(columns);
    let file = whole.then(|| Table {
        names: Vec::new(),
        columns,
        values,
    });
    let count = reader.word()?;
    let sessions = (0..count.min(link::MAX_PANES + 1))
        .map(|_| reader.section())
        .collect::<Option<_>>()?;
    Some(Saved {
        link,
        file,
        sessions,
    })
}

impl Playground {
    /// The whole playground as bytes: restored, the run goes on bit for bit.
    pub fn snapshot(&self) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        push(&mut out, self.link().as_bytes());
        let columns = self.file.as_ref().map_or(0, |t| t.columns) as u32;
        out.extend(columns.to_le_bytes());
        let values = self.file.iter().flat_map(|t| &t.values);
        push(
            &mut out,
            &values.flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>(),
        );
        out.extend((self.panes.len() as u32).to_le_bytes());
        for pane in &self.panes {
            push(&mut out, &pane.session.snapshot());
        }
        out
    }

    /// Resumes from a snapshot; JSON `{ok, message}`. A bad one changes nothing.
    pub fn restore(&mut self, bytes: &[u8]) -> String {
        let message = match self.try_restore(bytes) {
            Ok(()) => String::new(),
            Err(problem) => problem.message,
        };
        json(&Restored {
            ok: message.is_empty(),
            message,
        })
    }

    fn try_restore(&mut self, bytes: &[u8]) -> Result<(), Problem> {
        let unusable = || Problem::new("snapshot", "the saved state cannot be read");
        let saved = read(bytes).ok_or_else(unusable)?;
        let (mut link, _) = link::parse(saved.link);
        let device = self.place.device.as_ref();
        let mut panes = build(device, &mut link, saved.file.as_ref(), &mut Vec::new())?;
        if panes.len() != saved.sessions.len() {
            return Err(unusable());
        }
        for (pane, bytes) in panes.iter_mut().zip(saved.sessions) {
            pane.session.restore(bytes).map_err(|_| unusable())?;
            pane.trails.clear();
            pane.moved();
        }
        self.view = link.view.map(crate::scene::Frame::new);
        (self.link, self.panes, self.file) = (link, panes, saved.file);
        self.restarted();
        Ok(())
    }
}
