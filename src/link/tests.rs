//! What each rule of the grammar does, one line each.

use super::text::{decode, decode_base64, encode_base64, encode_value};
use super::{DEMO, Drawn, Link, MAX_LECTURE, MAX_LENGTH, MAX_SCENES, parse, scenes};
use crate::data::Table;

/// Canonical form, and the keys of the problems.
fn read(text: &str) -> (String, String) {
    let (link, problems) = parse(text);
    let keys: Vec<&str> = problems.iter().map(|p| p.key.as_str()).collect();
    (link.write(), keys.join(" "))
}

#[track_caller]
fn reads(text: &str, canonical: &str, keys: &str) {
    assert_eq!(read(text), (canonical.to_owned(), keys.to_owned()));
    let again = read(canonical);
    assert_eq!(again.0, canonical);
}

#[test]
fn defaults_are_left_out_and_keys_are_sorted_by_declaration() {
    reads(
        "v=1&m=svgd&n=512&kernel=imq&seed=42&target=banana",
        "v=1&m=svgd&target=banana&seed=42&kernel=imq",
        "",
    );
    reads(
        "v=1&m=svgd&step=.50&mean=0,1&cov=2,.5,.5,1",
        "v=1&m=svgd&mean=0,1&cov=2,0.5,0.5,1&step=0.5",
        "",
    );
}

#[test]
fn a_link_arrives_in_many_wrappings() {
    for text in [
        "#v=1&m=svgd&n=7",
        "  v=1&m=svgd&n=7\n",
        "https://example.org/p/?embed=1&ui=min#v=1&m=svgd&n=7",
        "/?embed=1#v=1&m=svgd&n=7",
        "v%3D1%26m%3Dsvgd%26n%3D7",
        "v=1&&m=svgd&n=%37&",
    ] {
        reads(text, "v=1&m=svgd&n=7", "");
    }
}

#[test]
fn what_cannot_be_read_opens_the_demo() {
    for (text, key) in [
        ("", "link"),
        ("https://example.org/", "link"),
        ("v=1", "m"),
        ("v=1&m=nonesuch", "m"),
        ("v=2&m=svgd", "v"),
        ("v=0&m=svgd", "v"),
        ("hello", "m"),
        (&format!("v=1&m=svgd&x={}", "y".repeat(MAX_LENGTH)), "link"),
        (
            &format!("v=1&m=svgd&x={}", "é".repeat(MAX_LENGTH / 3)),
            "link",
        ),
    ] {
        let (canonical, keys) = read(text);
        assert_eq!(canonical, Link::default().write(), "{text}");
        assert!(keys.ends_with(key), "{text}: {keys}");
    }
    assert_eq!(read(DEMO), (DEMO.to_owned(), String::new()));
}

#[test]
fn bad_values_become_the_nearest_or_the_default() {
    reads("v=1&m=svgd&n=0", "v=1&m=svgd&n=1", "n");
    reads("v=1&m=svgd&n=many&kernel=cubic", "v=1&m=svgd", "n kernel");
    reads(
        "v=1&m=svgd&step=100&seed=-1",
        "v=1&m=svgd&seed=0&step=10",
        "step seed",
    );
    reads("m=svgd", "v=1&m=svgd", "v");
    reads("v=1&m=svgd&n=5&n=6", "v=1&m=svgd&n=6", "n");
    reads("v=1&m=svgd&=5", "v=1&m=svgd", "link");
    let (_, problems) = parse("v=1&m=svgd&step=100");
    assert_eq!(
        problems[0].to_string(),
        "step: `100` is out of range; allowed are 0.00001 to 10"
    );
}

#[test]
fn unknown_keys_are_kept_in_order_and_noticed() {
    reads(
        "v=1&m=svgd&zeta=1&alpha=a%26b%3B&n=5",
        "v=1&m=svgd&n=5&zeta=1&alpha=a%26b%3B",
        "zeta alpha",
    );
}

#[test]
fn keys_of_the_whole_link_come_last() {
    reads(
        "v=1&m=svgd&k=400&speed=2&view=-3,-2,3,2&digest=x86_64-1a&n=5",
        "v=1&m=svgd&n=5&k=400&digest=x86_64-1a&view=-3,-2,3,2&speed=2",
        "",
    );
    reads(
        "v=1&m=svgd&view=1,2,3&k=-1&speed=0&digest=%20",
        "v=1&m=svgd&k=0&speed=0.01",
        "k view speed digest",
    );
}

#[test]
fn later_panes_inherit_explicit_keys() {
    reads(
        "v=1&m=svgd&n=64;kernel=imq",
        "v=1&m=svgd&n=64;kernel=imq",
        "",
    );
    reads(
        "v=1&m=svgd&n=64&k=9;n=512&k=3",
        "v=1&m=svgd&n=64&k=9;n=512",
        "k",
    );
    reads("v=1&m=svgd;m=svgd", "v=1&m=svgd;m=svgd", "");
    reads("v=1&m=svgd;", "v=1&m=svgd", "link");
    reads("v=1&m=svgd;m=nonesuch;seed=2", "v=1&m=svgd;seed=2", "m");
    reads("v=1&m=svgd;digest=a-1", "v=1&m=svgd;digest=a-1", "");
    reads(
        "v=1&m=svgd;n=1;n=2;n=3;n=4",
        "v=1&m=svgd;n=1;n=2;n=3",
        "link",
    );
    let (link, problems) = parse("v=1&m=svgd&n=64;n=0");
    assert_eq!(link.panes[1].system.get("n").as_deref(), Some("1"));
    assert!(problems[0].message.ends_with("(pane 2)"), "{}", problems[0]);
}

#[test]
fn drawn_points_set_n() {
    let table = Table {
        names: Vec::new(),
        columns: 2,
        values: vec![0.0, 1.0, -0.5, 300.0, 0.001, f32::NAN],
    };
    let drawn = Drawn::new(&table).expect("fits");
    assert_eq!(
        drawn.to_table().values,
        [0.0, 1.0, -0.5, 32767.0 / 256.0, 0.0, 0.0]
    );
    let data = drawn.encode();
    let canonical = format!("v=1&m=svgd&init=file&n=3&data={data}");
    reads(&format!("v=1&m=svgd&init=file&data={data}"), &canonical, "");
    reads(
        &format!("v=1&m=svgd&init=file&n=4&data={data}"),
        &canonical,
        "n",
    );
    reads(
        &format!("v=1&m=svgd&d=3&init=file&data={data}"),
        &canonical.replace("svgd", "svgd&d=3"),
        "d",
    );
    reads(
        &format!("v=1&m=svgd&data={data}"),
        &format!("v=1&m=svgd&data={data}"),
        "data",
    );
    reads(
        "v=1&m=svgd&init=file&data=AQIA",
        "v=1&m=svgd&init=file",
        "data",
    );
    for (columns, rows) in [(2, 0), (0, 0), (2, 513), (8, 257), (300, 1)] {
        let values = vec![0.0; columns * rows];
        assert!(
            Drawn::new(&Table {
                names: Vec::new(),
                columns,
                values
            })
            .is_err(),
            "{rows} × {columns}"
        );
    }
}

#[test]
fn text_codecs_agree_with_the_standards() {
    for (plain, coded) in [
        ("", ""),
        ("f", "Zg"),
        ("fo", "Zm8"),
        ("foo", "Zm9v"),
        ("foobar", "Zm9vYmFy"),
    ] {
        assert_eq!(
            encode_base64(plain.as_bytes()),
            coded,
            "RFC 4648, section 10, without padding"
        );
        assert_eq!(decode_base64(coded).as_deref(), Some(plain.as_bytes()));
    }
    assert_eq!(encode_base64(&[0xfb, 0xff]), "-_8");
    for bad in ["Z", "Zh", "Zg==", "+/", "é"] {
        assert_eq!(decode_base64(bad), None, "{bad}");
    }
    assert_eq!(encode_value("a b&c;d#é%,="), "a%20b%26c%3Bd%23%C3%A9%25,=");
    assert_eq!(decode("%C3%A9%zz%2"), "é%zz%2");
    assert_eq!(decode("%FF"), "\u{fffd}");
}

#[test]
fn a_lecture_has_a_link_a_scene() {
    let lecture = "https://x.org/?embed=1#v=1&m=svgd;m=ula;;v=1&m=mala&n=9";
    assert_eq!(scenes(lecture), ["v=1&m=svgd;m=ula", "v=1&m=mala&n=9"]);
    let (first, problems) = parse(lecture);
    assert_eq!((first.panes.len(), problems.len()), (2, 0));
    assert_eq!(scenes("m=svgd;m=ula"), ["m=svgd;m=ula"]);
}

#[test]
fn an_empty_pane_at_an_end_is_no_lecture_and_still_noticed() {
    for text in ["v=1&m=svgd;", "v=1&m=svgd;;"] {
        assert_eq!(scenes(text).len(), 1);
        assert!(!parse(text).1.is_empty(), "{text}");
    }
    let long = "m=svgd;;".repeat(100);
    assert_eq!(scenes(&long).len(), MAX_SCENES);
    let endless = "m=svgd;;".repeat(MAX_LECTURE);
    assert!(!parse(&endless).1.is_empty());
}
