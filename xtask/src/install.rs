//! Brings what the tests need to a fresh machine, or says in one line what to install.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use crate::process;

/// Where the project keeps its browser tests.
pub const WEB_TESTS: &str = "tests/web";

const TYPOS: &str = "typos==1.52.0";

/// The Chromium that the tests drive.
pub fn chromium() -> Result<PathBuf> {
    if let Some(chosen) = std::env::var_os("CHROMIUM") {
        return Ok(chosen.into());
    }
    let found = || {
        let names = ["chromium", "chromium-browser", "google-chrome", "chrome"];
        names.iter().find_map(|name| process::find(name))
    };
    if let Some(path) = found() {
        return Ok(path);
    }
    if process::find("apt-get").is_none() {
        bail!("install Chromium or Chrome, and set CHROMIUM to its path if it is not on the PATH");
    }
    // Fonts are only recommended by the browser, and without any font pages have no text.
    apt_install(&["chromium", "fonts-liberation"])?;
    found().context("chromium was installed but is not on the PATH")
}

/// A Vulkan driver for the tests of the device executor; Mesa's software renderer where there is no other.
pub fn vulkan() -> Result<()> {
    if !cfg!(target_os = "linux") {
        return Ok(());
    }
    let drivers = ["/usr/share/vulkan/icd.d", "/etc/vulkan/icd.d"];
    let any = |folder: &&str| std::fs::read_dir(folder).is_ok_and(|mut d| d.next().is_some());
    if drivers.iter().any(any) {
        return Ok(());
    }
    if process::find("apt-get").is_none() {
        bail!("install a Vulkan driver; Mesa's lavapipe will do");
    }
    apt_install(&["libvulkan1", "mesa-vulkan-drivers"])
}

/// The Vulkan driver of SwiftShader, which Debian's Chromium brings along.
pub fn swiftshader() -> Option<PathBuf> {
    let driver = PathBuf::from("/usr/lib/chromium/vk_swiftshader_icd.json");
    driver.is_file().then_some(driver)
}

/// Firefox, where the system has a package of it; elsewhere its tests say that they were skipped.
pub fn firefox() -> Result<()> {
    let there = ["firefox-esr", "firefox"]
        .iter()
        .any(|name| process::find(name).is_some());
    if there || process::find("apt-get").is_none() {
        return Ok(());
    }
    apt_install(&["firefox-esr"])
}

/// WebKit's driver and a display for it, where the system has packages of them; elsewhere its tests say that they were skipped.
pub fn webkit() -> Result<()> {
    let there = ["WebKitWebDriver", "Xvfb"]
        .iter()
        .all(|name| process::find(name).is_some());
    if there || process::find("apt-get").is_none() {
        return Ok(());
    }
    apt_install(&["webkit2gtk-driver", "xvfb"])
}

fn apt_install(packages: &[&str]) -> Result<()> {
    apt(&["update", "--quiet"])?;
    let mut arguments = vec!["install", "--yes", "--quiet", "--no-install-recommends"];
    arguments.extend(packages);
    apt(&arguments)
}

fn apt(arguments: &[&str]) -> Result<()> {
    let is_root =
        process::stdout(process::command("id").arg("-u")).is_ok_and(|id| id.trim() == "0");
    let mut command = if is_root {
        process::command("apt-get")
    } else {
        process::command("sudo")
    };
    if !is_root {
        command.arg("apt-get");
    }
    process::run(
        command
            .args(arguments)
            .env("DEBIAN_FRONTEND", "noninteractive"),
    )
}

/// The npm packages of the browser tests.
pub fn web_tests() -> Result<()> {
    if process::find("npm").is_none() {
        bail!("install Node.js 20 or later (node and npm) to run the browser tests");
    }
    let folder = process::root().join(WEB_TESTS);
    let (lock, stamp) = (
        folder.join("package-lock.json"),
        folder.join("node_modules/.package-lock.json"),
    );
    let modified = |path: &PathBuf| path.metadata().and_then(|data| data.modified()).ok();
    if modified(&stamp).is_some_and(|installed| Some(installed) >= modified(&lock)) {
        return Ok(());
    }
    process::run(
        process::command("npm")
            .args(["ci", "--no-audit", "--no-fund", "--loglevel=error"])
            .current_dir(folder),
    )
}

/// The formatter and the linter of the Rust toolchain.
pub fn rust_components() -> Result<()> {
    for (component, program) in [("rustfmt", "cargo-fmt"), ("clippy", "cargo-clippy")] {
        let works = process::find(program).is_some()
            && process::stdout(
                process::cargo().args([component.trim_start_matches("rust"), "--version"]),
            )
            .is_ok();
        if works {
            continue;
        }
        if process::find("rustup").is_none() {
            bail!("install {component} beside cargo");
        }
        process::run(process::command("rustup").args(["component", "add", component]))?;
    }
    Ok(())
}

/// The spell checker, or none where it cannot be had: compiling it would take longer than all tests.
pub fn typos() -> Option<PathBuf> {
    if let Some(path) = process::find("typos") {
        return Some(path);
    }
    let folder = process::target_dir().join("tools").join(TYPOS);
    let program = folder.join("bin/typos");
    if !program.is_file() {
        let mut pip = process::command("python3");
        pip.args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--root-user-action=ignore",
            "--no-deps",
            "--target",
        ]);
        process::run(pip.arg(&folder).arg(TYPOS)).ok()?;
    }
    program.is_file().then_some(program)
}
