//! Links the page's modules into classic scripts: a first one and one that is loaded when it is wanted. The self-contained
//! file has both as one.
//!
//! Not a bundler: it knows the small convention of docs/building.md and refuses everything else. Each module becomes a
//! function that returns its exports and runs at its first use, so private names never meet.

use std::collections::BTreeMap;

use anyhow::{Result, bail, ensure};

/// The page's modules as text that defines them.
pub struct Linked {
    first: String,
    more: String,
}

const OPEN: &str = "\"use strict\";\n(() => {\n";
const TABLE: &str = "const modules = {}, loaded = {};\nconst use = (name) => (loaded[name] ??= modules[name]());\nself.pushforward = { modules, use };\n";
const RUN: &str = "use(typeof document === \"undefined\" ? \"worker.js\" : \"main.js\");\n})();\n";

impl Linked {
    /// The script that runs `worker.js` where there is no document, else `main.js`.
    pub fn first(&self) -> String {
        format!("{OPEN}{TABLE}{}{RUN}", self.first)
    }

    /// The script that brings what only `more.js` needs.
    pub fn more(&self) -> String {
        format!(
            "{OPEN}const {{ modules, use }} = self.pushforward;\n{}}})();\n",
            self.more
        )
    }

    /// Everything as one script.
    pub fn whole(&self) -> String {
        format!("{OPEN}{TABLE}{}{}{RUN}", self.first, self.more)
    }
}

/// Links `sources` (name → text): what `main.js` and `worker.js` need, then what `more.js` needs besides.
pub fn link(sources: &BTreeMap<String, String>) -> Result<Linked> {
    let mut modules = BTreeMap::new();
    for (name, text) in sources {
        modules.insert(name.as_str(), Module::parse(name, text)?);
    }
    let mut order = Vec::new();
    for entry in ["main.js", "worker.js"] {
        visit(entry, &modules, &mut Vec::new(), &mut order)?;
    }
    let first = order.len();
    visit("more.js", &modules, &mut Vec::new(), &mut order)?;
    let text = |names: &[&str]| {
        let define = |name: &&str| {
            let Module { body, exports, .. } = &modules[name];
            let body = without_comments(body);
            format!(
                "modules[\"{name}\"] = () => {{\n{body}return {{ {} }};\n}};\n",
                exports.join(", ")
            )
        };
        names.iter().map(define).collect::<String>()
    };
    let linked = Linked {
        first: text(&order[..first]),
        more: text(&order[first..]),
    };
    for forbidden in ["</script", "<!--"] {
        ensure!(
            !linked.whole().contains(forbidden),
            "`{forbidden}` in JavaScript cannot stand in an HTML file"
        );
    }
    Ok(linked)
}

/// A module without the lines that are comments and nothing else, and without indentation: visitors need not download them.
pub fn without_comments(text: &str) -> String {
    let mut kept = String::new();
    let mut inside = false;
    let mut in_template = false;
    for line in text.lines() {
        let code = line.trim();
        let opens = !in_template
            && code.starts_with("/*")
            && (!code.contains("*/") || code.ends_with("*/"));
        if inside || opens {
            inside = !code.ends_with("*/");
        } else if in_template || (!code.is_empty() && !code.starts_with("//")) {
            let text = if in_template { line } else { code };
            kept += &without_casts(text);
            kept.push('\n');
            let ticks = line.matches('`').count() - line.matches("\\`").count();
            in_template ^= ticks % 2 == 1;
        }
    }
    kept
}

/// A line without the types that are written into it.
fn without_casts(line: &str) -> String {
    let mut kept = String::new();
    let mut rest = line;
    while let Some((before, (_, after))) = rest
        .split_once("/** @type {")
        .and_then(|(before, cast)| Some((before, cast.split_once("} */")?)))
    {
        kept += before;
        rest = after.trim_start();
    }
    kept + rest
}

struct Import {
    from: String,
    names: Vec<String>,
    line: usize,
}

struct Module {
    imports: Vec<Import>,
    exports: Vec<String>,
    body: String,
}

impl Module {
    fn parse(name: &str, text: &str) -> Result<Self> {
        let mut module = Self {
            imports: Vec::new(),
            exports: Vec::new(),
            body: String::new(),
        };
        let mut lines = text.lines().enumerate();
        while let Some((index, line)) = lines.next() {
            let at = format!("{name}:{}", index + 1);
            refuse_dynamic(line, &at)?;
            if let Some(rest) = line.strip_prefix("export ") {
                module.exports.push(exported_name(rest, &at)?);
                module.body += rest;
            } else if line.starts_with("import ") || line.starts_with("import{") {
                let mut statement = line.to_owned();
                while !statement.contains(';') {
                    let Some((_, more)) = lines.next() else {
                        bail!("{at}: an import without its `;`")
                    };
                    statement += more;
                }
                let import = parse_import(name, &statement, index + 1)?;
                module.body += &format!(
                    "const {{ {} }} = use(\"{}\");",
                    import.names.join(", "),
                    import.from
                );
                module.imports.push(import);
            } else {
                ensure!(
                    !is_word(line, "export") && !is_word(line, "import"),
                    "{at}: this kind of import or export cannot be linked: `{line}`"
                );
                module.body += line;
            }
            module.body.push('\n');
        }
        Ok(module)
    }
}

/// Whether the line begins with this word.
fn is_word(line: &str, word: &str) -> bool {
    let rest = line.strip_prefix(word);
    rest.is_some_and(|rest| {
        !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_' || c == '$')
    })
}

fn refuse_dynamic(line: &str, at: &str) -> Result<()> {
    let code = line.trim_start();
    let is_comment = ["*", "//", "/*"].iter().any(|mark| code.starts_with(mark));
    // A JSDoc cast `/** @type {import("./x.js").T} */` stands within a line of code.
    let code = code.replace("{import(", "");
    ensure!(
        is_comment || !(code.contains("import(") || code.contains("import.meta")),
        "{at}: `import(…)` and `import.meta` cannot be linked: `{line}`"
    );
    Ok(())
}

fn exported_name(declaration: &str, at: &str) -> Result<String> {
    let after = [
        "function* ",
        "async function* ",
        "async function ",
        "function ",
        "const ",
        "class ",
    ]
    .iter()
    .find_map(|keyword| declaration.strip_prefix(keyword));
    let name: String = after
        .unwrap_or("")
        .chars()
        .take_while(|&c| c.is_alphanumeric() || c == '_' || c == '$')
        .collect();
    ensure!(
        !name.is_empty(),
        "{at}: this kind of export cannot be linked: `export {declaration}`"
    );
    Ok(name)
}

fn parse_import(module: &str, statement: &str, line: usize) -> Result<Import> {
    let parsed = (|| {
        let inner = statement.strip_prefix("import")?.trim().strip_prefix('{')?;
        let (names, rest) = inner.split_once('}')?;
        let from = rest.trim().strip_prefix("from")?.trim().strip_suffix(';')?;
        let from = from.strip_prefix("\"./")?.strip_suffix('"')?;
        let names: Vec<String> = names
            .split(',')
            .map(|name| name.trim().to_owned())
            .filter(|name| !name.is_empty())
            .collect();
        let plain = names.iter().all(|name| !name.contains(char::is_whitespace));
        (plain && !names.is_empty()).then(|| Import {
            from: from.to_owned(),
            names,
            line,
        })
    })();
    match parsed {
        Some(import) => Ok(import),
        None => {
            bail!("{module}:{line}: write `import {{ a, b }} from \"./x.js\";`, not `{statement}`")
        }
    }
}

/// Depth-first order of dependency, with names and cycles checked on the way.
fn visit<'a>(
    name: &'a str,
    modules: &'a BTreeMap<&str, Module>,
    path: &mut Vec<&'a str>,
    order: &mut Vec<&'a str>,
) -> Result<()> {
    if order.contains(&name) {
        return Ok(());
    }
    let Some(module) = modules.get(name) else {
        bail!("www/{name} is missing")
    };
    ensure!(
        !path.contains(&name),
        "modules import each other in a cycle: {} -> {name}",
        path.join(" -> ")
    );
    path.push(name);
    for Import { from, names, line } in &module.imports {
        let Some(source) = modules.get(from.as_str()) else {
            bail!("{name}:{line}: there is no module ./{from}")
        };
        for wanted in names {
            ensure!(
                source.exports.contains(wanted),
                "{name}:{line}: ./{from} does not export `{wanted}`"
            );
        }
        visit(from, modules, path, order)?;
    }
    path.pop();
    order.push(name);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first script and the further one, of a page whose `more.js` needs `late.js` if there is one.
    fn both(files: &[(&str, &str)]) -> Result<(String, String)> {
        let more = if files.iter().any(|(name, _)| *name == "late.js") {
            "import { late } from \"./late.js\";\nexport const x = late;\n"
        } else {
            ""
        };
        let entry = [("more.js", more)];
        let all = files.iter().chain(&entry);
        let linked = link(
            &all.map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
                .collect(),
        )?;
        Ok((linked.first(), linked.more()))
    }

    fn linked(files: &[(&str, &str)]) -> Result<String> {
        Ok(both(files)?.0)
    }

    const WORKER: (&str, &str) = ("worker.js", "self.onmessage = null;\n");

    #[test]
    fn modules_become_functions_in_order_of_dependency() {
        let script = linked(&[
            (
                "main.js",
                "import {\n  twice,\n} from \"./a.js\";\nconst private_ = twice(2);\n",
            ),
            (
                "a.js",
                "const private_ = 2;\nexport function twice(x) { return private_ * x; }\n",
            ),
            WORKER,
        ])
        .unwrap();
        assert!(script.contains("const { twice } = use(\"a.js\");"));
        assert!(script.contains("return { twice };"));
        assert!(script.find("modules[\"a.js\"]") < script.find("modules[\"main.js\"]"));
        assert!(!script.contains("export ") && !script.contains("import "));
    }

    #[test]
    fn whatever_the_convention_lacks_is_refused() {
        let refused = [
            "import a from \"./a.js\";\n",
            "import * as a from \"./a.js\";\n",
            "import { a as b } from \"./a.js\";\n",
            "import { missing } from \"./a.js\";\n",
            "import { a } from \"a\";\n",
            "import \"./a.js\";\n",
            "import\"./a.js\";\n",
            "export{ a };\n",
            "export default 1;\n",
            "export { a };\n",
            "export * from \"./a.js\";\n",
            "export let a = 1;\n",
            "const a = await import(\"./a.js\");\n",
            "const here = import.meta.url;\n",
            "const text = \"</script>\";\n",
        ];
        for main in refused {
            let result = linked(&[("main.js", main), ("a.js", "export const a = 1;\n"), WORKER]);
            assert!(result.is_err(), "accepted: {main}");
        }
    }

    #[test]
    fn what_only_more_needs_is_a_script_of_its_own() {
        let (first, more) = both(&[
            ("main.js", "import { a } from \"./a.js\";\n"),
            ("a.js", "export const a = 1;\n"),
            (
                "late.js",
                "import { a } from \"./a.js\";\nexport const late = a;\n",
            ),
            WORKER,
        ])
        .unwrap();
        assert!(first.contains("modules[\"a.js\"]") && !first.contains("late"));
        assert!(more.contains("modules[\"late.js\"]") && more.contains("modules[\"more.js\"]"));
        assert!(!more.contains("modules[\"a.js\"]"));
    }

    #[test]
    fn comments_are_left_out_and_code_is_not() {
        let text = "// a\n/** b\n * c */\nlet x = 1; // d\n\n  /* e */\n/* f */ g();\n";
        assert_eq!(without_comments(text), "let x = 1; // d\n/* f */ g();\n");
        let cast = "  const a = /** @type {number} */ (b) + /** @type {A | null} */ (c);\n";
        assert_eq!(without_comments(cast), "const a = (b) + (c);\n");
        let template = "  const a = `x\n  /* y */\n\n  z`;\n  b();\n";
        assert_eq!(
            without_comments(template),
            "const a = `x\n  /* y */\n\n  z`;\nb();\n"
        );
    }

    #[test]
    fn cycles_are_named() {
        let error = linked(&[
            ("main.js", "import { a } from \"./a.js\";\n"),
            (
                "a.js",
                "import { b } from \"./b.js\";\nexport const a = 1;\n",
            ),
            (
                "b.js",
                "import { a } from \"./a.js\";\nexport const b = 1;\n",
            ),
            WORKER,
        ])
        .unwrap_err();
        assert!(
            error
                .to_string()
                .contains("main.js -> a.js -> b.js -> a.js"),
            "{error}"
        );
    }

    #[test]
    fn types_in_comments_are_no_imports() {
        // A method whose name begins like a keyword is none either.
        let main = "class A {\nexport_csv() {}\n}\n/** @type {import(\"./a.js\").A} */\nconst x = /** @type {import(\"./a.js\").A} */ (y);\n";
        assert!(linked(&[("main.js", main), WORKER]).is_ok());
    }
}
