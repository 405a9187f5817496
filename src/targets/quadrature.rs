//! Integrals over a line, by composite Gauss–Legendre rules, in f64.

/// Nodes and weights of the 8-point rule on [−1, 1], positive half.
pub(crate) const GAUSS8: [(f64, f64); 4] = [
    (0.183_434_642_495_649_8, 0.362_683_783_378_362),
    (0.525_532_409_916_329, 0.313_706_645_877_887_3),
    (0.796_666_477_413_626_7, 0.222_381_034_453_374_5),
    (0.960_289_856_497_536_2, 0.101_228_536_290_376_26),
];

/// The 8 nodes of [a, b] in ascending order, with weights that add up to b − a.
pub(crate) fn nodes(a: f64, b: f64) -> [(f64, f64); 8] {
    let (middle, half) = (0.5 * (a + b), 0.5 * (b - a));
    std::array::from_fn(|i| {
        let (node, weight) = if i < 4 { GAUSS8[3 - i] } else { GAUSS8[i - 4] };
        let sign = if i < 4 { -1.0 } else { 1.0 };
        (middle + sign * half * node, half * weight)
    })
}

/// ∫ f over [a, b] by `pieces` 8-point rules.
pub(crate) fn line(a: f64, b: f64, pieces: u32, f: impl Fn(f64) -> f64) -> f64 {
    let width = (b - a) / f64::from(pieces);
    (0..pieces)
        .flat_map(|k| nodes(a + width * f64::from(k), a + width * f64::from(k + 1)))
        .map(|(x, w)| w * f(x))
        .sum()
}
