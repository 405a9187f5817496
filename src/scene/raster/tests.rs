//! What a painted cloud must look like, and how long it may take.

use super::*;
use crate::rng::{normal_vec, stream};
use crate::scene::Frame;
use proptest::prelude::*;

const STYLE: CloudStyle = CloudStyle {
    colour: [200, 60, 20, 255],
    dense: [30, 30, 30, 255],
    rim: [255, 255, 255, 255],
    ratio: 1.0,
};

fn canvas(width: usize, height: usize) -> (Canvas, View) {
    let mut canvas = Canvas::default();
    canvas.resize(width, height);
    canvas.clear([255; 4]);
    let rect = Rect {
        x: 0.0,
        y: 0.0,
        w: width as f32,
        h: height as f32,
    };
    (canvas, View::fit(Frame::new([-3.0, -2.0, 3.0, 2.0]), rect))
}

/// Blue is what the particle's colour takes from white.
fn ink(canvas: &Canvas) -> f32 {
    let full = 255.0 - f32::from(STYLE.colour[2]);
    canvas
        .pixels()
        .chunks_exact(4)
        .map(|p| (255.0 - f32::from(p[2])) / full)
        .sum()
}

#[test]
fn one_disc_has_its_area_anywhere() {
    for at in [[0.0, 0.0], [0.013, -0.4], [1.111, 1.0]] {
        let (mut canvas, view) = canvas(300, 200);
        canvas.cloud(&at, 2, [0, 1], &view, STYLE);
        let r = STYLE.radius(1, 60_000.0);
        let area = FILL * PI * r * r;
        // Each of ~60 touched pixels rounds down by up to one level of 235.
        assert!(
            (ink(&canvas) - area).abs() < 0.03 * area,
            "{} for {area}",
            ink(&canvas)
        );
    }
}

#[test]
fn the_picture_stays_opaque() {
    for n in [1, 500, 60_000] {
        let (mut canvas, view) = canvas(300, 200);
        canvas.cloud(
            &normal_vec(1, stream::INIT, 0, 2 * n),
            2,
            [0, 1],
            &view,
            STYLE,
        );
        assert!(
            canvas.pixels().chunks_exact(4).all(|p| p[3] == 255),
            "n = {n}"
        );
    }
}

#[test]
fn crowds_keep_their_shape() {
    let n = 100_000;
    let (mut canvas, view) = canvas(600, 400);
    let x = normal_vec(1, stream::INIT, 0, 2 * n);
    canvas.cloud(&x, 2, [0, 1], &view, STYLE);
    let mean = |radius: f32| {
        // Mean darkness on a circle of this radius.
        let at = |i: u32| {
            let t = i as f32 * 0.1;
            let [px, py] = view.to_pixel([radius * t.cos(), radius * t.sin()]);
            255.0 - f32::from(canvas.pixels()[4 * (py as usize * 600 + px as usize) + 1])
        };
        (0..62).map(at).sum::<f32>() / 62.0
    };
    let profile: Vec<f32> = [0.1, 0.8, 1.4, 1.9].map(mean).to_vec();
    assert!(
        profile.windows(2).all(|w| w[0] > 1.15 * w[1]),
        "{profile:?}"
    );
}

#[test]
fn a_pane_does_not_paint_outside_itself() {
    for n in [300, 50_000] {
        let (mut canvas, _) = canvas(300, 200);
        let rect = Rect {
            x: 100.0,
            y: 50.0,
            w: 100.0,
            h: 80.0,
        };
        let view = View::fit(Frame::new([-1.0, -1.0, 1.0, 1.0]), rect);
        canvas.cloud(
            &normal_vec(3, stream::INIT, 0, 2 * n),
            2,
            [0, 1],
            &view,
            STYLE,
        );
        for (i, p) in canvas.pixels().chunks_exact(4).enumerate() {
            let (x, y) = ((i % 300) as f32, (i / 300) as f32);
            assert!(
                rect.holds([x, y]) || p == [255; 4],
                "({x}, {y}) with n = {n}"
            );
        }
    }
}

proptest! {
    #[test]
    fn any_positions_and_views_are_harmless(
        x in prop::collection::vec(prop::num::f32::ANY, 0..64),
        d in 1usize..4,
        frame in prop::array::uniform4(prop::num::f32::ANY),
        width in 0usize..40,
        height in 0usize..40,
        copies in prop::sample::select(vec![1usize, 400]),
    ) {
        let mut canvas = Canvas::default();
        canvas.resize(width, height);
        canvas.clear([255; 4]);
        let rect = Rect { x: 3.0, y: 1.0, w: 20.0, h: 50.0 };
        let view = View::fit(Frame::new(frame), rect);
        let x = x.repeat(copies);
        canvas.cloud(&x, d, [0, d - 1], &view, STYLE);
        canvas.cloud(&x, d, [0, d], &view, STYLE);
        canvas.paste([30, 2], 4, &[0; 4 * 4 * 3]);
    }
}

/// Not a check: prints what a picture costs. Run with `--nocapture`.
#[test]
fn time_of_a_picture() {
    for n in [1_000, 4_000, 10_000, 100_000] {
        let (mut canvas, view) = canvas(1200, 800);
        let x = normal_vec(1, stream::INIT, 0, 2 * n);
        canvas.cloud(&x, 2, [0, 1], &view, STYLE);
        let start = std::time::Instant::now();
        for _ in 0..10 {
            canvas.clear([255; 4]);
            canvas.cloud(&x, 2, [0, 1], &view, STYLE);
        }
        println!(
            "{n} particles at 1200×800: {:.2} ms",
            start.elapsed().as_secs_f64() * 100.0
        );
    }
}
