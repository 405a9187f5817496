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

use crate::policy::{Reach, with_policy};
use crate::wasm::{Flavour, Package, Profile};
use crate::{explain, linker, process, sizes, wasm};

const EMBED_BOOT: &str = "boot.embed.js";

/// Builds everything into `dist/` and prints its sizes.
pub fn dist(profile: Profile) -> Result<()> {
    let start = Instant::now();
    let package = wasm::package(profile)?;
    let (www, dist) = (process::root().join("www"), process::root().join("dist"));
    if dist.exists() {
        fs::remove_dir_all(&dist)?;
    }
    copy_site(&www, &dist)?;
    write_package(&package, &dist)?;
    write_explanations(&dist)?;
    fs::write(dist.join("embed.html"), embed(&www, &package)?)?;
    if profile == Profile::Web {
        sizes::print(&dist)?;
    }
    println!("built dist/ in {:.1} s", start.elapsed().as_secs_f64());
    Ok(())
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

fn copy_site(www: &Path, dist: &Path) -> Result<()> {
    for file in sizes::files(www)? {
        let name = file.strip_prefix(www)?;
        if name == Path::new(EMBED_BOOT) {
            continue;
        }
        let to = dist.join(name);
        fs::create_dir_all(to.parent().context("a file lies in a folder")?)?;
        if name == Path::new("index.html") {
            fs::write(to, with_policy(&read(&file)?, Reach::Site)?)?;
        } else {
            fs::copy(&file, to)?;
        }
    }
    ensure!(
        dist.join("index.html").is_file(),
        "www/index.html is missing"
    );
    Ok(())
}

fn write_package(package: &Package, dist: &Path) -> Result<()> {
    let pkg = dist.join("pkg");
    fs::create_dir_all(&pkg)?;
    fs::write(pkg.join("pushforward.js"), &package.glue)?;
    for flavour in [Flavour::Simd, Flavour::Relaxed] {
        // A quick build has the plain module only; it then stands in for the other, so that every URL exists.
        let built = package
            .modules
            .iter()
            .find(|(of, _)| *of == flavour)
            .or(package.modules.first());
        let (_, bytes) = built.context("a package has a module")?;
        fs::write(
            pkg.join(format!("pushforward_{}.wasm", flavour.name())),
            bytes,
        )?;
    }
    Ok(())
}

fn write_explanations(dist: &Path) -> Result<()> {
    let (from, to) = (process::root().join("src/systems"), dist.join("explain"));
    if !from.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(&to)?;
    for file in sizes::files(&from)?
        .iter()
        .filter(|file| file.extension().is_some_and(|end| end == "md"))
    {
        let html = explain::to_html(&read(file)?).with_context(|| file.display().to_string())?;
        let id = file.file_stem().context("an explanation has a name")?;
        fs::write(to.join(id).with_extension("html"), html)?;
    }
    Ok(())
}

/// The self-contained file: the same page with its style, code and plain module inside.
fn embed(www: &Path, package: &Package) -> Result<String> {
    let index = read(&www.join("index.html"))?;
    let style = read(&www.join("style.css"))?;
    ensure!(
        !style.contains("@import") && !style.contains("</style"),
        "style.css must stand alone"
    );
    let code = linker::link(&modules(www, package)?)?;
    let (_, wasm) = package.modules.first().context("a package has a module")?;
    let scripts = format!(
        "<script type=\"application/json\" id=\"pushforward-scene\">\"\"</script>\n\
         <script type=\"text/plain\" id=\"pushforward-wasm\">{}</script>\n\
         <script id=\"pushforward-code\">{code}</script>",
        packed(wasm)?
    );
    let html = without_other_links(&index);
    let html = replace_once(
        &html,
        "<link rel=\"stylesheet\" href=\"style.css\">",
        &format!("<style>{style}</style>"),
    )?;
    // A module script waits for the document, a classic inline one does not: it goes to the end of the body.
    let html = replace_once(
        &html,
        "<script type=\"module\" src=\"main.js\"></script>",
        "",
    )?;
    let html = replace_once(&html, "</body>", &format!("{scripts}\n</body>"))?;
    with_policy(&html, Reach::Alone)
}

fn modules(www: &Path, package: &Package) -> Result<BTreeMap<String, String>> {
    let mut sources = BTreeMap::from([("pkg/pushforward.js".to_owned(), package.glue.clone())]);
    for entry in fs::read_dir(www)? {
        let path = entry?.path();
        let name = path
            .file_name()
            .context("a file has a name")?
            .to_string_lossy()
            .into_owned();
        if !name.ends_with(".js") || name == "boot.js" {
            continue;
        }
        let name = if name == EMBED_BOOT {
            "boot.js".to_owned()
        } else {
            name
        };
        sources.insert(name, read(&path)?);
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

fn replace_once(html: &str, from: &str, to: &str) -> Result<String> {
    ensure!(
        html.matches(from).count() == 1,
        "index.html needs `{from}`, once"
    );
    Ok(html.replacen(from, to, 1))
}
