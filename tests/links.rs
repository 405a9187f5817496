//! The link under load: generated configurations, mutated links, arbitrary strings; the corpus of golden links, whose
//! entries are never deleted; and the defaults that link version 1 froze.

use proptest::prelude::*;
use pushforward::link::{Drawn, Link, MAX_LENGTH, MAX_PANES, Pane, VERSION, defaults, parse};
use pushforward::params::{Kind, Spec};
use pushforward::session::Session;
use pushforward::systems::{Inputs, REGISTRY};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::{env, fs};

fn cases(n: u32) -> ProptestConfig {
    ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(n)
    }
}

/// The canonical form re-parses to itself, and raises no key that the link did not raise.
fn settles(text: &str) -> Result<(), TestCaseError> {
    let (link, problems) = parse(text);
    let canonical = link.write();
    prop_assert!(canonical.len() <= MAX_LENGTH && link.panes.len() <= MAX_PANES);
    let (again, new) = parse(&canonical);
    prop_assert_eq!(&again.write(), &canonical, "from {}", text);
    for problem in &new {
        prop_assert!(
            problems.iter().any(|p| p.key == problem.key),
            "{canonical}: {problem}, not in {problems:?}"
        );
    }
    prop_assert!(problems.iter().all(|p| p.message.chars().count() < 2000));
    for (one, two) in link.panes.iter().zip(&again.panes) {
        prop_assert_eq!(one.entry.id, two.entry.id);
        prop_assert_eq!(one.system.specs(), two.system.specs(), "from {}", text);
    }
    Ok(())
}

/// An allowed value of a parameter, as text.
fn value(spec: &Spec) -> BoxedStrategy<String> {
    let words: Vec<String> = spec.choices.iter().map(|c| c.id.to_owned()).collect();
    let (min, max) = (spec.min.max(-1e6), spec.max.min(1e6));
    let number = (0.0..=1.0f64).prop_map(move |u| (min + u * (max - min)).to_string());
    match spec.kind {
        Kind::Choice => prop::sample::select(words).boxed(),
        Kind::Integer => (min.max(0.0) as u64..=max as u64)
            .prop_map(|v| v.to_string())
            .boxed(),
        Kind::Number => number.boxed(),
        Kind::NumberOr => prop_oneof![number, prop::sample::select(words)].boxed(),
        Kind::List => prop::collection::vec(number, 0..6)
            .prop_map(|v| v.join(","))
            .boxed(),
        Kind::Text => "\\PC{0,30}".boxed(),
    }
}

/// Settings of one pane: system, and some of its keys with allowed values.
fn settings() -> impl Strategy<Value = (usize, Vec<(String, String)>)> {
    (0..REGISTRY.len()).prop_flat_map(|system| {
        let specs = defaults(VERSION, REGISTRY[system]).specs();
        let pairs: Vec<_> = specs
            .iter()
            .map(|s| (Just(s.key.to_owned()), value(s)))
            .collect();
        let count = pairs.len();
        (
            Just(system),
            pairs,
            prop::collection::vec(any::<bool>(), count),
        )
            .prop_map(|(system, pairs, keep)| {
                let kept = pairs
                    .into_iter()
                    .zip(keep)
                    .filter_map(|(p, keep)| keep.then_some(p));
                (system, kept.collect())
            })
    })
}

fn link() -> impl Strategy<Value = Link> {
    let panes = prop::collection::vec(settings(), 1..=MAX_PANES);
    let points = prop::option::of(prop::collection::vec(any::<f32>(), 1..40));
    (
        panes,
        prop::option::of(any::<u32>()),
        points,
        prop::option::of(0.01..1000f32),
    )
        .prop_map(|(panes, k, points, speed)| {
            let mut link = Link {
                k,
                speed,
                view: k.map(|_| [-1.0, -1e-9, 2.5, 1e9]),
                ..Link::default()
            };
            link.panes.clear();
            for (system, pairs) in panes {
                let mut pane = Pane::new(VERSION, REGISTRY[system]);
                for (key, text) in pairs {
                    assert_eq!(pane.system.set(&key, &text), Some(Ok(())), "{key}={text}");
                }
                // Own points fix n and d, and are tested by the corpus.
                if let Some(key) = pane.entry.own.key() {
                    let default = (pane.entry.fresh)().get(key).expect("its own key");
                    assert_eq!(pane.system.set(key, &default), Some(Ok(())));
                }
                pane.digest = k.map(|k| format!("x86_64-{k:08x}"));
                link.panes.push(pane);
            }
            link.data = points.map(|values| {
                Drawn::new(&pushforward::data::Table {
                    names: Vec::new(),
                    columns: 1,
                    values,
                })
                .expect("small")
            });
            link
        })
}

/// Text that looks like a link here and there.
fn noise() -> impl Strategy<Value = String> {
    let words = [
        "v=1",
        "m=svgd",
        "m=ula",
        "m=mala",
        "&",
        "&",
        "&",
        ";",
        "=",
        "#",
        "%",
        "%3D",
        "%00",
        "n=",
        "seed=",
        "k=",
        "data=",
        "AQIA",
        "view=0,0,1,1",
        "digest=a",
        "speed=",
        "target=banana",
        "init=file",
        "cov=",
        "1e400",
        "-0",
        "NaN",
        "é",
        ",",
        "512",
        "1e-40",
        "formula=",
        "://",
        "?",
        " ",
        "\u{0}",
        "🦀",
    ];
    let words =
        prop::collection::vec(prop::sample::select(words.to_vec()), 0..40).prop_map(|w| w.concat());
    prop_oneof![words, "\\PC{0,200}", any::<String>()]
}

proptest! {
    #![proptest_config(cases(10_000))]

    #[test]
    fn arbitrary_text_settles(text in noise()) {
        settles(&text)?;
    }

    #[test]
    fn mutated_links_settle(link in link(), cuts in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), noise()), 0..3)) {
        let mut text = link.write();
        for (from, to, noise) in cuts {
            let mut ends = [from.index(text.len() + 1), to.index(text.len() + 1)];
            ends.sort_unstable();
            ends[1] = ends[1].min(ends[0] + 12);
            if ends.iter().all(|e| text.is_char_boundary(*e)) {
                text.replace_range(ends[0]..ends[1], &noise);
            }
        }
        settles(&text)?;
    }
}

proptest! {
    #![proptest_config(cases(2_000))]

    #[test]
    fn every_configuration_survives_its_link(link in link()) {
        let text = link.write();
        if text.len() <= MAX_LENGTH {
            let (again, problems) = parse(&text);
            let real: Vec<_> = problems.iter().filter(|p| p.key != "data").collect();
            prop_assert!(real.is_empty(), "{text}: {real:?}");
            prop_assert_eq!(again.write(), text);
            for (one, two) in link.panes.iter().zip(&again.panes) {
                prop_assert_eq!(one.system.specs(), two.system.specs());
                prop_assert_eq!(&one.digest, &two.digest);
            }
            prop_assert_eq!((again.k, again.view, again.speed, again.data), (link.k, link.view, link.speed, link.data));
        }
    }
}

proptest! {
    #![proptest_config(cases(300))]

    /// Values that are allowed one by one may contradict each other; that is said, and never a panic.
    #[test]
    fn every_configuration_runs_or_says_why_not((system, pairs) in settings(), formula in any::<bool>()) {
        let mut pane = Pane::new(VERSION, REGISTRY[system]);
        for (key, text) in pairs.iter().filter(|(k, _)| formula || k != "formula") {
            prop_assert_eq!(pane.system.set(key, text), Some(Ok(())));
        }
        // Sizes that cost nothing but time.
        for key in ["n", "batch", "width", "hidden", "nt"] {
            let done = pane.system.set(key, "5");
            prop_assert!(matches!(done, None | Some(Ok(()))), "{key}: {done:?}");
        }
        match Session::new(pane.entry, pane.system(), Inputs::default()) {
            Ok(mut session) => {
                session.advance(u64::MAX, 2);
                session.measure_now();
                prop_assert!(session.particles().iter().all(|x| x.is_finite()));
            }
            Err(error) => prop_assert!(!error.to_string().is_empty()),
        }
    }
}

fn blessing() -> bool {
    env::var_os("BLESS").is_some_and(|v| v == "1")
}

fn golden(file: &str) -> String {
    format!("{}/tests/golden/{file}", env!("CARGO_MANIFEST_DIR"))
}

/// `tests/golden/links.txt`: `> link`, `= canonical form`, `! keys of its problems` (absent where there are none).
/// `BLESS=1` fills in what stands behind a new `>`; it never changes what is there.
#[test]
fn golden_links_read_as_they_always_did() {
    let path = golden("links.txt");
    let text = fs::read_to_string(&path).expect("the corpus");
    let (head, corpus) = text.split_once("\n\n").expect("a head and entries");
    let mut filled = format!("{head}\n");
    let mut wrong = String::new();
    for entry in corpus.trim().split("\n\n") {
        let link = entry
            .lines()
            .next()
            .and_then(|l| l.strip_prefix("> "))
            .expect("an entry starts with `> `");
        let (read, problems) = parse(link);
        let mut now = format!("> {link}\n= {}", read.write());
        if !problems.is_empty() {
            let keys: Vec<&str> = problems.iter().map(|p| p.key.as_str()).collect();
            now = format!("{now}\n! {}", keys.join(" "));
        }
        let kept = if entry.lines().count() == 1 && blessing() {
            &now
        } else {
            entry
        };
        if kept != now {
            writeln!(wrong, "golden:\n{entry}\nnow:\n{now}\n").expect("to a string");
        }
        write!(filled, "\n{kept}\n").expect("to a string");
    }
    if blessing() {
        fs::write(&path, filled).expect("the corpus is writable");
    }
    assert!(
        wrong.is_empty(),
        "an old link changed its meaning:\n{wrong}"
    );
}

/// `tests/golden/defaults-v1.json`: every default that version 1 froze. `BLESS=1` adds what is new; it never changes
/// what is there: raise the version and add to the table in `src/link/frozen.rs` instead.
#[test]
fn defaults_of_version_1_never_change() {
    type Defaults = BTreeMap<String, BTreeMap<String, String>>;
    let path = golden("defaults-v1.json");
    let old = fs::read_to_string(&path).unwrap_or_else(|_| "{}".to_owned());
    let mut frozen: Defaults = serde_json::from_str(&old).expect("the frozen defaults");
    for (id, keys) in &frozen {
        let entry = REGISTRY
            .iter()
            .find(|e| e.id == id)
            .unwrap_or_else(|| panic!("version 1 had a system `{id}`"));
        let system = defaults(1, entry);
        for (key, was) in keys {
            let now = system.get(key);
            assert_eq!(
                now.as_deref(),
                Some(was.as_str()),
                "{id}: the default of `{key}` changed; see src/link/frozen.rs"
            );
        }
    }
    let mut new = Vec::new();
    for entry in REGISTRY {
        let keys = frozen.entry(entry.id.to_owned()).or_default();
        for spec in defaults(1, entry).specs() {
            if keys.insert(spec.key.to_owned(), spec.default).is_none() {
                new.push(format!("{}.{}", entry.id, spec.key));
            }
        }
    }
    if blessing() {
        let text = serde_json::to_string_pretty(&frozen).expect("strings");
        fs::write(&path, text + "\n").expect("the table is writable");
    } else {
        assert!(
            new.is_empty(),
            "not frozen yet: {new:?}; run BLESS=1 cargo test --release --test links"
        );
    }
}

/// A QR code that reads from the back of a hall holds 200 characters.
#[test]
fn presets_are_short_canonical_and_clean() {
    for entry in REGISTRY {
        for preset in entry.presets {
            let text = format!("v={VERSION}&{}", preset.link);
            let (link, problems) = parse(&text);
            assert!(
                problems.is_empty(),
                "{}: {}: {problems:?}",
                entry.id,
                preset.title
            );
            assert_eq!(link.write(), text, "{}: {}", entry.id, preset.title);
            assert!(
                text.len() <= 200,
                "{}: {} has {} characters",
                entry.id,
                preset.title,
                text.len()
            );
        }
    }
}

#[test]
fn no_parameter_takes_a_key_of_the_link() {
    for entry in REGISTRY {
        for spec in defaults(VERSION, entry).specs() {
            let reserved = ["v", "m", "k", "digest", "data", "view", "speed"];
            assert!(
                !reserved.contains(&spec.key),
                "{}: `{}` is a key of the link itself",
                entry.id,
                spec.key
            );
        }
    }
}
