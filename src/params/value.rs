//! The types a parameter can have, each with its link syntax: parse, show, and the nearest allowed value.

use super::{Choice, Kind, Spec};
use crate::decimal::{Width, plain, read, scientific};

/// A type that can be a parameter.
pub trait ParamValue: Sized + Clone + PartialEq {
    /// Control and syntax.
    const KIND: Kind;
    /// Allowed words, if any.
    const CHOICES: &'static [Choice] = &[];
    /// Reads link text.
    ///
    /// # Errors
    /// What is wrong and what is allowed, with the nearest allowed value where there is one.
    fn parse(text: &str, spec: &Spec) -> Result<Self, (String, Option<Self>)>;
    /// Writes link text; `parse(show(v)) == v`.
    fn show(&self) -> String;
}

/// At most 40 characters of what the user wrote, in quotes: messages stay short whatever the input.
pub fn quote(text: &str) -> String {
    let mut chars = text.chars();
    let short: String = chars.by_ref().take(40).collect();
    let more = if chars.next().is_some() { "…" } else { "" };
    format!("`{short}{more}`")
}

/// Reads a number and compares it with the range at the precision `round` keeps, so that what `show` writes is
/// always accepted again. Minus zero becomes zero.
fn number(text: &str, spec: &Spec, round: fn(f64) -> f64) -> Result<f64, (String, Option<f64>)> {
    let value = match read(text, Width::Double) {
        Some(v) if f64::is_finite(v) && round(v).is_finite() => round(v) + 0.0,
        _ => {
            let message = format!("{} is not a number; {}", quote(text), allowed(spec));
            return Err((message, None));
        }
    };
    // Not `clamp`, whose message would bring the standard library's number formatting into the download.
    let nearest = value.max(round(spec.min)).min(round(spec.max));
    if value == nearest {
        return Ok(value);
    }
    let message = format!("{} is out of range; {}", quote(text), allowed(spec));
    Err((message, Some(nearest)))
}

/// To the nearest f32, as f64.
fn single(value: f64) -> f64 {
    f64::from(value as f32)
}

/// The fewest digits that read back as the same f32, e.g. `0.1`, `12`, `1e-6`.
pub fn shortest(value: f32) -> String {
    let decimal = plain(value.into(), Width::Single);
    if decimal.len() <= 6 {
        return decimal;
    }
    let exponent = scientific(value.into(), Width::Single);
    if exponent.len() < decimal.len() {
        exponent
    } else {
        decimal
    }
}

fn allowed(spec: &Spec) -> String {
    let [min, max] = [spec.min, spec.max].map(|v| plain(v, Width::Double));
    match (spec.min.is_finite(), spec.max.is_finite()) {
        (true, true) => format!("allowed are {min} to {max}"),
        (true, false) => format!("allowed are numbers from {min}"),
        (false, true) => format!("allowed are numbers up to {max}"),
        (false, false) => "allowed are finite numbers".to_owned(),
    }
}

macro_rules! integer {
    ($($ty:ty),*) => {$(
        impl ParamValue for $ty {
            const KIND: Kind = Kind::Integer;
            fn parse(text: &str, spec: &Spec) -> Result<Self, (String, Option<Self>)> {
                let (min, max) = (spec.min.max(0.0), spec.max.min(f64::from(u32::MAX)));
                let bounded = spec.clone().range(min, max);
                let value = number(text, &bounded, |v| v).map_err(|(m, v)| (m, v.map(|v| v.round() as $ty)))?;
                if value.fract() != 0.0 {
                    return Err((format!("{} is not a whole number; {}", quote(text), allowed(&bounded)), Some(value.round() as $ty)));
                }
                Ok(value as $ty)
            }
            fn show(&self) -> String { self.to_string() }
        }
    )*};
}
integer!(u32, usize);

impl ParamValue for f32 {
    const KIND: Kind = Kind::Number;
    fn parse(text: &str, spec: &Spec) -> Result<Self, (String, Option<Self>)> {
        number(text, spec, single)
            .map(|v| v as f32)
            .map_err(|(m, v)| (m, v.map(|v| v as f32)))
    }
    fn show(&self) -> String {
        shortest(*self)
    }
}

impl ParamValue for String {
    const KIND: Kind = Kind::Text;
    fn parse(text: &str, _: &Spec) -> Result<Self, (String, Option<Self>)> {
        if text.chars().count() > 1000 {
            return Err(("longer than 1000 characters".to_owned(), None));
        }
        Ok(text.to_owned())
    }
    fn show(&self) -> String {
        self.clone()
    }
}

/// Comma-separated numbers, e.g. a mean vector.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Numbers(pub Vec<f32>);

impl ParamValue for Numbers {
    const KIND: Kind = Kind::List;
    fn parse(text: &str, spec: &Spec) -> Result<Self, (String, Option<Self>)> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        let mut values = Vec::new();
        for cell in text.split(',') {
            let value = number(cell.trim(), spec, single)
                .map_err(|(m, _)| (format!("entry {} of the list: {m}", values.len() + 1), None))?;
            values.push(value as f32);
            if values.len() > 128 * 128 {
                return Err(("a list has at most 16384 entries".to_owned(), None));
            }
        }
        Ok(Self(values))
    }
    fn show(&self) -> String {
        let cells: Vec<String> = self.0.iter().copied().map(shortest).collect();
        cells.join(",")
    }
}

/// A square matrix in row-major order; the syntax is that of [`Numbers`].
pub type Matrix = Numbers;

/// A type that is a number or one word.
macro_rules! number_or {
    ($(#[$meta:meta])* $name:ident, $(#[$doc:meta])* $word:ident = $id:literal $label:literal) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq)]
        pub enum $name {
            $(#[$doc])*
            $word,
            /// A fixed value.
            Fixed(f32),
        }

        impl ParamValue for $name {
            const KIND: Kind = Kind::NumberOr;
            const CHOICES: &'static [Choice] = &[Choice { id: $id, label: $label }];
            fn parse(text: &str, spec: &Spec) -> Result<Self, (String, Option<Self>)> {
                if text == $id {
                    return Ok(Self::$word);
                }
                let fixed = |v| Self::Fixed(v as f32);
                number(text, spec, single)
                    .map(fixed)
                    .map_err(|(m, v)| (format!(concat!("{}, or `", $id, "`"), m), v.map(fixed)))
            }
            fn show(&self) -> String {
                match self {
                    Self::$word => $id.to_owned(),
                    Self::Fixed(v) => shortest(*v),
                }
            }
        }
    };
}

number_or! {
    /// A kernel bandwidth: the median rule, or a fixed variance h².
    Bandwidth,
    /// h² = ½ med(r²)/ln(n+1), renewed as the particles move.
    Median = "median" "median rule"
}

number_or! {
    /// The bandwidth h² of a metric: that of the system, or a fixed one.
    MetricBandwidth,
    /// The system's bandwidth where it is a number, else 1.
    Auto = "auto" "as the system's, else 1"
}
