//! The content-security policy of a page, with the hashes of its inline scripts and styles.

use anyhow::{Result, ensure};
use base64::Engine;
use sha2::{Digest, Sha256};

/// How far a page may reach.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// A folder of files: its own origin.
    Site,
    /// One self-contained file: nothing at all.
    Alone,
}

/// Puts the policy after the page's charset line.
pub fn with_policy(html: &str, reach: Reach) -> Result<String> {
    const CHARSET: &str = "<meta charset=\"utf-8\">";
    ensure!(
        html.matches(CHARSET).count() == 1,
        "index.html needs the line `{CHARSET}`, once"
    );
    let markup = inline(html, "script")
        .into_iter()
        .fold(html.to_owned(), |markup, text| markup.replacen(text, "", 1));
    ensure!(
        !markup.contains(" style=\""),
        "style=\"…\" in index.html: the policy blocks it, use style.css"
    );
    let policy = policy(html, reach);
    let meta =
        format!("{CHARSET}\n<meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">");
    Ok(html.replace(CHARSET, &meta))
}

fn policy(html: &str, reach: Reach) -> String {
    let (own, connections) = match reach {
        Reach::Site => (" 'self'", "'self'"),
        Reach::Alone => ("", "'none'"),
    };
    let scripts: String = inline(html, "script")
        .iter()
        .map(|text| hash(text))
        .collect();
    let styles: String = inline(html, "style")
        .iter()
        .map(|text| hash(text))
        .collect();
    let or_none = |sources: String| {
        if sources.is_empty() {
            " 'none'".to_owned()
        } else {
            sources
        }
    };
    format!(
        "default-src 'none'; script-src{own} 'wasm-unsafe-eval'{scripts}; style-src{}; img-src{own} data: blob:; \
         connect-src {connections}; frame-src {connections}; worker-src{own} blob:; base-uri 'none'; form-action 'none'",
        or_none(format!("{own}{styles}"))
    )
}

fn hash(text: &str) -> String {
    format!(
        " 'sha256-{}'",
        base64::engine::general_purpose::STANDARD.encode(Sha256::digest(text))
    )
}

/// The texts of the page's inline elements of this kind that a browser runs or applies.
fn inline<'a>(html: &'a str, element: &str) -> Vec<&'a str> {
    let (open, close) = (format!("<{element}"), format!("</{element}>"));
    let mut texts = Vec::new();
    let mut rest = html;
    while let Some(start) = rest.find(&open) {
        rest = &rest[start..];
        let Some(body) = rest.find('>') else { break };
        let tag = &rest[..body];
        let end = rest.find(&close).unwrap_or(rest.len());
        let is_data =
            tag.contains("type=\"text/plain\"") || tag.contains("type=\"application/json\"");
        if !is_data && !tag.contains("src=") && body < end {
            texts.push(&rest[body + 1..end]);
        }
        rest = &rest[end..];
    }
    texts
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "<meta charset=\"utf-8\"><script>a</script><script type=\"application/json\">{}</script>\
                        <script type=\"module\" src=\"main.js\"></script><style>b</style>";

    #[test]
    fn inline_scripts_and_styles_are_hashed_and_data_is_not() {
        assert_eq!(inline(PAGE, "script"), ["a"]);
        assert_eq!(inline(PAGE, "style"), ["b"]);
        let page = with_policy(PAGE, Reach::Alone).unwrap();
        // printf a | openssl dgst -sha256 -binary | base64
        assert!(
            page.contains("'sha256-ypeBEsobvcr6wjGzmiPcTaeG7/gUfE5yuYB3ha/uSLs='"),
            "{page}"
        );
        assert!(!page.contains("'self'"));
    }

    #[test]
    fn a_page_without_its_charset_line_or_with_style_attributes_is_refused() {
        assert!(with_policy("<html>", Reach::Site).is_err());
        let styled = |place: &str| with_policy(&format!("{PAGE}{place}"), Reach::Site);
        assert!(styled("<p style=\"color: red\">").is_err());
        assert!(styled("<script>x = '<p style=\"color: red\">';</script>").is_ok());
    }
}
