//! Snapshots as bytes: magic, step, edit, buffers by name, metric log; little endian.

use super::Row;

const MAGIC: &[u8; 4] = b"pfs1";

/// What a snapshot holds.
pub(super) struct Saved {
    pub(super) step: u32,
    pub(super) edited_at: Option<u32>,
    pub(super) buffers: Vec<(String, Vec<f32>)>,
    pub(super) log: Vec<Row>,
}

pub(super) fn write(
    step: u32,
    edited_at: Option<u32>,
    state: &[(&str, &[f32])],
    log: &[Row],
) -> Vec<u8> {
    let mut out = MAGIC.to_vec();
    let word = |out: &mut Vec<u8>, v: u32| out.extend(v.to_le_bytes());
    word(&mut out, step);
    word(&mut out, edited_at.unwrap_or(u32::MAX));
    word(&mut out, state.len() as u32);
    for (name, data) in state {
        word(&mut out, name.len() as u32);
        out.extend(name.as_bytes());
        word(&mut out, data.len() as u32);
        out.extend(data.iter().flat_map(|v| v.to_le_bytes()));
    }
    word(&mut out, log.len() as u32);
    for row in log {
        word(&mut out, row.step);
        let values = row.values.iter().map(|v| v.unwrap_or(f64::NAN));
        out.extend(values.flat_map(f64::to_le_bytes));
    }
    out
}

/// `None` unless `bytes` is a whole snapshot whose buffers have the names and sizes of `state`'s, in any order.
pub(super) fn read(bytes: &[u8], state: &[(&str, &[f32])], metrics: usize) -> Option<Saved> {
    let mut rest = bytes.strip_prefix(MAGIC)?;
    let mut take = |len: usize| -> Option<&[u8]> {
        let (head, tail) = rest.split_at_checked(len)?;
        rest = tail;
        Some(head)
    };
    let word = |b: &[u8]| Some(u32::from_le_bytes(b.try_into().ok()?));
    let step = word(take(4)?)?;
    let edited_at = Some(word(take(4)?)?).filter(|&s| s != u32::MAX);
    if word(take(4)?)? as usize != state.len() {
        return None;
    }
    let mut buffers: Vec<(String, Vec<f32>)> = Vec::new();
    for _ in state {
        let len = word(take(4)?)? as usize;
        let name = std::str::from_utf8(take(len)?).ok()?.to_owned();
        let entries = word(take(4)?)? as usize;
        let own = state.iter().find(|(own, _)| *own == name)?;
        if entries != own.1.len() || buffers.iter().any(|(known, _)| *known == name) {
            return None;
        }
        let numbers = take(4 * entries)?.chunks_exact(4);
        let numbers = numbers.map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]));
        buffers.push((name, numbers.collect()));
    }
    let rows = word(take(4)?)? as usize;
    let mut log = Vec::new();
    for _ in 0..rows {
        let step = word(take(4)?)?;
        let mut values = Vec::new();
        for _ in 0..metrics {
            let value = f64::from_le_bytes(take(8)?.try_into().ok()?);
            values.push((!value.is_nan()).then_some(value));
        }
        log.push(Row { step, values });
    }
    rest.is_empty().then_some(Saved {
        step,
        edited_at,
        buffers,
        log,
    })
}
