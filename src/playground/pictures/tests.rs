//! The picture for a device is the picture of the rasteriser.

use super::*;
use crate::exec::gpu::{Device, Painter, painted};
use crate::playground::Place;

fn on_device(link: &str) -> (Playground, Painter) {
    let device = pollster::block_on(Device::open()).expect("an adapter; software ones count");
    let painter = Painter::new(&device, painted::FORMAT);
    let place = Place {
        device: Some(device),
        reason: String::new(),
    };
    let mut playground = Playground::open_at(link, place);
    playground.resize(360.0, 240.0, 1.0);
    (playground, painter)
}

/// Does steps until the host knows their outcome.
fn work(playground: &mut Playground, steps: u32) {
    let goal = playground.step() + steps;
    while playground.step() < goal || !playground.is_settled() {
        playground.advance(u64::MAX, goal - playground.step());
        playground.measure_here();
        playground.device().expect("a device").wait();
    }
}

#[test]
fn runs_on_a_device_are_painted_as_on_the_cpu() {
    for link in [
        "v=1&m=svgd&target=banana&n=60&bandwidth=1",
        "v=1&m=ula&target=gaussian&d=1&n=50",
        "v=1&m=ula&target=mixture&d=4&n=3000",
        "v=1&m=ula&target=gaussian&n=40&seed=3;m=mala&step=0.2",
    ] {
        let (mut playground, mut painter) = on_device(link);
        playground.set_layers(r#"{"trails":true}"#);
        for _ in 0..4 {
            // The host's trails grow by each step it knows, the device's by each picture.
            painted::painted(&mut painter, &playground.picture_on_device());
            work(&mut playground, 1);
        }
        let ground = playground.pixels().to_vec();
        let device = painted::painted(&mut painter, &playground.picture_on_device());
        assert_eq!(
            playground.pixels(),
            ground,
            "{link}: the host paints no particles"
        );
        playground.render();
        let (painted, ..) = painted::difference(playground.pixels(), &ground);
        let (apart, worst, _) = painted::difference(playground.pixels(), &device);
        println!("{link}: apart by {apart:.3} of {painted:.3} levels, at worst by {worst}");
        // As between rasteriser and painter; see there.
        assert!(
            painted > 0.2,
            "{link}: {painted} levels are hardly anything"
        );
        assert!(
            apart < 0.15 * painted + 0.1 && worst <= 52,
            "{link}: apart by {apart} of {painted} levels, at worst by {worst}"
        );
    }
}

#[test]
fn the_ground_is_painted_only_when_it_changes() {
    let (mut playground, _) = on_device("v=1&m=svgd&target=banana&n=20&bandwidth=1");
    let revision = |playground: &mut Playground| playground.picture_on_device().revision;
    let first = revision(&mut playground);
    work(&mut playground, 2);
    playground.set_layers(r#"{"trails":true,"particles":false}"#);
    assert_eq!(revision(&mut playground), first);
    let changes: [fn(&mut Playground); 7] = [
        |p| p.pan(10.0, 0.0),
        |p| p.resize(300.0, 200.0, 1.0),
        |p| p.set_layers(r#"{"contours":false}"#),
        |p| p.set_theme(&[0x1122_33ff]),
        |p| drop(p.set(None, "target", "ring")),
        |p| p.set_link("v=1&m=ula&target=ring"),
        // The pixel buffer had something else in between.
        |p| p.render(),
    ];
    for (i, change) in (1..).zip(changes) {
        change(&mut playground);
        assert_eq!(revision(&mut playground), first + i);
        assert_eq!(revision(&mut playground), first + i);
    }
}
