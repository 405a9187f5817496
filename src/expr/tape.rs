//! Builds expressions line by line: shares equal lines, folds constants, drops what is not used.

use super::{Binary, Expr, Node, Unary};

#[derive(Default)]
pub(super) struct Tape {
    nodes: Vec<Node>,
}

impl Tape {
    fn push(&mut self, node: Node) -> u32 {
        // Tapes are short, and what is shared was mostly pushed just before.
        let known = self.nodes.iter().rposition(|n| *n == node);
        known.unwrap_or_else(|| {
            self.nodes.push(node);
            self.nodes.len() - 1
        }) as u32
    }

    fn constant(&mut self, value: f64) -> u32 {
        self.push(Node::Const(value.to_bits()))
    }

    fn value(&self, id: u32) -> Option<f64> {
        match self.nodes[id as usize] {
            Node::Const(bits) => Some(f64::from_bits(bits)),
            _ => None,
        }
    }

    pub(super) fn unary(&mut self, op: Unary, x: u32) -> u32 {
        if let Some(v) = self.value(x) {
            return self.constant(op.apply(v));
        }
        match (op, self.nodes[x as usize]) {
            (Unary::Neg, Node::Unary(Unary::Neg, inner)) => inner,
            _ => self.push(Node::Unary(op, x)),
        }
    }

    pub(super) fn binary(&mut self, op: Binary, a: u32, b: u32) -> u32 {
        let (va, vb) = (self.value(a), self.value(b));
        if let (Some(x), Some(y)) = (va, vb) {
            return self.constant(op.apply(x, y));
        }
        match (op, va, vb) {
            (Binary::Add, Some(0.0), _) | (Binary::Mul, Some(1.0), _) => b,
            (Binary::Add | Binary::Sub, _, Some(0.0))
            | (Binary::Mul | Binary::Div, _, Some(1.0)) => a,
            // 0·x is taken as 0: derivatives of unused branches must not turn an infinity into NaN.
            (Binary::Mul, Some(0.0), _) => a,
            (Binary::Mul, _, Some(0.0)) => b,
            (Binary::Mul, Some(-1.0), _) => self.unary(Unary::Neg, b),
            (Binary::Mul, _, Some(-1.0)) => self.unary(Unary::Neg, a),
            (Binary::Sub, Some(0.0), _) => self.unary(Unary::Neg, b),
            (Binary::Add, ..) if a == b => {
                let two = self.constant(2.0);
                self.binary(Binary::Mul, two, a)
            }
            // Commutative operations have one spelling, so that equal terms are shared.
            (Binary::Add | Binary::Mul, ..) if a > b => self.push(Node::Binary(op, b, a)),
            _ => self.push(Node::Binary(op, a, b)),
        }
    }

    pub(super) fn choose(&mut self, c: u32, a: u32, b: u32) -> u32 {
        match self.value(c) {
            Some(v) if v > 0.0 => a,
            Some(_) => b,
            None if a == b => a,
            None => self.push(Node::Choose(c, a, b)),
        }
    }

    pub(super) fn import(&mut self, expr: &Expr) -> u32 {
        self.copy(expr, |tape, i| tape.push(Node::Arg(i)))
    }

    pub(super) fn substitute(&mut self, expr: &Expr, args: &[u32]) -> u32 {
        self.copy(expr, |_, i| args[usize::from(i)])
    }

    fn copy(&mut self, expr: &Expr, mut arg: impl FnMut(&mut Self, u16) -> u32) -> u32 {
        let mut ids = Vec::with_capacity(expr.nodes.len());
        for node in expr.nodes.iter() {
            let id = match *node {
                Node::Arg(i) => arg(self, i),
                Node::Const(_) => self.push(*node),
                Node::Unary(op, x) => self.unary(op, ids[x as usize]),
                Node::Binary(op, a, b) => self.binary(op, ids[a as usize], ids[b as usize]),
                Node::Choose(c, a, b) => {
                    self.choose(ids[c as usize], ids[a as usize], ids[b as usize])
                }
            };
            ids.push(id);
        }
        ids.pop().unwrap_or(0)
    }

    /// The expression ending in `root`, with only the lines it needs.
    pub(super) fn finish(self, root: u32) -> Expr {
        let mut used = vec![false; self.nodes.len()];
        used[root as usize] = true;
        for id in (0..=root as usize).rev() {
            if !used[id] {
                continue;
            }
            match self.nodes[id] {
                Node::Unary(_, x) => used[x as usize] = true,
                Node::Binary(_, a, b) => {
                    used[a as usize] = true;
                    used[b as usize] = true;
                }
                Node::Choose(c, a, b) => {
                    for x in [c, a, b] {
                        used[x as usize] = true;
                    }
                }
                Node::Arg(_) | Node::Const(_) => {}
            }
        }
        let mut moved = vec![0u32; self.nodes.len()];
        let mut nodes = Vec::new();
        for (id, node) in self.nodes.iter().enumerate().take(root as usize + 1) {
            if used[id] {
                moved[id] = nodes.len() as u32;
                nodes.push(match *node {
                    Node::Unary(op, x) => Node::Unary(op, moved[x as usize]),
                    Node::Binary(op, a, b) => {
                        Node::Binary(op, moved[a as usize], moved[b as usize])
                    }
                    Node::Choose(c, a, b) => {
                        Node::Choose(moved[c as usize], moved[a as usize], moved[b as usize])
                    }
                    leaf => leaf,
                });
            }
        }
        Expr {
            nodes: nodes.into(),
        }
    }
}
