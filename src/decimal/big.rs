//! Natural numbers of any size, with the few operations that decimals need.

use std::cmp::Ordering;

/// Words, least significant first; no zero on top.
#[derive(Debug, Clone)]
pub(super) struct Big(Vec<u32>);

impl From<u64> for Big {
    fn from(value: u64) -> Self {
        let mut out = Self(vec![value as u32, (value >> 32) as u32]);
        out.trim();
        out
    }
}

impl Big {
    fn trim(&mut self) {
        while self.0.last() == Some(&0) {
            self.0.pop();
        }
    }

    pub(super) fn is_zero(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn make_odd(&mut self) {
        if let Some(word) = self.0.first_mut() {
            *word |= 1;
        }
    }

    /// Bits up to the highest one that is set.
    pub(super) fn bits(&self) -> i32 {
        let top = self.0.last().map_or(0, |w| w.leading_zeros());
        32 * self.0.len() as i32 - top as i32
    }

    /// `self · factor + term`.
    pub(super) fn multiply_add(&mut self, factor: u32, term: u32) {
        let mut carry = u64::from(term);
        for word in &mut self.0 {
            let product = u64::from(*word) * u64::from(factor) + carry;
            *word = product as u32;
            carry = product >> 32;
        }
        if carry > 0 {
            self.0.push(carry as u32);
        }
    }

    /// `self · base^power`; nothing where `power` is not positive.
    pub(super) fn multiply_power(&mut self, base: u32, power: i32) {
        for _ in 0..power / 8 {
            self.multiply_add(base.pow(8), 0);
        }
        for _ in 0..power % 8 {
            self.multiply_add(base, 0);
        }
    }

    pub(super) fn compare(&self, other: &Self) -> Ordering {
        let words = || self.0.iter().rev().cmp(other.0.iter().rev());
        self.0.len().cmp(&other.0.len()).then_with(words)
    }

    pub(super) fn plus(&self, other: &Self) -> Self {
        let mut carry = 0;
        let word = |n: &Self, i: usize| u64::from(n.0.get(i).copied().unwrap_or(0));
        let words = (0..=self.0.len().max(other.0.len())).map(|i| {
            let sum = word(self, i) + word(other, i) + carry;
            carry = sum >> 32;
            sum as u32
        });
        let mut out = Self(words.collect());
        out.trim();
        out
    }

    /// Subtracts `other` where it is not larger; whether it was.
    pub(super) fn take(&mut self, other: &Self) -> bool {
        if self.compare(other) == Ordering::Less {
            return false;
        }
        let mut borrow = false;
        for (i, word) in self.0.iter_mut().enumerate() {
            let (first, under) = word.overflowing_sub(other.0.get(i).copied().unwrap_or(0));
            let (second, again) = first.overflowing_sub(u32::from(borrow));
            (*word, borrow) = (second, under || again);
        }
        self.trim();
        true
    }
}
