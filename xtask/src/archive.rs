//! The built site as a zip file that needs nothing but unpacking: the page, and beside it the same version under
//! `v/<version>/`, a path whose content never changes.

use std::fs;
use std::io::{Cursor, Write};

use anyhow::{Context, Result, ensure};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::{process, sizes};

const CHARSET: &str = "<meta charset=\"utf-8\">";

/// Files of the archive and their names.
type Entries = Vec<(String, Vec<u8>)>;

/// Packs `dist/` into `target/pushforward-<version>.zip` and prints where.
pub fn pack() -> Result<()> {
    let version = env!("CARGO_PKG_VERSION");
    let dist = process::root().join("dist");
    let mut files = Entries::new();
    for file in sizes::files(&dist)? {
        let name = file
            .strip_prefix(&dist)?
            .to_string_lossy()
            .replace('\\', "/");
        files.push((name, fs::read(&file)?));
    }
    let bytes = zipped(&versioned(files, version)?)?;
    let path = process::target_dir().join(format!("pushforward-{version}.zip"));
    fs::write(&path, &bytes).with_context(|| format!("cannot write {}", path.display()))?;
    println!("packed {} ({} bytes)", path.display(), bytes.len());
    Ok(())
}

/// The site, which knows where its pinned version lies, and that version.
fn versioned(files: Entries, version: &str) -> Result<Entries> {
    let folder = format!("v/{version}/");
    let pinned: Entries = files
        .iter()
        .map(|(name, bytes)| (format!("{folder}{name}"), bytes.clone()))
        .collect();
    let mut all = Entries::new();
    for (name, bytes) in files {
        all.push(if name == "index.html" {
            let html = String::from_utf8(bytes)?;
            ensure!(html.contains(CHARSET), "index.html names its charset");
            let meta =
                format!("{CHARSET}\n<meta name=\"pushforward-pinned\" content=\"{folder}\">");
            (name, html.replacen(CHARSET, &meta, 1).into_bytes())
        } else {
            (name, bytes)
        });
    }
    all.extend(pinned);
    Ok(all)
}

fn zipped(files: &Entries) -> Result<Vec<u8>> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    for (name, bytes) in files {
        zip.start_file(name, options)?;
        zip.write_all(bytes)?;
    }
    Ok(zip.finish()?.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn the_archive_holds_the_site_and_the_same_under_its_version() {
        let index = format!("<html>{CHARSET}");
        let files = vec![
            ("index.html".to_owned(), index.clone().into_bytes()),
            ("pkg/a.wasm".to_owned(), vec![0; 5000]),
        ];
        let bytes = zipped(&versioned(files, "1.2.3").unwrap()).unwrap();
        assert!(bytes.len() < 5000);
        let mut zip = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
        let mut text = |name: &str| {
            let mut out = String::new();
            zip.by_name(name).unwrap().read_to_string(&mut out).unwrap();
            out
        };
        assert!(text("index.html").contains("content=\"v/1.2.3/\""));
        assert_eq!(text("v/1.2.3/index.html"), index);
        assert_eq!(text("v/1.2.3/pkg/a.wasm").len(), 5000);
    }

    #[test]
    fn a_page_without_its_charset_is_refused() {
        assert!(versioned(vec![("index.html".to_owned(), Vec::new())], "1").is_err());
    }
}
