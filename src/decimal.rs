//! Decimal numbers: exact reading, shortest and rounded writing, by long division of big integers.
//!
//! The results are those of the standard library, which the tests compare with. Its routines are faster and bring 40 KB of
//! code and tables into the download; here numbers are few and short.

mod big;

#[cfg(test)]
mod tests;

use big::Big;
use std::cmp::Ordering;

/// The format that a number is read as or was computed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Width {
    /// `f32`
    Single,
    /// `f64`
    Double,
}

impl Width {
    /// Bits of a significand, and the exponent of the smallest subnormal number.
    fn bits(self) -> (i32, i32) {
        match self {
            Self::Single => (24, -149),
            Self::Double => (53, -1074),
        }
    }
}

/// Where a decimal ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cut {
    /// At the fewest digits that read back as the same number, the nearest of these.
    Shortest(Width),
    /// After so many decimals.
    Decimals(usize),
    /// After so many digits.
    Figures(usize),
}

/// The nearest number of the format, ties to even; `None` where the text is no number. Too large ones are infinite.
///
/// **Source** W. D. Clinger (1990). How to read floating point numbers accurately: algorithm M, with big integers.
pub fn read(text: &str, width: Width) -> Option<f64> {
    let (negative, rest) = match text.as_bytes() {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    let size = unsigned(rest, width)?;
    Some(if negative { -size } else { size })
}

fn unsigned(text: &[u8], width: Width) -> Option<f64> {
    for (word, value) in [
        ("inf", f64::INFINITY),
        ("infinity", f64::INFINITY),
        ("nan", f64::NAN),
    ] {
        if text.eq_ignore_ascii_case(word.as_bytes()) {
            return Some(value);
        }
    }
    let end = text.iter().position(|c| matches!(c, b'e' | b'E'));
    let (number, exponent) = text.split_at(end.unwrap_or(text.len()));
    let mut tens = if exponent.is_empty() {
        0
    } else {
        whole(&exponent[1..])?
    };
    let mut digits = Big::from(0);
    let (mut kept, mut any, mut point) = (0, false, false);
    for &c in number {
        match c {
            b'.' if !point => point = true,
            b'0'..=b'9' => {
                any = true;
                // Two numbers' midpoint has at most 768 digits; of later ones it matters only whether they are zero.
                if kept < 800 {
                    digits.multiply_add(10, u32::from(c - b'0'));
                    kept += i32::from(!digits.is_zero());
                    tens -= i32::from(point);
                } else {
                    if c != b'0' {
                        digits.make_odd();
                    }
                    tens += i32::from(!point);
                }
            }
            _ => return None,
        }
    }
    if !any {
        return None;
    }
    Some(match kept + tens {
        _ if digits.is_zero() => 0.0,
        ..-400 => 0.0,
        400.. => f64::INFINITY,
        _ => nearest(digits, tens, width),
    })
}

/// An exponent; very large ones are cut off.
fn whole(text: &[u8]) -> Option<i32> {
    let (sign, digits) = match text {
        [b'-', rest @ ..] => (-1, rest),
        [b'+', rest @ ..] => (1, rest),
        rest => (1, rest),
    };
    let mut value = 0i32;
    for c in digits {
        if !c.is_ascii_digit() {
            return None;
        }
        value = (value * 10 + i32::from(c - b'0')).min(1_000_000);
    }
    (!digits.is_empty()).then_some(sign * value)
}

/// `digits · 10^tens`, rounded.
fn nearest(mut above: Big, tens: i32, width: Width) -> f64 {
    let mut below = Big::from(1);
    above.multiply_power(10, tens);
    below.multiply_power(10, -tens);
    // Now 1 ≤ above/below < 2, times 2^exponent.
    let mut exponent = above.bits() - below.bits();
    above.multiply_power(2, -exponent);
    below.multiply_power(2, exponent);
    if above.compare(&below) == Ordering::Less {
        above.multiply_add(2, 0);
        exponent -= 1;
    }
    let (precision, lowest) = width.bits();
    let last = (exponent - precision + 1).max(lowest);
    let mut significand = 0u64;
    for _ in last..=exponent {
        significand = 2 * significand + u64::from(above.take(&below));
        above.multiply_add(2, 0);
    }
    // What is left is twice the remainder; a number below half of the smallest has none of its bits taken.
    let up = match above.compare(&below) {
        _ if exponent < last - 1 => false,
        Ordering::Less => false,
        Ordering::Equal => significand % 2 == 1,
        Ordering::Greater => true,
    };
    let value = (significand + u64::from(up)) as f64 * power_of_two(last / 2);
    let value = value * power_of_two(last - last / 2);
    match width {
        Width::Single => f64::from(value as f32),
        Width::Double => value,
    }
}

/// 2^`exponent` of a normal number.
fn power_of_two(exponent: i32) -> f64 {
    f64::from_bits(((1023 + exponent) as u64) << 52)
}

/// Digits and the place of the point: `size` = 0.d₁d₂… · 10^point. `size` is positive and finite.
///
/// **Source** G. L. Steele, J. L. White (1990). How to print floating-point numbers accurately: (FP)³, "Dragon4".
fn digits(size: f64, cut: Cut) -> (Vec<u8>, i32) {
    let (precision, lowest) = match cut {
        Cut::Shortest(width) => width.bits(),
        _ => Width::Double.bits(),
    };
    let bits = size.to_bits();
    let (fraction, biased) = (bits & ((1 << 52) - 1), (bits >> 52) as i32);
    let significand = fraction | u64::from(biased > 0) << 52;
    let mut exponent = biased.max(1) - 1075;
    // The last place of the format, which for single precision is far above that of double.
    let top = exponent + 64 - significand.leading_zeros() as i32;
    let last = (top - precision).max(lowest);
    let significand = if last > exponent {
        significand >> (last - exponent)
    } else {
        significand
    };
    exponent = exponent.max(last);
    let even = significand % 2 == 0;
    // Numbers below a power of two lie twice as densely.
    let edge = i32::from(significand == 1 << (precision - 1) && last > lowest);
    let mut rest = Big::from(significand);
    let mut one = Big::from(1);
    let (mut up, mut down) = match cut {
        Cut::Shortest(_) => (Big::from(1), Big::from(1)),
        _ => (Big::from(0), Big::from(0)),
    };
    rest.multiply_power(2, exponent.max(0) + 1 + edge);
    one.multiply_power(2, (-exponent).max(0) + 1 + edge);
    up.multiply_power(2, exponent.max(0) + edge);
    down.multiply_power(2, exponent.max(0));
    let inclusive = even || !matches!(cut, Cut::Shortest(_));
    let reaches = |a: &Big, b: &Big, one: &Big| match a.plus(b).compare(one) {
        Ordering::Greater => true,
        Ordering::Equal => inclusive,
        Ordering::Less => false,
    };
    // An estimate of the point's place from below, then the place itself.
    let mut point = (f64::from(top) * std::f64::consts::LOG10_2) as i32 - 2;
    one.multiply_power(10, point);
    for number in [&mut rest, &mut up, &mut down] {
        number.multiply_power(10, -point);
    }
    while reaches(&rest, &up, &one) {
        one.multiply_add(10, 0);
        point += 1;
    }
    let count = match cut {
        Cut::Shortest(_) => usize::MAX,
        Cut::Decimals(n) => (n as i32 + point).max(0) as usize,
        Cut::Figures(n) => n,
    };
    let mut out = Vec::new();
    let far = matches!(cut, Cut::Decimals(n) if n as i32 + point < 0);
    let raise = loop {
        if out.len() == count {
            let twice = rest.plus(&rest).compare(&one);
            let odd = out.last().is_some_and(|d| d % 2 == 1);
            break !far && (twice == Ordering::Greater || twice == Ordering::Equal && odd);
        }
        for number in [&mut rest, &mut up, &mut down] {
            number.multiply_add(10, 0);
        }
        let mut digit = 0;
        while rest.take(&one) {
            digit += 1;
        }
        out.push(digit);
        if count == usize::MAX {
            let low = match rest.compare(&down) {
                Ordering::Less => true,
                Ordering::Equal => inclusive,
                Ordering::Greater => false,
            };
            let high = reaches(&rest, &up, &one);
            if low || high {
                break high && (!low || rest.plus(&rest).compare(&one) != Ordering::Less);
            }
        }
    };
    if raise {
        let nines = out.iter().rev().take_while(|d| **d == 9).count();
        let kept = out.len() - nines;
        out[kept..].fill(0);
        match out[..kept].last_mut() {
            Some(digit) => *digit += 1,
            None => {
                // All nines: one more digit before the point, and as many after it.
                out.insert(0, 1);
                point += 1;
                if matches!(cut, Cut::Figures(_)) {
                    out.pop();
                }
            }
        }
    }
    (out, point)
}

/// `write` for the size of a finite number, with its sign; other values as the standard library names them.
fn signed(value: f64, write: impl Fn(f64, &mut String)) -> String {
    let mut out = String::new();
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_sign_negative() {
        out.push('-');
    }
    if value.is_infinite() {
        out.push_str("inf");
    } else {
        write(value.abs(), &mut out);
    }
    out
}

fn digits_of(size: f64, cut: Cut) -> (Vec<u8>, i32) {
    if size == 0.0 {
        return (Vec::new(), 0);
    }
    digits(size, cut)
}

fn with_point(size: f64, cut: Cut) -> String {
    signed(size, |size, out| {
        let (digits, point) = digits_of(size, cut);
        let digit = |i: i32| match usize::try_from(i).ok().and_then(|i| digits.get(i)) {
            Some(d) => char::from(b'0' + d),
            None => '0',
        };
        if point < 1 {
            out.push('0');
        }
        out.extend((0..point).map(digit));
        let decimals = match cut {
            Cut::Decimals(n) => n as i32,
            _ => digits.len() as i32 - point,
        };
        if decimals > 0 {
            out.push('.');
            out.extend((point..point + decimals).map(digit));
        }
    })
}

/// The fewest digits that read back, without an exponent: `0.1`, `12`.
pub fn plain(value: f64, width: Width) -> String {
    with_point(value, Cut::Shortest(width))
}

/// With so many decimals: `1.50`.
pub fn fixed(value: f64, decimals: usize) -> String {
    with_point(value, Cut::Decimals(decimals))
}

fn with_exponent(value: f64, cut: Cut) -> String {
    signed(value, |size, out| {
        let (mut digits, point) = digits_of(size, cut);
        if let Cut::Figures(n) = cut {
            digits.resize(n, 0);
        }
        let mut digits = digits.iter().map(|d| char::from(b'0' + d));
        out.push(digits.next().unwrap_or('0'));
        if digits.len() > 0 {
            out.push('.');
            out.extend(digits);
        }
        let exponent = if size == 0.0 { 0 } else { point - 1 };
        out.push('e');
        out.push_str(&exponent.to_string());
    })
}

/// The fewest digits that read back, with an exponent: `1.5e-7`.
pub fn scientific(value: f64, width: Width) -> String {
    with_exponent(value, Cut::Shortest(width))
}

/// With an exponent and so many decimals: `1.50e-7`.
pub fn scientific_to(value: f64, decimals: usize) -> String {
    with_exponent(value, Cut::Figures(decimals + 1))
}
