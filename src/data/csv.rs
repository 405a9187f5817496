//! Reading and writing tables of numbers as text. Lenient about the dialect, strict about the numbers.
//!
//! Own code for once: the format of a table of numbers is small, and a general reader would cost the browser module more
//! than this file does.

use super::{Column, Survey, Table};
use crate::decimal::{Width, plain, read, scientific};
use crate::error::{Error, Result};

/// Most rows that are read.
const MAX_ROWS: usize = 1_000_000;
/// Most columns that are read.
const MAX_COLUMNS: usize = 128;
/// Rows that a survey shows.
const SAMPLES: usize = 4;

impl Table {
    /// Reads a file's bytes: UTF-8, with or without byte order mark. See [`Table::parse_csv`].
    ///
    /// # Errors
    /// Bytes that are not UTF-8, or anything that [`Table::parse_csv`] refuses.
    pub fn read_csv(name: &str, bytes: &[u8]) -> Result<Self> {
        let text = std::str::from_utf8(bytes).map_err(|e| {
            let line = 1 + bytes[..e.valid_up_to()]
                .iter()
                .filter(|b| **b == b'\n')
                .count();
            refuse(
                name,
                format!("line {line}: not UTF-8 text; save the file as UTF-8"),
            )
        })?;
        Self::parse_csv(name, text)
    }

    /// Reads comma-, semicolon- or tab-separated numbers with an optional header of any names.
    ///
    /// Cells may be quoted, lines end in LF or CR LF, blank lines are skipped. A first line without a single number is a
    /// header.
    ///
    /// # Errors
    /// Names file, line (1 = first) and cell: a cell that is not a finite number within f32, rows of different lengths,
    /// no rows, more than 1,000,000 rows or 128 columns.
    pub fn parse_csv(name: &str, text: &str) -> Result<Self> {
        Self::parse(name, text, None)
    }

    /// Reads the columns `chosen`, in that order, or all.
    pub(super) fn parse(name: &str, text: &str, chosen: Option<&[usize]>) -> Result<Self> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut table = Self::default();
        let mut taken: Vec<usize> = Vec::new();
        let mut width = 0;
        let mut separator = None;
        let mut cells = Vec::new();
        for (index, line) in text.lines().enumerate() {
            if line.trim().is_empty() {
                continue;
            }
            let at = |message: String| refuse(name, format!("line {}{message}", index + 1));
            let by = *separator.get_or_insert_with(|| dialect(line));
            split(line, by, &mut cells).map_err(at)?;
            if width == 0 {
                width = cells.len();
                if width > MAX_COLUMNS {
                    return Err(at(format!(
                        ": {width} columns; at most {MAX_COLUMNS} are allowed"
                    )));
                }
                taken = chosen.map_or_else(|| (0..width).collect(), <[usize]>::to_vec);
                if taken.is_empty() || taken.iter().any(|c| *c >= width) {
                    return Err(at(format!(
                        ": {width} columns; choose at least one of them"
                    )));
                }
                table.columns = taken.len();
                if is_header(&cells) {
                    table.names = taken.iter().map(|c| cells[*c].clone()).collect();
                    continue;
                }
            }
            if cells.len() != width {
                let found = cells.len();
                return Err(at(format!(": {found} cells, but {width} columns")));
            }
            if table.rows() == MAX_ROWS {
                return Err(at(format!(": more than {MAX_ROWS} rows")));
            }
            for column in &taken {
                let value = number(&cells[*column])
                    .map_err(|m| at(format!(", cell {}: {m}", column + 1)))?;
                table.values.push(value);
            }
        }
        if table.values.is_empty() {
            return Err(refuse(name, "the file has no rows of numbers".to_owned()));
        }
        Ok(table)
    }

    /// What a file holds, column by column; cells need not be numbers.
    ///
    /// # Errors
    /// Rows of different lengths, unclosed quotes, no rows, or more than are read.
    pub fn survey(name: &str, text: &str) -> Result<Survey> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let (mut separator, mut cells) = (None, Vec::new());
        let mut survey = Survey {
            rows: 0,
            columns: Vec::new(),
        };
        for (index, line) in text.lines().enumerate() {
            if line.trim().is_empty() {
                continue;
            }
            let at = |message: String| refuse(name, format!("line {}{message}", index + 1));
            let by = *separator.get_or_insert_with(|| dialect(line));
            split(line, by, &mut cells).map_err(at)?;
            if survey.columns.is_empty() {
                let header = is_header(&cells);
                let column = |(i, cell): (usize, &String)| Column {
                    name: if header {
                        cell.clone()
                    } else {
                        format!("x{i}")
                    },
                    numbers: 0,
                    sample: Vec::new(),
                };
                survey.columns = cells.iter().enumerate().map(column).collect();
                if header {
                    continue;
                }
            }
            let (found, width) = (cells.len(), survey.columns.len());
            if found != width {
                return Err(at(format!(": {found} cells, but {width} columns")));
            }
            if width > MAX_COLUMNS || survey.rows == MAX_ROWS {
                return Err(at(format!(
                    ": at most {MAX_COLUMNS} columns and {MAX_ROWS} rows are allowed"
                )));
            }
            survey.rows += 1;
            for (column, cell) in survey.columns.iter_mut().zip(&cells) {
                column.numbers += usize::from(number(cell).is_ok());
                if column.sample.len() < SAMPLES {
                    column.sample.push(cell.chars().take(30).collect());
                }
            }
        }
        if survey.rows == 0 {
            return Err(refuse(name, "the file has no rows".to_owned()));
        }
        Ok(survey)
    }

    /// Writes a header and one line a row, each number in the fewest digits that read back to the same f32. Without names
    /// the columns are called x0, x1, ….
    pub fn to_csv(&self) -> String {
        let names: Vec<String> = if self.names.is_empty() {
            (0..self.columns).map(|i| format!("x{i}")).collect()
        } else {
            self.names.iter().map(|name| quoted(name)).collect()
        };
        let mut out = names.join(",");
        out.push('\n');
        for row in self.values.chunks_exact(self.columns.max(1)) {
            for (column, value) in row.iter().enumerate() {
                if column > 0 {
                    out.push(',');
                }
                write_number(&mut out, *value);
            }
            out.push('\n');
        }
        out
    }
}

/// A first line without a single number.
fn is_header(cells: &[String]) -> bool {
    cells.iter().all(|cell| read(cell, Width::Single).is_none())
}

fn refuse(file: &str, message: String) -> Error {
    Error::File {
        file: file.to_owned(),
        message,
    }
}

/// The separator a first line uses; a comma may be part of a cell only where semicolons or tabs separate.
fn dialect(line: &str) -> char {
    [';', '\t']
        .into_iter()
        .find(|c| line.contains(*c))
        .unwrap_or(',')
}

/// Cells of a line, without the spaces and quotes around them.
fn split(line: &str, separator: char, cells: &mut Vec<String>) -> std::result::Result<(), String> {
    cells.clear();
    let mut rest = line;
    loop {
        let start = rest.trim_start_matches(' ');
        let (cell, after) = if let Some(inside) = start.strip_prefix('"') {
            quoted_cell(inside).ok_or_else(|| {
                format!(
                    ", cell {}: a quote is opened but not closed",
                    cells.len() + 1
                )
            })?
        } else {
            let cell = start.split(separator).next().unwrap_or_default();
            (
                cell.trim().to_owned(),
                start.strip_prefix(cell).unwrap_or_default(),
            )
        };
        cells.push(cell);
        match after.trim_start_matches(' ').strip_prefix(separator) {
            Some(next) => rest = next,
            None if after.trim().is_empty() => return Ok(()),
            None => {
                let place = cells.len();
                return Err(format!(", cell {place}: text after the closing quote"));
            }
        }
    }
}

/// The cell up to its closing quote (doubled quotes stand for one), and what follows.
fn quoted_cell(inside: &str) -> Option<(String, &str)> {
    let mut cell = String::new();
    let mut rest = inside;
    loop {
        let (part, after) = rest.split_once('"')?;
        cell.push_str(part);
        rest = after;
        match rest.strip_prefix('"') {
            Some(next) => {
                cell.push('"');
                rest = next;
            }
            None => return Some((cell.trim().to_owned(), rest)),
        }
    }
}

fn number(cell: &str) -> std::result::Result<f32, String> {
    if cell.is_empty() {
        return Err("empty".to_owned());
    }
    let shown: String = cell.chars().take(30).collect();
    match read(cell, Width::Single) {
        Some(value) if value.is_finite() => Ok(value as f32),
        Some(_) => Err(format!("`{shown}` is not a finite number within ±3.4e38")),
        None if read(&cell.replacen(',', ".", 1), Width::Single).is_some() => Err(format!(
            "`{shown}` is not a number; write decimals with a point"
        )),
        None => Err(format!("`{shown}` is not a number")),
    }
}

fn quoted(name: &str) -> String {
    if name.contains([',', ';', '\t', '"', '\n', '\r']) {
        let inside = name.replace(['\n', '\r'], " ").replace('"', "\"\"");
        return format!("\"{inside}\"");
    }
    name.to_owned()
}

fn write_number(out: &mut String, value: f32) {
    let size = value.abs();
    let write = if size == 0.0 || (1e-5..1e16).contains(&size) {
        plain
    } else {
        scientific
    };
    out.push_str(&write(value.into(), Width::Single));
}
