//! Sorting and order statistics: one small routine each, for the standard library's fast sorts are compiled anew for
//! every element type and weigh more in the download than the algorithms that use them.

/// Sorts numbers in their total order (−NaN, −∞ … −0, +0 … ∞, NaN) by four passes over their bytes; O(n).
///
/// **Source** H. Seward (1954), least-significant-digit radix sort; sign handling as M. Herf, "Radix tricks" (2001).
pub fn sort_numbers(values: &mut [f32]) {
    // In this code unsigned order is the total order: negative numbers flip, others move above them.
    let code = |v: f32| {
        let bits = v.to_bits();
        bits ^ (((bits as i32 >> 31) as u32) | 1 << 31)
    };
    let decode = |code: u32| f32::from_bits(code ^ (((!code as i32 >> 31) as u32) | 1 << 31));
    let mut from: Vec<u32> = values.iter().map(|v| code(*v)).collect();
    let mut to = vec![0; from.len()];
    for shift in [0, 8, 16, 24] {
        let byte = |code: u32| (code >> shift) as usize & 255;
        let mut ends = [0usize; 256];
        for code in &from {
            ends[byte(*code)] += 1;
        }
        let mut before = 0;
        for end in &mut ends {
            (*end, before) = (before, before + *end);
        }
        for code in &from {
            let at = &mut ends[byte(*code)];
            to[*at] = *code;
            *at += 1;
        }
        std::mem::swap(&mut from, &mut to);
    }
    for (value, code) in values.iter_mut().zip(from) {
        *value = decode(code);
    }
}

/// Sorts a few entries by insertion, stably; O(n²).
pub fn sort_few<T>(entries: &mut [T], before: impl Fn(&T, &T) -> bool) {
    for end in 1..entries.len() {
        let mut at = end;
        while at > 0 && before(&entries[at], &entries[at - 1]) {
            entries.swap(at, at - 1);
            at -= 1;
        }
    }
}

/// The value of rank `rank` (0 is the smallest), by partitioning `values`; O(n) on average whatever their order.
///
/// # Panics
/// `rank` is not less than the number of values.
///
/// **Source** C. A. R. Hoare (1961), Algorithm 65: Find.
pub fn select<T: Copy + PartialOrd>(values: &mut [T], rank: usize) -> T {
    let (mut low, mut high) = (0, values.len() - 1);
    let mut draw = 0x9e37_79b9u32;
    while low < high {
        // A pseudo-random pivot: no order of the values is a bad one by design.
        draw = draw.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let width = (high - low + 1) as u64;
        let pivot = values[low + ((u64::from(draw) * width) >> 32) as usize];
        let (mut i, mut j) = (low, high);
        loop {
            while values[i] < pivot {
                i += 1;
            }
            while pivot < values[j] {
                j -= 1;
            }
            if i <= j {
                values.swap(i, j);
                i += 1;
                // At the first entry `j` has nowhere to go, and the partition is over.
                if j == 0 {
                    break;
                }
                j -= 1;
            }
            if i > j {
                break;
            }
        }
        if rank <= j {
            high = j;
        } else if rank >= i {
            low = i;
        } else {
            break;
        }
    }
    values[rank]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn numbers_are_in_total_order(bits: Vec<u32>) {
            let mut own: Vec<f32> = bits.into_iter().map(f32::from_bits).collect();
            let mut expected = own.clone();
            expected.sort_by(f32::total_cmp);
            sort_numbers(&mut own);
            let bits = |v: &[f32]| v.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
            prop_assert_eq!(bits(&own), bits(&expected));
        }

        #[test]
        fn few_entries_are_sorted_stably(mut own: Vec<(u8, u8)>) {
            let mut expected = own.clone();
            expected.sort_by_key(|e| e.0);
            sort_few(&mut own, |a, b| a.0 < b.0);
            prop_assert_eq!(own, expected);
        }

        #[test]
        fn every_rank_is_found(values in prop::collection::vec(0u8..9, 1..40)) {
            let mut sorted = values.clone();
            sorted.sort_unstable();
            for (rank, expected) in sorted.iter().enumerate() {
                prop_assert_eq!(select(&mut values.clone(), rank), *expected);
            }
        }
    }

    #[test]
    fn sorted_input_is_no_worse() {
        let mut values: Vec<f32> = (0..100_000u32).map(|i| i as f32).collect();
        assert_eq!(select(&mut values, 70_000), 70_000.0);
        assert_eq!(select(&mut vec![1.0; 100_000], 5), 1.0);
    }
}
