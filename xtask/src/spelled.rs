//! Functions of the glue that do so little that a name can say it: `get width`, `set size`, `call finish`. The program imports
//! them under that name, and `split.js` makes them from it. Most of what WebGPU needs is of this kind, and its names then
//! travel in the part of the program that drives a device, not in everyone's first script.

use std::collections::BTreeMap;

/// The module that the program imports such functions from; `split.js` knows it too.
pub const MODULE: &str = "spelled";

/// The glue without the functions that can be spelled, and how each of these is spelled, by its name.
pub fn spelled(glue: &str) -> (String, BTreeMap<String, String>) {
    let lines: Vec<&str> = glue.lines().collect();
    let lists: BTreeMap<&str, String> = lines.iter().filter_map(|line| list(line)).collect();
    let (mut kept, mut names) = (Vec::new(), BTreeMap::new());
    let mut at = 0;
    while at < lines.len() {
        match entry(&lines[at..], &lists) {
            Some((name, spelling, length)) => {
                names.insert(name.to_owned(), spelling);
                at += length;
            }
            None => {
                kept.push(lines[at]);
                at += 1;
            }
        }
    }
    // Lists that nothing else reads have gone into the spellings.
    let is_read = |name: &str| {
        kept.iter()
            .any(|line| line.contains(name) && list(line).is_none())
    };
    let unread = |line: &&str| list(line).is_some_and(|(name, _)| !is_read(name));
    let text = kept.iter().filter(|line| !unread(line));
    (text.map(|line| format!("{line}\n")).collect(), names)
}

/// `const NAME = ["a", "b"];`, the words of an enumeration, with commas between them.
fn list(line: &str) -> Option<(&str, String)> {
    let (name, words) = line.strip_prefix("const ")?.split_once(" = [\"")?;
    let words = words.strip_suffix("\"];")?.replace("\", \"", ",");
    (name.starts_with("__wbindgen_enum_") && !words.contains(['"', ' '])).then_some((name, words))
}

/// The name, spelling and number of lines of the import that begins here, if it can be spelled.
fn entry<'a>(
    lines: &[&'a str],
    lists: &BTreeMap<&str, String>,
) -> Option<(&'a str, String, usize)> {
    let (name, head) = lines.first()?.trim().split_once(": function(")?;
    let guarded = head.starts_with(") { return handleError(function (");
    let last = if guarded { "}, arguments); }," } else { "}," };
    let end = lines.iter().take(4).position(|line| *line == last)?;
    let is_import = name.starts_with("__wb") && head.ends_with(") {");
    let spelling = spelling(&lines[1..end], lists).filter(|_| is_import)?;
    let spelling = match spelling.strip_prefix("call ") {
        Some(method) if guarded => format!("try {method}"),
        _ if guarded => return None,
        _ => spelling,
    };
    Some((name, spelling, end + 1))
}

fn spelling(body: &[&str], lists: &BTreeMap<&str, String>) -> Option<String> {
    match body {
        [line, "return ret;"] => {
            let value = line.strip_prefix("const ret = arg0.")?.strip_suffix(';')?;
            if is_name(value) {
                return Some(format!("get {value}"));
            }
            call(value)
        }
        [line] => {
            let statement = line.strip_prefix("arg0.")?.strip_suffix(';')?;
            let Some((name, value)) = statement.split_once(" = ") else {
                return call(statement);
            };
            if let Some(words) = value
                .strip_suffix("[arg1]")
                .and_then(|list| lists.get(list))
            {
                return is_name(name).then(|| format!("enum {name} {words}"));
            }
            let kind = match value {
                "arg1" => "set",
                "arg1 >>> 0" => "u32",
                "arg1 !== 0" => "bool",
                "getStringFromWasm0(arg1, arg2)" => "text",
                "getArrayJsValueViewFromWasm0(arg1, arg2)" => "list",
                _ => return None,
            };
            is_name(name).then(|| format!("{kind} {name}"))
        }
        _ => None,
    }
}

/// `method(arg1, arg2)` with all arguments as they are.
fn call(text: &str) -> Option<String> {
    let (name, arguments) = text.strip_suffix(')')?.split_once('(')?;
    let arguments = arguments.split(", ").filter(|text| !text.is_empty());
    let plain = (1..)
        .zip(arguments)
        .all(|(i, text)| text == format!("arg{i}"));
    (plain && is_name(name)).then(|| format!("call {name}"))
}

fn is_name(text: &str) -> bool {
    let part_of_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '$';
    !text.is_empty() && text.chars().all(part_of_name)
}

/// The glue with short names for the functions that are left in it, and each one's short name.
pub fn shortened(glue: &str) -> (String, BTreeMap<String, String>) {
    let mut names = BTreeMap::new();
    let line = |line: &str| {
        let import = line.trim_start().split_once(": function(");
        match import.filter(|(name, _)| name.starts_with("__wb") && is_name(name)) {
            None => format!("{line}\n"),
            Some((name, rest)) => {
                let short = format!("w{}", names.len());
                let text = format!("{short}: function({rest}\n");
                names.insert(name.to_owned(), short);
                text
            }
        }
    };
    let text = glue.lines().map(line).collect();
    (text, names)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(body: &str) -> Option<String> {
        let glue = format!(
            "const import0 = {{\n        __wbg_f: function(arg0, arg1) {{\n{body}\n}},\n}};\n"
        );
        let (kept, names) = spelled(&glue);
        assert_eq!(kept.contains("__wbg_f"), names.is_empty());
        assert!(kept.starts_with("const import0 = {\n") && kept.ends_with("};\n"));
        names.get("__wbg_f").cloned()
    }

    #[test]
    fn what_a_name_can_say_is_spelled() {
        let cases = [
            ("const ret = arg0.queue;\nreturn ret;", "get queue"),
            ("arg0.a = arg1;", "set a"),
            ("arg0.size = arg1 >>> 0;", "u32 size"),
            ("arg0.mapped = arg1 !== 0;", "bool mapped"),
            ("arg0.label = getStringFromWasm0(arg1, arg2);", "text label"),
            (
                "arg0.entries = getArrayJsValueViewFromWasm0(arg1, arg2);",
                "list entries",
            ),
            ("arg0.end();", "call end"),
            (
                "const ret = arg0.finish(arg1, arg2);\nreturn ret;",
                "call finish",
            ),
        ];
        for (body, spelling) in cases {
            assert_eq!(one(body).as_deref(), Some(spelling), "{body}");
        }
    }

    #[test]
    fn guards_and_enumerations_are_spelled_too() {
        let glue = "__wbg_a: function() { return handleError(function (arg0, arg1) {\nconst ret = arg0.make(arg1);\nreturn ret;\n}, arguments); },\n\
                    __wbg_b: function(arg0, arg1) {\narg0.mode = __wbindgen_enum_Mode[arg1];\n},\n\
                    __wbg_c: function(arg0, arg1) {\nconst ret = __wbindgen_enum_Other.indexOf(arg0);\nreturn ret;\n},\n\
                    const __wbindgen_enum_Mode = [\"off\", \"on\"];\nconst __wbindgen_enum_Other = [\"a\"];\n";
        let (kept, names) = spelled(glue);
        assert_eq!(names["__wbg_a"], "try make");
        assert_eq!(names["__wbg_b"], "enum mode off,on");
        assert_eq!(names.len(), 2);
        assert!(!kept.contains("enum_Mode") && kept.contains("const __wbindgen_enum_Other"));
    }

    #[test]
    fn what_is_left_gets_short_names() {
        let glue = "  __wbg_a_1f: function(arg0) {\nf();\n},\n__wbg_b: function() {\n},\nfunction f() {}\n";
        let (text, names) = shortened(glue);
        assert_eq!(
            text,
            "w0: function(arg0) {\nf();\n},\nw1: function() {\n},\nfunction f() {}\n"
        );
        assert_eq!((&*names["__wbg_a_1f"], &*names["__wbg_b"]), ("w0", "w1"));
    }

    #[test]
    fn whatever_does_more_is_kept() {
        let bodies = [
            "const ret = Device.wrap(arg0);\nreturn ret;",
            "const ret = arg0.at(arg1 >>> 0);\nreturn ret;",
            "const ret = arg0.a.b;\nreturn ret;",
            "arg0.draw(arg2, arg1);",
            "arg0.format = __wbindgen_enum_Format[arg1];",
            "const ret = arg0.a;\nreturn isLikeNone(ret) ? 0 : 1;",
            "try {\narg0.a();\n} finally {\n}",
        ];
        for body in bodies {
            assert_eq!(one(body), None, "{body}");
        }
    }
}
