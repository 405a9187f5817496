//! Assembles `dist/` from `www/`, the compiled package and the systems' explanations.
//!
//! The convention that `www/` keeps is docs/building.md. In short: `index.html`, `style.css`, `main.js` (page),
//! `worker.js`, and `boot.js`, the one module with a second version (`boot.embed.js`) for the self-contained file.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use base64::Engine;
use sha2::{Digest, Sha256};

use crate::policy::{Reach, with_policy};
use crate::split::Bound;
use crate::wasm::{Flavour, Package, Profile};
use crate::{explain, linker, opening, process, sizes, split, wasm};

const SITE_BOOT: &str = "boot.js";
const EMBED_BOOT: &str = "boot.embed.js";
const ENTRY: &str = "<script type=\"module\" src=\"main.js\"></script>";
const STYLESHEET: &str = "<link rel=\"stylesheet\" href=\"style.css\">";

/// The service worker, and the place for its list of files.
const OFFLINE: &str = "sw.js";
const OFFLINE_FILES: &str = "const FILES = [];";

/// The folder of the presets' pictures, which visits without a network do without.
const POSTERS: &str = "posters/";

/// The files of `dist/` by their names.
type Files = BTreeMap<String, Vec<u8>>;

/// Builds everything into `dist/` and prints its sizes. Until all is built, `dist/` stays as it was.
pub fn dist(profile: Profile) -> Result<()> {
    let start = Instant::now();
    let package = wasm::package(profile)?;
    let www = process::root().join("www");
    let mut files = match profile {
        Profile::Web => {
            let mut files = site(&www, &package.glue(&opening::PARTS))?;
            files.extend(split_modules(&package)?);
            files
        }
        Profile::WebDev => {
            let mut files = site(&www, &package.glue(&[]))?;
            files.extend(whole_modules(&package, |bound| {
                split::stripped(&bound.wasm)
            })?);
            files
        }
    };
    files.extend(explanations()?);
    keep_offline(&mut files)?;
    let embed = embed(&www, &package)?;
    files.insert("embed.html".to_owned(), embed.into_bytes());
    let dist = process::root().join("dist");
    write(&files, &dist)?;
    if profile == Profile::Web {
        sizes::print(&dist)?;
    }
    println!("built dist/ in {:.1} s", start.elapsed().as_secs_f64());
    Ok(())
}

/// The site with modules that tell which of their functions ran, into a folder of its own.
pub fn instrumented(package: &Package, folder: &Path) -> Result<()> {
    let mut files = site(&process::root().join("www"), &package.glue(&[]))?;
    files.extend(whole_modules(package, opening::instrumented)?);
    write(&files, folder)
}

/// Tells the service worker which files the site has. Whatever changes in them changes the worker, so that browsers notice.
fn keep_offline(files: &mut Files) -> Result<()> {
    let own = |name: &&String| {
        ![OFFLINE, "pushforward-demo.js"].contains(&name.as_str()) && !name.starts_with(POSTERS)
    };
    let names: Vec<&String> = files.keys().filter(own).collect();
    let mut hash = Sha256::new();
    for name in &names {
        hash.update(&files[*name]);
    }
    let list =
        serde_json::to_string(&[vec!["./"], names.iter().map(|n| n.as_str()).collect()].concat())?;
    let worker = String::from_utf8(files[OFFLINE].clone())?;
    let filled = format!("const FILES = {list}; // {}", hex(&hash.finalize()[..8]));
    let worker = replace_once(&worker, OFFLINE_FILES, &filled)?;
    files.insert(OFFLINE.to_owned(), worker.into_bytes());
    Ok(())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn write(files: &Files, dist: &Path) -> Result<()> {
    if dist.exists() {
        fs::remove_dir_all(dist)?;
    }
    for (name, bytes) in files {
        let to = dist.join(name);
        fs::create_dir_all(to.parent().context("a file lies in a folder")?)?;
        fs::write(&to, bytes).with_context(|| format!("cannot write {}", to.display()))?;
    }
    Ok(())
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

/// `www/` as the site has it: its modules are one script, for the page and for its worker, and one that is loaded on demand.
fn site(www: &Path, glue: &str) -> Result<Files> {
    let mut files = Files::new();
    for file in sizes::files(www)? {
        let name = file.strip_prefix(www)?.to_string_lossy().replace('\\', "/");
        let bytes = match name.as_str() {
            "index.html" => {
                let entry = "<script defer src=\"app.js\"></script>";
                let html = replace_once(&read(&file)?, ENTRY, entry)?;
                with_policy(&flush_left(&html), Reach::Site)?.into_bytes()
            }
            "style.css" => tightened(&read(&file)?).into_bytes(),
            // Scripts that stand alone; the worker's list of files follows when all are known.
            "pushforward-demo.js" | OFFLINE => linker::without_comments(&read(&file)?).into_bytes(),
            script if script.ends_with(".js") => continue,
            _ => fs::read(&file)?,
        };
        files.insert(name, bytes);
    }
    ensure!(
        files.contains_key("index.html"),
        "www/index.html is missing"
    );
    let linked = linker::link(&modules(www, glue, SITE_BOOT)?)?;
    files.insert("app.js".to_owned(), linked.first().into_bytes());
    files.insert("more.js".to_owned(), linked.more().into_bytes());
    let glue = linker::without_comments(glue);
    files.insert("pkg/pushforward.js".to_owned(), glue.into_bytes());
    Ok(files)
}

/// A text without indentation and empty lines.
fn flush_left(text: &str) -> String {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.map(|line| format!("{line}\n")).collect()
}

/// A style sheet without comments and without the breaks and blanks that mean nothing; no text in it has `: ` or ` {`.
fn tightened(css: &str) -> String {
    let mut kept = String::new();
    let mut rest = css;
    while let Some((before, comment)) = rest.split_once("/*") {
        kept += before;
        rest = comment.split_once("*/").map_or("", |(_, after)| after);
    }
    kept += rest;
    let breaks = ["{\n", "}\n", ";\n", ",\n", " {", ": "];
    breaks.iter().fold(flush_left(&kept), |css, text| {
        css.replace(text, text.trim())
    })
}

/// The first module of each flavour, and its later parts.
fn split_modules(package: &Package) -> Result<Files> {
    let mut files = Files::new();
    for (flavour, bound) in &package.modules {
        let split = opening::split(bound)?;
        let name = flavour.name();
        files.insert(format!("pkg/pushforward_{name}.wasm"), split.primary);
        for (part, bytes) in opening::PARTS.iter().zip(split.parts) {
            files.insert(format!("pkg/pushforward_{name}.{part}.wasm"), bytes);
        }
    }
    Ok(files)
}

/// One module a flavour.
fn whole_modules(package: &Package, made: impl Fn(&Bound) -> Result<Vec<u8>>) -> Result<Files> {
    let mut files = Files::new();
    for flavour in [Flavour::Simd, Flavour::Relaxed] {
        // A quick build has the plain module only; it then stands in for the other, so that every URL exists.
        let (_, bytes) = package
            .modules
            .iter()
            .find(|(of, _)| *of == flavour)
            .or(package.modules.first())
            .context("a package has a module")?;
        files.insert(
            format!("pkg/pushforward_{}.wasm", flavour.name()),
            made(bytes)?,
        );
    }
    Ok(files)
}

fn explanations() -> Result<Files> {
    let mut files = Files::new();
    let folder = process::root().join("src/systems");
    for file in sizes::files(&folder)? {
        if file.extension().is_some_and(|end| end == "md") {
            let html =
                explain::to_html(&read(&file)?).with_context(|| file.display().to_string())?;
            let id = file.file_stem().context("an explanation has a name")?;
            files.insert(
                format!("explain/{}.html", id.to_string_lossy()),
                html.into_bytes(),
            );
        }
    }
    Ok(files)
}

/// The self-contained file: the same page with its style, code and plain module inside.
fn embed(www: &Path, package: &Package) -> Result<String> {
    let code = linker::link(&modules(www, &package.glue(&[]), EMBED_BOOT)?)?.whole();
    let index = read(&www.join("index.html"))?;
    let style = read(&www.join("style.css"))?;
    ensure!(
        !style.contains("@import") && !style.contains("</style"),
        "style.css must stand alone"
    );
    let (_, bound) = package.modules.first().context("a package has a module")?;
    let scripts = format!(
        "<script type=\"application/json\" id=\"pushforward-scene\">\"\"</script>\n\
         <script type=\"text/plain\" id=\"pushforward-wasm\">{}</script>\n\
         <script id=\"pushforward-code\">{code}</script>",
        packed(&split::stripped(&bound.wasm)?)?
    );
    let html = without_other_links(&index);
    let html = replace_once(&html, STYLESHEET, &format!("<style>{style}</style>"))?;
    // A module script waits for the document, a classic inline one does not: it goes to the end of the body.
    let html = replace_once(&html, ENTRY, "")?;
    let html = replace_once(&html, "</body>", &format!("{scripts}\n</body>"))?;
    with_policy(&html, Reach::Alone)
}

/// The text of every module by its name; `boot` is the version of `boot.js` that is taken.
fn modules(www: &Path, glue: &str, boot: &str) -> Result<BTreeMap<String, String>> {
    let mut sources = BTreeMap::from([("pkg/pushforward.js".to_owned(), glue.to_owned())]);
    for file in sizes::files(www)? {
        let name = file.strip_prefix(www)?.to_string_lossy().into_owned();
        let other_boot = [SITE_BOOT, EMBED_BOOT].contains(&name.as_str()) && name != boot;
        if name.ends_with(".js") && !other_boot {
            let name = if name == boot {
                SITE_BOOT.to_owned()
            } else {
                name
            };
            sources.insert(name, read(&file)?);
        }
    }
    Ok(sources)
}

fn packed(wasm: &[u8]) -> Result<String> {
    let mut deflate = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
    deflate.write_all(wasm)?;
    Ok(base64::engine::general_purpose::STANDARD.encode(deflate.finish()?))
}

/// Drops preloads, icons and manifests that are files: the self-contained page has none.
fn without_other_links(html: &str) -> String {
    let kept = |line: &&str| {
        let line = line.trim_start();
        !line.starts_with("<link ")
            || line.contains("rel=\"stylesheet\"")
            || line.contains("href=\"data:")
    };
    html.lines().filter(kept).collect::<Vec<_>>().join("\n")
}

fn replace_once(text: &str, from: &str, to: &str) -> Result<String> {
    ensure!(
        text.matches(from).count() == 1,
        "a file of www/ needs `{from}`, once"
    );
    Ok(text.replacen(from, to, 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn style_loses_comments_and_breaks_only() {
        let css = "/* a */\n:root {\n  --x: 1;\n}\n\na,\nb > c\n.d {\n  color: red;\n}\n";
        assert_eq!(tightened(css), ":root{--x:1;}a,b > c\n.d{color:red;}");
    }
}
