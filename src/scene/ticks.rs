//! Nice ticks: 1, 2 or 5 times a power of ten, or powers of ten on a logarithmic axis, with labels as short as they can be.

use crate::decimal;

/// How an axis maps values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// Evenly.
    Linear,
    /// By decades; values must be positive.
    Log,
}

impl Scale {
    /// Position of `value` between `range`'s ends, 0 to 1; NaN where it has none.
    pub fn position(self, value: f64, range: [f64; 2]) -> f64 {
        let of = |v: f64| match self {
            Self::Linear => v,
            Self::Log => v.ln(),
        };
        (of(value) - of(range[0])) / (of(range[1]) - of(range[0]))
    }
}

/// Values to mark and their labels.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Ticks {
    /// Values, ascending, inside the range.
    pub values: Vec<f64>,
    /// One label a value.
    pub labels: Vec<String>,
}

/// Most ticks ever made, against ranges that f64 cannot divide.
const MOST: usize = 50;

impl Ticks {
    /// About `count` ticks inside `range`; none where the range is not ascending and sensible.
    pub fn new(scale: Scale, range: [f64; 2], count: usize) -> Self {
        let [low, high] = range;
        let count = count.max(1) as f64;
        // Steps outside this range would overflow or vanish.
        if !(1e-280..1e300).contains(&(high - low)) {
            return Self::default();
        }
        match scale {
            Scale::Log if low > 0.0 => {
                let decades = (high / low).log10();
                if decades < 1.0 {
                    return Self::linear(low, high, nice_step((high - low) / count));
                }
                let (first, last) = (low.log10().floor() as i32, high.log10().floor() as i32);
                let factors: &[f64] = match decades {
                    d if 3.0 * d <= count + 1.0 => &[1.0, 2.0, 5.0],
                    d if d < 2.0 => &[1.0, 3.0],
                    _ => &[1.0],
                };
                let every = (decades / count).ceil().max(1.0) as i32;
                let values: Vec<f64> = (first..=last)
                    .filter(|e| e.rem_euclid(every) == 0)
                    .flat_map(|e| factors.iter().map(move |f| times_power_of_ten(*f, e)))
                    .filter(|v| *v >= low && *v <= high)
                    .collect();
                let labels = values.iter().map(|v| short(*v)).collect();
                Self { values, labels }
            }
            Scale::Log => Self::default(),
            Scale::Linear => Self::linear(low, high, nice_step((high - low) / count)),
        }
    }

    fn linear(low: f64, high: f64, step: f64) -> Self {
        let (first, last) = ((low / step - 1e-9).ceil(), (high / step + 1e-9).floor());
        let count = (last - first + 1.0).clamp(0.0, MOST as f64) as usize;
        // Multiples, not sums, so that errors do not add up; and 0 is 0.
        let values: Vec<f64> = (0..count).map(|i| (first + i as f64) * step).collect();
        let largest = low.abs().max(high.abs());
        let labels = values.iter().map(|v| fixed(*v, step, largest)).collect();
        Self { values, labels }
    }
}

/// The f64 nearest to a decimal like 3e−4.
fn times_power_of_ten(factor: f64, exponent: i32) -> f64 {
    if exponent < 0 {
        factor / 10f64.powi(-exponent)
    } else {
        factor * 10f64.powi(exponent)
    }
}

fn power_of_ten(exponent: i32) -> f64 {
    // `powi` of a negative exponent is a rounded reciprocal of a power.
    times_power_of_ten(1.0, exponent)
}

/// The smallest of 1, 2, 5, 10 times a power of ten that is at least four fifths of `step`.
fn nice_step(step: f64) -> f64 {
    let power = power_of_ten(step.log10().floor() as i32);
    let factor = [1.0, 2.0, 5.0]
        .into_iter()
        .find(|f| f * power >= step * 0.8);
    factor.unwrap_or(10.0) * power
}

/// A tick's label: enough decimals for the step, thousands and more with a suffix.
fn fixed(value: f64, step: f64, largest: f64) -> String {
    let (unit, suffix) = match largest {
        l if !(1e-4..1e9).contains(&l) => return short(value),
        l if l >= 1e6 => (1e6, "M"),
        l if l >= 1e4 => (1e3, "k"),
        _ => (1.0, ""),
    };
    let decimals = (-(step / unit).log10().floor()).clamp(0.0, 9.0) as usize;
    if value == 0.0 {
        return "0".to_owned();
    }
    sign(decimal::fixed(value / unit, decimals) + suffix)
}

/// A number in about three significant digits, for readouts and decades.
pub fn short(value: f64) -> String {
    let size = value.abs();
    if !value.is_finite() {
        return "–".to_owned();
    }
    if size == 0.0 {
        return "0".to_owned();
    }
    let text = if (1e-3..1e4).contains(&size) {
        let decimals = (2 - size.log10().floor() as i32).clamp(0, 5) as usize;
        let text = decimal::fixed(value, decimals);
        if text.contains('.') {
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        } else {
            text
        }
    } else {
        let text = decimal::scientific_to(value, 1);
        match text.split_once('.') {
            Some((whole, rest)) if rest.starts_with('0') => {
                whole.to_owned() + rest.trim_start_matches('0')
            }
            _ => text,
        }
    };
    sign(text)
}

/// The minus sign of typesetting.
fn sign(text: String) -> String {
    text.replace('-', "−")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn labels_read_well() {
        let labels = |scale, range, count| Ticks::new(scale, range, count).labels.join(" ");
        assert_eq!(labels(Scale::Linear, [-3.2, 3.2], 6), "−3 −2 −1 0 1 2 3");
        assert_eq!(
            labels(Scale::Linear, [0.0, 1.0], 4),
            "0 0.2 0.4 0.6 0.8 1.0"
        );
        assert_eq!(
            labels(Scale::Linear, [0.0, 20_000.0], 4),
            "0 5k 10k 15k 20k"
        );
        assert_eq!(labels(Scale::Linear, [0.0, 0.0009], 3), "0 0.0005");
        assert_eq!(labels(Scale::Log, [0.004, 30.0], 4), "0.01 0.1 1 10");
        assert_eq!(labels(Scale::Log, [1e-9, 1.0], 3), "1e−9 1e−6 0.001 1");
        assert_eq!(labels(Scale::Log, [0.04, 1.5], 3), "0.1 0.3 1");
        assert_eq!(labels(Scale::Log, [0.04, 1.5], 5), "0.05 0.1 0.2 0.5 1");
        assert_eq!(labels(Scale::Log, [0.2, 0.9], 3), "0.2 0.4 0.6 0.8");
    }

    #[test]
    fn readouts_are_short() {
        for (value, text) in [
            (0.0, "0"),
            (1.0, "1"),
            (0.12345, "0.123"),
            (-12.345, "−12.3"),
            (1234.5, "1234"),
            (1e5, "1e5"),
            (0.000123, "1.2e−4"),
            (f64::NAN, "–"),
        ] {
            assert_eq!(short(value), text);
        }
    }

    proptest! {
        #[test]
        fn ticks_lie_inside_and_ascend(low in -1e6f64..1e6, extent in 1e-9f64..1e9, count in 1usize..12) {
            let high = low + extent;
            let ticks = Ticks::new(Scale::Linear, [low, high], count);
            prop_assert!(ticks.values.len() <= 2 * count + 2);
            prop_assert_eq!(ticks.values.len(), ticks.labels.len());
            let slack = 1e-6 * extent + 1e-9 * low.abs();
            prop_assert!(ticks.values.iter().all(|v| *v >= low - slack && *v <= high + slack));
            prop_assert!(ticks.values.windows(2).all(|w| w[0] < w[1]));
        }

        #[test]
        fn any_range_is_harmless(a in prop::num::f64::ANY, b in prop::num::f64::ANY) {
            for scale in [Scale::Linear, Scale::Log] {
                let ticks = Ticks::new(scale, [a, b], 5);
                prop_assert!(ticks.values.len() <= 700 && ticks.values.iter().all(|v| v.is_finite()));
            }
        }
    }
}
