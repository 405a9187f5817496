use super::*;
use proptest::prelude::*;

fn curve(pane: usize, points: Vec<[f64; 2]>) -> Curve {
    let band = Vec::new();
    Curve { pane, points, band }
}

fn chart(curves: Vec<Curve>) -> Chart {
    let reference = Reference {
        value: 0.1,
        label: "floor".to_owned(),
    };
    Chart {
        scale: Scale::Log,
        curves,
        references: vec![reference],
        across: Across::steps(0.0),
    }
}

#[test]
fn a_chart_draws_the_same_list_every_time() {
    let points = (0..5)
        .map(|i| [f64::from(10 * i), 1.0 / f64::from(i + 1)])
        .collect();
    let chart = chart(vec![curve(1, points)]);
    insta::assert_snapshot!(chart.draw(260.0, 140.0).listing());
}

#[test]
fn wide_positive_ranges_are_logarithmic() {
    let of = |values: &[f64]| {
        let points = values.iter().map(|v| [0.0, *v]).collect();
        chart(vec![curve(0, points)])
    };
    assert_eq!(of(&[1.0, 0.01]).drawn_scale(), Scale::Log);
    assert_eq!(of(&[1.0, 0.1]).drawn_scale(), Scale::Linear);
    assert_eq!(of(&[1.0, 0.0]).drawn_scale(), Scale::Linear);
    assert_eq!(of(&[]).drawn_scale(), Scale::Linear);
}

#[test]
fn a_band_and_a_logarithmic_parameter_are_drawn() {
    let point = |i: i32| [f64::from(1 << i), 0.1f64.powi(i)];
    let mut one = curve(0, (0..5).map(point).collect());
    let plain = chart(vec![one.clone()]).draw(260.0, 140.0);
    one.band = one
        .points
        .iter()
        .map(|p| [p[0], 0.5 * p[1], 2.0 * p[1]])
        .collect();
    let across = Across {
        name: "width m",
        scale: Scale::Log,
        least: [f64::MAX, f64::MIN],
    };
    let list = Chart {
        across,
        ..chart(vec![one])
    }
    .draw(260.0, 140.0);
    assert!(list.ops().len() > plain.ops().len());
    assert!(list.ops().iter().all(|v| v.is_finite()));
    assert!(
        list.text().contains(&"width m".to_owned()),
        "{:?}",
        list.text()
    );
}

#[test]
fn labels_lose_clauses_where_there_is_no_room() {
    let label = "floor: exact batches, of 512";
    assert_eq!(fitting(label, 400.0), label);
    assert_eq!(fitting(label, 130.0), "floor: exact batches");
    assert_eq!(fitting(label, 60.0), "floor");
    assert_eq!(fitting(label, 1.0), "floor");
}

#[test]
fn long_logs_are_thinned_but_keep_their_peaks() {
    let points: Vec<[f32; 2]> = (0..100_000)
        .map(|i| [i as f32 * 0.002, if i == 777 { 9.0 } else { 1.0 }])
        .collect();
    let kept = thinned(&points);
    assert!(kept.len() <= 4 * 201 && kept.iter().any(|p| p[1] == 9.0));
}

proptest! {
    #[test]
    fn any_values_and_sizes_are_harmless(
        values in prop::collection::vec(prop::num::f64::ANY, 0..20),
        reference in prop::num::f64::ANY,
        width in 0f32..400.0,
        height in 0f32..300.0,
    ) {
        let points = values.iter().enumerate().map(|(i, v)| [i as f64, *v]).collect();
        let mut chart = chart(vec![curve(3, points), curve(7, vec![])]);
        chart.references[0].value = reference;
        let list = chart.draw(width, height);
        prop_assert!(list.ops().iter().all(|v| v.is_finite()));
    }
}
