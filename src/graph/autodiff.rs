//! Reverse mode: a function from graph to graph.

use super::Var;

/// ∂(Σ y)/∂x for each x in `wrt`, as new nodes of the same graph.
pub fn grad<'g>(y: Var<'g>, wrt: &[Var<'g>]) -> Vec<Var<'g>> {
    let _ = (y, wrt);
    unimplemented!()
}
