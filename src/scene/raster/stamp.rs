//! Coverage of a disc by pixels, at sub-pixel offsets.

/// Sub-pixel offsets an axis.
pub(super) const SUB: usize = 4;

/// Samples an axis and pixel when a stamp is made.
const SAMPLES: usize = 16;

/// Share of each pixel of a `size × size` stamp that a disc of `radius` around the stamp's centre, shifted by offset
/// `sub` (row-major in y, x; at the middle of its quarter pixel), covers.
pub(super) fn disc_coverage(radius: f32, size: usize, sub: usize) -> Vec<f32> {
    let shift = |s: usize| size as f32 / 2.0 + (s as f32 + 0.5) / SUB as f32;
    let (cx, cy) = (shift(sub % SUB), shift(sub / SUB));
    let mut coverage = Vec::with_capacity(size * size);
    for y in 0..size {
        for x in 0..size {
            let (dx, dy) = (x as f32 + 0.5 - cx, y as f32 + 0.5 - cy);
            let distance = (dx * dx + dy * dy).sqrt();
            // Off the edge by more than half a diagonal, the answer needs no samples.
            coverage.push(if distance > radius + 0.75 {
                0.0
            } else if distance + 0.75 < radius {
                1.0
            } else {
                sampled(radius, dx, dy)
            });
        }
    }
    coverage
}

fn sampled(radius: f32, dx: f32, dy: f32) -> f32 {
    let at = |i: usize| (i as f32 + 0.5) / SAMPLES as f32 - 0.5;
    let mut inside = 0;
    for j in 0..SAMPLES {
        for i in 0..SAMPLES {
            let (x, y) = (dx + at(i), dy + at(j));
            inside += u32::from(x * x + y * y <= radius * radius);
        }
    }
    inside as f32 / (SAMPLES * SAMPLES) as f32
}

/// Whole-pixel corner (left, top) and sub-pixel index of a stamp whose exact corner is `corner`; `None` where it is not
/// finite or misses the rectangle `[x0, y0, x1, y1]` altogether.
#[inline(always)]
pub(super) fn place(
    corner: [f32; 2],
    size: usize,
    [x0, y0, x1, y1]: [isize; 4],
) -> Option<(isize, isize, usize)> {
    let size = size as f32;
    let inside = corner[0] > x0 as f32 - size
        && corner[0] < x1 as f32
        && corner[1] > y0 as f32 - size
        && corner[1] < y1 as f32;
    // A NaN fails every comparison.
    if !inside {
        return None;
    }
    // A cast truncates, and is a floor for what is positive: stamps begin at most their size left of the picture. (A call
    // to floor costs more than all the rest here where the machine has no instruction for it.)
    const SHIFT: f32 = 256.0;
    let quarters = corner.map(|v| ((v + SHIFT) * SUB as f32) as i32 - SHIFT as i32 * SUB as i32);
    let [left, top] = quarters.map(|q| q.div_euclid(SUB as i32) as isize);
    let [sx, sy] = quarters.map(|q| q.rem_euclid(SUB as i32) as usize);
    let apart = left + size as isize > x0 && left < x1 && top + size as isize > y0 && top < y1;
    apart.then_some((left, top, sy * SUB + sx))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_covers_its_area_wherever_it_lies() {
        for radius in [0.4_f32, 1.0, 1.7, 2.5, 3.6] {
            let size = ((2.0 * radius + 2.0).ceil() as usize).next_multiple_of(4);
            for sub in 0..SUB * SUB {
                let sum: f32 = disc_coverage(radius, size, sub).iter().sum();
                let area = std::f32::consts::PI * radius * radius;
                // 256 samples a pixel along an edge of 2πr pixels: the counting error is far below 2 %, but for discs
                // smaller than a pixel.
                assert!(
                    (sum - area).abs() < 0.02 + 0.02 * area,
                    "r {radius}, offset {sub}: {sum} for {area}"
                );
            }
        }
    }

    #[test]
    fn places_are_whole_pixels_and_quarters() {
        let bounds = [0, 0, 100, 100];
        assert_eq!(place([10.0, 20.0], 8, bounds), Some((10, 20, 0)));
        assert_eq!(place([10.3, 20.8], 8, bounds), Some((10, 20, 3 * SUB + 1)));
        assert_eq!(place([-2.5, 0.0], 8, bounds), Some((-3, 0, 2)));
        for outside in [
            [-9.0, 0.0],
            [100.0, 0.0],
            [0.0, 1e30],
            [f32::NAN, 0.0],
            [0.0, f32::INFINITY],
        ] {
            assert_eq!(place(outside, 8, bounds), None);
        }
    }
}
