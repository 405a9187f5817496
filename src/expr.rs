//! Scalar expressions, defined once: evaluated on the CPU, differentiated, and composed into fused maps.
//!
//! An [`Expr`] is a tape in single-assignment form over a closed set of operations; each operation stands beside its
//! local derivative in [`Unary::derivative`] and [`Binary::derivatives`]. Equal sub-expressions are shared, constants
//! are folded. Shapes, memory and devices are not known here: see `graph` and `exec`.

mod formula;
mod real;
mod tape;
mod trig;

pub use formula::parse;
pub use real::{Real, sin_cos_turns};
pub use trig::sine_cosine;

use std::fmt;
use std::ops::{Add, Div, Mul, Neg, Sub};
use std::sync::Arc;
use tape::Tape;

/// Operations of one argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Unary {
    /// −x
    Neg,
    /// |x|
    Abs,
    /// −1, 0 or 1; derivative 0.
    Sign,
    /// 1 where x > 0, else 0; derivative 0.
    Step,
    /// eˣ
    Exp,
    /// Natural logarithm.
    Ln,
    /// Square root.
    Sqrt,
    /// 1/x
    Recip,
    /// Sine (radians).
    Sin,
    /// Cosine (radians).
    Cos,
    /// Hyperbolic tangent.
    Tanh,
    /// 1/(1 + e⁻ˣ)
    Sigmoid,
    /// log(1 + eˣ); its derivative is the sigmoid.
    Softplus,
    /// Arc-cosine kernel of degree 0, κ₀(c) = (π − arccos c)/π, c clamped to [−1, 1].
    ArcCosine0,
    /// Arc-cosine kernel of degree 1, κ₁(c) = (√(1 − c²) + (π − arccos c) c)/π, c clamped; κ₁′ = κ₀, finite at c = 1.
    ///
    /// **Source** Y. Cho, L. Saul, "Kernel methods for deep learning" (NeurIPS 2009), eq. 6: for standard normal x,
    /// E[relu(u·x) relu(v·x)] = |u||v| κ₁(cos)/2 and E[1(u·x > 0) 1(v·x > 0)] = κ₀(cos)/2.
    ArcCosine1,
}

/// Operations of two arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Binary {
    /// a + b
    Add,
    /// a − b
    Sub,
    /// a·b
    Mul,
    /// a/b
    Div,
    /// The smaller; at a tie the derivative goes to `a`.
    Min,
    /// The larger; at a tie the derivative goes to `a`.
    Max,
    /// aᵇ for a > 0 (NaN below, by eᵇ ˡⁿ ᵃ).
    Pow,
    /// 1 where a < b, else 0; derivative 0.
    Less,
}

impl Unary {
    /// All operations, for tables and tests.
    pub const ALL: [Self; 15] = [
        Self::Neg,
        Self::Abs,
        Self::Sign,
        Self::Step,
        Self::Exp,
        Self::Ln,
        Self::Sqrt,
        Self::Recip,
        Self::Sin,
        Self::Cos,
        Self::Tanh,
        Self::Sigmoid,
        Self::Softplus,
        Self::ArcCosine0,
        Self::ArcCosine1,
    ];

    /// Value at `x`.
    #[inline(always)]
    pub fn apply<R: Real>(self, x: R) -> R {
        match self {
            Self::Neg => -x,
            Self::Abs => x.abs(),
            Self::Sign => x.sign(),
            Self::Step => R::from_bool(x > R::ZERO),
            Self::Exp => x.exp(),
            Self::Ln => x.ln(),
            Self::Sqrt => x.sqrt(),
            Self::Recip => R::ONE / x,
            Self::Sin => x.sin(),
            Self::Cos => x.cos(),
            Self::Tanh => x.tanh(),
            Self::Sigmoid => x.sigmoid(),
            Self::Softplus => x.softplus(),
            Self::ArcCosine0 => x.arc_cosine0(),
            Self::ArcCosine1 => x.arc_cosine1(),
        }
    }

    /// df/dx in terms of the argument `x` and the value `y` = f(x).
    fn derivative(self, x: &Expr, y: &Expr) -> Expr {
        match self {
            Self::Neg => Expr::from(-1.0),
            Self::Abs => x.clone().sign(),
            Self::Sign | Self::Step => Expr::from(0.0),
            Self::Exp => y.clone(),
            Self::Ln => x.clone().recip(),
            Self::Sqrt => Expr::from(0.5) / y.clone(),
            Self::Recip => -(y.clone() * y.clone()),
            Self::Sin => x.clone().cos(),
            Self::Cos => -x.clone().sin(),
            Self::Tanh => Expr::from(1.0) - y.clone() * y.clone(),
            Self::Sigmoid => y.clone() * (Expr::from(1.0) - y.clone()),
            Self::Softplus => x.clone().sigmoid(),
            Self::ArcCosine0 => {
                let squared = Expr::from(1.0) - x.clone() * x.clone();
                (squared.sqrt() * std::f64::consts::PI).recip()
            }
            Self::ArcCosine1 => x.clone().unary(Self::ArcCosine0),
        }
    }
}

impl Binary {
    /// All operations, for tables and tests.
    pub const ALL: [Self; 8] = [
        Self::Add,
        Self::Sub,
        Self::Mul,
        Self::Div,
        Self::Min,
        Self::Max,
        Self::Pow,
        Self::Less,
    ];

    /// Value at `(a, b)`.
    #[inline(always)]
    pub fn apply<R: Real>(self, a: R, b: R) -> R {
        match self {
            Self::Add => a + b,
            Self::Sub => a - b,
            Self::Mul => a * b,
            Self::Div => a / b,
            Self::Min => a.least(b),
            Self::Max => a.largest(b),
            Self::Pow => a.pow(b),
            Self::Less => R::from_bool(a < b),
        }
    }

    /// (∂f/∂a, ∂f/∂b) in terms of the arguments and the value `y` = f(a, b).
    fn derivatives(self, a: &Expr, b: &Expr, y: &Expr) -> (Expr, Expr) {
        let (zero, one) = (Expr::from(0.0), Expr::from(1.0));
        match self {
            Self::Add => (one.clone(), one),
            Self::Sub => (one, Expr::from(-1.0)),
            Self::Mul => (b.clone(), a.clone()),
            Self::Div => (b.clone().recip(), -(y.clone() / b.clone())),
            Self::Min => {
                let second = b.clone().less(a.clone());
                (one - second.clone(), second)
            }
            Self::Max => {
                let second = a.clone().less(b.clone());
                (one - second.clone(), second)
            }
            Self::Pow => (
                b.clone() * a.clone().pow(b.clone() - one),
                y.clone() * a.clone().ln(),
            ),
            Self::Less => (zero.clone(), zero),
        }
    }
}

/// One line of a tape; operands are earlier lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Node {
    /// The i-th argument.
    Arg(u16),
    /// A constant, as the bits of an f64 so that it can be hashed.
    Const(u64),
    /// An operation on an earlier line.
    Unary(Unary, u32),
    /// An operation on two earlier lines.
    Binary(Binary, u32, u32),
    /// The second line where the first is > 0, else the third; a NaN in the branch not taken does not spread.
    Choose(u32, u32, u32),
}

/// A scalar function of numbered arguments. Cheap to clone; equal expressions compare equal.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Expr {
    nodes: Arc<[Node]>,
}

impl Expr {
    /// The `i`-th argument.
    pub fn arg(i: usize) -> Self {
        Self::single(Node::Arg(i as u16))
    }

    fn single(node: Node) -> Self {
        Self {
            nodes: Arc::new([node]),
        }
    }

    /// The tape; the last line is the value.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// One more than the highest argument used.
    pub fn arity(&self) -> usize {
        let highest = self.nodes.iter().filter_map(|n| match n {
            Node::Arg(i) => Some(usize::from(*i) + 1),
            _ => None,
        });
        highest.max().unwrap_or(0)
    }

    /// Floating point operations of one evaluation, roughly; transcendental functions count as ten.
    pub fn cost(&self) -> usize {
        let cost = |node: &Node| match node {
            Node::Arg(_) | Node::Const(_) => 0,
            Node::Unary(Unary::Exp | Unary::Ln | Unary::Sin | Unary::Cos | Unary::Tanh, _) => 10,
            Node::Unary(Unary::Sigmoid, _) => 12,
            Node::Unary(Unary::Softplus | Unary::ArcCosine0 | Unary::ArcCosine1, _) => 20,
            Node::Binary(Binary::Pow, ..) => 20,
            _ => 1,
        };
        self.nodes.iter().map(cost).sum()
    }

    /// The value, if the expression is a constant.
    pub fn constant(&self) -> Option<f64> {
        match *self.nodes {
            [Node::Const(bits)] => Some(f64::from_bits(bits)),
            _ => None,
        }
    }

    fn unary(self, op: Unary) -> Self {
        let mut tape = Tape::default();
        let x = tape.import(&self);
        let root = tape.unary(op, x);
        tape.finish(root)
    }

    fn binary(self, op: Binary, rhs: impl Into<Self>) -> Self {
        let mut tape = Tape::default();
        let a = tape.import(&self);
        let b = tape.import(&rhs.into());
        let root = tape.binary(op, a, b);
        tape.finish(root)
    }

    /// `yes` where this is > 0, else `no`.
    #[must_use]
    pub fn choose(self, yes: impl Into<Self>, no: impl Into<Self>) -> Self {
        let mut tape = Tape::default();
        let (c, a, b) = (
            tape.import(&self),
            tape.import(&yes.into()),
            tape.import(&no.into()),
        );
        let root = tape.choose(c, a, b);
        tape.finish(root)
    }

    /// Applies one unary operation.
    pub fn apply1(self, op: Unary) -> Self {
        self.unary(op)
    }

    /// Applies one binary operation.
    pub fn apply2(self, op: Binary, rhs: impl Into<Self>) -> Self {
        self.binary(op, rhs)
    }

    /// Replaces argument i by `args[i]`.
    pub fn substitute(&self, args: &[Self]) -> Self {
        let mut tape = Tape::default();
        let ids: Vec<u32> = args.iter().map(|a| tape.import(a)).collect();
        let root = tape.substitute(self, &ids);
        tape.finish(root)
    }

    /// The same function of only the arguments it uses, renumbered, and which those are.
    pub fn compact(&self) -> (Self, Vec<usize>) {
        let used: Vec<usize> = (0..self.arity())
            .filter(|&i| self.nodes.contains(&Node::Arg(i as u16)))
            .collect();
        let mut renamed = vec![Self::from(0.0); self.arity()];
        for (new, &old) in used.iter().enumerate() {
            renamed[old] = Self::arg(new);
        }
        (self.substitute(&renamed), used)
    }

    /// All first derivatives ∂f/∂arg_i for i < `arity`, by reverse mode over the tape.
    pub fn gradient(&self, arity: usize) -> Vec<Self> {
        let values = self.lines();
        let mut adjoint = vec![Self::from(0.0); values.len()];
        if let Some(last) = adjoint.last_mut() {
            *last = Self::from(1.0);
        }
        let mut out = vec![Self::from(0.0); arity];
        for (line, node) in self.nodes.iter().enumerate().rev() {
            let g = adjoint[line].clone();
            if g.constant() == Some(0.0) {
                continue;
            }
            match *node {
                Node::Const(_) => {}
                Node::Arg(i) => {
                    if let Some(slot) = out.get_mut(usize::from(i)) {
                        *slot = slot.clone() + g;
                    }
                }
                Node::Unary(op, x) => {
                    let local = op.derivative(&values[x as usize], &values[line]);
                    let slot = &mut adjoint[x as usize];
                    *slot = slot.clone() + g * local;
                }
                Node::Binary(op, a, b) => {
                    let (da, db) =
                        op.derivatives(&values[a as usize], &values[b as usize], &values[line]);
                    let slot = &mut adjoint[a as usize];
                    *slot = slot.clone() + g.clone() * da;
                    let slot = &mut adjoint[b as usize];
                    *slot = slot.clone() + g * db;
                }
                Node::Choose(c, a, b) => {
                    let (mask, zero) = (&values[c as usize], Self::from(0.0));
                    let slot = &mut adjoint[a as usize];
                    *slot = slot.clone() + mask.clone().choose(g.clone(), zero.clone());
                    let slot = &mut adjoint[b as usize];
                    *slot = slot.clone() + mask.clone().choose(zero, g);
                }
            }
        }
        out
    }

    /// ∂f/∂arg_i.
    pub fn derivative(&self, i: usize) -> Self {
        self.gradient(i + 1).swap_remove(i)
    }

    /// Every line of the tape as an expression of its own.
    fn lines(&self) -> Vec<Self> {
        (1..=self.nodes.len())
            .map(|end| {
                let mut tape = Tape::default();
                let whole = Self {
                    nodes: self.nodes[..end].into(),
                };
                let root = tape.import(&whole);
                tape.finish(root)
            })
            .collect()
    }

    /// Value at one point.
    ///
    /// # Panics
    /// `args` is shorter than the arity.
    pub fn eval<R: Real>(&self, args: &[R]) -> R {
        let mut values: Vec<R> = Vec::with_capacity(self.nodes.len());
        for node in self.nodes.iter() {
            values.push(match *node {
                Node::Arg(i) => args[usize::from(i)],
                Node::Const(bits) => R::from_f64(f64::from_bits(bits)),
                Node::Unary(op, x) => op.apply(values[x as usize]),
                Node::Binary(op, a, b) => op.apply(values[a as usize], values[b as usize]),
                Node::Choose(c, a, _) if values[c as usize] > R::ZERO => values[a as usize],
                Node::Choose(_, _, b) => values[b as usize],
            });
        }
        values.pop().unwrap_or(R::ZERO)
    }
}

macro_rules! unary_methods {
    ($($(#[$doc:meta])* $name:ident => $op:ident;)*) => {
        impl Expr { $($(#[$doc])* #[must_use] pub fn $name(self) -> Self { self.unary(Unary::$op) })* }
    };
}
unary_methods! {
    /// |x|
    abs => Abs;
    /// −1, 0 or 1
    sign => Sign;
    /// 1 where positive, else 0
    step => Step;
    /// eˣ
    exp => Exp;
    /// Natural logarithm
    ln => Ln;
    /// Square root
    sqrt => Sqrt;
    /// 1/x
    recip => Recip;
    /// Sine
    sin => Sin;
    /// Cosine
    cos => Cos;
    /// Hyperbolic tangent
    tanh => Tanh;
    /// 1/(1 + e⁻ˣ)
    sigmoid => Sigmoid;
    /// log(1 + eˣ)
    softplus => Softplus;
    /// Arc-cosine kernel of degree 0.
    arc_cosine0 => ArcCosine0;
    /// Arc-cosine kernel of degree 1.
    arc_cosine1 => ArcCosine1;
}

impl Expr {
    /// The smaller of two.
    #[must_use]
    pub fn least(self, rhs: impl Into<Self>) -> Self {
        self.binary(Binary::Min, rhs)
    }
    /// The larger of two.
    #[must_use]
    pub fn largest(self, rhs: impl Into<Self>) -> Self {
        self.binary(Binary::Max, rhs)
    }
    /// Power with a positive base.
    #[must_use]
    pub fn pow(self, rhs: impl Into<Self>) -> Self {
        self.binary(Binary::Pow, rhs)
    }
    /// 1 where self < rhs, else 0.
    #[must_use]
    pub fn less(self, rhs: impl Into<Self>) -> Self {
        self.binary(Binary::Less, rhs)
    }
    /// Whole power by repeated squaring, any sign of the base.
    #[must_use]
    pub fn powi(self, exponent: i32) -> Self {
        let mut result = Self::from(1.0);
        let (mut square, mut left) = (self, exponent.unsigned_abs());
        while left > 0 {
            if left & 1 == 1 {
                result = result * square.clone();
            }
            left >>= 1;
            if left > 0 {
                square = square.clone() * square;
            }
        }
        if exponent < 0 { result.recip() } else { result }
    }
}

impl From<f64> for Expr {
    fn from(value: f64) -> Self {
        Self::single(Node::Const(value.to_bits()))
    }
}

macro_rules! operators {
    ($($trait:ident $method:ident $op:ident;)*) => {$(
        impl<T: Into<Expr>> $trait<T> for Expr {
            type Output = Expr;
            fn $method(self, rhs: T) -> Expr { self.binary(Binary::$op, rhs) }
        }
    )*};
}
operators! { Add add Add; Sub sub Sub; Mul mul Mul; Div div Div; }

impl Neg for Expr {
    type Output = Self;
    fn neg(self) -> Self {
        self.unary(Unary::Neg)
    }
}

impl fmt::Debug for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Expr {
    /// Prints the tree with arguments `a0`, `a1`, …; shared lines are printed where they are used.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text: Vec<String> = Vec::with_capacity(self.nodes.len());
        for node in self.nodes.iter() {
            text.push(match *node {
                Node::Arg(i) => format!("a{i}"),
                Node::Const(bits) => f64::from_bits(bits).to_string(),
                Node::Unary(Unary::Neg, x) => format!("-{}", text[x as usize]),
                Node::Unary(op, x) => {
                    format!("{}({})", format!("{op:?}").to_lowercase(), text[x as usize])
                }
                Node::Binary(op, a, b) => {
                    let (a, b) = (&text[a as usize], &text[b as usize]);
                    match op {
                        Binary::Add => format!("({a} + {b})"),
                        Binary::Sub => format!("({a} - {b})"),
                        Binary::Mul => format!("{a}*{b}"),
                        Binary::Div => format!("{a}/({b})"),
                        _ => format!("{}({a}, {b})", format!("{op:?}").to_lowercase()),
                    }
                }
                Node::Choose(c, a, b) => {
                    let (c, a, b) = (&text[c as usize], &text[a as usize], &text[b as usize]);
                    format!("choose({c}, {a}, {b})")
                }
            });
        }
        f.write_str(text.last().map_or("", String::as_str))
    }
}

#[cfg(test)]
mod tests;
