//! Turns a system's explanation (Markdown with TeX) into HTML with MathML.

use anyhow::{Result, bail};
use pulldown_cmark::{CowStr, Event, Options, Parser, html};
use pulldown_latex::config::DisplayMode;
use pulldown_latex::{Parser as TexParser, RenderConfig, Storage, push_mathml};

/// The HTML of one explanation; TeX that cannot be read is an error, not a red box in the page.
pub fn to_html(markdown: &str) -> Result<String> {
    let options = Options::ENABLE_MATH | Options::ENABLE_TABLES | Options::ENABLE_SMART_PUNCTUATION;
    let mut events = Vec::new();
    for event in Parser::new_ext(markdown, options) {
        events.push(match event {
            Event::InlineMath(tex) => mathml(&tex, DisplayMode::Inline)?,
            Event::DisplayMath(tex) => mathml(&tex, DisplayMode::Block)?,
            Event::Html(text) | Event::InlineHtml(text)
                if !text.trim_start().starts_with("<!--") =>
            {
                bail!("raw HTML in an explanation: `{}`", text.trim())
            }
            other => other,
        });
    }
    let mut out = String::new();
    html::push_html(&mut out, events.into_iter());
    Ok(out)
}

fn mathml(tex: &str, display_mode: DisplayMode) -> Result<Event<'static>> {
    let storage = Storage::new();
    let mut events = Vec::new();
    for event in TexParser::new(tex, &storage) {
        match event {
            Ok(event) => events.push(Ok::<_, pulldown_latex::ParserError>(event)),
            Err(error) => bail!("TeX `{tex}`: {error}"),
        }
    }
    let mut out = String::new();
    push_mathml(
        &mut out,
        events.into_iter(),
        RenderConfig {
            display_mode,
            ..RenderConfig::default()
        },
    )?;
    Ok(Event::Html(CowStr::from(out)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tex_becomes_mathml() {
        let html =
            to_html("The step $x + \\tau \\phi(x)$ and\n\n$$\\frac{1}{n}\\sum_j k(x_i, x_j)$$\n")
                .unwrap();
        assert_eq!(html.matches("<math").count(), 2, "{html}");
        assert!(
            html.contains("<mfrac>") && html.contains("display=\"block\""),
            "{html}"
        );
    }

    #[test]
    fn broken_tex_and_raw_html_are_refused() {
        assert!(to_html("$\\nosuchcommand$").is_err());
        assert!(to_html("<script>x</script>\n").is_err());
    }
}
