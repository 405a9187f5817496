//! Reads a link, leniently: whatever can be used is used, and everything else becomes a problem that names the key and
//! what is allowed. The page shows the problems; the command line stops at them.

use super::{
    DEMO, Drawn, Link, MAX_KEYS, MAX_LECTURE, MAX_LENGTH, MAX_PANES, MAX_SCENES, Pane, VERSION,
    text,
};
use crate::error::Problem;
use crate::params::{Numbers, ParamValue, Refusal, Spec, quote};
use crate::systems::{Entry, FILE, REGISTRY, find};

/// The keys and values of one pane, decoded, each key once.
type Pairs = Vec<(String, String)>;

/// Keys of the link as a whole; they stand in its first pane.
const WHOLE: [&str; 5] = ["v", "k", "data", "view", "speed"];

/// Reads a full URL, `#…`, or the bare string; of a lecture, its first scene. Never panics; a link that cannot be used gives the default demo and the
/// reason. The empty string counts as such: for an address without a hash, ask [`Link::default`].
pub fn parse(text: &str) -> (Link, Vec<Problem>) {
    let mut problems = Vec::new();
    let read = read(text, &mut problems).and_then(|link| {
        let length = link.write().len();
        if length > MAX_LENGTH {
            Err(too_long(length))
        } else {
            Ok(link)
        }
    });
    match read {
        Ok(link) => (link, problems),
        Err(problem) => (parse(DEMO).0, vec![problem]),
    }
}

fn too_long(length: usize) -> Problem {
    Problem::new(
        "link",
        format!("{length} bytes long; allowed are {MAX_LENGTH}, larger data travel as a file"),
    )
}

/// The scenes of a lecture, which `;;` separates, each a link of its own; one for every other link.
pub fn scenes(text: &str) -> Vec<String> {
    if text.len() > MAX_LECTURE {
        return vec![text.to_owned()];
    }
    let whole = scene(text);
    let mut scenes = vec![String::new()];
    for segment in whole.split(';') {
        match scenes.last_mut() {
            Some(last) if !segment.is_empty() => {
                if !last.is_empty() {
                    last.push(';');
                }
                last.push_str(segment);
            }
            _ => scenes.push(String::new()),
        }
    }
    scenes.retain(|scene| !scene.is_empty());
    scenes.truncate(MAX_SCENES);
    // An empty pane at either end makes no lecture.
    if scenes.len() < 2 {
        return vec![whole];
    }
    scenes
}

fn read(text: &str, problems: &mut Vec<Problem>) -> Result<Link, Problem> {
    let scene = scenes(text).swap_remove(0);
    if scene.len() > MAX_LENGTH {
        return Err(too_long(scene.len()));
    }
    if scene.is_empty() {
        return Err(Problem::new(
            "link",
            "empty; a link reads v=1&m=ID&key=value…",
        ));
    }
    let mut segments: Vec<Pairs> = scene
        .split(';')
        .enumerate()
        .map(|(i, s)| pairs(s, i, problems))
        .collect();
    if segments.len() > MAX_PANES {
        problems.push(Problem::new(
            "link",
            format!("{} panes; allowed are {MAX_PANES}", segments.len()),
        ));
        segments.truncate(MAX_PANES);
    }
    let later = segments.split_off(1);
    let mut first = segments.remove(0);

    let version = version(take(&mut first, "v"), problems)?;
    let name = take(&mut first, "m")
        .ok_or_else(|| Problem::new("m", format!("missing; {}", allowed_systems())))?;
    let entry = system(&name)?;

    let mut link = Link {
        version,
        panes: Vec::new(),
        k: None,
        data: None,
        view: None,
        speed: None,
    };
    link.k = take(&mut first, "k").and_then(|t| {
        value(
            "k",
            &t,
            &Spec::live("k").range(0.0, f64::from(u32::MAX)),
            problems,
        )
    });
    link.data = take(&mut first, "data").and_then(|t| noted("data", Drawn::decode(&t), problems));
    link.view = take(&mut first, "view").and_then(|t| noted("view", view(&t), problems));
    link.speed = take(&mut first, "speed")
        .and_then(|t| value("speed", &t, &Spec::live("speed").range(0.01, 1e6), problems));

    let digest = take(&mut first, "digest");
    let mut drafts = vec![Draft {
        at: 0,
        entry,
        digest,
        own: first.clone(),
    }];
    for (i, own) in later.into_iter().enumerate() {
        drafts.extend(draft(i + 1, own, entry, problems));
    }
    for draft in drafts {
        let inherited = if draft.at == 0 { &[][..] } else { &first };
        let pane = pane(version, draft, inherited, link.data.as_ref(), problems);
        link.panes.push(pane);
    }
    if link.data.is_some() && !link.panes.iter().any(takes_points) {
        problems.push(unused(&link.panes));
    }
    Ok(link)
}

/// A pane before its parameters are set.
struct Draft {
    at: usize,
    entry: &'static Entry,
    own: Pairs,
    digest: Option<String>,
}

/// A later pane, or nothing where it cannot be used.
fn draft(
    at: usize,
    mut own: Pairs,
    first: &'static Entry,
    problems: &mut Vec<Problem>,
) -> Option<Draft> {
    for key in WHOLE {
        if take(&mut own, key).is_some() {
            problems.push(in_pane(
                at,
                Problem::new(key, "belongs to the whole link, before the first `;`"),
            ));
        }
    }
    let digest = take(&mut own, "digest");
    let named = take(&mut own, "m");
    if own.is_empty() && digest.is_none() && named.is_none() {
        problems.push(in_pane(
            at,
            Problem::new("link", "an empty pane; write m=ID to repeat the first"),
        ));
        return None;
    }
    match named.map_or(Ok(first), |name| system(&name)) {
        Ok(entry) => Some(Draft {
            at,
            entry,
            own,
            digest,
        }),
        Err(problem) => {
            problems.push(in_pane(at, problem));
            None
        }
    }
}

/// Sets what the pane inherits, then its own keys.
fn pane(
    version: u32,
    draft: Draft,
    inherited: &[(String, String)],
    data: Option<&Drawn>,
    problems: &mut Vec<Problem>,
) -> Pane {
    let Draft {
        at,
        entry,
        own,
        digest,
    } = draft;
    let mut pane = Pane::new(version, entry);
    let overridden = |key: &str| own.iter().any(|(k, _)| k == key);
    for (key, text) in inherited.iter().filter(|(k, _)| !overridden(k)) {
        give(&mut pane, at, key, text, problems);
    }
    for (key, text) in &own {
        if !give(&mut pane, at, key, text, problems) {
            let id = entry.id;
            let message = format!("{id} has no such parameter; `describe {id}` lists them");
            problems.push(in_pane(at, Problem::new(clip(key), message)));
            pane.unknown.push((key.clone(), text.clone()));
        }
    }
    if let Some(points) = data.filter(|_| takes_points(&pane)) {
        for problem in shape(&mut pane, points) {
            problems.push(in_pane(at, problem));
        }
    }
    pane.digest = digest.and_then(|t| noted("digest", self::digest(t), problems));
    pane
}

fn takes_points(pane: &Pane) -> bool {
    pane.entry.own.is_used(&*pane.system)
}

/// Brings a pane to the shape of the link's points, and says what contradicted it.
fn shape(pane: &mut Pane, points: &Drawn) -> Vec<Problem> {
    let (own, table) = (pane.entry.own, points.to_table());
    let mut problems = Vec::new();
    if let Some((key, value)) = own.decides(&*pane.system, &table)
        && pane.is_explicit(key)
        && pane.system.get(key).as_ref() != Some(&value)
    {
        let (rows, columns) = (points.rows(), points.columns());
        let message = format!(
            "the link holds {rows} points with {columns} coordinates; allowed is {key}={value}, or none"
        );
        problems.push(Problem::new(key, message));
    }
    problems.extend(own.fit(&mut *pane.system, &table).err());
    let d = pane.system.get("d");
    if d.is_some_and(|d| d != points.columns().to_string()) {
        let message = format!(
            "the points have {} coordinates; d must agree",
            points.columns()
        );
        problems.push(Problem::new("d", message));
    }
    problems
}

/// Why no pane uses the link's points.
fn unused(panes: &[Pane]) -> Problem {
    let keys: Vec<String> = panes
        .iter()
        .filter_map(|pane| pane.entry.own.key())
        .map(|key| format!("{key}={FILE}"))
        .collect();
    Problem::new(
        "data",
        match keys.first() {
            Some(key) => format!("not used; points in a link need {key}"),
            None => format!("not used; {} takes no points", panes[0].entry.id),
        },
    )
}

/// Sets a key that the link gives; false where the system has no such key.
fn give(pane: &mut Pane, at: usize, key: &str, text: &str, problems: &mut Vec<Problem>) -> bool {
    let Some(done) = pane.system.set(key, text) else {
        return false;
    };
    pane.explicit.push(key.to_owned());
    if let Err(refusal) = done {
        settle(pane, at, refusal, problems);
    }
    true
}

/// Notes a refused value and uses the nearest allowed one, if there is one.
fn settle(pane: &mut Pane, at: usize, refusal: Refusal, problems: &mut Vec<Problem>) {
    if let Some(nearest) = refusal.nearest {
        // A nearest value that is refused as well leaves the default.
        let _ = pane.system.set(&refusal.problem.key, &nearest);
    }
    problems.push(in_pane(at, refusal.problem));
}

/// Whether `text` contains `part`. (The standard search pays off for long texts only.)
fn has(text: &str, part: &[u8; 3]) -> bool {
    text.as_bytes().windows(3).any(|w| w == part)
}

/// The part of `text` that holds the scene.
fn scene(text: &str) -> String {
    let text = text.trim();
    let bare = text.starts_with("v=") || text.starts_with("m=");
    let address = text.starts_with(['/', '?']) || has(text, b"://");
    let scene = match text.split_once('#') {
        _ if bare => text,
        Some((_, hash)) => hash,
        None if address => "",
        None => text,
    };
    // Some programs encode a pasted link as a whole, separators included.
    if !scene.contains('=') && (has(scene, b"%3d") || has(scene, b"%3D")) {
        text::decode(scene)
    } else {
        scene.to_owned()
    }
}

/// The keys of one pane; of a key given twice the last counts.
fn pairs(segment: &str, at: usize, problems: &mut Vec<Problem>) -> Pairs {
    let mut pairs = Pairs::new();
    for chunk in segment.split('&').filter(|c| !c.is_empty()) {
        let (key, value) = chunk.split_once('=').unwrap_or((chunk, ""));
        let (key, value) = (text::decode(key), text::decode(value));
        if key.is_empty() {
            problems.push(in_pane(
                at,
                Problem::new("link", format!("{} has no key", quote(chunk))),
            ));
        } else if let Some(old) = pairs.iter_mut().find(|(k, _)| *k == key) {
            problems.push(in_pane(
                at,
                Problem::new(clip(&key), "given twice; the last counts"),
            ));
            old.1 = value;
        } else if pairs.len() == MAX_KEYS {
            problems.push(in_pane(
                at,
                Problem::new(
                    "link",
                    format!("more than {MAX_KEYS} keys; the rest is left out"),
                ),
            ));
            break;
        } else {
            pairs.push((key, value));
        }
    }
    pairs
}

fn take(pairs: &mut Pairs, key: &str) -> Option<String> {
    let at = pairs.iter().position(|(k, _)| k == key)?;
    Some(pairs.remove(at).1)
}

fn version(text: Option<String>, problems: &mut Vec<Problem>) -> Result<u32, Problem> {
    let Some(text) = text else {
        problems.push(Problem::new("v", format!("missing; read as v={VERSION}")));
        return Ok(VERSION);
    };
    match text.parse() {
        Ok(version) if (1..=VERSION).contains(&version) => Ok(version),
        _ => {
            let message = format!(
                "{} is not a link version of this build; allowed are 1 to {VERSION}",
                quote(&text)
            );
            Err(Problem::new("v", message))
        }
    }
}

fn system(id: &str) -> Result<&'static Entry, Problem> {
    find(id).ok_or_else(|| {
        Problem::new(
            "m",
            format!("{} is not a system; {}", quote(id), allowed_systems()),
        )
    })
}

fn allowed_systems() -> String {
    let ids: Vec<&str> = REGISTRY.iter().map(|e| e.id).collect();
    format!("allowed are {}", ids.join(", "))
}

/// A value by its parameter's rules, or the nearest allowed one, or nothing.
fn value<T: ParamValue>(
    key: &str,
    text: &str,
    spec: &Spec,
    problems: &mut Vec<Problem>,
) -> Option<T> {
    match T::parse(text, spec) {
        Ok(value) => Some(value),
        Err((message, nearest)) => {
            problems.push(Problem::new(key, message));
            nearest
        }
    }
}

fn noted<T>(key: &str, read: Result<T, String>, problems: &mut Vec<Problem>) -> Option<T> {
    read.map_err(|message| problems.push(Problem::new(key, message)))
        .ok()
}

fn view(text: &str) -> Result<[f32; 4], String> {
    let allowed = "allowed are four numbers x0,y0,x1,y1 with x0 < x1 and y0 < y1";
    let corners = Numbers::parse(text, &Spec::live("view"))
        .ok()
        .and_then(|n| <[f32; 4]>::try_from(n.0).ok());
    match corners {
        Some(view @ [x0, y0, x1, y1]) if x0 < x1 && y0 < y1 => Ok(view),
        _ => Err(format!("{} is not a frame; {allowed}", quote(text))),
    }
}

fn digest(text: String) -> Result<String, String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    if (1..=80).contains(&text.len()) && text.chars().all(plain) {
        return Ok(text);
    }
    Err(format!(
        "{} is not a digest; allowed are at most 80 letters, digits, `-`, `.` and `_`",
        quote(&text)
    ))
}

/// At most 40 characters of a key, for a message.
fn clip(key: &str) -> String {
    key.chars().take(40).collect()
}

/// Says which pane, where there are several.
fn in_pane(at: usize, problem: Problem) -> Problem {
    if at == 0 {
        problem
    } else {
        Problem::new(
            problem.key,
            format!("{} (pane {})", problem.message, at + 1),
        )
    }
}
