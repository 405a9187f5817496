//! Reads a formula typed by a user, e.g. `-x^2/8 - 2*(y - x^2/4 + 1)^2`, into an [`Expr`].
//!
//! A Pratt parser: `^` binds tightest and to the right, then unary minus, then `*` `/`, then `+` `-`. Products are
//! written out (`2*x`, not `2x`). Whole-number powers work for bases of either sign, others need a positive base.
//! Whatever the text, the answer is an expression or one sentence that names the place; it never panics.

use super::{Binary, Expr, Node, Unary};
use crate::decimal::{Width, read};

/// Longest text, in characters.
const MAX_LENGTH: usize = 1000;
/// Deepest nesting of brackets, signs and powers.
const MAX_DEPTH: usize = 60;
/// Longest tape: bounds the work of differentiating what a user types.
const MAX_LINES: usize = 300;
/// Longest text that the tape stands for when shared lines are written out where they are used.
const MAX_WRITTEN: u64 = 20_000;
/// Largest whole exponent that is expanded into products.
const MAX_POWER: f64 = 64.0;

/// Functions of one argument.
const FUNCTIONS: [(&str, Unary); 7] = [
    ("exp", Unary::Exp),
    ("log", Unary::Ln),
    ("sqrt", Unary::Sqrt),
    ("sin", Unary::Sin),
    ("cos", Unary::Cos),
    ("tanh", Unary::Tanh),
    ("abs", Unary::Abs),
];

/// Parses `text` into an expression whose arguments are `names` in order.
///
/// Known are numbers (`2`, `.5`, `1e-3`), `+ - * / ^ ( )`, `pi`, `e`, the functions `exp log sqrt sin cos tanh abs` and
/// `min(a, b)`, `max(a, b)`, `pow(a, b)`.
///
/// # Errors
/// One sentence naming the place (1 = first character) and what was expected.
pub fn parse(text: &str, names: &[&str]) -> Result<Expr, String> {
    let chars: Vec<char> = text.chars().collect();
    if chars.len() > MAX_LENGTH {
        return Err(format!("longer than {MAX_LENGTH} characters"));
    }
    let mut parser = Parser {
        chars: &chars,
        at: 0,
        depth: 0,
        names,
    };
    if parser.peek().is_none() {
        return Err("the formula is empty".to_owned());
    }
    let expr = parser.sum()?;
    match parser.peek() {
        None => Ok(expr),
        Some(')') => Err(parser.wrong("a `)` without its `(`")),
        Some(_) => Err(parser.expected("an operator (+ - * / ^) or the end")),
    }
}

struct Parser<'a> {
    chars: &'a [char],
    at: usize,
    depth: usize,
    names: &'a [&'a str],
}

impl Parser<'_> {
    /// The next character that is not a space.
    fn peek(&mut self) -> Option<char> {
        while self.chars.get(self.at).is_some_and(|c| c.is_whitespace()) {
            self.at += 1;
        }
        self.chars.get(self.at).copied()
    }

    fn take(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        self.at += usize::from(found);
        found
    }

    fn wrong(&self, what: &str) -> String {
        format!("at character {}: {what}", self.at + 1)
    }

    fn expected(&mut self, what: &str) -> String {
        match self.peek() {
            Some(c) => self.wrong(&format!("expected {what}, found `{c}`")),
            None => self.wrong(&format!("expected {what}, but the formula ends")),
        }
    }

    /// Refuses an expression that has grown beyond [`MAX_LINES`] or [`MAX_WRITTEN`].
    fn bounded(&self, expr: Expr) -> Result<Expr, String> {
        if expr.nodes().len() > MAX_LINES {
            return Err(self.wrong(&format!("the formula has more than {MAX_LINES} operations")));
        }
        if written_out(&expr) > MAX_WRITTEN {
            return Err(self.wrong(&format!(
                "the formula has more than {MAX_WRITTEN} operations when written out"
            )));
        }
        Ok(expr)
    }

    /// Runs `inner` one level deeper.
    fn nested(
        &mut self,
        inner: impl FnOnce(&mut Self) -> Result<Expr, String>,
    ) -> Result<Expr, String> {
        if self.depth >= MAX_DEPTH {
            return Err(self.wrong(&format!("nested deeper than {MAX_DEPTH} levels")));
        }
        self.depth += 1;
        let value = inner(self);
        self.depth -= 1;
        value
    }

    fn sum(&mut self) -> Result<Expr, String> {
        let mut left = self.product()?;
        loop {
            let op = if self.take('+') {
                Binary::Add
            } else if self.take('-') {
                Binary::Sub
            } else {
                return Ok(left);
            };
            left = left.apply2(op, self.product()?);
            left = self.bounded(left)?;
        }
    }

    fn product(&mut self) -> Result<Expr, String> {
        let mut left = self.signed()?;
        loop {
            let op = if self.take('*') {
                Binary::Mul
            } else if self.take('/') {
                Binary::Div
            } else {
                return Ok(left);
            };
            left = left.apply2(op, self.signed()?);
            left = self.bounded(left)?;
        }
    }

    fn signed(&mut self) -> Result<Expr, String> {
        if self.take('-') {
            return Ok(-self.nested(Self::signed)?);
        }
        if self.take('+') {
            return self.nested(Self::signed);
        }
        let base = self.atom()?;
        if self.take('^') {
            let exponent = self.nested(Self::signed)?;
            return self.bounded(power(base, exponent));
        }
        Ok(base)
    }

    fn atom(&mut self) -> Result<Expr, String> {
        match self.peek() {
            Some('(') => {
                self.at += 1;
                let inner = self.nested(Self::sum)?;
                self.close()?;
                Ok(inner)
            }
            Some(c) if c.is_ascii_digit() || c == '.' => self.number(),
            Some(c) if is_letter(c) || c == '_' => self.named(),
            _ => Err(self.expected("a number, a name or `(`")),
        }
    }

    fn close(&mut self) -> Result<(), String> {
        if self.take(')') {
            return Ok(());
        }
        Err(self.expected("`)`"))
    }

    fn digits(&mut self) {
        while self.chars.get(self.at).is_some_and(char::is_ascii_digit) {
            self.at += 1;
        }
    }

    fn number(&mut self) -> Result<Expr, String> {
        let start = self.at;
        self.digits();
        if self.chars.get(self.at) == Some(&'.') {
            self.at += 1;
            self.digits();
        }
        // `2e` could be a slip for `2*e`: an exponent needs its digits.
        if matches!(self.chars.get(self.at), Some('e' | 'E')) {
            let sign = usize::from(matches!(self.chars.get(self.at + 1), Some('+' | '-')));
            if self
                .chars
                .get(self.at + 1 + sign)
                .is_some_and(char::is_ascii_digit)
            {
                self.at += 1 + sign;
                self.digits();
            }
        }
        let text: String = self.chars[start..self.at].iter().collect();
        match read(&text, Width::Double) {
            Some(value) if value.is_finite() => Ok(Expr::from(value)),
            _ => {
                self.at = start;
                Err(self.wrong(&format!("`{text}` is not a number")))
            }
        }
    }

    fn named(&mut self) -> Result<Expr, String> {
        let start = self.at;
        while self
            .chars
            .get(self.at)
            .is_some_and(|c| is_letter(*c) || c.is_ascii_digit() || *c == '_')
        {
            self.at += 1;
        }
        let name: String = self.chars[start..self.at].iter().collect();
        if let Some(i) = self.names.iter().position(|n| *n == name) {
            return Ok(Expr::arg(i));
        }
        if let Some((_, op)) = FUNCTIONS.iter().find(|(n, _)| *n == name) {
            let [x] = self.arguments(&name)?;
            return self.bounded(x.apply1(*op));
        }
        match name.as_str() {
            "pi" => Ok(Expr::from(std::f64::consts::PI)),
            "e" => Ok(Expr::from(std::f64::consts::E)),
            "min" | "max" | "pow" => {
                let [a, b] = self.arguments(&name)?;
                self.bounded(match name.as_str() {
                    "min" => a.least(b),
                    "max" => a.largest(b),
                    _ => power(a, b),
                })
            }
            _ => {
                self.at = start;
                let functions: Vec<&str> = FUNCTIONS.iter().map(|(n, _)| *n).collect();
                let (names, functions) = (self.names.join(", "), functions.join(" "));
                Err(self.wrong(&format!(
                    "unknown name `{name}`; known are {names}, pi, e and {functions} min max pow"
                )))
            }
        }
    }

    /// `(a, b, …)` with exactly N arguments.
    fn arguments<const N: usize>(&mut self, name: &str) -> Result<[Expr; N], String> {
        if !self.take('(') {
            return Err(self.expected(&format!("`(` after `{name}`")));
        }
        let mut found = Vec::with_capacity(N);
        loop {
            found.push(self.nested(Self::sum)?);
            if found.len() == N || !self.take(',') {
                break;
            }
        }
        if found.len() < N {
            return Err(self.expected(&format!("`,` (`{name}` takes {N} arguments)")));
        }
        if self.peek() == Some(',') {
            let plural = if N == 1 { "argument" } else { "arguments" };
            return Err(self.wrong(&format!("`{name}` takes {N} {plural}")));
        }
        self.close()?;
        let expected = found.len();
        found
            .try_into()
            .map_err(|_| self.wrong(&format!("{expected} arguments of `{name}`")))
    }
}

/// Whole powers as products, right for negative bases too; ½ as a root; everything else by logarithms.
fn power(base: Expr, exponent: Expr) -> Expr {
    match exponent.constant() {
        Some(p) if p.fract() == 0.0 && p.abs() <= MAX_POWER => base.powi(p as i32),
        Some(0.5) => base.sqrt(),
        _ => base.pow(exponent),
    }
}

/// Operations in the tree without sharing.
fn written_out(expr: &Expr) -> u64 {
    let mut sizes: Vec<u64> = Vec::with_capacity(expr.nodes().len());
    for node in expr.nodes() {
        let of = |line: u32| sizes[line as usize];
        let below = match *node {
            Node::Arg(_) | Node::Const(_) => 0,
            Node::Unary(_, x) => of(x),
            Node::Binary(_, a, b) => of(a).saturating_add(of(b)),
            Node::Choose(c, a, b) => of(c).saturating_add(of(a)).saturating_add(of(b)),
        };
        sizes.push(below.saturating_add(1));
    }
    sizes.last().copied().unwrap_or(0)
}

/// Letters of the alphabets of Europe and the Near East; the tables of all scripts are no part of the download.
fn is_letter(c: char) -> bool {
    c.is_ascii_alphabetic() || ('À'..='\u{1fff}').contains(&c) && !matches!(c, '×' | '÷')
}

#[cfg(test)]
mod tests;
