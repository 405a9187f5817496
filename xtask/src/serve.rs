//! Builds the page and serves it on this machine: for looking at it, not for the public.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Component, Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};

use crate::wasm::Profile;
use crate::{assemble, process, sizes};

/// How to serve.
#[derive(clap::Args)]
pub struct Options {
    /// Port to listen on
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// Folder in the URL under which the page lies, as on a shared host
    #[arg(long, default_value = "")]
    sub_path: String,
    /// Rebuild, quickly, whenever a source changes
    #[arg(long)]
    watch: bool,
}

/// Builds, then serves until it is stopped.
pub fn run(options: &Options) -> Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", options.port))
        .with_context(|| format!("port {} is taken: choose another with --port", options.port))?;
    assemble::dist(Profile::Web)?;
    let prefix = match options.sub_path.trim_matches('/') {
        "" => "/".to_owned(),
        folder => format!("/{folder}/"),
    };
    println!("serving http://{}{prefix}", listener.local_addr()?);
    if options.watch {
        std::thread::spawn(rebuild_on_change);
    }
    for stream in listener.incoming() {
        let prefix = prefix.clone();
        // A visitor who hangs up is no reason to stop.
        std::thread::spawn(move || stream.map(|stream| answer(stream, &prefix)));
    }
    Ok(())
}

fn answer(mut stream: TcpStream, prefix: &str) -> Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let request = lines.next().context("no request")??;
    for header in lines {
        if header?.is_empty() {
            break;
        }
    }
    let mut words = request.split(' ');
    let (method, target) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
    let (status, mime, body) = if matches!(method, "GET" | "HEAD") {
        match file_of(target, prefix).and_then(|path| Some((mime(&path), fs::read(path).ok()?))) {
            Some((mime, body)) => ("200 OK", mime, body),
            None => ("404 Not Found", "text/plain", b"not found\n".to_vec()),
        }
    } else {
        (
            "405 Method Not Allowed",
            "text/plain",
            b"GET only\n".to_vec(),
        )
    };
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: {mime}\r\nContent-Length: {}\r\nCache-Control: no-cache\r\nConnection: close\r\n\r\n",
        body.len()
    )?;
    if method != "HEAD" {
        stream.write_all(&body)?;
    }
    Ok(())
}

/// The file that a request's target names, or none: outside `dist/` there is nothing.
fn file_of(target: &str, prefix: &str) -> Option<PathBuf> {
    let path = target.split(['?', '#']).next()?.strip_prefix(prefix)?;
    let path = if path.is_empty() || path.ends_with('/') {
        format!("{path}index.html")
    } else {
        path.to_owned()
    };
    let inside = Path::new(&path)
        .components()
        .all(|part| matches!(part, Component::Normal(_)));
    (inside && !path.contains(['%', '\\'])).then(|| process::root().join("dist").join(path))
}

fn mime(path: &Path) -> &'static str {
    match path.extension().and_then(|end| end.to_str()) {
        Some("html") => "text/html; charset=utf-8",
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("wasm") => "application/wasm",
        Some("json" | "webmanifest") => "application/json",
        Some("svg") => "image/svg+xml",
        Some("webp") => "image/webp",
        Some("png") => "image/png",
        Some("csv" | "txt" | "md") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

fn rebuild_on_change() {
    let mut seen = newest_source();
    loop {
        std::thread::sleep(Duration::from_millis(300));
        let now = newest_source();
        if now > seen {
            seen = now;
            if let Err(error) = assemble::dist(Profile::WebDev) {
                eprintln!("not rebuilt: {error:#}");
            }
        }
    }
}

fn newest_source() -> Option<SystemTime> {
    let changed = |file: PathBuf| fs::metadata(file).and_then(|data| data.modified()).ok();
    let folders =
        ["src", "shaders", "www"].map(|folder| sizes::files(&process::root().join(folder)));
    folders
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(changed)
        .max()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_outside_dist_is_served() {
        for target in [
            "/../Cargo.toml",
            "/a/../../x",
            "//etc/passwd",
            "/%2e%2e/x",
            "/..\\x",
            "etc",
        ] {
            assert_eq!(file_of(target, "/"), None, "{target}");
        }
        let dist = process::root().join("dist");
        assert_eq!(file_of("/", "/"), Some(dist.join("index.html")));
        assert_eq!(
            file_of("/a/b/pkg/x.js?y=1", "/a/b/"),
            Some(dist.join("pkg/x.js"))
        );
        assert_eq!(file_of("/pkg/x.js", "/a/b/"), None);
    }
}
