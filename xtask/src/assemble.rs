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
const STYLESHEET: &str = "<link rel=\"stylesheet\" href=\"style.css\">";

/// The files of `dist/` by their names.
type Files = BTreeMap<String, Vec<u8>>;

/// Builds everything into `dist/` and prints its sizes. Until all is built, `dist/` stays as it was.
pub fn dist(profile: Profile) -> Result<()> {
    let start = Instant::now();
    let package = wasm::package(profile)?;
    let www = process::root().join("www");
    let modules = modules(&www, &package)?;
    let mut files = site(&www, &linker::page_modules(&modules)?)?;
    files.extend(package_files(&package)?);
    files.extend(explanations()?);
    let embed = embed(&www, &linker::link(&modules)?, &package)?;
    files.insert("embed.html".to_owned(), embed.into_bytes());
    let dist = process::root().join("dist");
    write(&files, &dist)?;
    if profile == Profile::Web {
        sizes::print(&dist)?;
    }
    println!("built dist/ in {:.1} s", start.elapsed().as_secs_f64());
    Ok(())
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

/// `www/` as the site has it; `page` are the modules that the page waits for.
fn site(www: &Path, page: &[String]) -> Result<Files> {
    let mut files = Files::new();
    for file in sizes::files(www)? {
        let name = file.strip_prefix(www)?.to_string_lossy().replace('\\', "/");
        let bytes = match name.as_str() {
            EMBED_BOOT => continue,
            "index.html" => {
                let html = with_preloads(&read(&file)?, page)?;
                with_policy(&html, Reach::Site)?.into_bytes()
            }
            script if script.ends_with(".js") => {
                linker::without_comments(&read(&file)?).into_bytes()
            }
            _ => fs::read(&file)?,
        };
        files.insert(name, bytes);
    }
    ensure!(
        files.contains_key("index.html"),
        "www/index.html is missing"
    );
    Ok(files)
}

/// Names the modules in the page, so that a browser need not find them one import after the other.
fn with_preloads(html: &str, page: &[String]) -> Result<String> {
    let links: String = page
        .iter()
        .map(|name| format!("\n<link rel=\"modulepreload\" href=\"{name}\">"))
        .collect();
    replace_once(html, STYLESHEET, &format!("{STYLESHEET}{links}"))
}

fn package_files(package: &Package) -> Result<Files> {
    let glue = linker::without_comments(&package.glue);
    let mut files = Files::from([("pkg/pushforward.js".to_owned(), glue.into_bytes())]);
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
            bytes.clone(),
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
fn embed(www: &Path, code: &str, package: &Package) -> Result<String> {
    let index = read(&www.join("index.html"))?;
    let style = read(&www.join("style.css"))?;
    ensure!(
        !style.contains("@import") && !style.contains("</style"),
        "style.css must stand alone"
    );
    let (_, wasm) = package.modules.first().context("a package has a module")?;
    let scripts = format!(
        "<script type=\"application/json\" id=\"pushforward-scene\">\"\"</script>\n\
         <script type=\"text/plain\" id=\"pushforward-wasm\">{}</script>\n\
         <script id=\"pushforward-code\">{code}</script>",
        packed(wasm)?
    );
    let html = without_other_links(&index);
    let html = replace_once(&html, STYLESHEET, &format!("<style>{style}</style>"))?;
    // A module script waits for the document, a classic inline one does not: it goes to the end of the body.
    let html = replace_once(
        &html,
        "<script type=\"module\" src=\"main.js\"></script>",
        "",
    )?;
    let html = replace_once(&html, "</body>", &format!("{scripts}\n</body>"))?;
    with_policy(&html, Reach::Alone)
}

/// The text of every module of the self-contained file, by its name.
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
