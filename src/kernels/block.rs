//! Memory that begins at a cache line: loads of a whole vector then touch one line and not two.

use std::ops::{Deref, DerefMut};

/// Bytes of a cache line, and of the widest vector.
const LINE: usize = 64;

/// A fixed number of entries, the first at the beginning of a cache line.
#[derive(Debug)]
pub struct Block<R> {
    data: Vec<R>,
    start: usize,
    len: usize,
}

impl<R: Copy> Block<R> {
    /// `len` entries of `value`.
    pub fn filled(value: R, len: usize) -> Self {
        let data = vec![value; len + LINE / size_of::<R>()];
        // A vector that is moved keeps its entries where they are.
        let start = data.as_ptr().align_offset(LINE).min(data.len() - len);
        Self { data, start, len }
    }

    /// A copy of `source`.
    pub fn copied(zero: R, source: &[R]) -> Self {
        let mut block = Self::filled(zero, source.len());
        block.copy_from_slice(source);
        block
    }
}

impl<R> Default for Block<R> {
    /// No entries.
    fn default() -> Self {
        Self {
            data: Vec::new(),
            start: 0,
            len: 0,
        }
    }
}

impl<R> Deref for Block<R> {
    type Target = [R];
    fn deref(&self) -> &[R] {
        &self.data[self.start..self.start + self.len]
    }
}

impl<R> DerefMut for Block<R> {
    fn deref_mut(&mut self) -> &mut [R] {
        &mut self.data[self.start..self.start + self.len]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_begin_at_a_line() {
        for len in [0, 1, 15, 16, 1000] {
            let block = Block::filled(1.5f32, len);
            assert_eq!((block.as_ptr() as usize) % LINE, 0);
            assert_eq!(*block, *vec![1.5; len]);
            let numbers: Vec<f64> = (0..len).map(|i| i as f64).collect();
            let moved = Box::new(Block::copied(0.0, &numbers));
            assert_eq!((moved.as_ptr() as usize) % LINE, 0);
            assert_eq!(**moved, *numbers);
        }
        assert!(Block::<f32>::default().is_empty());
    }
}
