//! Compiles the library for the browser, once per SIMD flavour, and makes the JavaScript glue.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use wasm_bindgen_cli_support::Bindgen;

use crate::process;
use crate::spelled::{self, shortened, spelled};
use crate::split::{Bound, Reach};

/// The browser, as the compiler calls it.
pub const TARGET: &str = "wasm32-unknown-unknown";

/// How the browser module is optimised.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// Smallest and fastest: whole-program optimisation, both flavours.
    Web,
    /// Quick to rebuild, one flavour.
    WebDev,
}

/// Which of the two a developer asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Haste {
    /// A full build.
    Thorough,
    /// A quick one.
    Quick,
}

impl From<bool> for Haste {
    fn from(flag: bool) -> Self {
        if flag { Self::Quick } else { Self::Thorough }
    }
}

impl Profile {
    /// The profile that a build of this haste takes.
    pub fn of_build(haste: Haste) -> Self {
        match haste {
            Haste::Thorough => Self::Web,
            Haste::Quick => Self::WebDev,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Web => "web",
            Self::WebDev => "web-dev",
        }
    }

    fn flavours(self) -> &'static [Flavour] {
        match self {
            Self::Web => &[Flavour::Simd, Flavour::Relaxed],
            Self::WebDev => &[Flavour::Simd],
        }
    }
}

/// Which SIMD instructions a module may use.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Flavour {
    /// 128-bit SIMD, bit-exact everywhere.
    Simd,
    /// Relaxed SIMD: fused multiply–add where the hardware has it.
    Relaxed,
}

impl Flavour {
    /// The name in file names and links.
    pub fn name(self) -> &'static str {
        match self {
            Self::Simd => "simd",
            Self::Relaxed => "relaxed",
        }
    }

    fn target_features(self) -> &'static str {
        match self {
            Self::Simd => "+simd128",
            Self::Relaxed => "+simd128,+relaxed-simd",
        }
    }
}

/// Arguments for LLVM that keep code from being copied: what is called costs nothing to fetch twice. The kernels ask for
/// their inlining by attribute and so lose none of their speed; a threshold below 15 keeps iterators out of their loops.
///
/// Costs and thresholds are a hundred times the usual, so that the fixed bonus for a function's only call does not count:
/// large functions stay apart, and what the opening does not run of them need not be in the first module.
const LLVM_ARGUMENTS: [&str; 6] = [
    "-inline-instr-cost=500",
    "-inline-call-penalty=2500",
    "-inline-threshold=1500",
    "-inlinehint-threshold=1500",
    "-unroll-threshold=120",
    "-unroll-partial-threshold=0",
];

/// The compiler's flags for a flavour.
fn flags(profile: Profile, flavour: Flavour) -> String {
    // This way of naming tells the instances of a generic function apart.
    let mut flags = format!(
        "-Csymbol-mangling-version=v0 -Ctarget-feature={}",
        flavour.target_features()
    );
    for argument in LLVM_ARGUMENTS {
        flags.push_str(" -Cllvm-args=");
        flags.push_str(argument);
    }
    if profile == Profile::Web {
        // The relocations say which data a function reaches.
        flags.push_str(" -Clink-arg=--emit-relocs");
    }
    flags
}

/// What the page loads: the glue and one module per flavour.
pub struct Package {
    /// wasm-bindgen's glue.
    glue: String,
    /// The modules, plain SIMD first.
    pub modules: Vec<(Flavour, Bound)>,
}

impl Package {
    /// The glue, in the form that docs/building.md asks of every module, for modules split into `parts`.
    pub fn glue(&self, parts: &[&str]) -> String {
        let names: Vec<String> = parts.iter().map(|name| format!("\"{name}\"")).collect();
        self.glue.clone()
            + &include_str!("split/split.js").replace("/* names */", &names.join(", "))
    }
}

/// Builds every flavour of a profile.
pub fn package(profile: Profile) -> Result<Package> {
    ensure_target()?;
    let mut glue: Option<String> = None;
    let mut modules = Vec::new();
    for &flavour in profile.flavours() {
        let linked = compile(profile, flavour)?;
        let (text, wasm) = bind(&linked)?;
        let reach = match profile {
            Profile::Web => Some(Reach::of(&std::fs::read(&linked)?)?),
            Profile::WebDev => None,
        };
        match &glue {
            None => glue = Some(text),
            Some(first) => ensure!(
                *first == text,
                "the glue of the {} module differs from that of the simd module, but the page has one for both",
                flavour.name()
            ),
        }
        modules.push((flavour, Bound { wasm, reach }));
    }
    let glue = glue.context("a profile has at least one flavour")?;
    let glue = as_plain_module(&glue)?;
    Ok(Package { glue, modules })
}

/// Adds the wasm target where it is missing.
pub fn ensure_target() -> Result<()> {
    let library = process::stdout(process::command("rustc").args([
        "--print",
        "target-libdir",
        "--target",
        TARGET,
    ]));
    if library.is_ok_and(|folder| Path::new(folder.trim()).is_dir()) {
        return Ok(());
    }
    ensure!(
        process::find("rustup").is_some(),
        "install the Rust target {TARGET} (with rustup: `rustup target add {TARGET}`)"
    );
    process::run(process::command("rustup").args(["target", "add", TARGET]))
}

fn compile(profile: Profile, flavour: Flavour) -> Result<PathBuf> {
    // A folder per flavour: one folder would rebuild everything at each change of the flags.
    let folder = process::target_dir().join(format!("web-{}", flavour.name()));
    process::run(
        process::cargo()
            .args([
                "build",
                "--quiet",
                "--package",
                "pushforward",
                "--lib",
                "--target",
                TARGET,
            ])
            .args(["--profile", profile.name()])
            .arg("--target-dir")
            .arg(&folder)
            .env("RUSTFLAGS", flags(profile, flavour))
            // How functions are cut depends on it, and so does the list of those that the opening runs.
            .env("CARGO_INCREMENTAL", "1"),
    )?;
    Ok(folder
        .join(TARGET)
        .join(profile.name())
        .join("pushforward.wasm"))
}

fn bind(input: &Path) -> Result<(String, Vec<u8>)> {
    let mut output = Bindgen::new()
        .input_path(input)
        .out_name("pushforward")
        .web(true)?
        .typescript(false)
        // The page chooses between two modules, so the glue has no default one.
        .omit_default_module_path(true)
        // The linker's names say what may be loaded later; none is downloaded.
        .remove_name_section(false)
        .demangle(false)
        .remove_producers_section(true)
        .generate_output()
        .with_context(|| format!("wasm-bindgen on {}", input.display()))?;
    let own = output.snippets().values().flatten().count() + output.local_modules().len();
    ensure!(
        own == 0,
        "the crate must not bring JavaScript of its own: {:?}",
        output.local_modules()
    );
    let (glue, spellings) = spelled(output.js());
    let (glue, short) = shortened(&glue);
    let module = output.wasm_mut();
    for import in module.imports.iter_mut() {
        if let Some(spelling) = spellings.get(&import.name) {
            import.module = spelled::MODULE.to_owned();
            import.name.clone_from(spelling);
        } else if let Some(name) = short.get(&import.name) {
            import.name.clone_from(name);
        }
    }
    Ok((glue, module.emit_wasm()))
}

/// Rewrites the glue's closing export list into exports where things are declared.
fn as_plain_module(glue: &str) -> Result<String> {
    const LIST: &str = "export { initSync, __wbg_init as default };";
    ensure!(
        glue.contains(LIST),
        "wasm-bindgen's glue no longer ends with `{LIST}`"
    );
    const IMPORTS: &str = "\"./pushforward_bg.js\": import0,";
    ensure!(
        glue.contains(IMPORTS),
        "wasm-bindgen's glue no longer imports through `{IMPORTS}`"
    );
    let glue = with_brief_descriptions(glue)?;
    let glue = glue.replace(LIST, "export const init = __wbg_init;");
    let glue = glue.replace(IMPORTS, &format!("{IMPORTS} parts, {},", spelled::MODULE));
    let glue = glue.replace("\nfunction initSync(", "\nexport function initSync(");
    // Nothing here is freed by leaving a block.
    let used = glue
        .lines()
        .filter(|line| !line.starts_with("if (Symbol.dispose)"));
    Ok(used.map(|line| format!("{line}\n")).collect())
}

/// The glue with a short description of values: only the messages of panics about JavaScript values have it.
fn with_brief_descriptions(glue: &str) -> Result<String> {
    const START: &str = "\nfunction debugString(val) {\n";
    let cut = glue.split_once(START).and_then(|(before, rest)| {
        let (_, after) = rest.split_once("\nfunction ")?;
        Some((before, after))
    });
    let (before, after) = cut.context("wasm-bindgen's glue no longer has `debugString`")?;
    Ok(format!(
        "{before}{START}return String(val);\n}}\nfunction {after}"
    ))
}
